// SPDX-License-Identifier: Apache-2.0
#include "passes/fresh_locals.h"

#include "ir/languages.h"
#include "ir/rewrite.h"

namespace ksc {
namespace {

constexpr FormSet naming = form_set_of<Local, VarStmt, IfVar, For, ForEach, Try>();

class Renamer final : public Walker {
 public:
  explicit Renamer(Context& context) : Walker(context, naming) {}

  Ident renamed(const Ident& old) { return {renamed(old.name), old.loc}; }

 private:
  Name renamed(Name old) {
    if (!old) return old;
    const auto [known, is_new] = names_.try_emplace(old);
    if (is_new) known->second = fresh(old.spelling());
    return known->second;
  }
  bool expr_case(const Expr& e, Expr& out) override {
    const auto* local = as<Local>(e);
    if (local) out = context.make(Local{renamed(local->form.name)}, local->loc, local->type);
    return local != nullptr;
  }
  bool stmt_case(const Stmt& s) override {
    if (const auto* n = as<VarStmt>(s)) {
      const Option<Expr> value = (*this)(n->form.value);
      emit_statement(context.make(VarStmt{renamed(n->form.name), n->form.type, value}, n->loc));
    } else if (const auto* n = as<IfVar>(s)) {
      IfVar form = n->form;
      form.value = (*this)(form.value);
      form.name = renamed(form.name);
      form.then = (*this)(form.then);
      form.otherwise = (*this)(form.otherwise);
      emit_statement(context.make(form, n->loc));
    } else if (const auto* n = as<For>(s)) {
      For form = n->form;
      form.low = (*this)(form.low);
      form.high = (*this)(form.high);
      form.name = renamed(form.name);
      form.body = (*this)(form.body);
      emit_statement(context.make(form, n->loc));
    } else if (const auto* n = as<ForEach>(s)) {
      ForEach form = n->form;
      form.map = (*this)(form.map);
      form.key = renamed(form.key);
      form.value = renamed(form.value);
      form.body = (*this)(form.body);
      emit_statement(context.make(form, n->loc));
    } else if (const auto* n = as<Try>(s)) {
      Try form = n->form;
      form.body = (*this)(form.body);
      std::vector<CatchClause> clauses(form.clauses.begin(), form.clauses.end());
      for (CatchClause& clause : clauses) {
        clause.code = (*this)(clause.code);
        clause.name = renamed(clause.name);
        clause.body = (*this)(clause.body);
      }
      form.clauses = context.span(clauses);
      emit_statement(context.make(form, n->loc));
    } else {
      return false;
    }
    return true;
  }
  bool decl_case(const Decl&) override { return false; }

  NameMap<Name> names_;
};

}  // namespace

FunctionDecl with_fresh_locals(const FunctionDecl& function, Context& context) {
  Renamer renamer(context);
  FunctionDecl out = function;
  std::vector<TypedName> parameters(out.parameters.begin(), out.parameters.end());
  for (TypedName& p : parameters) p.name = renamer.renamed(p.name);
  out.parameters = context.span(parameters);
  out.result_name = renamer.renamed(out.result_name);
  out.body = renamer(out.body);
  return out;
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// ctx->mark = ctx->len   =>   ctx->mark = ks_read(ctx->len); barrier()
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ContextAccessesApart>;

bool is_context(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Context; }

/// A number in the context: ctx->field.
bool is_context_field(const Expr& place) {
  const auto* field = as<Field>(place);
  const auto* pointed = field && is_integral(field->type) ? as<Deref>(field->form.base) : nullptr;
  return pointed && is_context(type_of(pointed->form.pointer));
}

/// How often a function reads the context. One read stays as it is; of one write C compilers may make several, so each is kept.
struct Uses {
  int reads = 0;
  bool is_shared = false;  // it is passed on, or was passed here: C compilers put one function into another

  explicit Uses(const FunctionDef& function) : is_shared(function.domain != Domain::Program) {
    for (const Stmt& s : function.body.statements) count(s);
  }
  bool reads_apart() const { return reads > 1 || (reads > 0 && is_shared); }

 private:
  void count(const Stmt& s) {
    if (const auto* assign = as<Assign>(s); assign && is_context_field(assign->form.place)) {
      return count(assign->form.value);
    }
    each_child_of(s, [&](const Expr& e) { count(e); }, [&](const Stmt& t) { count(t); });
  }
  void count(const Expr& e) {
    if (is_context_field(e)) ++reads;
    if (const auto* call = as<Call>(e))
      for (const Expr& argument : call->form.arguments) is_shared = is_shared || is_context(type_of(argument));
    each_child_of(e, [&](const Expr& child) { count(child); }, [&](const Stmt& s) { count(s); });
  }
};

}  // namespace

// Of accesses in several branches C compilers make one behind them, to an address that the branch chose; the verifier wants the
// context itself and a constant distance ("dereference of modified ctx ptr"). What inline assembly follows stays where it is.
Ir<lang::ContextAccessesApart> keep_context_accesses_apart(const Ir<lang::NullTestsApart>& in, Context& context) {
  std::map<Name, Uses, ByText> uses;
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d)) uses.emplace(function->form.name, Uses(function->form));
  return rewrite<lang::NullTestsApart, lang::ContextAccessesApart>(
      in, context,
      on<Field>([&](const Node<Field>& n, Out& to) -> Expr {
        const Expr read = to.rebuild(n);
        if (!is_context_field(Ref<Field>{&n}) || !uses.at(to.function()->name).reads_apart()) return read;
        return to.make(RuntimeCall{to.context.name("ks_read"), to.context.span<Expr>({read})}, n.loc, n.type);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        if (!is_context_field(n->place)) return to.emit_statement(to.rebuild(n));
        to.emit(Assign{n->place, to(n->value)}, n.loc);
        to.emit(Evaluate{to.make(RuntimeCall{to.context.name("barrier"), {}}, n.loc, to.context.types.void_type())}, n.loc);
      }));
}

}  // namespace ksc

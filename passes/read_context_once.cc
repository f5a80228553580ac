// SPDX-License-Identifier: Apache-2.0
/// if (ctx->len == 1) … else if (ctx->len == 2) … …   =>   var len = ctx->len; if (len == 1) … else if (len == 2) … …
#include <algorithm>

#include "ir/context_fields.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ContextReadOnce>;

/// clang 14 computes an address that about seventeen branches share, which the verifier does not follow ("dereference
/// of modified ctx ptr"); half of that is far enough away.
constexpr int most_reads = 8;

/// The members that are read often, and that nothing changes between the reads: in a function, or in the conditions of
/// one statement, behind which anything may follow.
class OftenRead {
 public:
  explicit OftenRead(const FunctionDef& function) : function_(&function) {
    for (const Stmt& s : function.body.statements) count(s);
    keep_often();
  }
  explicit OftenRead(const If& test) {
    for (const Branch& b : test.branches) count(b.condition);
    keep_often();
  }

  struct Read {
    Name name;
    const Node<Field>* first;
    int times = 0;
  };
  const std::vector<Read>& reads() const { return reads_; }

 private:
  void keep_often() {
    if (may_change_) reads_.clear();
    std::erase_if(reads_, [&](const Read& read) { return read.times <= most_reads || changed_.count(read.name); });
  }
  void count(const Stmt& s) {
    if (const auto* assign = as<Assign>(s))
      if (const auto* field = context_field(assign->form.place)) changed_.insert(field->form.name);
    each_child_of(
        s, [&](const Expr& e) { count(e); }, [&](const Stmt& t) { count(t); });
  }
  void count(const Expr& e) {
    may_change_ = may_change_ || as<Call>(e) || gives_context(e);
    if (const auto* field = context_field(e); field && is_reachable(*field)) {
      auto known =
          std::find_if(reads_.begin(), reads_.end(), [&](const Read& r) { return r.name == field->form.name; });
      if (known == reads_.end()) known = reads_.insert(known, {field->form.name, field});
      ++known->times;
    }
    each_child_of(
        e, [&](const Expr& child) { count(child); }, [&](const Stmt& s) { count(s); });
  }
  /// Whether a helper is given the context, itself or through a loop's function, and may change what it says.
  static bool gives_context(const Expr& e) {
    const auto* call = as<HelperCall>(e);
    return call && std::any_of(call->form.arguments.begin(), call->form.arguments.end(), [](const Expr& argument) {
             return as<FunctionAddress>(argument) || is_context(type_of(argument));
           });
  }
  /// Whether the context has its name where the reads would be made: a function begins with its parameters alone.
  bool is_reachable(const Node<Field>& field) const {
    const auto* context = as<Local>(as<Deref>(field.form.base)->form.pointer);
    return context && (!function_ || std::any_of(function_->parameters.begin(), function_->parameters.end(),
                                                 [&](const Parameter& p) { return p.name == context->form.name; }));
  }

  const FunctionDef* function_ = nullptr;
  std::vector<Read> reads_;
  NameSet changed_;
  bool may_change_ = false;
};

}  // namespace

Ir<lang::ContextReadOnce> read_context_once(const Ir<lang::PointersRetested>& in, Context& context) {
  NameMap<Name> variables;  // of members, at the place that the walk has reached
  const auto declare = [&](const OftenRead& often, Loc loc, Out& to) {
    for (const OftenRead::Read& read : often.reads()) {
      if (variables.count(read.name)) continue;
      const Name name = to.fresh(read.name.spelling());
      to.emit(Let{name, read.first->type, to.make(read.first->form, loc, read.first->type)}, loc);
      variables[read.name] = name;
    }
  };
  return rewrite<lang::PointersRetested, lang::ContextReadOnce>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        variables.clear();
        FunctionDef form = n.form;
        form.body = to.collect([&] {
          declare(OftenRead(n.form), n.loc, to);
          to.emit(to(n->body));
        });
        to.declare(form, n.loc);
      }),
      on<If>([&](const Node<If>& n, Out& to) {
        const NameMap<Name> outside = variables;
        declare(OftenRead(n.form), n.loc, to);
        std::vector<Branch> branches;
        for (const Branch& b : n->branches) branches.push_back({to(b.condition), {}});
        variables = outside;
        for (size_t i = 0; i < branches.size(); ++i) branches[i].body = to(n->branches[i].body);
        to.emit(If{to.context.span(branches), to(n->otherwise)}, n.loc);
      }),
      on<Field>([&](const Node<Field>& n, Out& to) -> Expr {
        const auto variable = variables.find(n->name);
        if (variable == variables.end() || !context_field(Ref<Field>{&n})) return to.rebuild(n);
        return to.make(Local{variable->second}, n.loc, n.type);
      }));
}

}  // namespace ksc

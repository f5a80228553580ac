// SPDX-License-Identifier: Apache-2.0
/// fn f() { … return e … }   =>   fn f() { … ks_clear_result(); return e … }, where f is called more than once
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ResultsCleared>;

void count(const Stmt& s, NameMap<int>& calls);
void count(const Expr& e, NameMap<int>& calls) {
  if (const auto* call = as<Call>(e)) ++calls[call->form.function];
  each_child_of(
      e, [&](const Expr& child) { count(child, calls); }, [&](const Stmt& s) { count(s, calls); });
}
void count(const Stmt& s, NameMap<int>& calls) {
  each_child_of(
      s, [&](const Expr& e) { count(e, calls); }, [&](const Stmt& t) { count(t, calls); });
}

void emit_clearing(Loc loc, Out& to) {
  to.emit(Evaluate{to.make(RuntimeCall{to.context.name("ks_clear_result"), {}}, loc, to.context.types.void_type())},
          loc);
}

}  // namespace

// The verifier takes what is left in R0 for a function's result, also where it has none, and refuses an address of the
// stack. C compilers leave out a result that nobody uses, or that they know. What is called once becomes a part of its
// caller.
Ir<lang::ResultsCleared> clear_results(const Ir<lang::EarlyAnswersHidden>& in, Context& context) {
  NameMap<int> calls;
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) count(s, calls);
  const auto is_called = [&](const FunctionDef& function) { return calls[function.name] > 1; };
  return rewrite<lang::EarlyAnswersHidden, lang::ResultsCleared>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        form.body = to.collect([&] {
          for (const Stmt& s : to(n->body).statements) to.emit_statement(s);
          const Span<Stmt> all = n->body.statements;
          if (is_called(n.form) && (all.empty() || !as<Return>(all[all.size() - 1]))) emit_clearing(n.loc, to);
        });
        to.declare(form, n.loc);
      }),
      on<Return>([&](const Node<Return>& n, Out& to) {
        if (is_called(*to.function())) emit_clearing(n.loc, to);
        to.emit(Return{to(n->value)}, n.loc);
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// fn f() -> T { … e }   =>   fn f() -> T { … return e }, also where e ends each branch of an `if`
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::LastValuesReturned>;

/// The body with `return` before the expression that it ends with, if it does.
Body returning(const Body& body, bool is_named, Out& to) {
  if (body.statements.empty()) return body;
  std::vector<Stmt> statements(body.statements.begin(), body.statements.end());
  Stmt& last = statements.back();
  if (const auto* value = as<Evaluate>(last); value && !(is_named && is_match_statement(value->form.value))) {
    last = to.make(Return{Option<Expr>(value->form.value)}, value->loc);
  } else if (const auto* choice = as<If>(last); choice && !choice->form.otherwise.statements.empty()) {
    std::vector<Branch> branches;
    for (const Branch& branch : choice->form.branches)
      branches.push_back({branch.condition, returning(branch.body, is_named, to)});
    last = to.make(If{to.context.span(branches), returning(choice->form.otherwise, is_named, to)}, choice->loc);
  } else if (const auto* test = as<IfVar>(last); test && !test->form.otherwise.statements.empty()) {
    IfVar form = test->form;
    form.then = returning(form.then, is_named, to);
    form.otherwise = returning(form.otherwise, is_named, to);
    last = to.make(form, test->loc);
  }
  return {to.context.span(statements)};
}

}  // namespace

Ir<lang::LastValuesReturned> return_last_values(const Ir<lang::Linked>& in, Context& context) {
  return rewrite<lang::Linked, lang::LastValuesReturned>(
      in, context, on<FunctionDecl>([](const Node<FunctionDecl>& n, Out& to) {
        FunctionDecl form = n.form;
        if (form.result) form.body = returning(form.body, bool(form.result_name.name), to);
        to.declare(form, n.loc);
      }));
}

}  // namespace ksc

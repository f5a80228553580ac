// SPDX-License-Identifier: Apache-2.0
/// fn f() -> r: T { … return … }   =>   fn f() -> T { var r: T … return r … return r }
#include "ir/rewrite.h"
#include "passes/passes.h"
#include "passes/ways_out.h"

namespace ksc {
namespace {

using Out = To<lang::ResultsUnnamed>;

/// The body, which returns the result where it came to its end; before what is done last.
Body returning(const Body& body, const Return& result, Loc loc, Out& to) {
  if (always_leaves(body)) return body;
  std::vector<Stmt> out(body.statements.begin(), body.statements.end());
  if (const auto* last = out.empty() ? nullptr : as<Finally>(out.back()))
    out.back() = to.make(Finally{returning(last->form.body, result, loc, to), last->form.cleanup}, last->loc);
  else
    out.push_back(to.make(result, loc));
  return {to.context.span(out)};
}

}  // namespace

Ir<lang::ResultsUnnamed> lower_named_results(const Ir<lang::KnownTestsDropped>& in, Context& context) {
  const auto result = [](Loc loc, Out& to) {
    const FunctionDef& function = *to.function();
    return Return{Option<Expr>(to.make(Local{function.result_name}, loc, function.result))};
  };
  return rewrite<lang::KnownTestsDropped, lang::ResultsUnnamed>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        if (!n->result_name) return to.add_declaration(to.rebuild(n));
        FunctionDef form = n.form;
        form.result_name = {};
        form.body = to.collect([&] {
          to.emit(Let{n->result_name, n->result, {}}, n.loc);
          to.emit(returning(to(n->body), result(n.loc, to), n.loc, to));
        });
        to.declare(form, n.loc);
      }),
      on<Return>([&](const Node<Return>& n, Out& to) {
        if (n->value || !to.function()->result_name) return to.emit(Return{to(n->value)}, n.loc);
        to.emit(result(n.loc, to), n.loc);
      }));
}

}  // namespace ksc

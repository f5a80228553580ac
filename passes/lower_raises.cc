// SPDX-License-Identifier: Apache-2.0
/// raise status   =>   return status in a function; return XDP_PASS, or XDP_ABORTED after a panic, in a program;
/// the end of the process in main
#include "ir/program_type.h"
#include "ir/rewrite.h"
#include "ir/status.h"
#include "passes/fault_verdicts.h"
#include "passes/passes.h"

namespace ksc {
namespace {
using Out = To<lang::ThrowsExplicit>;
}  // namespace

Ir<lang::ThrowsExplicit> lower_raises(const Ir<lang::OpenDiscarded>& in, Context& context) {
  const FaultVerdicts verdicts(in.declarations, context);
  const bool panics = may_panic(in.declarations);
  return rewrite<lang::OpenDiscarded, lang::ThrowsExplicit>(
      in, context, on<FaultVerdict>([](const auto&, Out&) {}), on<Raise>([&](const Node<Raise>& n, Out& to) {
        const FunctionDef& function = *to.function();
        if (function.throws) return to.emit(Return{n->status}, n.loc);
        if (function.domain != Domain::Program) {
          const Name ending = to.context.name("KS_UNCAUGHT");
          return to.emit(Evaluate{to.make(RuntimeCall{ending, to.context.span<Expr>({n->status})}, n.loc,
                                          to.context.types.void_type())},
                         n.loc);
        }
        const Stmt pass_through = to.make(Return{verdicts.of(function, n.loc)}, n.loc);
        const Stmt safe = to.make(Return{verdicts.safe(function, n.loc)}, n.loc);
        if (const auto* status = as<Int>(n->status))
          return to.emit_statement(status->form.value.value == status_of(StatusKind::Panic) ? safe : pass_through);
        if (panics) {
          const Expr panicked =
              to.make(Compare{CompareOp::Equal, n->status, constant_status(LeaveReason::Panic, n.loc, to.context)},
                      n.loc, to.context.types.boolean());
          to.emit(If{to.context.span<Branch>({{panicked, Body{to.context.span<Stmt>({safe})}}}), {}}, n.loc);
        }
        to.emit_statement(pass_through);
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// if (p == null) { leave }; … if (p == null) { leave }   =>   the second one goes: p is there
// What reads a member of what may not be there asks each time [L55].
#include "ir/rewrite.h"
#include "passes/fault_verdicts.h"
#include "passes/implicit_test.h"
#include "passes/passes.h"
#include "passes/pointer_proofs.h"

namespace ksc {

Ir<lang::KnownTestsDropped> drop_known_tests(const Ir<lang::Sound>& in, Context& context) {
  using Out = To<lang::KnownTestsDropped>;
  const std::set<const NodeHeader*> known = prove_pointers(in.declarations, context);
  const FaultVerdicts verdicts(in.declarations, context);
  return rewrite<lang::Sound, lang::KnownTestsDropped>(
      in, context, on<If>([&](const Node<If>& n, Out& to) {
        if (known.count(&n)) return;
        if (context.diagnostics.wants(Remark::bounds) && context.locations[n.loc].origin == implicit_test)
          context.diagnostics.report(n.loc, diag::absence_tested, verdicts.ending(*to.function()));
        to.emit_statement(to.rebuild(n));
      }));
}

}  // namespace ksc

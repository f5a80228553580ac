// SPDX-License-Identifier: Apache-2.0
/// *p   =>   *p, with p proven on every way to it: not null, no reference to a map entry that is gone, no pointer into
/// a packet that has moved and none to a variable that has ended; otherwise an error
#include "passes/dangling_addresses.h"
#include "passes/map_changes.h"
#include "passes/passes.h"
#include "passes/pointer_proofs.h"

namespace ksc {

Ir<lang::NullChecked> check_null(const Ir<lang::NoDefer>& in, Context& context) {
  prove_pointers(in.declarations, context);
  report_map_changes(in.declarations, context);
  report_dangling_addresses(in.declarations, context);
  return {in.declarations};
}

}  // namespace ksc

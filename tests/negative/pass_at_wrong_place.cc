// expect: this pass does not take what the pass before it gives
// SPDX-License-Identifier: Apache-2.0
// A pass that removes a form does not stand before one that still has a case for it.
#include "passes/passes.h"
#include "passes/pipeline.h"

namespace ksc {

auto part_of_the_trunk() {
#ifdef KSC_CORRECT
  return Pipeline<lang::ValuesPlaced>{} | KSC_PASS(lower_match, "") | KSC_PASS(lower_if_values, "") |
         KSC_PASS(lower_while, "");
#else
  return Pipeline<lang::ValuesPlaced>{} | KSC_PASS(lower_match, "") | KSC_PASS(lower_while, "") |
         KSC_PASS(lower_if_values, "");
#endif
}

}  // namespace ksc

// expect: this pass does not take what the pass before it gives
// SPDX-License-Identifier: Apache-2.0
// Two passes that keep all forms, and add a rule each, have their order nevertheless.
#include "passes/passes.h"
#include "passes/pipeline.h"

namespace ksc {

static_assert(lang::NoConcatenation.forms == lang::EnumsConverted.forms, "the two passes are meant to keep all forms");

auto part_of_the_trunk() {
#ifdef KSC_CORRECT
  return Pipeline<lang::NoConcatenation>{} | KSC_PASS(lower_string_comparisons, "") | KSC_PASS(convert_enums, "");
#else
  return Pipeline<lang::NoConcatenation>{} | KSC_PASS(convert_enums, "") | KSC_PASS(lower_string_comparisons, "");
#endif
}

}  // namespace ksc

// expect: a pass must change the language: remove a form or add a rule
// SPDX-License-Identifier: Apache-2.0
// A pass without a change of the language could stand anywhere, so it is none.
#include "ir/languages.h"
#include "passes/pipeline.h"

namespace ksc {

#ifdef KSC_CORRECT
Ir<lang::NoWhile> idle(const Ir<lang::NoIfValue>& in, Context&) { return {in.declarations}; }
#else
Ir<lang::NoIfValue> idle(const Ir<lang::NoIfValue>& in, Context&) { return {in.declarations}; }
#endif

auto pipeline() { return Pipeline<lang::NoIfValue>{} | KSC_PASS(idle, ""); }

}  // namespace ksc

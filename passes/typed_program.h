// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "passes/passes.h"

namespace ksc {

/// What the passes up to infer_types make of a program that was read.
inline Ir<lang::Typed> typed_program(const Ir<lang::Parsed>& parsed, Context& context) {
  const Ir<lang::Linked> linked = link_modules(resolve_names(parsed, context), context);
  return infer_types(return_last_values(linked, context), context);
}

}  // namespace ksc

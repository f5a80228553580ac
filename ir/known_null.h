// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/forms.h"

namespace ksc {

/// Whether the pointer is written as null, there or where it is chosen: on that way it is null without a test.
inline bool is_known_null(const Expr& pointer) {
  if (const auto* converted = as<Convert>(pointer)) return is_known_null(converted->form.value);
  if (const auto* choice = as<Conditional>(pointer))
    return is_known_null(choice->form.then) || is_known_null(choice->form.otherwise);
  return as<Null>(pointer);
}

}  // namespace ksc

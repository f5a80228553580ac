// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/forms.h"

namespace ksc {

inline bool is_context(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Context; }

/// A number in the context, ctx->member, as a place; null if the place is something else.
inline const Node<Field>* context_field(const Expr& place) {
  const auto* field = as<Field>(place);
  const auto* pointed = field && is_integral(field->type) ? as<Deref>(field->form.base) : nullptr;
  return pointed && is_context(type_of(pointed->form.pointer)) ? field : nullptr;
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "passes/array_copies.h"

namespace ksc {

/// Where the bytes of a string or an array are, and how many may be looked at.
struct TextBytes {
  Expr bytes;
  uint64_t size;
};

/// Of a string as a value, or an array: a literal is its own address; what has no place gets one.
template <Lang Out>
TextBytes bytes_of_text(const Expr& given, Loc loc, To<Out>& to) {
  Types& types = to.context.types;
  // A wider string has the same text.
  const auto* widened = as<Convert>(given);
  const bool is_same = widened && is(type_of(widened->form.value), TypeKind::Str) &&
                       type_of(widened->form.value)->count <= type_of(given)->count;
  const Expr e = is_same ? widened->form.value : given;
  if (const auto* text = as<StringValue>(e)) return {e, text->form.text.text().size() + 1};
  if (as<Zero>(e)) return {to.make(StringValue{to.context.name("")}, loc, types.str(1)), 1};
  Expr place = e;
  const bool is_place = as<Local>(e) || as<Global>(e) || as<Field>(e) || as<Index>(e) || as<Deref>(e);
  if (!is_place) {
    const Name name = to.fresh("text");
    to.emit(Let{name, type_of(e), e}, loc_of(e));
    place = to.make(Local{name}, loc_of(e), type_of(e));
  }
  return {to.make(AddressOf{place}, loc_of(e), types.pointer(type_of(e), Space::Stack, false)), size_of(type_of(e))};
}

}  // namespace ksc

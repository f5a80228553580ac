// SPDX-License-Identifier: Apache-2.0
#include "ir/places.h"

namespace ksc {

const Expr& root_of(const Expr& place) {
  const Expr* at = &place;
  for (;;) {
    if (const auto* field = as<Field>(*at))
      at = &field->form.base;
    else if (const auto* index = as<Index>(*at))
      at = &index->form.base;
    else
      return *at;
  }
}

const Node<MapEntry>* entry_of(const Expr& place) { return as<MapEntry>(root_of(place)); }

bool is_in_packet(const Expr& place) {
  const auto* deref = as<Deref>(root_of(place));
  return deref && is(type_of(deref->form.pointer), TypeKind::Pointer) &&
         type_of(deref->form.pointer)->space == Space::Packet;
}

bool is_in_object(const Expr& place) {
  const auto* deref = as<Deref>(root_of(place));
  return deref && is_object(type_of(deref->form.pointer));
}

}  // namespace ksc

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

const Node<Conditional>* as_clamped(const Expr& index, uint64_t count) {
  const auto* choice = as<Conditional>(index);
  const auto* test = choice ? as<Compare>(choice->form.condition) : nullptr;
  if (!test || test->form.op != CompareOp::Less) return nullptr;
  const auto *tested = as<Local>(test->form.left), *chosen = as<Local>(choice->form.then);
  const auto *limit = as<Int>(test->form.right), *otherwise = as<Int>(choice->form.otherwise);
  const bool is_clamped = tested && chosen && limit && otherwise && tested->form.name == chosen->form.name &&
                          !is_signed(tested->type) && limit->form.value.value <= static_cast<__int128>(count) &&
                          otherwise->form.value.value == 0;
  return is_clamped ? choice : nullptr;
}

}  // namespace ksc

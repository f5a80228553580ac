// SPDX-License-Identifier: Apache-2.0
#include "ir/copy_pieces.h"

#include <algorithm>

namespace ksc {
namespace {

constexpr uint64_t word = 8;  // bytes

/// The largest power of two that divides a distance from what is aligned so; distances of 0 change nothing.
uint64_t alignment_at(uint64_t alignment, uint64_t distance) {
  return distance == 0 ? alignment : std::min(alignment, distance & -distance);
}

uint64_t alignment_of_place(const Expr& place) {
  if (const auto* field = as<Field>(place)) {
    const Expr& base = field->form.base;
    const auto& fields = type_of(base)->body->fields;
    const auto* member =
        std::find_if(fields.begin(), fields.end(), [&](const StructField& f) { return f.name == field->form.name; });
    return alignment_at(alignment_of_place(base), member->offset);
  }
  if (const auto* index = as<Index>(place))
    return alignment_at(alignment_of_place(index->form.base), size_of(type_of(place)));
  return align_of(type_of(place));
}

/// Of what an address points to. A variable of the function may begin wherever the compiler wants, if it may move it.
uint64_t alignment_behind(const Expr& pointer, bool may_move) {
  if (const auto* converted = as<Convert>(pointer)) return alignment_behind(converted->form.value, may_move);
  if (const auto* address = as<AddressOf>(pointer))
    return may_move && as<Local>(address->form.place) ? word : alignment_of_place(address->form.place);
  const Type type = type_of(pointer);
  return type->element ? align_of(type->element) : 1;
}

}  // namespace

CopyPieces pieces_of_copy(const Expr& to, const Expr& from, uint64_t size) {
  const uint64_t from_alignment = std::min(word, alignment_behind(from, false)),
                 moved_at_once = std::min(alignment_behind(to, true), from_alignment);
  return {(size + moved_at_once - 1) / moved_at_once, std::min(alignment_behind(to, false), from_alignment)};
}

std::optional<CopyPieces> pieces_of_copy(const Expr& call) {
  const auto* copy = as<RuntimeCall>(call);
  if (!copy || copy->form.function != "__builtin_memcpy") return {};
  const auto* size = as<Int>(copy->form.arguments[2]);
  if (!size) return {};
  return pieces_of_copy(copy->form.arguments[0], copy->form.arguments[1],
                        static_cast<uint64_t>(size->form.value.value));
}

}  // namespace ksc

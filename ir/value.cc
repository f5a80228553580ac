// SPDX-License-Identifier: Apache-2.0
#include "ir/value.h"

#include <algorithm>

namespace ksc {

uint64_t stored_size(Type type) { return is(type, TypeKind::Maybe) ? size_of(type->element) + 1 : size_of(type); }

Value zero_value(Type type) { return {type, Bytes(stored_size(type))}; }

uint64_t to_bits(const Value& value) {
  uint64_t bits = 0;
  for (size_t i = 0; i < value.bytes.size() && i < 8; ++i) bits |= uint64_t(value.bytes[i]) << (8 * i);
  return bits;
}

__int128 to_number(const Value& value) {
  const uint64_t bits = to_bits(value);
  if (!is_signed(value.type)) return bits;
  const int unused = 64 - width_of(value.type);
  return static_cast<int64_t>(bits << unused) >> unused;
}

Value from_bits(Type type, uint64_t bits) {
  Value value = zero_value(type);
  for (size_t i = 0; i < value.bytes.size() && i < 8; ++i) value.bytes[i] = static_cast<uint8_t>(bits >> (8 * i));
  return value;
}

Value from_number(Type type, __int128 number) {
  if (is(type, TypeKind::Bool)) return from_bits(type, number != 0);
  return from_bits(type, static_cast<uint64_t>(number));
}

void clear_padding(Type type, Bytes& bytes, uint64_t offset) {
  if (!has_padding(type)) return;
  if (is(type, TypeKind::Array)) {
    for (uint64_t i = 0; i < type->count; ++i) clear_padding(type->element, bytes, offset + i * size_of(type->element));
    return;
  }
  uint64_t end = 0;
  const auto clear_to = [&](uint64_t next) {
    std::fill(bytes.begin() + static_cast<long>(offset + end), bytes.begin() + static_cast<long>(offset + next), 0);
  };
  for (const StructField& field : type->body->fields) {
    clear_to(field.offset);
    clear_padding(field.type, bytes, offset + field.offset);
    end = field.offset + size_of(field.type);
  }
  clear_to(size_of(type));
}

uint64_t bytes_swapped(uint64_t bits, int width) {
  uint64_t out = 0;
  for (int i = 0; i < width / 8; ++i, bits >>= 8) out = out << 8 | (bits & 0xff);
  return out;
}

}  // namespace ksc

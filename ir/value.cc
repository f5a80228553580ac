// SPDX-License-Identifier: Apache-2.0
#include "ir/value.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

namespace ksc {

uint64_t stored_size(Type type) {
  if (is_element_pointer(type)) return 16;  // where the array begins, and the element's number
  return is(type, TypeKind::Maybe) ? size_of(type->element) + 1 : size_of(type);
}

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

double to_double(const Value& value) {
  const uint64_t bits = to_bits(value);
  return value.type->bits == 32 ? static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits)))
                                : std::bit_cast<double>(bits);
}

Value from_double(Type type, double number) {
  return from_bits(
      type, type->bits == 32 ? std::bit_cast<uint32_t>(static_cast<float>(number)) : std::bit_cast<uint64_t>(number));
}

Value float_value(Type type, const std::string& spelling) {
  return from_double(type, type->bits == 32 ? static_cast<double>(std::strtof(spelling.c_str(), nullptr))
                                            : std::strtod(spelling.c_str(), nullptr));
}

Value nearest_float(Type type, const Value& number) {
  if (is(number.type, TypeKind::Float)) return from_double(type, to_double(number));
  // Straight from the integer: by way of the wider type it would be rounded twice.
  const bool narrow = type->bits == 32;
  if (is_signed(number.type)) {
    const auto whole = static_cast<int64_t>(to_number(number));
    return from_double(type, narrow ? static_cast<double>(static_cast<float>(whole)) : static_cast<double>(whole));
  }
  const uint64_t whole = to_bits(number);
  return from_double(type, narrow ? static_cast<double>(static_cast<float>(whole)) : static_cast<double>(whole));
}

Value truncated(Type type, double number) {
  const int digits = width_of(type) - (is_signed(type) ? 1 : 0);
  const double limit = std::ldexp(1.0, digits);
  if (std::isnan(number)) return from_number(type, 0);
  if (number >= limit) return from_number(type, (static_cast<__int128>(1) << digits) - 1);
  if (number <= (is_signed(type) ? -limit : 0.0))
    return from_number(type, is_signed(type) ? -(static_cast<__int128>(1) << digits) : 0);
  return from_number(type, static_cast<__int128>(number));
}

uint64_t bytes_swapped(uint64_t bits, int width) {
  uint64_t out = 0;
  for (int i = 0; i < width / 8; ++i, bits >>= 8) out = out << 8 | (bits & 0xff);
  return out;
}

}  // namespace ksc

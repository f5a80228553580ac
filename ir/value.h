// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "ir/types.h"
#include "ir/world.h"

namespace ksc {

/// A value at run time: the bytes that its type has in memory, least significant first. A Maybe has one more byte,
/// which tells whether it holds something; void has none.
struct Value {
  Type type = nullptr;
  Bytes bytes;
};

/// How many bytes a value of the type has.
uint64_t stored_size(Type type);
Value zero_value(Type type);
/// The number that an integral value or an address is, by its type's signedness.
__int128 to_number(const Value& value);
/// The bits of a scalar, extended with zeros.
uint64_t to_bits(const Value& value);
/// The value of that type which the number is after wrapping at its width; a bool is whether it is not zero.
Value from_number(Type type, __int128 number);
/// The same, cut to `bits` bits; the width of the type stays.
Value from_bits(Type type, uint64_t bits);
/// Makes those bytes of a value zero that belong to no member of the developer's structs; the value begins at `offset`.
void clear_padding(Type type, Bytes& bytes, uint64_t offset = 0);
/// The number that a value of a floating-point type is, and the value that it is after rounding to that type.
double to_double(const Value& value);
Value from_double(Type type, double number);
/// The number of a floating-point type that a literal of the language or C means, in that type's precision; infinite
/// where it has none so large.
Value float_value(Type type, const std::string& spelling);
/// The nearest number of a floating-point type.
Value nearest_float(Type type, const Value& number);
/// The number without its fraction, as the nearest one that the integer type has; zero for a NaN.
Value truncated(Type type, double number);
/// The lowest `width` bits (16, 32 or 64) with their bytes in the other order.
uint64_t bytes_swapped(uint64_t bits, int width);

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <utility>

namespace ksc {

/// What a type of another language is called here; empty for other words.
inline std::string_view type_of_other_languages(std::string_view word) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"uint8_t", "u8"},  {"uint16_t", "u16"}, {"uint32_t", "u32"}, {"uint64_t", "u64"}, {"int8_t", "i8"},
      {"int16_t", "i16"}, {"int32_t", "i32"},  {"int64_t", "i64"},  {"__u8", "u8"},      {"__u16", "u16"},
      {"__u32", "u32"},   {"__u64", "u64"},    {"__s8", "i8"},      {"__s16", "i16"},    {"__s32", "i32"},
      {"__s64", "i64"},   {"usize", "u64"},    {"isize", "i64"},    {"uint8", "u8"},     {"uint16", "u16"},
      {"uint32", "u32"},  {"uint64", "u64"},   {"int8", "i8"},      {"int16", "i16"},    {"int32", "i32"},
      {"int64", "i64"},   {"uint", "u32"},     {"unsigned", "u32"}, {"byte", "u8"},      {"boolean", "bool"},
      {"_Bool", "bool"},  {"short", "i16"},    {"long", "i64"}};
  for (const auto& [other, own] : words)
    if (word == other) return own;
  return {};
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace ksc {

/// The names of an enumeration's values, in order; dumps are written and read with them. Specialised by KSC_ENUM.
template <class E>
struct EnumNames;

template <class E>
concept Enumeration = requires {
  EnumNames<E>::names;
};

template <Enumeration E>
constexpr std::string_view enum_text(E value) {
  return EnumNames<E>::names[static_cast<size_t>(value)];
}

template <Enumeration E>
constexpr std::optional<E> enum_value(std::string_view text) {
  for (size_t i = 0; i < EnumNames<E>::names.size(); ++i)
    if (EnumNames<E>::names[i] == text) return static_cast<E>(i);
  return std::nullopt;
}

/// Cuts "Add, Subtract" into its names at compile time.
template <size_t N>
constexpr std::array<std::string_view, N> split_names(std::string_view list) {
  std::array<std::string_view, N> names{};
  size_t at = 0;
  for (size_t i = 0; i < N; ++i) {
    while (at < list.size() && (list[at] == ' ' || list[at] == ',')) ++at;
    size_t end = at;
    while (end < list.size() && list[end] != ',' && list[end] != ' ') ++end;
    names[i] = list.substr(at, end - at);
    at = end;
  }
  return names;
}

constexpr size_t count_names(std::string_view list) {
  size_t count = list.empty() ? 0 : 1;
  for (char c : list) count += c == ',';
  return count;
}

}  // namespace ksc

/// Declares an enumeration in namespace ksc whose values know their names.
#define KSC_ENUM(E, ...)                                                                \
  enum class E : uint8_t { __VA_ARGS__ };                                               \
  template <>                                                                           \
  struct EnumNames<E> {                                                                 \
    static constexpr auto names = split_names<count_names(#__VA_ARGS__)>(#__VA_ARGS__); \
  }

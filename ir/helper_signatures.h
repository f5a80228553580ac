// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "ir/target.h"

namespace ksc {

/// Program types that may call a BPF helper, as a set of bits.
enum HelperPrograms : uint8_t {
  kHelperXdp = 1,
  kHelperTc = 2,
  kHelperXdpAndTc = kHelperXdp | kHelperTc,
  /// Every program type that ksc compiles, tracing included.
  kHelperAllPrograms = 0xff,
};

/// What else a call of a BPF helper means for the program, as a set of bits.
enum HelperProperties : uint8_t {
  /// Only programs under a GPL-compatible licence may call it.
  kHelperGplOnly = 1,
  /// The result is null unless tested.
  kHelperMayReturnNull = 2,
  /// Packet pointers taken before the call are dead after it [L167].
  kHelperMovesPacket = 4,
};

/// One BPF helper: an entry of the kernel's list, typed.
///
/// Types are in KernelScript notation, kernel structs as `*struct:NAME`, and besides:
/// `ctx` the context of the calling program, `map` a map, `*key` and `*value` pointers to that map's key and value,
/// `const *T` memory that is only read, `str` a NUL-terminated constant string (its size follows), `fn` a callback,
/// `...` further arguments; `?` before a pointer says that null may be passed.
struct HelperSignature {
  std::string_view name;
  uint16_t id = 0;
  std::string_view result;
  /// As many as are not empty.
  std::array<std::string_view, 5> parameter_slots;
  KernelVersion first_kernel;
  uint8_t programs = kHelperAllPrograms;
  uint8_t properties = 0;
  /// Where XDP programs may call it only since a later kernel.
  KernelVersion first_kernel_xdp = {};

  constexpr std::span<const std::string_view> parameters() const {
    size_t count = 0;
    while (count < parameter_slots.size() && !parameter_slots[count].empty()) ++count;
    return {parameter_slots.data(), count};
  }
  constexpr bool is_gpl_only() const { return properties & kHelperGplOnly; }
  constexpr bool may_return_null() const { return properties & kHelperMayReturnNull; }
  constexpr bool moves_packet() const { return properties & kHelperMovesPacket; }
  constexpr bool allows(HelperPrograms wanted) const { return (programs & wanted) == wanted; }
  /// The first kernel on which a program of this one type may call the helper.
  constexpr KernelVersion first_kernel_for(HelperPrograms program) const {
    return program == kHelperXdp && first_kernel_xdp > first_kernel ? first_kernel_xdp : first_kernel;
  }
};

/// All known helpers, sorted by name.
std::span<const HelperSignature> helper_signatures();

/// The helper called `name` (`bpf_ktime_get_ns`), or null.
const HelperSignature* find_helper_signature(std::string_view name);

/// The names of all helpers that the kernel has, sorted: also of those that ksc cannot call yet.
std::span<const std::string_view> kernel_helper_names();

/// Whether the kernel has a helper called `name`.
bool is_kernel_helper(std::string_view name);

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "ir/types.h"

namespace ksc {

/// How many bytes there are where a pointer leads that `memory_copy` [L36] was given; nothing where only the run tells:
/// in the packet, and in a record of a size of its own.
inline std::optional<uint64_t> bytes_to_copy(Type pointer) {
  if (pointer->space == Space::Packet || pointer->space == Space::Dynptr) return {};
  return size_of(pointer->element);
}

}  // namespace ksc

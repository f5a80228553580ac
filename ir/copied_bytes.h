// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/effects.h"
#include "ir/types.h"

namespace ksc {

/// Whether only the run tells how much there is where a pointer leads: in the packet, and in a record of a size of its
/// own.
inline bool ends_at_run_time(Type pointer) {
  return points_into(pointer, Space::Packet) || points_into(pointer, Space::Dynptr);
}

/// The most bytes that there are where a pointer leads that `memory_copy` [L36] was given; of a record, as many as a
/// loop of eBPF has turns [L43].
inline uint64_t most_bytes(Type pointer) {
  if (points_into(pointer, Space::Packet)) return static_cast<uint64_t>(packet_reach) + 1;
  if (points_into(pointer, Space::Dynptr)) return 8388608;
  return size_of(pointer->element);
}

}  // namespace ksc

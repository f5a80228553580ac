// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string_view>

#include "ir/target.h"

namespace ksc {

/// A method of a map, over its key type K and value type V.
struct MapMethod {
  std::string_view name;
  std::string_view parameters;  // one letter each: K, V, C for a CPU's number, and R for what was reserved
  std::string_view result;      // "void", "bool", "i32", "u64"; "V": what m[k] is on one CPU; "V[]": on each; "V?": a V
                                // or null; "R?": a reservation or null
  bool in_ebpf = true, in_user = true;
  bool only_reads = false;  // without its result it is for nothing
};

/// Which of the values in a map without keys comes out first.
enum class TakenFirst { None, Oldest, Newest };

/// Everything that ksc knows of one kind of map. One file in backends/map_kinds/ defines one.
struct MapKind {
  std::string_view name;         // as in `hash<K, V>(n)`
  std::string_view kernel_type;  // BPF_MAP_TYPE_…
  int parameters = 2;            // how many types it takes: with one there are no keys
  TakenFirst taken_first = TakenFirst::None;
  bool is_ring = false;       // its size is in bytes, and its records are for userspace
  bool integer_keys = false;  // keys are 32-bit indexes
  bool entries_always_exist = false;
  bool can_delete = true;
  bool per_cpu = false;
  bool may_evict = false;      // inserting may remove another entry (LRU)
  uint64_t flags = 0;          // which creation flags the kernel takes for it
  uint64_t largest_value = 0;  // in bytes
  std::span<const MapMethod> methods;
  KernelVersion first_kernel{};
};

/// How many bytes a ring buffer takes of which a file asks for `bytes`: a power of two of pages of 4,096.
constexpr uint64_t ring_size(uint64_t bytes) {
  uint64_t size = 4096;
  while (size < bytes) size *= 2;
  return size;
}
/// What a record of `bytes` takes of a ring buffer: with its header, in steps of 8 (kernel/bpf/ringbuf.c).
constexpr uint64_t ring_record_size(uint64_t bytes) { return (bytes + 15) / 8 * 8; }

/// All map kinds, sorted by name.
std::span<const MapKind* const> all_map_kinds();
/// The map kind of a name, or null.
const MapKind* find_map_kind(std::string_view name);

}  // namespace ksc

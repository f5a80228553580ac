// SPDX-License-Identifier: Apache-2.0
#include "backends/map_kinds/methods.h"
#include "ir/map_kind.h"

namespace ksc::map_kinds {

extern const MapKind percpu_hash;
const MapKind percpu_hash = {
    .name = "percpu_hash",
    .kernel_type = "BPF_MAP_TYPE_PERCPU_HASH",
    .parameters = 2,
    .integer_keys = false,
    .entries_always_exist = false,
    .can_delete = true,
    .per_cpu = true,
    .may_evict = false,
    .flags = 0x1d9,  // NO_PREALLOC, RDONLY, WRONLY, ZERO_SEED, RDONLY_PROG, WRONLY_PROG
    .largest_value = 32768,
    .methods = per_cpu_methods,
    .first_kernel = {4, 6},
};

}  // namespace ksc::map_kinds

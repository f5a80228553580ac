// SPDX-License-Identifier: Apache-2.0
#include "backends/map_kinds/methods.h"
#include "ir/map_kind.h"

namespace ksc::map_kinds {

extern const MapKind hash;
const MapKind hash = {
    .name = "hash",
    .kernel_type = "BPF_MAP_TYPE_HASH",
    .parameters = 2,
    .integer_keys = false,
    .entries_always_exist = false,
    .can_delete = true,
    .per_cpu = false,
    .may_evict = false,
    .flags = 0x1d9,  // NO_PREALLOC, RDONLY, WRONLY, ZERO_SEED, RDONLY_PROG, WRONLY_PROG
    .largest_value = 4190208,
    .methods = keyed_methods,
    .first_kernel = {3, 19},
};

}  // namespace ksc::map_kinds

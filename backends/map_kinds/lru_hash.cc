// SPDX-License-Identifier: Apache-2.0
#include "backends/map_kinds/methods.h"
#include "ir/map_kind.h"

namespace ksc::map_kinds {

extern const MapKind lru_hash;
const MapKind lru_hash = {
    .name = "lru_hash",
    .kernel_type = "BPF_MAP_TYPE_LRU_HASH",
    .parameters = 2,
    .integer_keys = false,
    .entries_always_exist = false,
    .can_delete = true,
    .per_cpu = false,
    .may_evict = true,
    .flags = 0x1da,  // NO_COMMON_LRU, RDONLY, WRONLY, ZERO_SEED, RDONLY_PROG, WRONLY_PROG
    .largest_value = 4190208,
    .methods = keyed_methods,
    .first_kernel = {4, 10},
};

}  // namespace ksc::map_kinds

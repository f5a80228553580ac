// SPDX-License-Identifier: Apache-2.0
#include "backends/map_kinds/methods.h"
#include "ir/map_kind.h"

namespace ksc::map_kinds {

extern const MapKind array;
const MapKind array = {
    .name = "array",
    .kernel_type = "BPF_MAP_TYPE_ARRAY",
    .parameters = 2,
    .integer_keys = true,
    .entries_always_exist = true,
    .can_delete = false,
    .per_cpu = false,
    .may_evict = false,
    .flags = 0x598,  // RDONLY, WRONLY, RDONLY_PROG, WRONLY_PROG, MMAPABLE
    .largest_value = 4194304,
    .methods = keyed_methods,
    .first_kernel = {3, 19},
};

}  // namespace ksc::map_kinds

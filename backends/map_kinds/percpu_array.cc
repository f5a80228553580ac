// SPDX-License-Identifier: Apache-2.0
#include "backends/map_kinds/methods.h"
#include "ir/map_kind.h"

namespace ksc::map_kinds {

extern const MapKind percpu_array;
const MapKind percpu_array = {
    .name = "percpu_array",
    .kernel_type = "BPF_MAP_TYPE_PERCPU_ARRAY",
    .parameters = 2,
    .integer_keys = true,
    .entries_always_exist = true,
    .can_delete = false,
    .per_cpu = true,
    .may_evict = false,
    .flags = 0x198,  // RDONLY, WRONLY, RDONLY_PROG, WRONLY_PROG
    .largest_value = 32768,
    .methods = per_cpu_methods,
    .first_kernel = {4, 6},
};

}  // namespace ksc::map_kinds

// SPDX-License-Identifier: Apache-2.0
#include "backends/map_kinds/methods.h"
#include "ir/map_kind.h"

namespace ksc::map_kinds {

extern const MapKind queue;
const MapKind queue = {
    .name = "queue",
    .kernel_type = "BPF_MAP_TYPE_QUEUE",
    .parameters = 1,
    .taken_first = TakenFirst::Oldest,
    .can_delete = false,
    .flags = 0x198,  // RDONLY, WRONLY, RDONLY_PROG, WRONLY_PROG: QUEUE_STACK_CREATE_FLAG_MASK
    .largest_value = 4194304,
    .methods = queue_methods,
    .first_kernel = {4, 20},
};

}  // namespace ksc::map_kinds

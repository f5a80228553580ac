// SPDX-License-Identifier: Apache-2.0
#include "backends/map_kinds/methods.h"
#include "ir/map_kind.h"

namespace ksc::map_kinds {

extern const MapKind stack;
const MapKind stack = {
    .name = "stack",
    .kernel_type = "BPF_MAP_TYPE_STACK",
    .parameters = 1,
    .taken_first = TakenFirst::Newest,
    .can_delete = false,
    .flags = 0x198,  // RDONLY, WRONLY, RDONLY_PROG, WRONLY_PROG: QUEUE_STACK_CREATE_FLAG_MASK
    .largest_value = 4194304,
    .methods = queue_methods,
    .first_kernel = {4, 20},
};

}  // namespace ksc::map_kinds

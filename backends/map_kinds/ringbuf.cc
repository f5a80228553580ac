// SPDX-License-Identifier: Apache-2.0
#include "backends/map_kinds/methods.h"
#include "ir/map_kind.h"

namespace ksc::map_kinds {

extern const MapKind ringbuf;
const MapKind ringbuf = {
    .name = "ringbuf",
    .kernel_type = "BPF_MAP_TYPE_RINGBUF",
    .parameters = 1,
    .taken_first = TakenFirst::Oldest,
    .is_ring = true,
    .can_delete = false,
    .largest_value = 4194304,
    .methods = ring_methods,
    .first_kernel = {5, 8},
};

}  // namespace ksc::map_kinds

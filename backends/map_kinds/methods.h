// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/map_kind.h"

namespace ksc::map_kinds {

/// What every kind with keys has [L51].
inline constexpr MapMethod keyed_methods[] = {
    {.name = "contains_key", .parameters = "K", .result = "bool"},
    {.name = "insert", .parameters = "KV", .result = "i32"},
    {.name = "insert_new", .parameters = "KV", .result = "i32"},
    {.name = "len", .parameters = "", .result = "u64", .in_ebpf = false},
};

}  // namespace ksc::map_kinds

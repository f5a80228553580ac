// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/map_kind.h"

namespace ksc::map_kinds {

/// What every kind with keys has [L51].
inline constexpr MapMethod keyed_methods[] = {
    {.name = "contains_key", .parameters = "K", .result = "bool", .only_reads = true},
    {.name = "insert", .parameters = "KV", .result = "i32"},
    {.name = "insert_new", .parameters = "KV", .result = "i32"},
    {.name = "len", .parameters = "", .result = "u64", .in_ebpf = false, .only_reads = true},
};
/// What kinds without keys have [L51].
inline constexpr MapMethod queue_methods[] = {
    {.name = "peek", .parameters = "", .result = "V?", .only_reads = true},
    {.name = "pop", .parameters = "", .result = "V?"},
    {.name = "push", .parameters = "V", .result = "i32"},
};
/// What eBPF writes records with [L56].
inline constexpr MapMethod ring_methods[] = {
    {.name = "discard", .parameters = "R", .result = "void", .in_user = false},
    {.name = "output", .parameters = "V", .result = "i32", .in_user = false},
    {.name = "reserve", .parameters = "", .result = "R?", .in_user = false},
    {.name = "submit", .parameters = "V", .result = "i32", .in_user = false},
};
/// And what kinds have that hold a value for each CPU.
inline constexpr MapMethod per_cpu_methods[] = {
    keyed_methods[0],
    {.name = "cpu", .parameters = "KC", .result = "V", .in_ebpf = false, .only_reads = true},
    {.name = "each_cpu", .parameters = "K", .result = "V[]", .in_ebpf = false, .only_reads = true},
    keyed_methods[1],
    keyed_methods[2],
    keyed_methods[3],
};

}  // namespace ksc::map_kinds

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/forms.h"

namespace ksc {

/// What a place is a part of: `a` of `a.f[i].g`; the place itself where it is no member or element.
const Expr& root_of(const Expr& place);
/// The map entry that a place lies in; null if it lies in none.
const Node<MapEntry>* entry_of(const Expr& place);
/// Whether the place lies behind a packet pointer.
bool is_in_packet(const Expr& place);
/// Whether the place lies in what `new` has given in eBPF.
bool is_in_object(const Expr& place);

/// The index i < N ? i : 0 of an array that is no shorter than N: in range whatever i is; null if it is another.
const Node<Conditional>* as_clamped(const Expr& index, uint64_t count);

}  // namespace ksc

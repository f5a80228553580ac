// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <set>

#include "ir/places.h"

namespace ksc {

/// Whether evaluating the expression does anything but give a value: calls, map accesses, packet reads (they may leave),
/// and elements whose index lies behind a pointer.
bool has_effect(const Expr& e);
/// Whether the node itself does, whatever its operands do.
bool is_effect(const Expr& e);

/// The locals of a function which something besides their declaration writes, or whose address is taken.
std::set<Name, ByText> changed_locals(const Body& body);

}  // namespace ksc

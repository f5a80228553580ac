// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/places.h"

namespace ksc {

/// Whether evaluating the expression does anything but give a value: calls, map accesses, packet reads (they may leave),
/// and elements whose index lies behind a pointer.
bool has_effect(const Expr& e);
/// Whether it holds a form that can have an effect: asked first, since the answer is at hand.
bool may_have_effect(const Expr& e);
/// Whether the node itself does, whatever its operands do.
bool is_effect(const Expr& e);

/// The locals of a function which something besides their declaration writes, or whose address is taken.
NameSet changed_locals(const Body& body);

}  // namespace ksc

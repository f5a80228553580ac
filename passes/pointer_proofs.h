// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <set>

#include "ir/context.h"

namespace ksc {

/// Follows what is known of pointers and references through a program without Defer, and reports where one is followed
/// that may be null, or leads to what is gone. Gives the statements `if (p == null) { … }` where p is known to lead
/// somewhere.
std::set<const NodeHeader*> prove_pointers(const Program& program, Context& context);

}  // namespace ksc

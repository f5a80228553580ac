// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/forms.h"

namespace ksc {

/// Whether control cannot reach the end of the statements: each path returns, or loops for ever.
bool always_leaves(const Body& body);
/// Whether control does not come out of it with a value: each path returns, breaks, continues, or loops for ever.
bool jumps_away(const Expr& e);
bool jumps_away(const Stmt& s);

}  // namespace ksc

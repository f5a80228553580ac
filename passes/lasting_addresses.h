// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/effects.h"

namespace ksc {

/// The variables of a function that hold one address all the time, of a global, or of what is in a variable of the
/// function's outermost scope; with that address, which is the same wherever it is taken.
NameMap<Expr> lasting_addresses(const FunctionDef& function, const NameSet& function_variables);

}  // namespace ksc

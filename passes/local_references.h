// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/effects.h"
#include "ir/lang.h"

namespace ksc {

/// The value in `s = value` where s refers to an entry of a map, and is to refer to that value from now on [L50]; null
/// if it is none.
const Expr* referenced_value(const Assign& assign);

/// The references that are given a value of their own somewhere.
NameSet rebound_references(const Program& program);

}  // namespace ksc

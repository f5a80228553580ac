// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "ir/lang.h"

namespace ksc {

/// A program's types and constants in an order that C takes: enums, then structs, each behind those that its members
/// are, then constants. In the source they stand in any order [L17].
std::vector<Decl> types_in_order(const Program& program);

}  // namespace ksc

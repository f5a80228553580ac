// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <set>
#include <vector>

#include "ir/effects.h"
#include "ir/lang.h"

namespace ksc {

/// The value in `s = value` where s refers to an entry of a map, and is to refer to that value from now on [L50]; null
/// if it is none.
const Expr* referenced_value(const Assign& assign);

/// The references that are given a value of their own somewhere.
NameSet rebound_references(const Program& program);

/// The variable whose reference an expression passes on; null if it makes another.
const Name* referred_by(const Expr& e);

/// The variables of a function that refer to entries of maps, with their types.
std::map<Name, Type, ByText> reference_types(const FunctionDef& function);

/// References of which one may refer to what another has been given; at least two.
using SharingReferences = std::set<Name, ByText>;
std::vector<SharingReferences> sharing_references(const FunctionDef& function, const NameSet& rebound);

}  // namespace ksc

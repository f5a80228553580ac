// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <utility>
#include <vector>

#include "ir/effects.h"

namespace ksc {

/// The variables of the function's outermost scope: parameters, its named result, and what its body itself declares.
NameSet function_variables(const FunctionDef& function);

/// What a deferred body keeps as it is when the `defer` runs [L46]: the variables of inner scopes that it mentions but
/// does not declare itself, with their types, in the order of its text.
std::vector<std::pair<Name, Type>> captured_by(const Defer& form, const NameSet& function_variables);

}  // namespace ksc

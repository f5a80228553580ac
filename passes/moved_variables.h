// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <set>

#include "ir/forms.h"
#include "ir/name.h"

namespace ksc {

/// The variables of a function as written that arithmetic moves, if they are pointers: what + and - are applied to,
/// what elements are taken of, and what such a pointer is given to, comes from, or is compared with. `moves`: whether
/// some function of that name moves that parameter, counted from 0.
std::set<Name, ByText> moved_variables(const FunctionDecl& function,
                                       const std::function<bool(std::string_view name, size_t parameter)>& moves);

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <set>

#include "ir/forms.h"
#include "ir/name.h"

namespace ksc {

/// The variables of a body with a pointer into a map that may be null which nothing reads but null tests.
std::set<Name, ByText> only_tested(const Body& body);

}  // namespace ksc

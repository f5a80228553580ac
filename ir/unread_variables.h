// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/forms.h"

namespace ksc {

/// The variables of a function that nothing mentions but their declaration, or the value of another such variable; what
/// they are given only reads, so that nothing is missed without them.
NameSet unread_variables(const Body& body);

}  // namespace ksc

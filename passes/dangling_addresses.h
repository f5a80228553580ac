// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/context.h"
#include "ir/lang.h"

namespace ksc {

/// Reports addresses of local variables that are kept where they outlive the variable: in a variable of an outer block,
/// or in the function's result.
void report_dangling_addresses(const Program& program, Context& context);

}  // namespace ksc

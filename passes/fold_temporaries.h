// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/context.h"
#include "ir/lang.h"

namespace ksc {

/// Gives back readable code: a temporary that is used once, in the statement after it, returns into its expression.
Program fold(const Program& program, Context& context);

}  // namespace ksc

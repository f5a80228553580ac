// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/context.h"

namespace ksc {

/// A function as it is written, with names of its own for its parameters and for all that it declares: a second one
/// of it may stand beside the first.
FunctionDecl with_fresh_locals(const FunctionDecl& function, Context& context);

}  // namespace ksc

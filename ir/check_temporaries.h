// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/check_types.h"

namespace ksc {

/// Whether no generated name stands for what the statement after it could hold itself [Folded]: only where that is
/// plain, `t = e; return t`. More of them could be folded; which ones depends on the order in which C evaluates, and
/// fold_temporaries alone knows that.
void check_temporaries(const FunctionDef& function, const CheckReport& report);

}  // namespace ksc

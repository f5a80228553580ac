// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/check_types.h"

namespace ksc {

/// What C compilers would make one in an eBPF function, and the verifier would refuse then: null tests of several
/// pointers or of what nothing follows, a later test and an earlier one, accesses to the context [NullTestsApart,
/// PresenceAnswered, PointersRetested, ContextAccessesApart]. It follows no names: what a variable holds is what the
/// passes know.
void check_apart(const FunctionDef& function, const Lang& lang, const CheckReport& report);

}  // namespace ksc

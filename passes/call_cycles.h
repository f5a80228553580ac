// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/context.h"

namespace ksc {

/// How many calls may follow from one another: whatever walks from a function to what it calls goes that deep.
inline constexpr int longest_call_chain = 200;

/// Reports recursion in eBPF, which the kernel refuses, and programs that hand over in a circle, which it ends [L61].
/// Chains of calls that are too long for those who follow them too. The program's tail calls have been found.
void report_call_cycles(const Span<Decl>& program, Context& context);

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/context.h"

namespace ksc {

/// Reports recursion in eBPF, which the kernel refuses, and programs that hand over in a circle, which it ends [L61].
/// The program's tail calls have been found.
void report_call_cycles(const Span<Decl>& program, Context& context);

}  // namespace ksc

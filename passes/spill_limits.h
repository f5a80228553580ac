// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/lang.h"
#include "ir/stack_frames.h"

namespace ksc {

/// From how many bytes on variables of a function do not lie on the stack [L60]; functions that are not named keep all.
/// Where the chain of calls below a program needs more than the kernel has, the largest variables of the functions in
/// it go first, and numbers last.
NameMap<uint64_t> spill_limits(const Program& program);

/// What eBPF has for a program and all that it calls: MAX_BPF_STACK of include/linux/filter.h, and half of it where
/// tail calls come with calls (check_max_stack_depth in kernel/bpf/verifier.c).
inline constexpr uint64_t stack_limit = 512, stack_limit_with_tail_calls = 256;

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "backends/ebpf_c/emit.h"
#include "ir/context.h"
#include "ir/languages.h"

namespace ksc {

/// The userspace C of a program; empty if it has no `main`.
std::string emit_user_c(const Ir<lang::UserC>& ir, const Context& context, const Locate& locate);

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "backends/ebpf_c/emit.h"
#include "ir/context.h"
#include "ir/languages.h"

namespace ksc {

/// The source from a location on: comments behind the members of `Args` are the options' help.
using TextFrom = std::function<std::string_view(Loc)>;

/// The userspace C of a program; empty if it has no `main`.
std::string emit_user_c(const Ir<lang::UserC>& ir, const Context& context, const Locate& locate,
                        const TextFrom& text_from);

}  // namespace ksc

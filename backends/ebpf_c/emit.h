// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <utility>

#include "ir/context.h"
#include "ir/languages.h"

namespace ksc {

/// Which file and line a location names in `#line`; an empty file: none.
using Locate = std::function<std::pair<std::string, uint32_t>(Loc)>;

/// The eBPF C of a program; it never reports errors about user code.
std::string emit_ebpf_c(const Ir<lang::C>& ir, const Context& context, const Locate& locate);

}  // namespace ksc

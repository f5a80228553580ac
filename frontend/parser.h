// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/context.h"
#include "ir/lang.h"

namespace ksc {

/// The program of a text, as written. Never fails: what is broken becomes Invalid… and a message.
Program parse(Context& context, uint32_t file, std::string_view text);

}  // namespace ksc

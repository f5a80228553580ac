// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "frontend/token.h"
#include "ir/context.h"

namespace ksc {

/// Cuts a text into tokens [L1]–[L4]. Never fails: what is no token is reported and left out or repaired.
Tokens lex(Context& context, uint32_t file, std::string_view text);

}  // namespace ksc

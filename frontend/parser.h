// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/context.h"
#include "ir/lang.h"

namespace ksc {

struct Outline;

/// The program of a text, as written. Never fails: what is broken becomes Invalid… and a message. The formatter asks
/// for an outline as well, which means something only where there was no error.
Program parse(Context& context, uint32_t file, std::string_view text, Outline* outline = nullptr);

}  // namespace ksc

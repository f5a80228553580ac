// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "ir/context.h"

namespace ksc {

/// A file in its canonical layout and spelling; nothing if it has syntax errors, which then are in the context.
std::optional<std::string> format(Context& context, uint32_t file, std::string_view text);

/// What a text without syntax errors and its formatted text differ in, though they should mean the same and have the
/// same comments; empty if they do.
std::string difference(std::string_view text, std::string_view formatted);

}  // namespace ksc

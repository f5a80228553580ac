// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace ksc::cli {

/// What differs between two texts, as `diff -u` shows it and `patch` reads it; empty if nothing does.
std::string unified_diff(const std::string& name, std::string_view before, std::string_view after);

}  // namespace ksc::cli

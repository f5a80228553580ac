// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

namespace ksc {

/// The origin of tests that a member of what may not be there asks for, without a word of the developer's [L55].
inline constexpr std::string_view implicit_test = "implicit ?";

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace ksc {

/// A text with the spellings of older versions of the language rewritten [L130], as far as it is known what they mean,
/// and those that are accepted with a warning: `int` and C's casts [L23], a `@tc` without its direction [L12]. Comments
/// in what is rewritten are kept.
std::string upgrade(std::string_view text);

}  // namespace ksc

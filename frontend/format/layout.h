// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "frontend/format/pieces.h"

namespace ksc {

/// How many columns a line of code may have, and how far a block is indented.
constexpr size_t most_columns = 120, indentation_step = 4;

/// The text of a file in the canonical layout. Line breaks between brackets, behind operators and before `.` stay where
/// the author has put them; a line that is too long gets more.
std::string lay_out(const std::vector<Piece>& pieces);

}  // namespace ksc

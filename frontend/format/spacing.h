// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "frontend/format/pieces.h"

namespace ksc {

/// Whether a piece is an operator between two operands, or assigns.
bool is_binary(const Piece& piece);

/// Whether a blank stands between two pieces on one line.
bool blank_between(const Piece& left, const Piece& right);

}  // namespace ksc

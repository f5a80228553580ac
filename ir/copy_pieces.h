// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "ir/forms.h"

namespace ksc {

/// A copy of which C compilers write out each move.
struct CopyPieces {
  uint64_t count = 0;      // moves; C compilers may give a variable on the stack a better place for them
  uint64_t alignment = 1;  // in bytes, of both sides, wherever variables lie
};

/// How C compilers of eBPF move `size` bytes to one address from another, by what they know of the alignment of both:
/// they read all pieces before they write the first (getMemcpyLoadsAndStores of LLVM's SelectionDAG).
CopyPieces pieces_of_copy(const Expr& to, const Expr& from, uint64_t size);
/// The same of a call of memcpy; nothing if it is none, or not of a constant size.
std::optional<CopyPieces> pieces_of_copy(const Expr& call);

/// The most pieces that are copied so; the first ones have registers, the others wait on the stack.
inline constexpr uint64_t most_pieces_at_once = 16, pieces_in_registers = 6;

}  // namespace ksc

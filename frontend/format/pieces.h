// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "frontend/outline.h"

namespace ksc {

constexpr size_t no_piece = SIZE_MAX;

/// A comment before a piece.
struct Comment {
  std::vector<std::string> lines;  // without blanks at their ends
  bool is_line = false;            // `//`, which ends its line
  bool begins_line = false;        // nothing stands before it on its line
  bool blank_before = false;       // a blank line stands before it
  bool is_behind_code = false;     // code stands before it on its line
  bool goes_on = false;            // with the words of the comment behind the code of the line before, in its column
  size_t column = 0;               // in bytes
};

/// Whether a separator is printed.
enum class When : uint8_t {
  Always,
  InLines,    // where the items stand in lines of their own
  OnOneLine,  // where they do not
};

/// A token of the canonical spelling, and the comments before it.
struct Piece {
  std::string_view text;
  TokenKind kind = TokenKind::End;
  Role role = Role::Plain;
  Begin begin = Begin::Nothing;
  When when = When::Always;
  bool begins_line = false;   // the author put it at the begin of a line
  bool blank_before = false;  // and a blank line before it
  std::vector<Comment> comments;
  size_t parent = no_piece;   // the bracket around it
  size_t partner = no_piece;  // of a bracket, the other one
};

/// The pieces of a file without syntax errors. They differ from its tokens where a rule of the language allows several
/// spellings: `[T; N]` becomes `T[N]` [L20], conditions and bodies get their parentheses and braces [L41], the head of
/// a loop over a map is `(k, v in m)` [L42], flags stand behind `pin` [L16], `none` is `null` [L3]; separators are
/// commas, and `;` at the end of a statement goes.
std::vector<Piece> canonical_pieces(const Outline& outline, std::string_view text);

}  // namespace ksc

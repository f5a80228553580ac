// SPDX-License-Identifier: Apache-2.0
#include "frontend/format/spacing.h"

namespace ksc {

using enum TokenKind;

namespace {

bool is_name(const Piece& piece) {
  return piece.role == Role::Name || (piece.kind == Identifier && piece.role != Role::Word);
}

/// Whether `(` or `[` behind a piece is a call or an index.
bool takes_bracket(const Piece& piece) {
  if (is_name(piece) || piece.role == Role::Propagate || piece.role == Role::TypeList) return true;
  switch (piece.kind) {
    case RightParen:
    case RightBracket:
    case Integer:
    case Float:
    case Char:
    case String:
    case KeywordTrue:
    case KeywordFalse:
    case KeywordNull:
    case KeywordNone:
    case KeywordSizeof: return true;
    case KeywordFn: return true;  // of a type: a function's name stands between
    default: return false;
  }
}

/// Whether two pieces without a blank between them would be read as something else.
bool would_join(const Piece& left, const Piece& right) {
  const char last = left.text.back(), first = right.text.front();
  return last == first && (last == '-' || last == '&' || last == '+');
}

bool joins_both_sides(const Piece& piece) {
  switch (piece.kind) {
    case ColonColon:
    case DotDot:
    case DotDotEqual:
    case Dot: return true;
    case Arrow: return piece.role != Role::Result;
    default: return false;
  }
}

}  // namespace

bool is_binary(const Piece& piece) {
  return piece.kind >= Plus && piece.kind <= ShiftRightEqual && piece.role == Role::Plain && piece.kind != Tilde &&
         piece.kind != Exclamation;
}

bool blank_between(const Piece& left, const Piece& right) {
  if (left.text.empty() || right.text.empty()) return false;
  if (joins_both_sides(left) || joins_both_sides(right)) return would_join(left, right);
  switch (left.kind) {
    case LeftParen:
    case LeftBracket:
    case At: return false;
    case LeftBrace: return right.kind != RightBrace;
    default: break;
  }
  switch (right.kind) {
    case RightParen:
    case RightBracket:
    case Comma:
    case Semicolon: return false;
    case Colon: return right.role != Role::Plain;
    case Question: return right.role != Role::Propagate;
    default: break;
  }
  if (left.role == Role::Prefix) return would_join(left, right);
  if (right.role == Role::Suffix) return false;
  if (right.role == Role::TypeList) return false;
  if (left.role == Role::TypeList && left.text == "<") return false;
  if (right.kind == LeftParen || right.kind == LeftBracket) return !takes_bracket(left);
  return true;
}

}  // namespace ksc

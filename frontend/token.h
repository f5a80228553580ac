// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "ir/name.h"

namespace ksc {

/// Kinds of tokens with the text that is always theirs; an empty text means that it varies.
// clang-format off
#define KSC_TOKENS(T)                                                                                             \
  T(End, "") T(Identifier, "") T(Integer, "") T(Float, "") T(Char, "") T(String, "")                              \
  T(LeftParen, "(") T(RightParen, ")") T(LeftBracket, "[") T(RightBracket, "]") T(LeftBrace, "{") T(RightBrace, "}") \
  T(Comma, ",") T(Semicolon, ";") T(Colon, ":") T(ColonColon, "::") T(Dot, ".") T(DotDot, "..") T(DotDotEqual, "..=") \
  T(Arrow, "->") T(FatArrow, "=>") T(Question, "?") T(At, "@")                                                    \
  T(Plus, "+") T(Minus, "-") T(Star, "*") T(Slash, "/") T(Percent, "%") T(Ampersand, "&") T(Pipe, "|") T(Caret, "^") \
  T(Tilde, "~") T(Exclamation, "!") T(ShiftLeft, "<<") T(ShiftRight, ">>") T(AndAnd, "&&") T(OrOr, "||")          \
  T(EqualEqual, "==") T(NotEqual, "!=") T(Less, "<") T(LessEqual, "<=") T(Greater, ">") T(GreaterEqual, ">=")     \
  T(Equal, "=") T(PlusEqual, "+=") T(MinusEqual, "-=") T(StarEqual, "*=") T(SlashEqual, "/=") T(PercentEqual, "%=") \
  T(AmpersandEqual, "&=") T(PipeEqual, "|=") T(CaretEqual, "^=") T(ShiftLeftEqual, "<<=") T(ShiftRightEqual, ">>=") \
  T(PlusPlus, "++") T(MinusMinus, "--")

/// The keywords [L3], but for `default`, `from` and `new`, which are keywords only where the grammar expects them.
#define KSC_KEYWORDS(T)                                                                                           \
  T(Fn, "fn") T(Var, "var") T(Const, "const") T(Config, "config") T(Local, "local") T(Pin, "pin") T(Type, "type") \
  T(Struct, "struct") T(Enum, "enum") T(Impl, "impl") T(If, "if") T(Else, "else") T(While, "while") T(Loop, "loop") \
  T(For, "for") T(In, "in") T(Break, "break") T(Continue, "continue") T(Return, "return") T(Match, "match")       \
  T(Try, "try") T(Catch, "catch") T(Throw, "throw") T(Defer, "defer") T(Delete, "delete") T(Import, "import")     \
  T(Include, "include") T(Extern, "extern") T(Pub, "pub") T(Priv, "priv") T(True, "true") T(False, "false")       \
  T(Null, "null") T(None, "none") T(As, "as") T(Sizeof, "sizeof")
// clang-format on

enum class TokenKind : uint8_t {
#define KSC_TOKEN(id, text) id,
  KSC_TOKENS(KSC_TOKEN)
#undef KSC_TOKEN
#define KSC_KEYWORD(id, text) Keyword##id,
      KSC_KEYWORDS(KSC_KEYWORD)
#undef KSC_KEYWORD
};

/// The text of a kind that always has the same one; else empty.
std::string_view token_text(TokenKind kind);
constexpr bool is_keyword(TokenKind kind) { return kind >= TokenKind::KeywordFn; }

/// What stands between the tokens of a line.
inline constexpr std::string_view blanks = " \t\r\f\v";

/// A word or sign of the source. Kept small: a file may have millions.
struct Token {
  uint32_t begin = 0, end = 0;  // byte offsets
  uint32_t value = 0;           // Integer, String: index into the tables of `Tokens`; Char: the byte
  TokenKind kind = TokenKind::End;
  bool new_line = false;  // the first of its line [L2]
};

/// What stands between tokens and means nothing to the compiler; the formatter keeps it.
struct Trivia {
  enum class Kind : uint8_t { LineComment, BlockComment, BlankLine };
  Kind kind;
  uint32_t begin, end;    // of a comment with its marks
  uint32_t before_token;  // index of the token that follows
};

/// A whole file as tokens. The last one is End.
struct Tokens {
  std::vector<Token> tokens;
  std::vector<uint64_t> integers;
  std::vector<Name> strings;  // with escapes resolved
  std::vector<Trivia> trivia;
  bool open_comment = false;  // the text ends in a comment that is not closed
};

}  // namespace ksc

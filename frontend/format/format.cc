// SPDX-License-Identifier: Apache-2.0
#include "frontend/format/format.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "frontend/format/layout.h"
#include "frontend/parser.h"
#include "ir/sexpr.h"

namespace ksc {

namespace {

/// What the layout of a file does not change. Words are in the order of the alphabet: the canonical spelling has some
/// in other places.
struct Meaning {
  bool is_good = false;
  std::string program;
  std::vector<std::string> comments;  // without blanks
  std::vector<std::string_view> words;
};

/// Whether a token may be left out, or may have been.
bool is_optional(TokenKind kind) {
  switch (kind) {
    case TokenKind::Semicolon:
    case TokenKind::Comma:
    case TokenKind::LeftParen:
    case TokenKind::RightParen:
    case TokenKind::LeftBracket:
    case TokenKind::RightBracket:
    case TokenKind::LeftBrace:
    case TokenKind::RightBrace:
    case TokenKind::KeywordFn: return true;  // `extern fn`
    default: return false;
  }
}

Meaning meaning_of(std::string_view text) {
  Meaning found;
  Context context;
  Outline outline;
  const Program program = parse(context, 0, text, &outline);
  found.is_good = !context.diagnostics.has_errors();
  found.program = print(program);
  for (const Trivia& trivia : outline.tokens.trivia) {
    if (trivia.kind == Trivia::Kind::BlankLine) continue;
    std::string words;
    for (char c : text.substr(trivia.begin, trivia.end - trivia.begin))
      if (!std::isspace(static_cast<unsigned char>(c))) words += c;
    found.comments.push_back(words);
  }
  for (const Token& token : outline.tokens.tokens) {
    if (is_optional(token.kind)) continue;
    const bool is_null = token.kind == TokenKind::KeywordNone;
    found.words.push_back(is_null ? "null" : text.substr(token.begin, token.end - token.begin));
  }
  std::sort(found.comments.begin(), found.comments.end());
  std::sort(found.words.begin(), found.words.end());
  return found;
}

}  // namespace

std::optional<std::string> format(Context& context, uint32_t file, std::string_view text) {
  Outline outline;
  parse(context, file, text, &outline);
  if (context.diagnostics.has_errors()) return {};
  return lay_out(canonical_pieces(outline, text));
}

std::string difference(std::string_view text, std::string_view formatted) {
  const Meaning before = meaning_of(text), after = meaning_of(formatted);
  if (!after.is_good) return "the formatted text has syntax errors";
  if (before.program != after.program) return "the formatted text is another program";
  if (before.comments != after.comments) return "the formatted text has other comments";
  if (before.words != after.words) return "the formatted text has other words";
  return {};
}

}  // namespace ksc

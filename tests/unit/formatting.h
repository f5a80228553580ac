// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <random>
#include <string>

#include "frontend/format/format.h"
#include "frontend/lexer.h"

namespace ksc::test {

/// What `ksc fmt` makes of a text; `errors` where it has some.
inline std::string formatted(const std::string& text) {
  Context context;
  return format(context, 0, text).value_or("errors");
}

/// What does not hold of a formatted text and should; empty also where the text has errors.
inline std::string format_problem(const std::string& text) {
  Context context;
  const std::optional<std::string> once = format(context, 0, text);
  if (!once) return {};
  if (const std::string fault = difference(text, *once); !fault.empty()) return fault;
  return formatted(*once) == *once ? std::string() : "what is formatted again is another text";
}

/// A text with other blanks, line breaks, comments and separators between its tokens. It may be another program than
/// before, or none.
inline std::string scrambled(const std::string& text, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto once_in = [&random](uint64_t n) { return random() % n == 0; };
  const uint64_t rarities[] = {5, 20, 100, 400, 2000};
  const uint64_t rarity = rarities[random() % std::size(rarities)];
  const bool has_long_names = once_in(4);
  Context context;
  std::string result;
  uint32_t at = 0;
  for (const Token& token : lex(context, 0, text).tokens) {
    std::string gap = text.substr(at, token.begin - at);
    at = token.end;
    const bool has_comment = gap.find("//") != gap.npos || gap.find("/*") != gap.npos;
    if (!has_comment && once_in(rarity)) {
      const std::string gaps[] = {"\n",   gap + " /* c */ ",
                                  "  ",   gap + " // line\n  ",
                                  "\n\n", gap + "\n/* own */\n",
                                  " ; ",  gap + "/* a\n   b\n\t c */",
                                  "\t",   gap + " /* x */ /* y\n * z */ // e\n   // f\n"};
      gap = gaps[random() % std::size(gaps)];
    }
    result += gap + text.substr(token.begin, token.end - token.begin);
    if (has_long_names && token.kind == TokenKind::Identifier && once_in(3)) result += "_which_makes_the_line_longer";
    if (once_in(rarity * 3)) result += ";";
  }
  return result + text.substr(at);
}

}  // namespace ksc::test

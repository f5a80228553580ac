// SPDX-License-Identifier: Apache-2.0
// Any text becomes tokens that lie in it one after the other; where nothing is reported, no character is lost.
#include "frontend/lexer.h"

#include "fuzz/targets/require.h"

namespace ksc::fuzz {
namespace {

struct Range {
  uint32_t begin, end;
};

/// Tokens and comments in the order in which they stand.
std::vector<Range> ranges_of(const Tokens& tokens) {
  std::vector<Range> ranges;
  size_t next = 0;
  for (size_t i = 0; i <= tokens.tokens.size(); ++i) {
    for (; next < tokens.trivia.size() && tokens.trivia[next].before_token == i; ++next)
      ranges.push_back({tokens.trivia[next].begin, tokens.trivia[next].end});
    if (i < tokens.tokens.size()) ranges.push_back({tokens.tokens[i].begin, tokens.tokens[i].end});
  }
  require(next == tokens.trivia.size(), "comments stand before tokens, in order");
  return ranges;
}

void require_values(const Tokens& tokens) {
  for (const Token& token : tokens.tokens) {
    if (token.kind == TokenKind::Integer) require(token.value < tokens.integers.size(), "an integer has a value");
    if (token.kind == TokenKind::String) require(token.value < tokens.strings.size(), "a string has a value");
    require((token.kind == TokenKind::End) == (&token == &tokens.tokens.back()), "End is the last token");
  }
}

void require_order(const Tokens& tokens, std::string_view text, bool without_loss) {
  uint32_t at = without_loss && text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  for (const Range& range : ranges_of(tokens)) {
    require(at <= range.begin && range.begin <= range.end && range.end <= text.size(), "tokens follow each other");
    if (without_loss)
      require(text.substr(at, range.begin - at).find_first_not_of(" \t\r\n\f\v") == text.npos, "no character is lost");
    at = range.end;
  }
}

}  // namespace
}  // namespace ksc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ksc;
  MemorySources sources;
  Context context;
  const uint32_t file = sources.add("input.ks", {reinterpret_cast<const char*>(data), size});
  const Tokens tokens = lex(context, file, sources.text(file));
  fuzz::require(!tokens.tokens.empty(), "there is a token");
  fuzz::require_values(tokens);
  fuzz::require_order(tokens, sources.text(file), context.diagnostics.all().empty());
  fuzz::require_places(context.diagnostics, context.locations, sources, true);
  return 0;
}

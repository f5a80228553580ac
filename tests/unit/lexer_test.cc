// SPDX-License-Identifier: Apache-2.0
// Rules: [L1] [L4]
#include <gtest/gtest.h>

#include "frontend/lexer.h"
#include "frontend/source.h"

namespace ksc {
namespace {

struct Lexed {
  Context context;
  std::string text;
  Tokens result;
  explicit Lexed(std::string source) : text(std::move(source)), result(lex(context, 0, text)) {}

  /// The tokens' texts without End; a `/` before those that begin a line.
  std::string words() const {
    std::string all;
    for (const Token& token : result.tokens) {
      if (token.kind == TokenKind::End) break;
      if (!all.empty()) all += ' ';
      if (token.new_line) all += '/';
      all += text.substr(token.begin, token.end - token.begin);
    }
    return all;
  }
  std::vector<std::string> messages() const {
    std::vector<std::string> all;
    for (const Diagnostic& d : context.diagnostics.all()) {
      const LocationRecord& at = context.locations[d.loc];
      all.push_back(fmt::format("{}-{} {}", at.begin, at.end, d.code));
    }
    return all;
  }
};
using Messages = std::vector<std::string>;

TEST(Lexer, TakesTheLongestSign) {
  EXPECT_EQ(Lexed("a<<=b>>=c..=d..e->f=>g::h").words(), "/a <<= b >>= c ..= d .. e -> f => g :: h");
  EXPECT_EQ(Lexed("a<b<=c<<d&&e&f&=g").words(), "/a < b <= c << d && e & f &= g");
}

TEST(Lexer, KnowsWhichTokensBeginALine) {
  EXPECT_EQ(Lexed("a b\n c /* x\n y */ d\r\n// e\nf").words(), "/a b /c /d /f");
}

TEST(Lexer, NestsComments) {
  const Lexed lexed("a /* b /* c */ d */ e");
  EXPECT_EQ(lexed.words(), "/a e");
  EXPECT_TRUE(lexed.messages().empty());
  EXPECT_EQ(Lexed("a /* b /* c */ d").messages(), Messages{"2-4 KS0004"});
}

TEST(Lexer, ReadsIntegers) {
  const Lexed lexed("0 10 0xfF 0o17 0b101 1_000 18446744073709551615");
  const std::vector<uint64_t> expected{0, 10, 255, 15, 5, 1000, UINT64_MAX};
  EXPECT_EQ(lexed.result.integers, expected);
}

TEST(Lexer, ReportsNumbersThatAreNone) {
  EXPECT_EQ(Lexed("18446744073709551616").messages(), Messages{"0-20 KS0011"});
  EXPECT_EQ(Lexed("0x1_0000_0000_0000_0000").messages(), Messages{"0-23 KS0011"});
  for (const char* text : {"0x", "0x_F", "0b2", "0o8", "1__0", "1_", "10u", "007", "0xg", "1.5x"})
    EXPECT_EQ(Lexed(text).messages(), Messages{fmt::format("0-{} KS0012", std::string_view(text).size())}) << text;
}

TEST(Lexer, TellsFloatsFromRangesAndMembers) {
  EXPECT_EQ(Lexed("1.5 2e3 2.5e-3 0..10 1.x").words(), "/1.5 2e3 2.5e-3 0 .. 10 1 . x");
  const Lexed lexed("1.5 2e3 2.5e-3");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(lexed.result.tokens[i].kind, TokenKind::Float) << i;
}

TEST(Lexer, ResolvesEscapes) {
  const Lexed lexed(R"("a\n\t\r\\\'\"\0\x41" 'x' '\n' '\xff' '\'' "ä")");
  EXPECT_TRUE(lexed.messages().empty());
  EXPECT_EQ(lexed.result.strings[0].text(), std::string_view("a\n\t\r\\'\"\0A", 9));
  EXPECT_EQ(lexed.result.strings[1].text(), "\u00e4");
  EXPECT_EQ(lexed.result.tokens[1].value, 'x');
  EXPECT_EQ(lexed.result.tokens[2].value, '\n');
  EXPECT_EQ(lexed.result.tokens[3].value, 255u);
}

TEST(Lexer, GoesOnAfterBrokenQuotes) {
  const Lexed lexed("\"abc\nd 'x\n'' 'ab' \"\\q\" \"\\x4\" e");
  EXPECT_EQ(lexed.messages(),
            (Messages{"0-4 KS0005", "7-9 KS0006", "10-12 KS0007", "13-17 KS0008", "19-21 KS0009", "24-27 KS0010"}));
  EXPECT_EQ(lexed.result.tokens[lexed.result.tokens.size() - 2].kind, TokenKind::Identifier);
}

TEST(Lexer, ReportsBytesThatAreNotUtf8) {
  EXPECT_EQ(Lexed("a // \xff\xfe b\nc \"\xc0\x80\"").messages(), (Messages{"5-7 KS0001", "13-15 KS0001"}));
  EXPECT_EQ(Lexed("\xed\xa0\x80").messages(), Messages{"0-3 KS0001"});  // a surrogate
  EXPECT_TRUE(Lexed("// \xf0\x9f\x90\x9d \xc3\xa4\n").messages().empty());
}

TEST(Lexer, RefusesBinaryDataOnce) {
  const Lexed lexed(
      std::string("\x7f"
                  "ELF\0\1\2\xff",
                  8));
  EXPECT_EQ(lexed.messages(), Messages{"4-5 KS0002"});
  EXPECT_EQ(lexed.result.tokens.size(), 1u);
}

TEST(Lexer, KeepsForeignWordsAsOneName) {
  const Lexed lexed("gr\u00f6\u00dfe = 1 # $$");
  EXPECT_EQ(lexed.messages(), (Messages{"0-7 KS0003", "12-13 KS0003", "14-16 KS0003"}));
  EXPECT_EQ(lexed.words(), "/gr\u00f6\u00dfe = 1");
}

TEST(Lexer, AForeignBlankEndsAWord) {
  const Lexed lexed("const\u00a0A = 1");
  EXPECT_EQ(lexed.messages(), Messages{"5-7 KS0015"});
  EXPECT_EQ(lexed.words(), "/const A = 1");
}

TEST(Lexer, KeepsCommentsAndBlankLines) {
  const Lexed lexed("a // one\n\n\n/* two */ b\n");
  ASSERT_EQ(lexed.result.trivia.size(), 3u);
  EXPECT_EQ(lexed.result.trivia[0].kind, Trivia::Kind::LineComment);
  EXPECT_EQ(lexed.text.substr(lexed.result.trivia[0].begin, 6), "// one");
  EXPECT_EQ(lexed.result.trivia[1].kind, Trivia::Kind::BlankLine);
  EXPECT_EQ(lexed.result.trivia[2].kind, Trivia::Kind::BlockComment);
  EXPECT_EQ(lexed.result.trivia[2].before_token, 1u);
}

TEST(Lexer, SkipsAByteOrderMark) {
  EXPECT_EQ(Lexed("\xef\xbb\xbf"
                  "a")
                .words(),
            "/a");
}

}  // namespace
}  // namespace ksc

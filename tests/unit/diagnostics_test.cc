// SPDX-License-Identifier: Apache-2.0
#include "frontend/diagnostics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "frontend/render.h"

namespace ksc {
namespace {

struct Written {
  MemorySources sources;
  Locations locations;
  Diagnostics diagnostics;
  explicit Written(std::string text) { sources.add("t.ks", std::move(text)); }
  Loc at(uint32_t begin, uint32_t end) { return locations.add({0, begin, end, {}, {}}); }
  std::string text(RenderOptions options = {}) { return render_text(diagnostics, locations, sources, options); }
};

TEST(Diagnostics, OneCodeAtOnePlaceIsReportedOnce) {
  Written w("abc");
  const Loc here = w.at(0, 1);
  w.diagnostics.report(here, diag::empty_char);
  w.diagnostics.report(here, diag::empty_char).note("never seen");
  w.diagnostics.report(here, diag::bad_hex_escape);
  w.diagnostics.report(w.at(0, 1), diag::empty_char);  // another location with the same range
  EXPECT_EQ(w.diagnostics.error_count(), 3u);
  const std::string text = w.text();
  EXPECT_EQ(text.find("KS0007"), text.rfind("KS0007"));
  EXPECT_EQ(text.find("never seen"), text.npos);
}

TEST(Diagnostics, WarningsAreNoErrors) {
  Written w("abc");
  w.diagnostics.report(w.at(0, 1), diag::c_style_cast);
  EXPECT_FALSE(w.diagnostics.has_errors());
  EXPECT_TRUE(w.diagnostics.has(diag::Id::c_style_cast));
}

TEST(Diagnostics, RendersPlaceLineCaretsLabelsNotesAndFix) {
  Written w("one\n\ttwo three\nfour");
  w.diagnostics.report(w.at(9, 14), diag::unexpected_character, "`x`")
      .label(w.at(5, 8), "beside")
      .note(w.at(0, 3), "above")
      .note("plain")
      .fix(w.at(9, 14), "3");
  EXPECT_EQ(w.text(),
            "t.ks:2:6: error[KS0003]: unexpected character `x`\n"
            "    2 |     two three\n"
            "      |         ^^^^^\n"
            "    2 |     two three\n"
            "      |     ^^^ beside\n"
            "t.ks:1:1: note: above\n"
            "    1 | one\n"
            "      | ^^^\n"
            "  = note: plain\n"
            "  = fix: replace `three` with `3`\n");
}

TEST(Diagnostics, AreSortedByPlace) {
  Written w("abcdef");
  w.diagnostics.report(w.at(3, 4), diag::empty_char);
  w.diagnostics.report(w.at(1, 2), diag::bad_hex_escape);
  const std::string text = w.text();
  EXPECT_LT(text.find("KS0010"), text.find("KS0007"));
}

TEST(Diagnostics, CountCharactersAndHideControlCodes) {
  Written w("\u00e4\u00e4\x1b[31m x");
  w.diagnostics.report(w.at(10, 11), diag::empty_char);
  const std::string text = w.text();
  EXPECT_EQ(text.substr(0, 9), "t.ks:1:9:");
  EXPECT_EQ(text.find('\x1b'), text.npos);
}

TEST(Diagnostics, CaretsAreAsWideAsWhatTheyMark) {
  Written w("ä日本😀 e\u0301x");  // in bytes: 2, 3, 3, 4, 1, 1, 2, 1
  w.diagnostics.report(w.at(2, 8), diag::empty_char);
  w.diagnostics.report(w.at(16, 17), diag::bad_hex_escape);
  const std::string text = w.text();
  EXPECT_NE(text.find("\n      |  ^^^^\n"), text.npos) << text;
  EXPECT_NE(text.find("\n      |          ^\n"), text.npos) << text;
}

TEST(Diagnostics, ShowAWindowOfLongLines) {
  Written w(std::string(1000000, 'x'));
  w.diagnostics.report(w.at(500000, 500001), diag::empty_char);
  EXPECT_LT(w.text().size(), 1000u);
}

TEST(Diagnostics, LimitHowManyAreShown) {
  Written w(std::string(100, 'x'));
  for (uint32_t i = 0; i < 50; ++i) w.diagnostics.report(w.at(i, i + 1), diag::empty_char);
  const std::string text = w.text({false, 10});
  EXPECT_NE(text.find("t.ks:1:10:"), text.npos);
  EXPECT_EQ(text.find("t.ks:1:11:"), text.npos);
  EXPECT_NE(text.find("40 more"), text.npos);
}

TEST(Diagnostics, ColourOnlyWhenAsked) {
  Written w("x");
  w.diagnostics.report(w.at(0, 1), diag::empty_char);
  EXPECT_EQ(w.text().find('\x1b'), std::string::npos);
  EXPECT_NE(w.text({true, 10}).find("\x1b[1;31m"), std::string::npos);
}

TEST(Diagnostics, RenderAsJson) {
  Written w("ab \xff");
  w.diagnostics.report(w.at(3, 4), diag::invalid_utf8, 0xffu).fix(w.at(0, 0), "\xff");
  const auto json = nlohmann::json::parse(render_json(w.diagnostics, w.locations, w.sources));
  const auto& message = json.at("diagnostics").at(0);
  EXPECT_EQ(message.at("severity"), "error");
  EXPECT_EQ(message.at("code"), "KS0001");
  EXPECT_EQ(message.at("line"), 1);
  EXPECT_EQ(message.at("column"), 4);
  EXPECT_EQ(message.at("end_column"), 5);
  EXPECT_EQ(message.at("message"), "byte 0xff is not UTF-8");
  EXPECT_EQ(message.at("fixes").size(), 1u);
}

TEST(Diagnostics, CodesAreUnique) {
  std::vector<std::string_view> codes = {
#define KSC_DIAG(id, severity, code, text, ...) code,
#include "frontend/diagnostics.def"
  };
  std::sort(codes.begin(), codes.end());
  EXPECT_EQ(std::adjacent_find(codes.begin(), codes.end()), codes.end());
}

TEST(ClosestWord, FindsTyposAndNothingElse) {
  EXPECT_EQ(closest_word("coutns", {"counts", "mounts"}), "counts");
  EXPECT_EQ(closest_word("xdp_pass", {"XDP_PASS", "XDP_DROP"}), "XDP_PASS");
  EXPECT_EQ(closest_word("foo", {"entirely", "different"}), "");
  EXPECT_EQ(closest_word("ab", {"ac", "ad"}), closest_word("ab", {"ad", "ac"}));
}

TEST(Sources, KnowLinesAndColumns) {
  MemorySources sources;
  const uint32_t file = sources.add("a", "one\r\ntw\u00f6 x\n");
  EXPECT_EQ(sources.position(file, 0), (Position{1, 1}));
  EXPECT_EQ(sources.position(file, 10), (Position{2, 5}));
  EXPECT_EQ(sources.position(file, 11), (Position{2, 6}));
  EXPECT_EQ(sources.line(file, 1), "one");
  EXPECT_EQ(sources.line(file, 2), "tw\u00f6 x");
  EXPECT_FALSE(sources.open("missing"));
  EXPECT_EQ(sources.open("a").file, file);
}

}  // namespace
}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
// tests/errors/NAME.ks: programs with mistakes. Each message that they give stands at the end of the file:
//   //~ KS0302 7:12-7:18 a part of its text
// and no other may appear. What follows a line `//! file lib.ks` is another file, whose places are written
// `lib.ks:3:1-3:4`. `//~ fixed` asks that the program has no error when every fix is applied. `//! -Rall` turns
// remarks on. KSC_SHOW=1 prints what came [L171].
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "frontend/compile.h"

namespace ksc {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> all;
  if (fs::exists(folder))
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.path().extension() == ".ks") all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  return all;
}

/// One compilation of a text that lies in memory.
struct Checked {
  MemorySources sources;
  Result result;
  explicit Checked(std::string text, bool check_only = true, std::optional<KernelVersion> kernel = {}) {
    static const std::string types = read_file(fs::path(KSC_SOURCE) / "runtime/types/uapi.json");
    // The main file first, then those that follow it in the text.
    constexpr std::string_view next = "//! file ";
    for (std::string name = "t.ks"; !name.empty();) {
      const size_t end = text.find("\n" + std::string(next));
      sources.add(name, end == text.npos ? text : text.substr(0, end + 1));
      const size_t line = end == text.npos ? text.size() : text.find('\n', end + 1);
      name = end == text.npos ? "" : text.substr(end + 1 + next.size(), line - end - 1 - next.size());
      text.erase(0, std::min(line + 1, text.size()));
    }
    for (const auto& entry : fs::directory_iterator(fs::path(KSC_SOURCE) / "runtime/std"))
      sources.add("share/std/" + entry.path().filename().string(), read_file(entry.path()));
    sources.add("share/types/uapi.json", types);
    Options options;
    options.file = "t.ks";
    options.share = "share";
    options.check_only = check_only;
    options.target.is_kernel_given = kernel.has_value();
    if (kernel) options.target.kernel = *kernel;
    constexpr std::string_view target = "//! --target-kernel=";
    if (const size_t at = sources.text(0).find(target); at != std::string_view::npos) {
      const std::string_view rest = sources.text(0).substr(at + target.size());
      options.target.kernel = *KernelVersion::parse(rest.substr(0, rest.find('\n')));
      options.target.is_kernel_given = true;
    }
    options.target.always_dynptr = sources.text(0).find("//! --dynptr=always") != std::string_view::npos;
    if (sources.text(0).find("//! -Rall") != std::string_view::npos)
      options.remarks = {Remark::bounds, Remark::loops, Remark::stack};
    result = compile(sources, options);
  }
};

/// A message as a line: code, range, text.
struct Message {
  std::string head, text;  // "KS0302 7:12-7:18", "needs …"
};

std::vector<Message> messages(const Checked& checked) {
  std::vector<std::pair<std::pair<uint32_t, uint32_t>, Message>> placed;
  for (const Diagnostic& d : checked.result.diagnostics.all()) {
    const LocationRecord& at = checked.result.locations[d.loc];
    std::string where = "0:0-0:0";
    if (d.loc) {
      const Position from = checked.sources.position(at.file, at.begin), to = checked.sources.position(at.file, at.end);
      const std::string file = at.file == 0 ? "" : checked.sources.path(at.file) + ":";
      where = fmt::format("{}{}:{}-{}:{}", file, from.line, from.column, to.line, to.column);
    }
    placed.push_back({{at.file, at.begin}, {fmt::format("{} {}", d.code, where), d.text}});
  }
  std::sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second.head, a.second.text) < std::tie(b.first, b.second.head, b.second.text);
  });
  std::vector<Message> all;
  all.reserve(placed.size());
  for (auto& [place, message] : placed) all.push_back(std::move(message));
  return all;
}

/// The text after every fix of every message.
std::string with_fixes(const Checked& checked) {
  struct Change {
    uint32_t begin, end;
    size_t order;
    std::string text;
  };
  std::vector<Change> changes;
  for (const Diagnostic& d : checked.result.diagnostics.all())
    for (const Fix& fix : d.fixes) {
      const LocationRecord& at = checked.result.locations[fix.loc];
      changes.push_back({at.begin, at.end, changes.size(), fix.replacement});
    }
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return std::tie(b.begin, b.order) < std::tie(a.begin, a.order); });
  std::string text(checked.sources.text(0));
  for (const Change& change : changes) text.replace(change.begin, change.end - change.begin, change.text);
  return text;
}

struct Expectations {
  std::vector<Message> messages;
  bool fixed = false;
};

Expectations expectations(const std::string& text) {
  Expectations wanted;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("//~ ")) continue;
    const std::string rest = line.substr(4);
    if (rest == "fixed") {
      wanted.fixed = true;
      continue;
    }
    const size_t first = rest.find(' '), second = rest.find(' ', first + 1);
    wanted.messages.push_back({rest.substr(0, second), second == rest.npos ? "" : rest.substr(second + 1)});
  }
  return wanted;
}

class ErrorFile : public testing::TestWithParam<fs::path> {};

TEST_P(ErrorFile, GivesExactlyItsMessages) {
  const std::string text = read_file(GetParam());
  const Checked checked(text);
  EXPECT_TRUE(checked.result.faults.empty()) << checked.result.faults[0];
  const std::vector<Message> found = messages(checked);
  if (std::getenv("KSC_SHOW"))
    for (const Message& message : found) printf("//~ %s %s\n", message.head.c_str(), message.text.c_str());
  const Expectations wanted = expectations(text);
  for (size_t i = 0; i < std::max(found.size(), wanted.messages.size()); ++i) {
    if (i >= wanted.messages.size()) {
      ADD_FAILURE() << "unexpected: " << found[i].head << " " << found[i].text;
    } else if (i >= found.size()) {
      ADD_FAILURE() << "missing: " << wanted.messages[i].head << " " << wanted.messages[i].text;
    } else {
      EXPECT_EQ(found[i].head, wanted.messages[i].head) << "found: " << found[i].text;
      EXPECT_NE(found[i].text.find(wanted.messages[i].text), std::string::npos)
          << "found: " << found[i].text << "\nwanted: " << wanted.messages[i].text;
    }
  }
  if (!wanted.fixed) return;
  const std::string repaired = with_fixes(checked);
  const Checked again(repaired);
  EXPECT_TRUE(again.result.ok()) << repaired;
  for (const Message& message : messages(again))
    EXPECT_TRUE(!again.result.diagnostics.has_errors()) << message.head << " " << message.text;
}

std::string test_name(const testing::TestParamInfo<fs::path>& info) {
  std::string name = fs::relative(info.param, fs::path(KSC_SOURCE) / "tests/errors").replace_extension().string();
  for (char& ch : name)
    if (!isalnum(static_cast<unsigned char>(ch))) ch = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Errors, ErrorFile, testing::ValuesIn(files_below(fs::path(KSC_SOURCE) / "tests/errors")),
                         test_name);

/// Messages about what no source text can cause; each is tested where it comes from.
const std::set<std::string_view> tested_elsewhere = {
    "KS0002", "KS0013",                                          // tests/unit/lexer_test.cc, tests/corpus
    "KS0103", "KS0208", "KS0408", "KS0429", "KS0430", "KS0511",  // below
    "KS0455",                                                    // tests/passes/lower_packet_dynptrs
    "KS0601", "KS0603", "KS0604", "KS0605", "KS0606",            // tests/cli
    "KS0608", "KS0609", "KS0610",                                // tests/cli
    "KS0607",                                                    // tests/unit/pipeline_test.cc
};

TEST(Errors, AfterManySyntaxErrorsTheRestIsNotLookedAt) {
  std::string text = "fn f(x: u32) {\n";
  for (int i = 0; i < 300; ++i) text += "  x++\n";
  const Checked checked(text + "}\n");
  EXPECT_TRUE(checked.result.diagnostics.has(diag::Id::too_many_syntax_errors));
  EXPECT_EQ(checked.result.diagnostics.error_count(), 200u);
}

TEST(Errors, AHelperNewerThanTheTarget) {
  const std::string text =
      "@xdp fn f(ctx: *xdp_md) -> xdp_action {\n  var n = bpf_xdp_get_buff_len(ctx)\n  if (n > 9) { return XDP_DROP "
      "}\n  return XDP_PASS\n}\n";
  EXPECT_TRUE(Checked(text).result.ok());
  const Checked old(text, true, KernelVersion{5, 10});
  EXPECT_TRUE(old.result.diagnostics.has(diag::Id::target_too_old));
  EXPECT_EQ(old.result.diagnostics.error_count(), 1u);
}

constexpr std::string_view passing = "@xdp fn p(ctx: *xdp_md) -> xdp_action { return XDP_PASS }\n";

/// `count` lines, each from its number and the next.
std::string lines(int count, std::string_view form) {
  std::string text;
  for (int i = 0; i < count; ++i) text += fmt::format(fmt::runtime(form), i, i + 1);
  return text;
}

/// The one error of a program; its code and where it stands, and nothing for a good one.
std::string only_error(const std::string& text) {
  const Checked checked(text);
  std::string found;
  for (const Message& message : messages(checked)) found += (found.empty() ? "" : ", ") + message.head;
  return found;
}

TEST(Errors, ChainsOfDeclarationsEnd) {
  const std::string end = fmt::format("{}", passing);
  EXPECT_EQ(only_error(lines(150, "const c{}: u32 = c{} + 1\n") + "const c150: u32 = 1\n" + end), "");
  EXPECT_EQ(only_error(lines(20000, "const c{}: u32 = c{} + 1\n") + "const c20000: u32 = 1\n" + end),
            "KS0208 201:7-201:11");
  EXPECT_EQ(only_error(lines(20000, "type t{} = t{}\n") + "type t20000 = u32\n" + end), "KS0208 201:6-201:10");
  EXPECT_EQ(only_error(lines(20000, "struct s{} {{ a: s{} }}\n") + "struct s20000 { a: u32 }\n" + end),
            "KS0208 201:8-201:12");
  // What stands behind what it needs waits for nothing, but structs within structs are walked through.
  EXPECT_EQ(only_error("const c0: u32 = 1\n" + lines(20000, "const c{1}: u32 = c{0} + 1\n") + end), "");
  EXPECT_EQ(only_error("struct s0 { a: u32 }\n" + lines(190, "struct s{1} {{ a: s{0} }}\n") + end), "");
  EXPECT_EQ(only_error("struct s0 { a: u32 }\n" + lines(300, "struct s{1} {{ a: s{0} }}\n") + end).substr(0, 6),
            "KS0208");
}

TEST(Errors, ChainsOfCallsEnd) {
  for (std::string_view attribute : {"@helper ", ""}) {
    const std::string form = fmt::format("{}fn f{{}}(x: u32) -> u32 {{{{ return f{{}}(x) }}}}\n", attribute);
    const auto chain = [&](int length) {
      return lines(length, form) + fmt::format("{}fn f{}(x: u32) -> u32 {{ return x }}\n", attribute, length) +
             "@xdp fn p(ctx: *xdp_md) -> xdp_action { return " +
             (attribute.empty() ? "XDP_PASS" : "f0(1) == 5 ? XDP_DROP : XDP_PASS") + " }\nfn main() -> i32 { return " +
             (attribute.empty() ? "f0(1) as i32" : "0") + " }\n";
    };
    EXPECT_TRUE(Checked(chain(150)).result.ok());  // it may need much stack, which is a warning
    EXPECT_EQ(only_error(chain(12000)).substr(0, 6), "KS0430");
    EXPECT_EQ(only_error(chain(12000)).find(','), std::string::npos);
  }
}

TEST(Errors, AProgramUsesMoreMapsThanTheKernelTakes) {
  const auto program = [](int maps) {
    return lines(maps, "var m{} : hash<u32, u64>(1)\n") +
           "pin var kept: u32\n@helper fn more() -> u32 {\n    m0[1] = 2\n    return kept\n}\n"
           "@xdp fn p(ctx: *xdp_md) -> xdp_action {\n" +
           lines(maps, "    m{}[1] += 1\n") + "    return more() == 3 ? XDP_DROP : XDP_PASS\n}\n";
  };
  EXPECT_EQ(only_error(program(63)), "");
  EXPECT_EQ(only_error(program(64)).substr(0, 6), "KS0429");
}

TEST(Errors, EachMessageHasACase) {
  std::set<std::string> seen;
  for (const fs::path& path : files_below(fs::path(KSC_SOURCE) / "tests/errors"))
    for (const Message& message : expectations(read_file(path)).messages)
      seen.insert(message.head.substr(0, message.head.find(' ')));
  struct Line {
    std::string_view name, code;
  };
  static constexpr Line lines[] = {
#define KSC_DIAG(id, severity, code, text, ...) {#id, code},
#include "frontend/diagnostics.def"
  };
  for (const Line& line : lines)
    EXPECT_TRUE(seen.count(std::string(line.code)) || tested_elsewhere.count(line.code))
        << line.code << " " << line.name << " has no case in tests/errors";
}

}  // namespace
}  // namespace ksc

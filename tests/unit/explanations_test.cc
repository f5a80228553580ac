// SPDX-License-Identifier: Apache-2.0
// Each kind of message has its page, docs/diagnostics/CODE.md: the example in it gives that message and no other, the
// cured one gives none and is laid out as `ksc fmt` does it. A page without examples says why it has none.
#include "frontend/explanations.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "frontend/compile.h"
#include "unit/formatting.h"

namespace ksc::test {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

const fs::path pages = fs::path(KSC_SOURCE) / "docs/diagnostics";

/// A program of a page, or a file that its programs name: "```ks lib.ks". A program's first line is "```ks gives KS0408
/// with --target-kernel=5.1" or "```ks cured".
struct Example {
  std::string mark, program;
};

std::vector<Example> examples(const std::string& page) {
  std::vector<Example> all;
  std::istringstream lines(page);
  bool is_inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      if (!is_inside) all.push_back({line.substr(3), {}});
      is_inside = !is_inside;
    } else if (is_inside) {
      all.back().program += line + "\n";
    }
  }
  return all;
}

/// The codes of what is said of a program that is compiled as the words want it: "with -Rall".
std::set<std::string> codes_of(const std::string& program, const std::string& how, const std::vector<Example>& files) {
  static const std::string types = read_file(fs::path(KSC_SOURCE) / "runtime/types/uapi.json");
  MemorySources sources;
  sources.add("t.ks", program);
  sources.add("share/types/uapi.json", types);
  for (const auto& entry : fs::directory_iterator(KSC_SOURCE "/runtime/std"))
    sources.add("share/std/" + entry.path().filename().string(), read_file(entry.path()));
  for (const Example& file : files) sources.add(file.mark.substr(file.mark.find(' ') + 1), file.program);
  Options options;
  options.file = "t.ks";
  options.share = "share";
  options.makefile = false;
  options.check_only = how.find("when compiled") == how.npos;
  if (how.find("-Rall") != how.npos) options.remarks = {Remark::bounds, Remark::loops, Remark::stack};
  options.target.always_dynptr = how.find("--dynptr=always") != how.npos;
  std::smatch kernel;
  options.target.is_kernel_given = std::regex_search(how, kernel, std::regex("--target-kernel=(\\S+)"));
  if (options.target.is_kernel_given) options.target.kernel = *KernelVersion::parse(kernel.str(1));
  const Result result = compile(sources, options);
  EXPECT_TRUE(result.faults.empty()) << program;
  std::set<std::string> codes;
  for (const Diagnostic& message : result.diagnostics.all())
    if (message.id != diag::Id::broken_installation) codes.insert(std::string(message.code));
  return codes;
}

TEST(Explanations, EachKindOfMessageHasItsPage) {
  std::set<std::string> known;
  for (const MessageKind& kind : message_kinds()) {
    const std::string name = std::string(kind.code) + ".md";
    EXPECT_TRUE(known.insert(name).second) << kind.code << " stands for two messages";
    const std::string page = read_file(pages / name);
    ASSERT_FALSE(page.empty()) << "docs/diagnostics/" << name << " is missing";
    EXPECT_EQ(page.substr(0, page.find('\n')), fmt::format("# {}: {}", kind.code, kind.text));
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(pages))
    EXPECT_TRUE(known.contains(entry.path().filename())) << entry.path() << " explains nothing";
}

TEST(Explanations, ExamplesGiveTheirMessage) {
  for (const MessageKind& kind : message_kinds()) {
    SCOPED_TRACE(kind.code);
    const std::string page = read_file(pages / (std::string(kind.code) + ".md"));
    std::vector<Example> found = examples(page), files;
    const auto is_file = [](const Example& e) { return std::regex_match(e.mark, std::regex("ks \\S+\\.k[sh]")); };
    std::copy_if(found.begin(), found.end(), std::back_inserter(files), is_file);
    std::erase_if(found, is_file);
    if (std::regex_search(page, std::regex("\nThere is no example: \\S"))) {
      EXPECT_TRUE(found.empty());
      continue;
    }
    ASSERT_EQ(found.size(), 2u);
    const std::string mark = fmt::format("ks gives {}", kind.code);
    ASSERT_TRUE(found[0].mark.starts_with(mark)) << found[0].mark;
    ASSERT_EQ(found[1].mark, "ks cured");
    const std::string how = found[0].mark.substr(mark.size());
    EXPECT_EQ(codes_of(found[0].program, how, files), std::set<std::string>{std::string(kind.code)})
        << found[0].program;
    EXPECT_EQ(codes_of(found[1].program, how, files), std::set<std::string>{}) << found[1].program;
    EXPECT_EQ(formatted(found[1].program), found[1].program);
  }
}

TEST(Explanations, AreTextInATerminal) {
  EXPECT_EQ(page_as_text("# KS0001: a\n\nwhy\n\n```ks cured\nfn f() {}\n\nfn g() {}\n```\nso\n"),
            "KS0001: a\n\nwhy\n\n    fn f() {}\n\n    fn g() {}\nso\n");
}

}  // namespace
}  // namespace ksc::test

// SPDX-License-Identifier: Apache-2.0
// Runs each pass alone on the files PASS/*.ksir of a folder. A file holds what goes in, a line `;; =>`, and what must
// come out, in at most 30 lines; messages that the pass must report stand below that line as `;; error: CODE text`. The
// types that both parts use are described in the first only. A line `; --dynptr=always` sets that option. With --update
// the second parts are written anew, for their author to review.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "frontend/diagnostics.h"
#include "ir/check.h"
#include "ir/sexpr.h"
#include "passes/pipeline.h"

namespace {

namespace fs = std::filesystem;
using namespace ksc;

constexpr int most_lines = 30;
constexpr std::string_view arrow = ";; =>";

std::string content(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Whether a line is a message that the pass must report.
bool is_message(const std::string& line) {
  return line.starts_with(";; error: ") || line.starts_with(";; warning: ") || line.starts_with(";; note: ");
}

std::string message_line(const Diagnostic& d) {
  const char* severity = d.severity == Severity::error ? "error" : d.severity == Severity::warning ? "warning" : "note";
  return fmt::format(";; {}: {} {}", severity, d.code, d.text);
}

/// One test file: what stands above the arrow, the lines below it, and the messages among them.
struct PassFile {
  std::string input, expected;
  std::vector<std::string> messages;
  bool has_arrow = false;
  int lines = 0;
};

PassFile parts_of(const fs::path& path) {
  PassFile file;
  for (const std::string& line : lines_of(content(path))) {
    ++file.lines;
    if (line == arrow)
      file.has_arrow = true;
    else if (file.has_arrow && is_message(line))
      file.messages.push_back(line);
    else
      (file.has_arrow ? file.expected : file.input) += line + "\n";
  }
  return file;
}

/// What differs between two texts: their common lines at both ends are left out.
std::string difference(const std::string& expected, const std::string& actual) {
  const std::vector<std::string> want = lines_of(expected), have = lines_of(actual);
  size_t begin = 0, end = 0;
  while (begin < want.size() && begin < have.size() && want[begin] == have[begin]) ++begin;
  while (end < want.size() - begin && end < have.size() - begin &&
         want[want.size() - 1 - end] == have[have.size() - 1 - end])
    ++end;
  std::string text;
  for (size_t i = begin; i < want.size() - end; ++i) text += "  - " + want[i] + "\n";
  for (size_t i = begin; i < have.size() - end; ++i) text += "  + " + have[i] + "\n";
  return text;
}

class PassTests {
 public:
  PassTests(fs::path folder, bool update) : folder_(std::move(folder)), update_(update) {
    kernel_types_ = KernelTypes::from_json(content(folder_ / "../../runtime/types/uapi.json"));
  }

  int run() {
    std::set<std::string> tested;
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_))
      if (entry.path().extension() == ".ksir") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      tested.insert(file.parent_path().filename());
      test(file);
    }
    for_each_pass([&](const Step& step) {
      if (!tested.count(std::string(step.name))) fail(fmt::format("{}: no file tests this pass", step.name));
    });
    fmt::print("{} pass files, {} failed\n", files.size(), failures_);
    return failures_ == 0 ? 0 : 1;
  }

 private:
  template <class Do>
  static void for_each_pass(Do&& run) {
    for (const Step& step : pass_list().trunk)
      if (!step.is_gate) run(step);
    for (const TargetBranch& branch : pass_list().branches)
      for (const Step& step : branch.steps) run(step);
  }

  void fail(const std::string& what) {
    ++failures_;
    fmt::print("{}\n", what);
  }

  void begin(Context& context) const {
    context.kernel_types = &kernel_types_;
    context.project = "test";
  }

  void test(const fs::path& path) {
    const std::string name = fs::relative(path, folder_).string();
    const Step* step = find_step(path.parent_path().filename().string());
    if (!step) return fail(fmt::format("{}: there is no pass of that name", name));
    const PassFile file = parts_of(path);
    if (!update_ && !file.has_arrow) return fail(fmt::format("{}: has no line `{}`", name, arrow));
    Context context;
    begin(context);
    context.target.always_dynptr = file.input.find("; --dynptr=always\n") != std::string::npos;
    ReadError error;
    const auto input = read_program(context, file.input, error);
    if (!input)
      return fail(fmt::format("{}: the input cannot be read: {} at byte {}", name, error.message, error.offset));
    for (const std::string& fault : check(*input, step->in))
      return fail(fmt::format("{}: the input is not what the pass takes: {}", name, fault));

    const std::string before = print(*input);  // a pass may complete a type
    const Program output = step->run(*input, context);
    std::vector<std::string> messages;
    for (const Diagnostic& d : context.diagnostics.all()) messages.push_back(message_line(d));
    if (update_) return write(path, file, before, output, messages);
    if (file.lines > most_lines) fail(fmt::format("{}: has {} lines, more than {}", name, file.lines, most_lines));
    for (const std::string& fault : check(output, step->out)) fail(fmt::format("{}: {}", name, fault));

    // A context of its own: what is expected must be right without what the pass knows.
    Context other;
    begin(other);
    read_program(other, file.input, error);
    const auto expected = read_program(other, file.expected, error);
    if (!expected)
      return fail(
          fmt::format("{}: the expected part cannot be read: {} at byte {}", name, error.message, error.offset));
    if (const std::string lines = difference(print(*expected), print(output)); !lines.empty())
      fail(fmt::format("{}: expected (-) and given (+) differ\n{}", name, lines));
    std::string wanted, given;
    for (const std::string& line : file.messages) wanted += line + "\n";
    for (const std::string& line : messages) given += line + "\n";
    if (const std::string lines = difference(wanted, given); !lines.empty())
      fail(fmt::format("{}: messages expected (-) and given (+) differ\n{}", name, lines));
  }

  static void write(const fs::path& path, const PassFile& file, const std::string& input, const Program& output,
                    const std::vector<std::string>& messages) {
    const std::vector<std::string> known = lines_of(input);
    std::string types, rest;
    bool in_types = false;
    for (const std::string& line : lines_of(print(output))) {
      if (line == "(types") {
        in_types = true;
        continue;
      }
      if (!in_types) {
        rest += line + "\n";
        continue;
      }
      // The last line of the section ends with its bracket, in either part.
      const bool last = !line.starts_with("  ") ||
                        std::count(line.begin(), line.end(), '(') < std::count(line.begin(), line.end(), ')');
      const std::string type = last ? line.substr(0, line.size() - 1) : line;
      if (std::find(known.begin(), known.end(), type) == known.end() &&
          std::find(known.begin(), known.end(), type + ")") == known.end())
        types += "\n" + type;
      in_types = !last;
    }
    std::string text = file.input + std::string(arrow) + "\n";
    for (const std::string& line : messages) text += line + "\n";
    if (!types.empty()) text += "(types" + types + ")\n";
    std::ofstream(path) << text << rest;
  }

  fs::path folder_;
  bool update_;
  KernelTypes kernel_types_;
  int failures_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  bool update = false;
  const char* folder = nullptr;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--update") == 0)
      update = true;
    else
      folder = arguments[i];
  }
  if (!folder) {
    std::fputs("usage: pass_tests FOLDER [--update]\n", stderr);
    return 2;
  }
  return PassTests(folder, update).run();
}

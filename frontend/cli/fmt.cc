// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <memory>

#include "frontend/cli/commands.h"
#include "frontend/cli/driver.h"
#include "frontend/cli/options.h"
#include "frontend/cli/pending_files.h"
#include "frontend/cli/unified_diff.h"
#include "frontend/format/format.h"
#include "frontend/format/upgrade.h"
#include "frontend/parser.h"
#include "frontend/render.h"

namespace ksc::cli {

namespace po = boost::program_options;

namespace {

constexpr std::string_view fmt_usage = "ksc fmt FILE...";

struct FormatOptions {
  std::vector<std::string> files;
  bool check = false, diff = false, upgrade = false, json = false;
  std::string color = "auto";
  std::optional<int> exit;  // the command ends at once
};

FormatOptions parse_format_options(const Arguments& arguments) {
  FormatOptions options;
  std::string format = "text";
  po::options_description visible("Options"), hidden, all;
  auto add = visible.add_options();
  add("check", po::bool_switch(&options.check), "write nothing; name the files that would change, and exit with 1");
  add("diff", po::bool_switch(&options.diff), "write nothing; show what would change");
  add("upgrade", po::bool_switch(&options.upgrade), "rewrite what older versions of the language spelled otherwise");
  add("error-format", po::value(&format)->value_name("text|json"), "how messages are written");
  add("color", po::value(&options.color)->value_name("auto|always|never"), "colours in messages; auto heeds NO_COLOR");
  add("help,h", "show this help");
  hidden.add_options()("file", po::value(&options.files));
  all.add(visible).add(hidden);
  po::positional_options_description positional;
  positional.add("file", -1);
  try {
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::variables_map given;
    po::store(po::command_line_parser(arguments).options(all).positional(positional).style(style).run(), given);
    po::notify(given);
    if (given.count("help")) {
      std::cout << "usage: " << fmt_usage
                << "\n\nLays out files anew, in place; `-` reads standard input and writes to "
                << "standard output.\n\n"
                << visible;
      options.exit = exit_good;
      return options;
    }
    if (options.files.empty()) throw UsageError("a file is missing");
    require_one_of("error-format", format, {"text", "json"});
    require_one_of("color", options.color, {"auto", "always", "never"});
    options.json = format == "json";
  } catch (const std::exception& error) {
    std::cerr << "ksc: " << error.what() << "\nusage: " << fmt_usage << "\n";
    options.exit = exit_usage;
  }
  return options;
}

/// Replaces what a file holds, as a whole. A symbolic link goes on leading to the file, which keeps its mode. Returns
/// why that failed, or nothing.
std::string replace(const std::string& path, const std::string& text) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr), std::free);
  struct stat status {};
  if (!real || stat(real.get(), &status) != 0 || access(real.get(), W_OK) != 0) return PendingFiles::failure(path);
  PendingFiles pending;
  const std::string problem = pending.add(real.get(), text, status.st_mode & 07777);
  return problem.empty() ? pending.commit() : problem;
}

/// One run of the command.
class Formatting {
 public:
  explicit Formatting(const FormatOptions& options) : options_(options) {}

  int run() {
    for (const std::string& path : options_.files) one(path);
    if (options_.json)
      std::fputs(render_json(context_.diagnostics, context_.locations, sources_).c_str(), stderr);
    else
      std::fputs(
          render_text(context_.diagnostics, context_.locations, sources_, {use_colour(options_.color), 100}).c_str(),
          stderr);
    return is_internal_                                  ? exit_internal
           : is_io_                                      ? exit_io
           : has_errors_ || (options_.check && differs_) ? 1
                                                         : exit_good;
  }

 private:
  void one(const std::string& path) {
    const bool is_standard = path == "-";
    const std::string name = is_standard ? "<stdin>" : path;
    if (is_standard) sources_.add(name, {std::istreambuf_iterator<char>(std::cin), {}});
    const Sources::Opened file = sources_.open(name);
    if (!file) {
      is_io_ = true;
      context_.diagnostics.report({}, diag::cannot_read, path, file.error);
      return;
    }
    const std::string before(sources_.text(file.file));
    const std::string meant = options_.upgrade ? upgrade(before) : before;
    Context context;
    const std::optional<std::string> formatted = format(context, file.file, meant);
    if (!formatted) return refuse(file.file, name, before != meant);
    if (const std::string fault = difference(meant, *formatted); !fault.empty()) return fail(name, fault);
    finish(path, name, before, *formatted);
  }

  /// Says what keeps a file from being formatted.
  void refuse(uint32_t file, const std::string& name, bool is_upgraded) {
    const size_t errors = context_.diagnostics.error_count();
    parse(context_, file, sources_.text(file));
    if (errors == context_.diagnostics.error_count()) return fail(name, "what was rewritten has syntax errors");
    has_errors_ = true;
    if (is_upgraded && !options_.json)
      std::fprintf(stderr, "ksc: `%s` has more errors than those that can be rewritten\n", name.c_str());
  }

  /// A mistake of ours; the file is left as it is.
  void fail(const std::string& name, const std::string& fault) {
    is_internal_ = true;
    context_.diagnostics.report({}, diag::internal_error, fmt::format("`{}` is not formatted: {}", name, fault));
  }

  void finish(const std::string& path, const std::string& name, const std::string& before, const std::string& after) {
    const bool changes = before != after;
    differs_ = differs_ || changes;
    if (options_.diff) std::cout << unified_diff(name, before, after);
    if (options_.check && changes && !options_.diff) std::cout << name << "\n";
    if (options_.diff || options_.check) return;
    if (path == "-") {
      std::cout << after;
    } else if (changes) {
      const std::string problem = replace(path, after);
      if (problem.empty()) return;
      is_io_ = true;
      context_.diagnostics.report({}, diag::output_failed, problem);
    }
  }

  const FormatOptions& options_;
  DiskSources sources_;
  Context context_;  // of what is reported
  bool has_errors_ = false, differs_ = false, is_io_ = false, is_internal_ = false;
};

}  // namespace

int run_fmt(const Arguments& arguments) {
  const FormatOptions options = parse_format_options(arguments);
  return options.exit ? *options.exit : Formatting(options).run();
}

}  // namespace ksc::cli

// SPDX-License-Identifier: Apache-2.0
#include "frontend/cli/options.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <iostream>
#include <sstream>

namespace ksc::cli {

namespace po = boost::program_options;

namespace {

void add_words(std::vector<std::string>& words, const std::string& list) {
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');)
    if (!word.empty()) words.push_back(word);
}

bool is_identifier(const std::string& word) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !word.empty() && !(word[0] >= '0' && word[0] <= '9') && std::all_of(word.begin(), word.end(), good);
}

/// The kinds of remarks, for people.
std::string remark_kinds() {
  std::string list;
  for (std::string_view kind : EnumNames<Remark>::names) list += std::string(kind) + ", ";
  return list + "all";
}

/// -Rbounds, or -Rall.
void add_remarks(std::vector<Remark>& wanted, const std::string& kind) {
  const auto& kinds = EnumNames<Remark>::names;
  bool known = false;
  for (size_t i = 0; i < std::size(kinds); ++i) {
    if (kind != "all" && kind != kinds[i]) continue;
    wanted.push_back(Remark(i));
    known = true;
  }
  if (!known) throw UsageError("-R is followed by one of " + remark_kinds() + ", not `" + kind + "`");
}

}  // namespace

void require_one_of(const std::string& option, const std::string& value, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), value) != known.end()) return;
  std::string list;
  for (const std::string& word : known) list += (list.empty() ? "" : ", ") + word;
  throw UsageError("--" + option + " is one of " + list + ", not `" + value + "`");
}

Parsed parse_options(const OptionSet& set, const std::vector<std::string>& arguments) {
  Parsed parsed;
  DriverOptions& options = parsed.options;
  std::string kernel, format = "text", dynptr = "auto";
  std::vector<std::string> emit, remarks, files;

  po::options_description visible("Options");
  auto add = visible.add_options();
  if (set.output) {
    add("output,o", po::value(&options.output)->value_name("DIR"),
        "where the project goes; the file's name without .ks if not given");
  }
  // What is to be built is written whole.
  if (set.output && set.passes) {
    add("no-makefile", "write no Makefile");
    add("emit", po::value(&emit)->value_name("NAME[,NAME]"), "write only the files whose names end so, such as ebpf.c");
  }
  add("project", po::value(&options.compile.project)->value_name("NAME"),
      "the project's name; the file's name if not given");
  add("include,I", po::value(&options.compile.directories)->value_name("DIR"),
      "where imports and includes are looked for, beside the file's own folder");
  add("target-kernel", po::value(&kernel)->value_name("X.Y"),
      "the oldest kernel that the program must run on (6.1 if not given)");
  add("dynptr", po::value(&dynptr)->value_name("auto|always"),
      "whether packets and records are reached through dynptrs where pointers would do");
  add("error-format", po::value(&format)->value_name("text|json"), "how messages are written");
  add("color", po::value(&options.color)->value_name("auto|always|never"), "colours in messages; auto heeds NO_COLOR");
  add("remark,R", po::value(&remarks)->value_name("KIND"),
      ("say where the compiler puts something in: " + remark_kinds()).c_str());
  add("verbose,v", "say what is written");
  add("help,h", "show this help");
  if (set.passes) {
    add("time-passes", "tell how long each pass took");
    add("list-passes", "show the passes and what each changes in the language");
    add("dump-after", po::value(&options.compile.dump_after)->value_name("PASS|all"), "show the program after a pass");
    add("dump-before", po::value(&options.compile.dump_before)->value_name("PASS|all"),
        "show the program before a pass");
    add("dump-dir", po::value(&options.dump_dir)->value_name("DIR"), "write dumps to files here");
    add("grammar-after", po::value(&options.compile.grammar_after)->value_name("PASS"),
        "show the language after a pass");
    add("stop-after", po::value(&options.compile.stop_after)->value_name("PASS"), "end after a pass");
    add("start-after", po::value(&options.compile.start_after)->value_name("PASS"),
        "FILE is what came out of this pass");
  }
  po::options_description hidden, all;
  hidden.add_options()("file", po::value(&files));
  all.add(visible).add(hidden);
  po::positional_options_description positional;
  positional.add("file", -1);

  try {
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::variables_map given;
    po::store(po::command_line_parser(arguments).options(all).positional(positional).style(style).run(), given);
    po::notify(given);
    if (given.count("help")) {
      std::cout << "usage: " << set.usage << "\n\n" << set.about << "\n\n" << visible;
      parsed.exit = exit_good;
      return parsed;
    }
    if (given.count("list-passes")) {
      std::cout << list_passes();
      parsed.exit = exit_good;
      return parsed;
    }
    if (files.empty()) throw UsageError("a file is missing");
    if (files.size() > 1) throw UsageError("one file at a time: `" + files[1] + "` is too many");
    options.compile.file = files[0];
    if (!kernel.empty()) {
      const std::optional<KernelVersion> version = KernelVersion::parse(kernel);
      if (!version) throw UsageError("--target-kernel is a version such as 6.1, not `" + kernel + "`");
      options.compile.target.kernel = *version;
      options.compile.target.is_kernel_given = true;
    }
    require_one_of("dynptr", dynptr, {"auto", "always"});
    options.compile.target.always_dynptr = dynptr == "always";
    require_one_of("error-format", format, {"text", "json"});
    require_one_of("color", options.color, {"auto", "always", "never"});
    if (given.count("project") && !is_identifier(options.compile.project))
      throw UsageError("--project is a name of letters, digits and _, not `" + options.compile.project + "`");
    if (given.count("output") && options.output.empty()) throw UsageError("--output is empty");
    for (const std::string& list : emit) add_words(options.compile.emit, list);
    for (const std::string& kind : remarks) add_remarks(options.compile.remarks, kind);
    options.json = format == "json";
    options.verbose = given.count("verbose") != 0;
    options.compile.makefile = given.count("no-makefile") == 0;
    options.compile.time_passes = given.count("time-passes") != 0;
  } catch (const std::exception& error) {
    std::cerr << "ksc: " << error.what() << "\nusage: " << set.usage << "\n";
    parsed.exit = exit_usage;
  }
  return parsed;
}

}  // namespace ksc::cli

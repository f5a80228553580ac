// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>

#include "frontend/cli/commands.h"
#include "frontend/cli/driver.h"

namespace ksc::cli {
namespace {

struct Command {
  std::string_view name, usage, about;
  int (*run)(const Arguments&);
};

constexpr Command commands[] = {
    {"compile", "compile FILE [-o DIR]", "write the project: eBPF and userspace C, Makefile, README", run_compile},
    {"check", "check FILE", "report what is wrong with a file", run_check},
    {"build", "build FILE", "compile, and run make in the project", run_build},
    {"run", "run FILE [-- ARGUMENTS]", "build, and run the binary", run_run},
    {"init", "init TYPE NAME", "start a new program", run_init},
    {"fmt", "fmt FILE...", "lay out files anew", run_fmt},
    {"explain", "explain [CODE]", "tell what a message means", run_explain},
};

void print_help(std::ostream& out) {
  out << "ksc " KSC_VERSION ", a compiler for KernelScript\n\nusage:\n";
  for (const Command& command : commands) {
    std::string usage = "  ksc " + std::string(command.usage);
    usage.resize(std::max<size_t>(usage.size() + 2, 36), ' ');
    out << usage << command.about << "\n";
  }
  out << "  ksc FILE -o DIR                   the same as compile\n"
         "\n`ksc COMMAND --help` tells the options of a command; `ksc --version` the version.\n";
}

int dispatch(const Arguments& arguments) {
  if (arguments.empty()) {
    print_help(std::cerr);
    return exit_usage;
  }
  const std::string& first = arguments[0];
  if (first == "--help" || first == "-h" || first == "help") return print_help(std::cout), exit_good;
  if (first == "--version") return std::cout << "ksc " KSC_VERSION "\n", exit_good;
  for (const Command& command : commands)
    if (first == command.name) return command.run(Arguments(arguments.begin() + 1, arguments.end()));
  // ksc FILE -o DIR; a word in front that names no file is a command that does not exist.
  const auto names_a_file = [](const std::string& word) {
    return word.ends_with(".ks") || word.ends_with(".ksir") || word.find('/') != word.npos || word == "--list-passes";
  };
  if (names_a_file(first) || (first.starts_with("-") && std::any_of(arguments.begin(), arguments.end(), names_a_file)))
    return run_compile(arguments);
  std::cerr << "ksc: `" << first << "` is no command";
  std::vector<std::string_view> known;
  for (const Command& command : commands) known.push_back(command.name);
  if (const std::string_view near = closest_word(first, known); !near.empty())
    std::cerr << "; did you mean `" << near << "`?";
  std::cerr << "\n";
  print_help(std::cerr);
  return exit_usage;
}

}  // namespace
}  // namespace ksc::cli

int main(int count, char** words) {
  try {
    const int code = ksc::cli::dispatch({words + 1, words + count});
    // What was printed counts as output: a full disk must not pass for success.
    if (!std::cout.flush() || std::fflush(stdout) != 0 || std::ferror(stdout)) {
      if (code != ksc::exit_good) return code;
      std::fputs("ksc: error: cannot write to standard output\n", stderr);
      return ksc::exit_io;
    }
    return code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ksc: internal error: %s\nksc: this is a mistake in ksc, please report it with the program\n",
                 error.what());
    return ksc::exit_internal;
  }
}

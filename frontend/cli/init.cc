// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "backends/project/project.h"
#include "frontend/cli/commands.h"
#include "frontend/cli/driver.h"
#include "frontend/token.h"
#include "ir/builtins.h"
#include "ir/program_type.h"

namespace ksc::cli {
namespace {

std::string known_types() {
  std::string list;
  for (const ProgramType* type : all_program_types()) {
    if (type->init_template.empty()) continue;
    list += (list.empty() ? "" : ", ") + std::string(type->attribute);
  }
  return list;
}

int wrong_usage(const std::string& problem) {
  std::cerr << "ksc: " << problem << "\nusage: ksc init TYPE NAME\n";
  return exit_usage;
}

std::string replaced(std::string text, std::string_view mark, std::string_view word) {
  for (size_t at = text.find(mark); at != text.npos; at = text.find(mark, at + word.size()))
    text.replace(at, mark.size(), word);
  return text;
}

/// Whether the template needs the word for something else than the name of its program.
bool is_word_of(std::string_view program, std::string_view word) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_part = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  for (size_t at = program.find(word); at != program.npos; at = program.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !is_part(program[at - 1])) && (end == program.size() || !is_part(program[end]))) return true;
  }
#define KSC_KEYWORD(id, text) \
  if (word == text) return true;
  KSC_KEYWORDS(KSC_KEYWORD)
#undef KSC_KEYWORD
  return is_builtin_function(word);
}

/// The program of a template: its function is called like it, unless that word has another meaning there.
std::string program_text(std::string_view program, const std::string& name) {
  const std::string function = is_word_of(program, name) ? name + "_program" : name;
  return replaced(std::string(program), "{name}", function);
}

}  // namespace

int run_init(const Arguments& arguments) {
  Arguments words;
  bool options_end = false;
  for (const std::string& word : arguments) {
    if (options_end || word == "--") {
      if (options_end) words.push_back(word);
      options_end = true;
      continue;
    }
    if (word == "--help" || word == "-h") {
      std::cout << "usage: ksc init TYPE NAME\n\nStarts a program NAME/NAME.ks of a type: " << known_types() << ".\n";
      return exit_good;
    }
    if (word.starts_with("-") && word.size() > 1) return wrong_usage("unknown option `" + word + "`");
    words.push_back(word);
  }
  if (words.size() != 2) return wrong_usage("init takes a type and a name");
  const ProgramType* type = find_program_type(words[0]);
  if (!type || type->init_template.empty())
    return wrong_usage("there is no type `" + words[0] + "`; there are: " + known_types());
  const std::string& name = words[1];
  if (name.empty() || project_name(name) != name)
    return wrong_usage("`" + name +
                       "` cannot name a program: a name is made of letters, digits and _, and begins with no digit");
  if (is_taken_project(name))
    return wrong_usage("`" + name + "` cannot name a program: its Makefile and its folders have that name already");
  const std::string path = name + "/" + name + ".ks";
  if (access(path.c_str(), F_OK) == 0) {
    std::cerr << "ksc: error: `" << path << "` exists already\n";
    return exit_io;
  }
  const std::string problem = write_files(name, {{name + ".ks", program_text(type->init_template, name)}});
  if (!problem.empty()) {
    std::cerr << "ksc: error: " << problem << "\n";
    return exit_io;
  }
  std::cout << "wrote " << path << "; build it with: ksc build " << path << "\n";
  return exit_good;
}

}  // namespace ksc::cli

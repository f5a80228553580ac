// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "frontend/cli/commands.h"
#include "frontend/cli/driver.h"
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

int usage(const std::string& problem) {
  std::cerr << "ksc: " << problem << "\nusage: ksc init TYPE NAME\n";
  return exit_usage;
}

std::string replaced(std::string text, std::string_view mark, std::string_view word) {
  for (size_t at = text.find(mark); at != text.npos; at = text.find(mark, at + word.size()))
    text.replace(at, mark.size(), word);
  return text;
}

}  // namespace

int run_init(const Arguments& arguments) {
  Arguments words;
  for (const std::string& word : arguments) {
    if (word == "--help" || word == "-h") {
      std::cout << "usage: ksc init TYPE NAME\n\nStarts a program NAME/NAME.ks of a type: " << known_types() << ".\n";
      return exit_good;
    }
    if (word.starts_with("-") && word.size() > 1) return usage("unknown option `" + word + "`");
    words.push_back(word);
  }
  if (words.size() != 2) return usage("init takes a type and a name");
  const ProgramType* type = find_program_type(words[0]);
  if (!type || type->init_template.empty())
    return usage("there is no type `" + words[0] + "`; there are: " + known_types());
  const std::string& name = words[1];
  if (name.empty() || project_name(name) != name)
    return usage("`" + name + "` cannot name a program: a name is made of letters, digits and _");
  const std::string path = name + "/" + name + ".ks";
  if (access(path.c_str(), F_OK) == 0) {
    std::cerr << "ksc: error: `" << path << "` exists already\n";
    return exit_io;
  }
  const std::string problem =
      write_files(name, {{name + ".ks", replaced(std::string(type->init_template), "{name}", name)}});
  if (!problem.empty()) {
    std::cerr << "ksc: error: " << problem << "\n";
    return exit_io;
  }
  std::cout << "wrote " << path << "; build it with: ksc build " << path << "\n";
  return exit_good;
}

}  // namespace ksc::cli

// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "frontend/cli/commands.h"
#include "frontend/cli/make.h"
#include "frontend/cli/options.h"

namespace ksc::cli {

int run_run(const Arguments& arguments) {
  // What follows `--` is the program's.
  const auto split = std::find(arguments.begin(), arguments.end(), "--");
  const Parsed parsed =
      parse_options({"ksc run FILE [-o DIR] [-- ARGUMENTS]", "Builds the project, and runs its binary.", true, false},
                    Arguments(arguments.begin(), split));
  if (parsed.exit) return *parsed.exit;
  if (const int code = compile_and_make(parsed.options); code != exit_good) return code;
  std::string binary = binary_path(parsed.options);
  std::vector<std::string> words{binary};
  if (split != arguments.end()) words.insert(words.end(), split + 1, arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execv(binary.c_str(), pointers.data());
  std::fprintf(stderr, "ksc: cannot run `%s`: %s\n", binary.c_str(), std::strerror(errno));
  return exit_io;
}

}  // namespace ksc::cli

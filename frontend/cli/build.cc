// SPDX-License-Identifier: Apache-2.0
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "frontend/cli/commands.h"
#include "frontend/cli/make.h"
#include "frontend/cli/options.h"

extern char** environ;

namespace ksc::cli {

std::string binary_path(const DriverOptions& options) {
  const std::string name =
      options.compile.project.empty() ? project_name(options.compile.file) : options.compile.project;
  const std::string directory = output_directory(options);
  // A path with a slash in front is never looked for elsewhere and never read as an option.
  return (directory[0] == '/' ? directory : "./" + directory) + "/" + name;
}

int compile_and_make(const DriverOptions& options) {
  const int code = compile_and_write(options);
  if (code != exit_good) return code;
  const std::string directory = output_directory(options);
  std::string folder = directory[0] == '/' ? directory : "./" + directory;
  char program[] = "make", silent[] = "--silent", chdir_option[] = "-C";
  char* arguments[] = {program, chdir_option, folder.data(), options.verbose ? nullptr : silent, nullptr};
  pid_t child = 0;
  const int failed = posix_spawnp(&child, program, nullptr, nullptr, arguments, environ);
  if (failed != 0) {
    std::fprintf(stderr, "ksc: cannot run make: %s\n", std::strerror(failed));
    return exit_io;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return exit_good;
  std::fprintf(stderr, "ksc: make failed in `%s`\n", directory.c_str());
  return exit_diagnostics;
}

int run_build(const Arguments& arguments) {
  const Parsed parsed =
      parse_options({"ksc build FILE [-o DIR]", "Compiles, and runs make in the project.", true, false}, arguments);
  if (parsed.exit) return *parsed.exit;
  const int code = compile_and_make(parsed.options);
  // A file without `main` gives an object and no binary.
  const std::string binary = binary_path(parsed.options);
  if (code == exit_good && access(binary.c_str(), X_OK) == 0)
    std::cout << "built " << binary << "; `" << binary << " --help` lists its options\n";
  return code;
}

}  // namespace ksc::cli

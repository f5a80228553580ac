// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <vector>

#include "frontend/compile.h"

namespace ksc {

/// What ksc exits with.
enum ExitCode : int { exit_good = 0, exit_diagnostics = 1, exit_usage = 2, exit_internal = 70, exit_io = 74 };

/// What the commands that compile have in common.
struct DriverOptions {
  Options compile;
  std::string output;  // the output directory; empty: the file's stem in the current directory
  bool verbose = false;
  bool json = false;  // messages as JSON
  std::string color = "auto";
  std::string dump_dir;  // dumps become files here; empty: they are printed
};

/// The output directory that the options mean; empty where the file has no extension to leave out.
std::string output_directory(const DriverOptions& options);

/// Compiles, prints the messages to stderr, and writes the files. Returns an exit code.
int compile_and_write(const DriverOptions& options);

/// Writes all files below a directory, or none: what was there stays untouched when anything fails. Files of the user
/// (a README that ksc did not write, `.ks` files at the top) are left alone. Returns why it failed, or nothing;
/// `written` gets the names of those that were not there as they are.
std::string write_files(const std::string& directory, const std::map<std::string, std::string>& files,
                        std::vector<std::string>* written = nullptr);

/// Where std, runtime and types lie: share/ksc beside the folder of the executable, installed or built.
std::string share_directory();

/// Whether messages on stderr are coloured: `always`, `never`, or by terminal and NO_COLOR.
bool use_colour(const std::string& option);

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "frontend/diagnostics.h"
#include "frontend/source.h"
#include "ir/target.h"

namespace ksc {

/// What is to be compiled, and how.
struct Options {
  std::string file;                      // the main source; opened through the sources
  std::string project;                   // the name of what comes out; empty: made from the file's name [L180]
  std::string share;                     // where std, runtime and types lie
  std::vector<std::string> directories;  // where imports and includes are looked for
  Target target;
  bool check_only = false;  // report only, make no files
  bool makefile = true;
  std::vector<Remark> remarks;    // which remarks are wanted
  std::vector<std::string> emit;  // which files, by the end of their names; empty: all

  // Looking at the compiler at work. A pass is named as in passes/pipeline.cc; `parse` is what comes before the first.
  bool time_passes = false;
  std::string dump_before, dump_after;  // a pass, or `all` for the latter
  std::string grammar_after;
  std::string stop_after;
  std::string start_after;  // the file is a dump then, of what came out of this pass
};

/// What a compilation gives. It touches nothing outside of its sources.
struct Result {
  std::map<std::string, std::string> files;  // by their path in the output directory
  Diagnostics diagnostics;
  Locations locations;
  std::vector<std::pair<std::string, std::string>> dumps;  // a name such as `03_fold_constants`, and the program's text
  std::string report;                                      // the grammar or the times that were asked for
  std::vector<std::string> faults;  // what the checks between passes found: faults of the compiler
  bool unreadable = false;          // a file could not be read

  bool ok() const { return !diagnostics.has_errors() && faults.empty() && !unreadable; }
};

/// Compiles one program. Two compilations share nothing and may run in two threads.
Result compile(Sources& sources, const Options& options);

/// The project's name for a file: its base name without `.ks`, other characters than letters, digits and `_` as `_`.
std::string project_name(const std::string& path);

/// The passes in order, one a line, each with what its step removed from the language and added to it.
std::string list_passes();

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "frontend/cli/driver.h"

namespace ksc::cli {

/// Which options a command takes besides those of all.
struct OptionSet {
  std::string_view usage;  // "ksc check FILE"
  std::string_view about;
  bool output = false;  // -o, --no-makefile, --emit
  bool passes = false;  // looking at the compiler at work
};

/// Either options, or the exit code with which the command ends at once (--help, wrong usage).
struct Parsed {
  DriverOptions options;
  std::optional<int> exit;
};

/// What was wrong with the words of a command.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws a UsageError unless the value of an option is one of those.
void require_one_of(const std::string& option, const std::string& value, const std::vector<std::string>& known);

/// Reads the arguments of a command that takes one file.
Parsed parse_options(const OptionSet& set, const std::vector<std::string>& arguments);

}  // namespace ksc::cli

// SPDX-License-Identifier: Apache-2.0
#include "frontend/cli/commands.h"
#include "frontend/cli/options.h"

namespace ksc::cli {

int run_compile(const Arguments& arguments) {
  const Parsed parsed = parse_options(
      {"ksc compile FILE [-o DIR]", "Writes the project: eBPF and userspace C, Makefile, README.", true, true},
      arguments);
  return parsed.exit ? *parsed.exit : compile_and_write(parsed.options);
}

}  // namespace ksc::cli

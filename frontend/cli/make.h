// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "frontend/cli/driver.h"

namespace ksc::cli {

/// Compiles, and runs `make` in the project. Returns an exit code.
int compile_and_make(const DriverOptions& options);

/// The path of the binary that `make` builds.
std::string binary_path(const DriverOptions& options);

}  // namespace ksc::cli

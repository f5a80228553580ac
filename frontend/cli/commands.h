// SPDX-License-Identifier: Apache-2.0
// The commands of ksc, one file each. Each takes what follows its name and returns an exit code.
#pragma once
#include <string>
#include <vector>

namespace ksc::cli {

using Arguments = std::vector<std::string>;

int run_compile(const Arguments& arguments);
int run_check(const Arguments& arguments);
int run_build(const Arguments& arguments);
int run_run(const Arguments& arguments);
int run_init(const Arguments& arguments);
int run_fmt(const Arguments& arguments);
int run_explain(const Arguments& arguments);

}  // namespace ksc::cli

// SPDX-License-Identifier: Apache-2.0
#include "frontend/cli/commands.h"
#include "frontend/cli/options.h"

namespace ksc::cli {

int run_check(const Arguments& arguments) {
  Parsed parsed =
      parse_options({"ksc check FILE", "Reports what is wrong with a file, writes nothing.", false, true}, arguments);
  if (parsed.exit) return *parsed.exit;
  parsed.options.compile.check_only = true;
  return compile_and_write(parsed.options);
}

}  // namespace ksc::cli

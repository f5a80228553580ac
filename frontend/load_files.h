// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "frontend/source.h"
#include "ir/context.h"
#include "ir/lang.h"

namespace ksc {

/// The program of the file `path` with all that it imports and includes, directly or not: one Module behind it for each
/// other file, in the order in which they are named first, and in each Import and Include the path of its Module [L18].
/// A path is looked for beside the file that names it, then in the `directories`. What cannot be read, cycles and what
/// stands in the wrong kind of file are reported; nothing is left of them but the names that they would have declared.
Program load_files(Context& context, Sources& sources, const std::string& path, const Program& main,
                   const std::vector<std::string>& directories);

}  // namespace ksc

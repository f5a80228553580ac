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
/// The last directory is that of the standard library, whose view of a packet is there where the program asks for it
/// [L55].
Program load_files(Context& context, Sources& sources, const std::string& path, const Program& main,
                   const std::vector<std::string>& directories);

/// Tells the context which sources are those of the library in that directory: methods of what the kernel declares are
/// looked for there [L172].
void note_library_files(Context& context, const Sources& sources, const std::string& directory);

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

namespace ksc::fuzz {

/// A program in two files.
struct SplitProgram {
  std::string main, library;   // the library is imported from `library.ks`
  bool has_any_moved = false;  // whether there is anything in the library
};

/// A program that means the same as `source`, with some of its declarations, and all that these need, in another file
/// [L18]. What the one file declares the other has private constants of the same names for, so that a name which is
/// looked up in the wrong file means something else. Nothing is moved where the source has errors.
SplitProgram split_files(const std::string& source, uint64_t seed);

}  // namespace ksc::fuzz

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "ir/context.h"

namespace ksc {

/// Whether a place lies in the standard library, which developers do not change.
inline bool is_of_library(const Context& context, Loc loc) {
  const auto& files = context.library_files;
  return std::find(files.begin(), files.end(), context.locations[loc].file) != files.end();
}

}  // namespace ksc

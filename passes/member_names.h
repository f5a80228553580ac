// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <string>

#include "ir/context.h"

namespace ksc {

/// A name for the member that a variable becomes beside those: a variable of the developer's may be called what a
/// generated one is called in C.
inline Name unused_member(Name variable, const std::vector<StructField>& members, Context& context) {
  std::string word = word_of(variable);
  while (std::any_of(members.begin(), members.end(), [&](const StructField& f) { return f.name == word; })) word += "_";
  return context.name(word);
}

}  // namespace ksc

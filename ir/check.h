// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "ir/lang.h"
#include "ir/target.h"

namespace ksc {

/// What keeps a program from being one of its language: a form that the language does not have, or a rule that does not
/// hold. Empty if all is well. It is run after every pass, always; what it finds is a fault of the compiler.
std::vector<std::string> check(const Program& program, const Lang& lang, const Target& target = {});

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/forms.h"
#include "ir/lang.h"
#include "ir/name.h"

namespace ksc {

/// [L43] Loops between constants stay plain below this many instructions.
constexpr __int128 plain_limit = 20000;

/// How many times a loop runs; -1 if that is not known.
__int128 turns_of(const CountedLoop& loop);

/// A rough count of the instructions that the verifier walks through; nested loops multiply, and so do calls in them.
class WalkCosts {
 public:
  /// `has_loops`: what the kernel turns costs only its call, if the bodies are somewhere else already.
  explicit WalkCosts(const Program& program, bool has_loops = false, bool turns_all = false);

  __int128 of(const Body& body);
  __int128 of(const Stmt& s);

 private:
  __int128 of(const Expr& e);
  __int128 of(Name function);
  __int128 parts(const auto& whole);

  NameMap<const FunctionDef*> functions_;
  NameMap<__int128> known_;
  bool has_loops_, turns_all_;
};

}  // namespace ksc

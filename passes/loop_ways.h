// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/forms.h"
#include "passes/walk_costs.h"

namespace ksc {

/// In how many ways the verifier may come to what is behind plain loops that end early: once for each turn that ends
/// one. What is before a call and what is within it count for what is behind.
class LoopWays {
 public:
  /// Functions stand behind those that they call.
  explicit LoopWays(const Program& program);

  /// The ways in which the function is reached, of all its calls; 1 if nothing before them ends early.
  __int128 into(Name function) const { return at(into_, function); }
  /// The ways in which the function is left, if there is one into it.
  __int128 out_of(Name function) const { return at(out_of_, function); }
  /// Whether the loop stays plain where the verifier comes in so many ways; `turn`: what one costs.
  static bool is_short(const CountedLoop& loop, __int128 turn, __int128 ways);
  /// Whether a way leads from within the body to behind its loop.
  static bool ends_early(const Body& body);

 private:
  static __int128 at(const NameMap<__int128>& known, Name function) {
    const auto found = known.find(function);
    return found == known.end() ? 1 : found->second;
  }
  void look_at(const Body& body, __int128& ways);
  void look_at(const Stmt& s, __int128& ways);
  void look_at(const Expr& e, __int128& ways);

  WalkCosts costs_;
  NameMap<__int128> into_, out_of_;
};

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <unordered_set>

#include "ir/check_types.h"

namespace ksc {

/// The ends of loops in eBPF functions [LoopsCapped]: constants bound them, or a number of turns that a test has found not to be too many.
class LoopCaps {
 public:
  /// if (turns > most) { leave }
  void learn(const Stmt& s) {
    const auto* test = as<If>(s);
    if (!test || test->form.branches.size() != 1) return;
    const auto* compare = as<Compare>(test->form.branches[0].condition);
    const auto* turns = compare && compare->form.op == CompareOp::Greater && as<Int>(compare->form.right) ? as<Local>(compare->form.left) : nullptr;
    const Span<Stmt> then = test->form.branches[0].body.statements;
    if (turns && !then.empty() && (as<Leave>(then.back()) || as<Return>(then.back()))) capped_.insert(turns->form.name.record());
  }
  bool is_capped(const CountedLoop& loop) const {
    const auto* turns = as<Local>(loop.high);
    return as<Int>(loop.low) && (as<Int>(loop.high) || (turns && capped_.count(turns->form.name.record())));
  }

 private:
  std::unordered_set<const Name::Record*> capped_;  // names are unique, and seen only where their test was passed
};

}  // namespace ksc

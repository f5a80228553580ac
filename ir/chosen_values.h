// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/forms.h"

namespace ksc {

/// Whether the expression is a choice, or a block: its value is one of those with which `visit` is called then, each
/// once.
template <class Visit>
bool each_chosen_value(const Expr& e, Visit&& visit) {
  if (const auto* choice = as<Conditional>(e)) return visit(choice->form.then), visit(choice->form.otherwise), true;
  if (const auto* branches = as<IfValue>(e)) {
    for (const ValueBranch& branch : branches->form.branches) visit(branch.value);
    return visit(branches->form.otherwise), true;
  }
  if (const auto* match = as<Match>(e)) {
    for (const MatchArm& arm : match->form.arms) visit(arm.value);
    return true;
  }
  const auto* block = as<BlockValue>(e);
  if (block && block->form.value) visit(*block->form.value);
  return block != nullptr;
}

}  // namespace ksc

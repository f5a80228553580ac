// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <unordered_set>

#include "ir/check_types.h"

namespace ksc {

/// k of `n < k ? n : k`, the smaller of a variable without sign and a constant; nothing for what is something else.
inline std::optional<__int128> bound_of_smaller(Expr e) {
  while (const auto* converted = as<Convert>(e)) e = converted->form.value;
  const auto* choice = as<Conditional>(e);
  const auto* compare = choice ? as<Compare>(choice->form.condition) : nullptr;
  if (!compare || compare->form.op != CompareOp::Less || is_signed(type_of(compare->form.left))) return {};
  const auto *variable = as<Local>(compare->form.left), *chosen = as<Local>(choice->form.then);
  const auto *bound = as<Int>(compare->form.right), *other = as<Int>(choice->form.otherwise);
  const bool is_smaller = variable && chosen && variable->form.name == chosen->form.name && bound && other &&
                          bound->form.value.value == other->form.value.value;
  return is_smaller ? std::optional(bound->form.value.value) : std::nullopt;
}

/// The ends of loops in eBPF functions [LoopsCapped]: constants bound them, or a number of turns that a test has found
/// not to be too many, that is the distance of two numbers of 8 or 16 bits, or the smaller of one and a constant.
class LoopCaps {
 public:
  /// if (turns > most) { leave }, or turns = a narrow distance
  void learn(const Stmt& s) {
    const auto* let = as<Let>(s);
    if (let && let->form.value && (is_narrow(*let->form.value) || is_capped(*let->form.value)))
      capped_.insert(let->form.name.record());
    const auto* test = as<If>(s);
    if (!test || test->form.branches.size() != 1) return;
    const auto* compare = as<Compare>(test->form.branches[0].condition);
    const auto* turns = compare && compare->form.op == CompareOp::Greater && as<Int>(compare->form.right)
                            ? as<Local>(compare->form.left)
                            : nullptr;
    const Span<Stmt> then = test->form.branches[0].body.statements;
    if (turns && !then.empty() &&
        (as<Leave>(then.back()) || as<Return>(then.back()) || as<Raise>(then.back()) || as<Goto>(then.back())))
      capped_.insert(turns->form.name.record());
  }
  bool is_capped(const CountedLoop& loop) const {
    const auto* turns = as<Local>(loop.high);
    return as<Int>(loop.low) && (as<Int>(loop.high) || (turns && capped_.count(turns->form.name.record())));
  }

 private:
  bool is_capped(const Expr& e) const {
    const auto* local = as<Local>(e);
    return (local && capped_.count(local->form.name.record())) || bound_of_smaller(e).value_or(most + 1) <= most;
  }

  static constexpr __int128 most = 8388608;  // turns: BPF_MAX_LOOPS of include/linux/bpf.h

  /// Whether it is computed from no number of more than 16 bits.
  static bool is_narrow(const Expr& e) {
    if (const auto* converted = as<Convert>(e))
      return (is_integral(type_of(converted->form.value)) && width_of(type_of(converted->form.value)) <= 16) ||
             is_narrow(converted->form.value);
    if (const auto* number = as<Int>(e))
      return number->form.value.value >= INT16_MIN && number->form.value.value <= UINT16_MAX;
    if (const auto* choice = as<Conditional>(e))
      return is_narrow(choice->form.then) && is_narrow(choice->form.otherwise);
    const auto* binary = as<Binary>(e);
    return binary && (binary->form.op == BinaryOp::Add || binary->form.op == BinaryOp::Subtract) &&
           is_narrow(binary->form.left) && is_narrow(binary->form.right);
  }

  std::unordered_set<const Name::Record*> capped_;  // names are unique, and seen only where their test was passed
};

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// return match (e) { p: a, … }   =>   match (e) { p: { return a }, … }
#include "ir/rewrite.h"
#include "passes/inference.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// The value as a block that returns it; an arm that leaves already stays.
Expr returning(Context& context, const Expr& value) {
  Type nothing = context.types.void_type();
  if (is(type_of(value), TypeKind::Void)) return value;
  const Loc loc = loc_of(value);
  if (const auto* block = as<BlockValue>(value)) {
    std::vector<Stmt> statements(block->form.body.statements.begin(), block->form.body.statements.end());
    if (block->form.value) statements.push_back(context.make(Return{block->form.value}, loc));
    return context.make(BlockValue{{context.span(statements)}, {}}, loc, nothing);
  }
  return context.make(BlockValue{{context.span<Stmt>({context.make(Return{value}, loc)})}, {}}, loc, nothing);
}

/// Whether every arm leaves, so that control would not come out of the match but for a value that no arm names.
bool leaves_in_each_arm(const Match& match) {
  for (const MatchArm& arm : match.arms) {
    const auto* block = as<BlockValue>(arm.value);
    const auto* nested = as<Match>(arm.value);
    if (arm.patterns.empty() ||
        !((block && always_leaves(block->form.body)) || (nested && leaves_in_each_arm(nested->form))))
      return false;
  }
  return true;
}

}  // namespace

Ir<lang::ReturnsSplit> split_returned_values(const Ir<lang::ImportsUsed>& in, Context& context) {
  using Out = To<lang::ReturnsSplit>;
  return rewrite<lang::ImportsUsed, lang::ReturnsSplit>(
      in, context, on<Return>([](const Node<Return>& n, Out& to) {
        if (!n->value) return to.emit(n.form, n.loc);
        const Expr value = to(*n->value);
        if (const auto* match = as<Match>(value)) {
          std::vector<MatchArm> arms;
          for (const MatchArm& arm : match->form.arms) arms.push_back({arm.patterns, returning(to.context, arm.value)});
          // Arms may hold a match themselves: the new returns are looked at in their turn.
          const Expr split = to.context.make(Match{match->form.subject, to.context.span(arms)}, match->loc,
                                             to.context.types.void_type());
          return to.emit(Evaluate{to(split)}, n.loc);
        }
        if (const auto* test = as<IfValue>(value)) {
          std::vector<Branch> branches;
          const auto body = [&](const Expr& e) {
            const Expr block = returning(to.context, e);
            const auto* statements = as<BlockValue>(block);
            if (!statements) return Body{to.context.span<Stmt>({to.context.make(Evaluate{block}, loc_of(block))})};
            return to(statements->form.body);
          };
          for (const ValueBranch& branch : test->form.branches)
            branches.push_back({branch.condition, body(branch.value)});
          return to.emit(If{to.context.span(branches), body(test->form.otherwise)}, n.loc);
        }
        to.emit(Return{value}, n.loc);
      }),
      on<Match>([](const Node<Match>& n, Out& to) -> Expr {
        const Ref<Match> match = to.rebuild(n);
        Type result = to.function()->result;
        if (!is((*match).type, TypeKind::Void) || is(result, TypeKind::Void) || !leaves_in_each_arm((*match).form))
          return match;
        // An enum may hold a number that is none of its enumerators: such a match gives zero.
        std::vector<MatchArm> arms((*match).form.arms.begin(), (*match).form.arms.end());
        arms.push_back({{}, returning(to.context, to.make(Zero{}, n.loc, result))});
        return to.make(Match{(*match).form.subject, to.context.span(arms)}, n.loc, n.type);
      }));
}

}  // namespace ksc

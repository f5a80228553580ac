// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <vector>

#include "ir/rewrite.h"

// For passes behind which some operands are computed by statements: where it is not known that an operand is evaluated,
// those statements stand in a branch. `needs` tells which operands it is about.

namespace ksc {

/// The value of one of two operands, each computed only where it is wanted.
template <Lang Out>
Expr emit_choice(const Expr& condition, const std::function<Expr()>& then, const std::function<Expr()>& otherwise,
                 Type type, Loc loc, To<Out>& to) {
  const Name name = to.fresh("value");
  const Expr value = to.make(Local{name}, loc, type);
  to.emit(Let{name, type, {}}, loc);
  const auto give = [&](const std::function<Expr()>& operand) {
    return to.collect([&] {
      const Expr given = operand();
      to.emit(Assign{value, given}, loc);
    });
  };
  const Body yes = give(then), no = give(otherwise);
  to.emit(If{to.context.template span<Branch>({{condition, yes}}), no}, loc);
  return value;
}

/// a && b   =>   if (a) { value = b } else { value = false }
template <Lang Out, class Needs>
Expr in_branches(const Node<And>& n, To<Out>& to, Needs needs) {
  if (!needs(n->right)) return to.rebuild(n);
  const auto no = [&] { return Expr(to.make(Int{{0}, {}}, n.loc, n.type)); };
  return emit_choice<Out>(
      to(n->left), [&] { return to(n->right); }, no, n.type, n.loc, to);
}

/// a || b   =>   if (a) { value = true } else { value = b }
template <Lang Out, class Needs>
Expr in_branches(const Node<Or>& n, To<Out>& to, Needs needs) {
  if (!needs(n->right)) return to.rebuild(n);
  const auto yes = [&] { return Expr(to.make(Int{{1}, {}}, n.loc, n.type)); };
  return emit_choice<Out>(
      to(n->left), yes, [&] { return to(n->right); }, n.type, n.loc, to);
}

/// c ? a : b   =>   if (c) { value = a } else { value = b }
template <Lang Out, class Needs>
Expr in_branches(const Node<Conditional>& n, To<Out>& to, Needs needs) {
  if (!needs(n->then) && !needs(n->otherwise)) return to.rebuild(n);
  return emit_choice<Out>(
      to(n->condition), [&] { return to(n->then); }, [&] { return to(n->otherwise); }, n.type, n.loc, to);
}

/// if (a) A else if (b) B   =>   if (a) A else { if (b) B }, where b is evaluated only when a did not hold
template <Lang Out, class Needs>
void emit_else_ifs(const Node<If>& n, To<Out>& to, Needs needs) {
  const std::function<void(size_t)> chain = [&](size_t from) {
    std::vector<Branch> branches;
    for (size_t i = from; i < n->branches.size(); ++i) {
      if (i > from && needs(n->branches[i].condition)) {
        const Body rest = to.collect([&] { chain(i); });
        return to.emit(If{to.context.span(branches), rest}, n.loc);
      }
      const Expr test = to(n->branches[i].condition);
      branches.push_back({test, to(n->branches[i].body)});
    }
    to.emit(If{to.context.span(branches), to(n->otherwise)}, n.loc);
  };
  chain(0);
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// a && f()   =>   var t = a; if (t) { t = f() }, and the value is t: only where the right side has an effect
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ShortCircuitsPure>;

/// The right side runs only when the left side is `when`.
Expr lazily(const Expr& left, const Expr& right, bool when, Loc loc, Out& to) {
  Type boolean = to.context.types.boolean();
  const Name result = to.fresh("holds");
  const Expr value = to.make(Local{result}, loc, boolean);
  const Body statements = to.collect([&] {
    to.emit(Let{result, boolean, to(left)}, loc_of(left));
    const Body then = to.collect([&] { to.emit(Assign{value, to(right)}, loc_of(right)); });
    const Expr test = when ? value : Expr(to.make(Not{value}, loc, boolean));
    to.emit(If{to.context.span<Branch>({{test, then}}), {}}, loc);
  });
  return to.make(BlockValue{statements, value}, loc, boolean);
}

}  // namespace

Ir<lang::ShortCircuitsPure> lower_short_circuits(const Ir<lang::NoFor>& in, Context& context) {
  return rewrite<lang::NoFor, lang::ShortCircuitsPure>(
      in, context, on<And>([](const Node<And>& n, Out& to) -> Expr {
        return has_effect(n->right) ? lazily(n->left, n->right, true, n.loc, to) : Expr(to.rebuild(n));
      }),
      on<Or>([](const Node<Or>& n, Out& to) -> Expr {
        return has_effect(n->right) ? lazily(n->left, n->right, false, n.loc, to) : Expr(to.rebuild(n));
      }),
      on<Conditional>([](const Node<Conditional>& n, Out& to) -> Expr {
        if (!has_effect(n->then) && !has_effect(n->otherwise)) return to.rebuild(n);
        const Name result = to.fresh("value");
        const Expr value = to.make(Local{result}, n.loc, n.type);
        const Body statements = to.collect([&] {
          to.emit(Let{result, n.type, {}}, n.loc);
          const Expr test = to(n->condition);
          const Body then = to.collect([&] { to.emit(Assign{value, to(n->then)}, loc_of(n->then)); });
          const Body otherwise = to.collect([&] { to.emit(Assign{value, to(n->otherwise)}, loc_of(n->otherwise)); });
          to.emit(If{to.context.span<Branch>({{test, then}}), otherwise}, n.loc);
        });
        return to.make(BlockValue{statements, value}, n.loc, n.type);
      }));
}

}  // namespace ksc

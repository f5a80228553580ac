// SPDX-License-Identifier: Apache-2.0
/// b ? p->x : p->y   =>   ks_hide(b) ? p->x : p->y, where b is a truth that was kept
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PlacesApart>;

bool is_place(const Expr& e) {
  if (const auto* convert = as<Convert>(e)) return is_place(convert->form.value);
  return as<Field>(e) || as<Index>(e) || as<Deref>(e) || as<Global>(e);
}
/// A truth that was read, not one that a comparison made just now.
bool is_kept(const Expr& e) {
  if (const auto* negation = as<Not>(e)) return is_kept(negation->form.value);
  return is_place(e) || as<Local>(e);
}

}  // namespace

// C compilers know that a kept truth is 0 or 1, and compute one address from it, p + b * 8. The verifier knows of a
// byte only that it is less than 256.
Ir<lang::PlacesApart> keep_places_apart(const Ir<lang::ResultsCleared>& in, Context& context) {
  return rewrite<lang::ResultsCleared, lang::PlacesApart>(
      in, context, on<Conditional>([](const Node<Conditional>& n, Out& to) -> Expr {
        const Expr condition = to(n->condition), then = to(n->then), otherwise = to(n->otherwise);
        if (!is_kept(n->condition) || !is_place(n->then) || !is_place(n->otherwise))
          return to.make(Conditional{condition, then, otherwise}, n.loc, n.type);
        const Expr hidden = to.make(RuntimeCall{to.context.name("ks_hide"), to.context.span<Expr>({condition})},
                                    loc_of(n->condition), type_of(n->condition));
        return to.make(Conditional{hidden, then, otherwise}, n.loc, n.type);
      }));
}

}  // namespace ksc

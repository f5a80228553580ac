// SPDX-License-Identifier: Apache-2.0
/// b ? p->x : p->y   =>   ks_hide(b) ? p->x : p->y, where b is a truth that was kept; n ? p : null, and if (b), alike
#include "ir/kept_truth.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PlacesApart>;

Expr hidden(const Expr& truth, Out& to) {
  return to.make(RuntimeCall{to.context.name("ks_hide"), to.context.span<Expr>({to(truth)})}, loc_of(truth),
                 type_of(truth));
}

}  // namespace

// C compilers know that a kept truth is 0 or 1, and compute one address from it, p + b * 8. The verifier knows of a
// byte only that it is less than 256. Of a pointer and null they make -bit & p, where one bit of a number chooses.
Ir<lang::PlacesApart> keep_places_apart(const Ir<lang::ResultsCleared>& in, Context& context) {
  return rewrite<lang::ResultsCleared, lang::PlacesApart>(
      in, context, on<Conditional>([](const Node<Conditional>& n, Out& to) -> Expr {
        const bool hides = chooses_place_by_truth(n.form);
        const Expr condition = hides ? hidden(n->condition, to) : to(n->condition), then = to(n->then);
        return to.make(Conditional{condition, then, to(n->otherwise)}, n.loc, n.type);
      }),
      on<If>([](const Node<If>& n, Out& to) {
        std::vector<Branch> branches;
        for (const Branch& branch : n->branches)
          branches.push_back(
              {chooses_place_by_truth(n.form) ? hidden(branch.condition, to) : to(branch.condition), to(branch.body)});
        to.emit(If{to.context.span(branches), to(n->otherwise)}, n.loc);
      }));
}

}  // namespace ksc

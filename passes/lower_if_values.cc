// SPDX-License-Identifier: Apache-2.0
/// if (c) { a } else { b } as a value   =>   var t; if (c) { t = a } else { t = b }, and the value is t
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::NoIfValue> lower_if_values(const Ir<lang::NoMatch>& in, Context& context) {
  using Out = To<lang::NoIfValue>;
  return rewrite<lang::NoMatch, lang::NoIfValue>(
      in, context, on<IfValue>([](const Node<IfValue>& n, Out& to) -> Expr {
        Name result;
        Option<Expr> value;
        const auto branch = [&](const Expr& e) {
          return to.collect([&] {
            const Expr given = to(e);
            const Loc loc = loc_of(given);
            if (!is(type_of(given), TypeKind::Void))
              to.emit(Assign{to.make(Local{result}, loc, n.type), given}, loc);
            else
              to.emit(Evaluate{given}, loc);
          });
        };
        const Body statements = to.collect([&] {
          if (!is(n.type, TypeKind::Void)) {
            result = to.fresh("value");
            to.emit(Let{result, n.type, {}}, n.loc);
            value = Expr(to.make(Local{result}, n.loc, n.type));
          }
          // Each condition runs only if those before it did not hold, so they stay in one chain.
          std::vector<Branch> branches;
          for (const ValueBranch& b : n->branches) {
            const Expr test = to(b.condition);
            branches.push_back({test, branch(b.value)});
          }
          to.emit(If{to.context.span(branches), branch(n->otherwise)}, n.loc);
        });
        return to.make(BlockValue{statements, value}, n.loc, n.type);
      }));
}

}  // namespace ksc

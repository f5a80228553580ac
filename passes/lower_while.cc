// SPDX-License-Identifier: Apache-2.0
/// while (c) A   =>   loop { if (!c) { break }; A }
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::NoWhile> lower_while(const Ir<lang::NoIfValue>& in, Context& context) {
  using Out = To<lang::NoWhile>;
  return rewrite<lang::NoIfValue, lang::NoWhile>(
      in, context, on<While>([](const Node<While>& n, Out& to) {
        const Expr test = to(n->condition);
        const Body body = to.collect([&] {
          const auto* constant = as<Int>(test);
          if (!constant || constant->form.value.value == 0) {
            const Expr fails = to.make(Not{test}, loc_of(test), to.context.types.boolean());
            const Body leave{to.context.span<Stmt>({to.make(Break{}, loc_of(test))})};
            to.emit(If{to.context.span<Branch>({{fails, leave}}), {}}, loc_of(test));
          }
          to.emit(to(n->body));
        });
        to.emit(Loop{body}, n.loc);
      }));
}

}  // namespace ksc

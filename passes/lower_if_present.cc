// SPDX-License-Identifier: Apache-2.0
/// if (var x = e) A else B   =>   var x = e; if (present x) A else B
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::NoIfPresent> lower_if_present(const Ir<lang::ResultsUnnamed>& in, Context& context) {
  using Out = To<lang::NoIfPresent>;
  return rewrite<lang::ResultsUnnamed, lang::NoIfPresent>(
      in, context, on<IfPresent>([](const Node<IfPresent>& n, Out& to) {
        to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
        const Expr x = to.make(Local{n->name}, loc_of(n->value), n->type);
        const Expr test = to.make(Present{x}, loc_of(n->value), to.context.types.boolean());
        to.emit(If{to.context.span<Branch>({{test, to(n->then)}}), to(n->otherwise)}, n.loc);
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// load as u16   =>   (u16)ks_unsigned(load, 16): C says nothing about a number that the integer has not
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::NoFloatTruncation> lower_float_truncations(const Ir<lang::User>& in, Context& context) {
  using Out = To<lang::NoFloatTruncation>;
  return rewrite<lang::User, lang::NoFloatTruncation>(
      in, context, on<FloatTruncation>([](const Node<FloatTruncation>& n, Out& to) -> Expr {
        Types& types = to.context.types;
        const int width = width_of(n.type);
        Type whole = types.integer(64, is_signed(n.type));
        const Expr bits = to.make(Int{{width}, {}}, n.loc, types.u32());
        const Expr cut = to.make(RuntimeCall{to.context.name(is_signed(n.type) ? "ks_signed" : "ks_unsigned"),
                                             to.context.span<Expr>({to(n->value), bits})},
                                 n.loc, whole);
        return width == 64 ? cut : Expr(to.make(Convert{cut}, n.loc, n.type));
      }));
}

}  // namespace ksc

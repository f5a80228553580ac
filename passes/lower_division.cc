// SPDX-License-Identifier: Apache-2.0
/// a / b   =>   ks_div_u32(a, b), which is 0 where b is 0; plain C where b is a constant that C divides by rightly
#include <fmt/format.h>

#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::NoDivide> lower_division(const Ir<lang::ConstantsFolded>& in, Context& context) {
  using Out = To<lang::NoDivide>;
  return rewrite<lang::ConstantsFolded, lang::NoDivide>(
      in, context, on<Divide>([](const Node<Divide>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        // clang 14 has no signed division for eBPF, so the signed ones always go through the support code.
        if (const auto* divisor = as<Int>(right); divisor && divisor->form.value.value > 0 && !is_signed(n.type))
          return to.make(Quotient{n->op, left, right}, n.loc, n.type);
        Type wide = to.context.types.integer(width_of(n.type) == 64 ? 64 : 32, is_signed(n.type));
        const auto widened = [&](const Expr& e) {
          return wide == type_of(e) ? e : Expr(to.make(Convert{e}, loc_of(e), wide));
        };
        const Name name = to.context.name(fmt::format("ks_{}_{}{}", n->op == DivideOp::Quotient ? "div" : "mod",
                                                      wide->is_signed ? 's' : 'u', wide->bits));
        const Expr result =
            to.make(RuntimeCall{name, to.context.span<Expr>({widened(left), widened(right)})}, n.loc, wide);
        return wide == n.type ? result : Expr(to.make(Convert{result}, n.loc, n.type));
      }));
}

}  // namespace ksc

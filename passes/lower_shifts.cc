// SPDX-License-Identifier: Apache-2.0
/// a << n   =>   a << (n & 31): C's shift, whose count stays below the width
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::NoShift> lower_shifts(const Ir<lang::NoDivide>& in, Context& context) {
  using Out = To<lang::NoShift>;
  return rewrite<lang::NoDivide, lang::NoShift>(
      in, context, on<Shift>([](const Node<Shift>& n, Out& to) -> Expr {
        const Expr left = to(n->left), count = to(n->count);
        if (const auto* number = as<Int>(count)) {
          const Integer below{number->form.value.value & (width_of(n.type) - 1)};
          const Expr fixed = below.value == number->form.value.value
                                 ? count
                                 : Expr(to.make(Int{below, {}}, number->loc, number->type));
          return to.make(CShift{n->op, left, fixed}, n.loc, n.type);
        }
        Type type = to.context.types.u32();
        const Expr narrow = type_of(count) == type ? count : Expr(to.make(Convert{count}, loc_of(count), type));
        const Expr mask = to.make(Int{{width_of(n.type) - 1}, {}}, n.loc, type);
        return to.make(CShift{n->op, left, to.make(Binary{BinaryOp::BitAnd, narrow, mask}, loc_of(count), type)}, n.loc,
                       n.type);
      }));
}

}  // namespace ksc

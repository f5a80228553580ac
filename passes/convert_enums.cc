// SPDX-License-Identifier: Apache-2.0
/// e as u64, of an enum   =>   e as i32 as u64, since C compilers take an enum without negative numbers for unsigned
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::EnumsConverted> convert_enums(const Ir<lang::NoStringComparison>& in, Context& context) {
  using Out = To<lang::EnumsConverted>;
  return rewrite<lang::NoStringComparison, lang::EnumsConverted>(
      in, context, on<Convert>([](const Node<Convert>& n, Out& to) -> Expr {
        const Expr value = to(n->value);
        Type from = type_of(value);
        const bool widens =
            is(from, TypeKind::Enum) && is_signed(from) && is_integer(n.type) && width_of(n.type) > width_of(from);
        if (!widens) return to.make(Convert{value}, n.loc, n.type);
        return to.make(Convert{to.make(Convert{value}, n.loc, from->body->underlying)}, n.loc, n.type);
      }));
}

}  // namespace ksc

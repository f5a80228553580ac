// SPDX-License-Identifier: Apache-2.0
/// e as u64, a < e, of enums   =>   e as i32 as u64, a as i32 < e as i32: to C an enum without negative numbers is
/// unsigned
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

namespace {

bool is_signed_enum(Type type) { return is(type, TypeKind::Enum) && is_signed(type); }

/// The same number in the type that the enum has in the language.
Expr as_number(const Expr& value, To<lang::EnumsConverted>& to) {
  const Type number = type_of(value)->body->underlying;
  if (const auto* constant = as<Int>(value)) return to.make(constant->form, constant->loc, number);
  return to.make(Convert{value}, loc_of(value), number);
}

}  // namespace

Ir<lang::EnumsConverted> convert_enums(const Ir<lang::NoStringComparison>& in, Context& context) {
  using Out = To<lang::EnumsConverted>;
  return rewrite<lang::NoStringComparison, lang::EnumsConverted>(
      in, context, on<Convert>([](const Node<Convert>& n, Out& to) -> Expr {
        const Expr value = to(n->value);
        Type from = type_of(value);
        const bool widens = is_signed_enum(from) && is_integer(n.type) && width_of(n.type) > width_of(from);
        return to.make(Convert{widens ? as_number(value, to) : value}, n.loc, n.type);
      }),
      on<Compare>([](const Node<Compare>& n, Out& to) -> Expr {
        const bool orders = n->op != CompareOp::Equal && n->op != CompareOp::NotEqual;
        if (!orders || !is_signed_enum(type_of(n->left))) return to.rebuild(n);
        return to.make(Compare{n->op, as_number(to(n->left), to), as_number(to(n->right), to)}, n.loc, n.type);
      }));
}

}  // namespace ksc

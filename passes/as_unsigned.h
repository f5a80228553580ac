// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/rewrite.h"

namespace ksc {

/// The same 64 bits as a number without a sign: sums and products of it differ in nothing but what they are called.
template <Lang Out>
Expr as_unsigned(const Expr& e, To<Out>& to) {
  Type wide = to.context.types.u64();
  if (type_of(e) == wide) return e;
  if (const auto* number = as<Int>(e); number && number->form.value.value >= 0)
    return to.make(Int{number->form.value, number->form.constant}, number->loc, wide);
  const auto* converted = width_of(type_of(e)) == 64 ? as<Convert>(e) : nullptr;
  Type from = converted ? type_of(converted->form.value) : nullptr;
  if (converted && is_integral(from) && !is_signed(from)) return as_unsigned(converted->form.value, to);
  if (const auto* sum = as<Binary>(e); sum && width_of(sum->type) == 64)
    return to.make(Binary{sum->form.op, as_unsigned(sum->form.left, to), as_unsigned(sum->form.right, to)}, sum->loc,
                   wide);
  return to.make(Convert{e}, loc_of(e), wide);
}

}  // namespace ksc

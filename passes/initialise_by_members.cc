// SPDX-License-Identifier: Apache-2.0
/// var s = S { a: 1, b: 2 }   =>   var s = S {}; s.a = 1; s.b = 2, where the values, or those of a part, are constants
#include <bit>

#include "passes/array_copies.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::MembersInitialised>;

/// Whether C compilers copy so many bytes as one number (SimplifyAnyMemTransfer of LLVM's InstCombineCalls.cpp).
bool fits_register(uint64_t size) { return size <= 8 && std::has_single_bit(size); }

/// Whether it is, or holds, what C compilers keep as a constant of their own and copy from there, or point to: no
/// bytes, and more than a register holds, or addresses of constants, which nobody puts into a constant in the kernel.
bool holds_constant_aggregate(const Expr& e) {
  constexpr FormSet numbers =
      form_set_of<Int, Zero, StringValue, StructValue, ArrayValue, Convert, Unary, Binary, CShift, Quotient>();
  const auto* structure = as<StructValue>(e);
  const auto* array = as<ArrayValue>(e);
  const bool holds_address = header(e).contains.has(Kind::AddressOf);
  if (!structure && !(array && size_of(array->type->element) > 1)) return false;
  const bool parts_hold =
      structure ? std::any_of(structure->form.values.begin(), structure->form.values.end(),
                              [](const FieldValue& v) { return holds_constant_aggregate(v.value); })
                : std::any_of(array->form.values.begin(), array->form.values.end(), holds_constant_aggregate);
  if (parts_hold) return true;
  if (fits_register(size_of(type_of(e))) && !holds_address) return false;
  const FormSet constants = holds_address ? numbers.with(Kind::AddressOf).with(Kind::Global) : numbers;
  return header(e).contains.minus(constants).empty();
}

Expr declared(Name name, const Expr& value, Out& to) {
  const Loc loc = loc_of(value);
  to.emit(Let{name, type_of(value), {}}, loc);
  const Expr place = to.make(Local{name}, loc, type_of(value));
  emit_parts(place, value, to, [&](const Expr& part) { return to(part); });
  return place;
}

}  // namespace

// clang 14 loses what was stored before a copy of a constant struct: its BPF back end puts the numbers in place of the
// loads, and with the loads goes the order of the stores before them (docs/decisions/clang_14_loses_stores.md).
Ir<lang::MembersInitialised> initialise_by_members(const Ir<lang::PacketEqualitiesHidden>& in, Context& context) {
  const auto in_variable = [](const auto& n, Out& to) -> Expr {
    const Expr value = Ref<std::remove_cvref_t<decltype(n.form)>>{&n};
    if (!to.function()) return value;
    if (!holds_constant_aggregate(value)) return to.rebuild(n);  // a choice in it may hold one
    return declared(to.fresh("value"), value, to);
  };
  return rewrite<lang::PacketEqualitiesHidden, lang::MembersInitialised>(
      in, context, on<Let>([](const Node<Let>& n, Out& to) {
        if (n->value && holds_constant_aggregate(*n->value)) return void(declared(n->name, *n->value, to));
        to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
      }),
      on<StructValue>(in_variable), on<ArrayValue>(in_variable));
}

}  // namespace ksc

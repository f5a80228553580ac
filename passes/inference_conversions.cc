// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "passes/inference.h"

namespace ksc {

std::string integer_text(const Integer& value) {
  if (value.value >= INT64_MIN && value.value <= INT64_MAX) return std::to_string(static_cast<int64_t>(value.value));
  if (value.value > 0 && value.value <= UINT64_MAX) return std::to_string(static_cast<uint64_t>(value.value));
  return value.value > 0 ? "a number above 64 bits" : "a number below 64 bits";
}

Expr Inference::integer(const Integer& value, Type type, Loc loc, Name constant) { return c.make(Int{value, constant}, loc, type); }

bool Inference::fits(const Integer& value, Type type) const {
  if (is(type, TypeKind::Bool)) return value.value == 0 || value.value == 1;
  const int bits = width_of(type);
  const __int128 low = is_signed(type) ? -(static_cast<__int128>(1) << (bits - 1)) : 0;
  const __int128 high = (static_cast<__int128>(1) << (is_signed(type) ? bits - 1 : bits)) - 1;
  return value.value >= low && value.value <= high;
}

Type Inference::default_type(const Integer& value) {  // [L15]
  for (Type type : {t.u32(), t.i32(), t.u64(), t.i64()})
    if (fits(value, type)) return type;
  return t.u64();
}

Type Inference::smallest_integer(const Integer& value) {
  for (int bits : {8, 16, 32, 64}) {
    if (value.value >= 0 && fits(value, t.integer(bits, false))) return t.integer(bits, false);
    if (value.value < 0 && fits(value, t.integer(bits, true))) return t.integer(bits, true);
  }
  return t.u64();
}

Expr Inference::convert(const Expr& e, Type target) {
  if (type_of(e) == target) return e;
  if (const auto* number = as<Int>(e); number && is(target, TypeKind::Int) && fits(number->form.value, target))
    return integer(number->form.value, target, number->loc, number->form.constant);
  return c.make(Convert{e}, loc_of(e), target);
}

Expr Inference::value_of_maybe(const Expr& e) {
  return is(type_of(e), TypeKind::Maybe) ? Expr(c.make(ValueOf{e}, loc_of(e), type_of(e)->element)) : e;
}

Expr Inference::settle(const Expr& e) {
  if (const auto* number = constant(e)) return integer(number->form.value, default_type(number->form.value), number->loc, number->form.constant);
  return e;
}

namespace {

bool holds_all_enumerators(Type integer, Type enumeration) {
  for (const EnumItem& item : enumeration->body->items) {
    const int bits = integer->bits;
    const __int128 low = integer->is_signed ? -(static_cast<__int128>(1) << (bits - 1)) : 0;
    const __int128 high = (static_cast<__int128>(1) << (integer->is_signed ? bits - 1 : bits)) - 1;
    if (item.value < low || item.value > high) return false;
  }
  return true;
}

/// Integer conversions that lose nothing.
bool widens(Type from, Type to) {
  if (is(from, TypeKind::Char)) return is(to, TypeKind::Int) && !to->is_signed ? true : is(to, TypeKind::Int) && to->bits > 8;
  if (is(from, TypeKind::Enum) && is(to, TypeKind::Int)) return holds_all_enumerators(to, from) || to == from->body->underlying;
  if (!is(from, TypeKind::Int) || !is(to, TypeKind::Int)) return false;
  if (from->is_signed == to->is_signed) return from->bits <= to->bits;
  return !from->is_signed && from->bits < to->bits;
}

bool same_pointee(Type a, Type b) { return a->element == b->element; }

}  // namespace

bool Inference::converts(const Expr& e, Type target) {
  Type from = type_of(e);
  if (from == target || is(from, TypeKind::Invalid) || is(target, TypeKind::Invalid)) return true;
  if (const auto* number = constant(e)) {
    if (is(target, TypeKind::Maybe)) target = target->element;
    if (is(target, TypeKind::Int)) return fits(number->form.value, target);
    if (is(target, TypeKind::Enum)) {
      for (const EnumItem& item : target->body->items)
        if (item.value == number->form.value.value) return true;
    }
    return false;
  }
  if (is(from, TypeKind::Null))
    return is(target, TypeKind::Maybe) || ((is(target, TypeKind::Pointer) || is(target, TypeKind::EntryRef)) && target->nullable);
  if (is(from, TypeKind::Maybe) && !is(target, TypeKind::Maybe)) return converts(c.make(ValueOf{e}, loc_of(e), from->element), target);
  if (is(target, TypeKind::Maybe)) return converts(e, target->element);
  if (widens(from, target)) return true;
  // A constant of a known type (an enumerator, a named constant) converts where its value fits.
  if (const auto* number = as<Int>(e); number && is(target, TypeKind::Int) && (is(from, TypeKind::Enum) || is(from, TypeKind::Int)))
    return fits(number->form.value, target);
  if (is(from, TypeKind::Str) && is(target, TypeKind::Str)) return from->count <= target->count;
  if (is(from, TypeKind::Pointer) && is(target, TypeKind::Pointer))
    return same_pointee(from, target) && (target->space == Space::Any || target->space == from->space);
  if (is(from, TypeKind::EntryRef) && is(target, TypeKind::Pointer)) return same_pointee(from, target);
  if (is(from, TypeKind::EntryRef) && is(target, TypeKind::EntryRef)) return same_pointee(from, target);
  if (is(from, TypeKind::Program) && is(target, TypeKind::Program)) return !target->name;
  return false;
}

Expr Inference::coerce(const Expr& e, Type target) {
  Type from = type_of(e);
  if (from == target || is(from, TypeKind::Invalid)) return e;
  if (is(target, TypeKind::Invalid)) return invalid(loc_of(e));
  if (!converts(e, target)) {
    const auto* number = constant(e);
    if (number && is(target, TypeKind::Int)) {
      c.diagnostics.report(loc_of(e), diag::constant_does_not_fit, integer_text(number->form.value), spell(target));
    } else if (is(from, TypeKind::Void)) {
      c.diagnostics.report(loc_of(e), diag::void_value);
    } else if (is_integral(is(from, TypeKind::Maybe) ? from->element : from) && is_integral(target)) {
      c.diagnostics.report(loc_of(e), diag::needs_cast, spell(from), spell(target))
          .fix(c.locations.add({c.locations[loc_of(e)].file, c.locations[loc_of(e)].end, c.locations[loc_of(e)].end, {}, {}}),
               " as " + spell(target), fmt::format("say so with `as {}`", spell(target)));
    } else if (is(from, TypeKind::Str) && is(target, TypeKind::Str)) {
      c.diagnostics.report(loc_of(e), diag::needs_cast, spell(from), spell(target))
          .fix(c.locations.add({c.locations[loc_of(e)].file, c.locations[loc_of(e)].end, c.locations[loc_of(e)].end, {}, {}}),
               " as " + spell(target), "cut it off");
    } else {
      c.diagnostics.report(loc_of(e), diag::type_mismatch, spell(from), spell(target));
    }
    return invalid(loc_of(e));
  }
  if (is(from, TypeKind::Null)) return c.make(Null{}, loc_of(e), target);
  if (is(target, TypeKind::Maybe)) return c.make(Convert{coerce(e, target->element)}, loc_of(e), target);
  if (is(from, TypeKind::Maybe)) return coerce(value_of_maybe(e), target);
  if (const auto* number = as<Int>(e); number && is_integral(target))
    return integer(number->form.value, target, number->loc, number->form.constant);
  // An annotation says what is pointed to; where it lies is what the value says.
  if (is(target, TypeKind::Pointer) && is(from, TypeKind::Pointer)) return e;
  if (is(from, TypeKind::Program)) return e;
  return c.make(Convert{e}, loc_of(e), target);
}

Type Inference::meet(Type a, Type b) {
  if (a == b) return a;
  if (is(a, TypeKind::Enum)) a = a->body->underlying;
  if (is(b, TypeKind::Enum)) b = b->body->underlying;
  if (is(a, TypeKind::Char)) a = t.u8();
  if (is(b, TypeKind::Char)) b = t.u8();
  if (!is(a, TypeKind::Int) || !is(b, TypeKind::Int)) return nullptr;
  if (widens(a, b)) return b;
  if (widens(b, a)) return a;
  // One is signed, the other unsigned and at least as wide: the next wider signed type holds both.
  const int bits = 2 * (a->is_signed ? b->bits : a->bits);
  return bits <= 64 ? t.integer(bits, true) : nullptr;
}

Expr Inference::condition(const Expr& e) { return truth(infer(e)); }

Expr Inference::truth(const Expr& e) {
  Type type = type_of(e);
  const Loc loc = loc_of(e);
  switch (type->kind) {
    case TypeKind::Invalid:
    case TypeKind::Bool: return e;
    case TypeKind::Constant:
      return integer({as<Int>(e)->form.value.value != 0}, t.boolean(), loc);
    case TypeKind::Int:
    case TypeKind::Char:
    case TypeKind::Enum: return c.make(Compare{CompareOp::NotEqual, e, integer({0}, type, loc)}, loc, t.boolean());
    case TypeKind::Pointer:
    case TypeKind::EntryRef: return c.make(Present{e}, loc, t.boolean());
    case TypeKind::Str: {
      const Expr first = c.make(Index{e, integer({0}, t.u64(), loc)}, loc, t.character());
      return c.make(Compare{CompareOp::NotEqual, first, integer({0}, t.character(), loc)}, loc, t.boolean());
    }
    case TypeKind::Maybe: {
      // [L25] entries of array kinds always exist, so m[k] asks for their value
      if (const auto* lookup = as<MapLookup>(e))
        if (const MapKind* kind = find_map_kind(type_of(lookup->form.map)->name.text()); kind && kind->entries_always_exist)
          return truth(value_of_maybe(e));
      if (is(type->element, TypeKind::Bool)) c.diagnostics.report(loc, diag::presence_of_bool);
      return c.make(Present{e}, loc, t.boolean());
    }
    default: c.diagnostics.report(loc, diag::not_a_condition, spell(type)); return invalid(loc);
  }
}

}  // namespace ksc

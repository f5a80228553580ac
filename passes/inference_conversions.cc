// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "passes/inference.h"

namespace ksc {

std::string memory_of(Type pointer) {
  if (is(pointer, TypeKind::EntryRef)) return fmt::format("an entry of `{}`", pointer->name.spelling());
  switch (pointer->space) {
    case Space::Stack: return "a local variable";
    case Space::MapValue: return "a global or a map's value";
    case Space::Packet: return "the packet";
    case Space::Context: return "the context";
    case Space::Kernel: return "memory of the kernel";
    case Space::User: return "memory of a process";
    case Space::Reservation: return "what is reserved of a ring buffer";
    case Space::Dynptr: return "a record of a size that the program chooses";
    case Space::Heap:
    case Space::Object: return "what `new` has given";
    case Space::ReadOnly: return "a constant";
    default: return "memory that is not known";
  }
}

std::string integer_text(const Integer& value) {
  if (value.value >= INT64_MIN && value.value <= INT64_MAX) return std::to_string(static_cast<int64_t>(value.value));
  if (value.value > 0 && value.value <= UINT64_MAX) return std::to_string(static_cast<uint64_t>(value.value));
  return value.value > 0 ? "a number above 64 bits" : "a number below 64 bits";
}

Expr Inference::integer(const Integer& value, Type type, Loc loc, Name constant) {
  return c.make(Int{value, constant}, loc, type);
}

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

Expr Inference::with_block_value(const Node<BlockValue>& block, const std::function<Expr(const Expr&)>& change) {
  const Expr value = change(*block->value);
  return is_invalid(value) ? value : Expr(c.make(BlockValue{block->body, value}, block.loc, type_of(value)));
}

const Expr& Inference::innermost_value(const Expr& e) {
  const Expr* value = &e;
  while (const auto* block = as<BlockValue>(*value)) {
    if (!block->form.value) break;
    value = &*block->form.value;
  }
  return *value;
}

Loc Inference::before(Loc loc) {
  const LocationRecord& record = c.locations[loc];
  return c.locations.add({record.file, record.begin, record.begin, {}, {}});
}

Loc Inference::between(Loc first, Loc second) {
  const LocationRecord &from = c.locations[first], &to = c.locations[second];
  return c.locations.add({from.file, from.begin, to.begin, {}, {}});
}

Loc Inference::after(Loc loc) {
  const LocationRecord& record = c.locations[loc];
  return c.locations.add({record.file, record.end, record.end, {}, {}});
}

namespace {

/// Whether an operand keeps its meaning when ` as T` follows it: `as` binds tighter than every binary operator [L30].
bool is_atom(const Expr& e) {
  switch (kind_of(e)) {
    case Kind::Binary:
    case Kind::Divide:
    case Kind::Shift:
    case Kind::Compare:
    case Kind::And:
    case Kind::Or:
    case Kind::Not:
    case Kind::Conditional:
    case Kind::PointerAdd:
    case Kind::PointerDifference:
    case Kind::FloatOperation:
    case Kind::FloatComparison: return false;
    case Kind::Convert: return is_atom(as<Convert>(e)->form.value);
    case Kind::BlockValue: return !as<BlockValue>(e)->form.value || is_atom(*as<BlockValue>(e)->form.value);
    case Kind::ValueOf: return is_atom(as<ValueOf>(e)->form.value);
    default: return true;
  }
}

/// The operand that a chain of operators begins with: widening it widens the whole.
const Expr& first_operand(const Expr& e) {
  if (const auto* binary = as<Binary>(e)) return first_operand(binary->form.left);
  if (const auto* shift = as<Shift>(e)) return first_operand(shift->form.left);
  if (const auto* convert = as<Convert>(e); convert && !is_atom(e)) return first_operand(convert->form.value);
  return e;
}

}  // namespace

void Inference::fix_with_cast(Diagnostic& message, const Expr& e, Type target) {
  const std::string spelled = " as " + spell(target);
  const std::string description = fmt::format("say so with `as {}`", spell(target));
  if (is_atom(e)) {
    message.fix(after(loc_of(e)), spelled, description);
  } else {
    message.fix(before(loc_of(e)), "(", description);
    message.fix(after(loc_of(e)), ")" + spelled);
  }
}

void Inference::fix_with_wider_operand(Diagnostic& message, const Expr& e, Type target) {
  message.fix(after(loc_of(first_operand(e))), " as " + spell(target), "widen the operand first");
}

void Inference::warn_of_lost_bits(const Expr& e, Type target) {
  Type from = type_of(e);
  if (!is(from, TypeKind::Int) || from->bits > 16 || !is(target, TypeKind::Int) || target->bits <= from->bits) return;
  std::string_view op;
  if (const auto* sum = as<Binary>(e)) {
    if (sum->form.op == BinaryOp::Add) op = "+";
    if (sum->form.op == BinaryOp::Subtract) op = "-";
    if (sum->form.op == BinaryOp::Multiply) op = "*";
  } else if (const auto* shifted = as<Shift>(e); shifted && shifted->form.op == ShiftOp::Left) {
    op = "<<";
  }
  if (op.empty()) return;
  fix_with_wider_operand(
      c.diagnostics.report(loc_of(e), diag::may_lose_bits, std::string(op), spell(from), spell(target)), e, target);
}

Expr Inference::convert(const Expr& e, Type target) {
  if (type_of(e) == target) return e;
  if (const auto* block = as<BlockValue>(e); block && block->form.value)
    return with_block_value(*block, [&](const Expr& value) { return convert(value, target); });
  if (const auto* number = as<Int>(e); number && is(target, TypeKind::Int) && fits(number->form.value, target))
    return integer(number->form.value, target, number->loc, number->form.constant);
  return c.make(Convert{e}, loc_of(e), target);
}

Expr Inference::value_of_maybe(const Expr& e) {
  if (const auto* block = as<BlockValue>(e); block && block->form.value && is(block->type, TypeKind::Maybe))
    return with_block_value(*block, [&](const Expr& value) { return value_of_maybe(value); });
  if (is(type_of(e), TypeKind::Constant) && !as<Int>(e)) return settle(e);
  return is(type_of(e), TypeKind::Maybe) ? Expr(c.make(ValueOf{e}, loc_of(e), type_of(e)->element)) : e;
}

Expr Inference::settle(const Expr& e) {
  if (const auto* block = as<BlockValue>(e); block && block->form.value)
    return with_block_value(*block, [&](const Expr& value) { return settle(value); });
  if (is(type_of(e), TypeKind::Null)) return c.make(Null{}, loc_of(e), t.pointer(t.u8(), Space::Any, true));  // [L15]
  if (const auto* number = constant(e))
    return integer(number->form.value, default_type(number->form.value), number->loc, number->form.constant);
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
  if (is(from, TypeKind::Char))
    return is(to, TypeKind::Int) && !to->is_signed ? true : is(to, TypeKind::Int) && to->bits > 8;
  if (is_enumeration(from) && is(to, TypeKind::Int))
    return holds_all_enumerators(to, from) || to == from->body->underlying;
  if (!is(from, TypeKind::Int) || !is(to, TypeKind::Int)) return false;
  if (from->is_signed == to->is_signed) return from->bits <= to->bits;
  return !from->is_signed && from->bits < to->bits;
}

bool same_pointee(Type a, Type b) { return a->element == b->element; }

/// Whether this is `&a` of a `T[N]`, which becomes a `*T` [L182].
bool is_address_of_array(const Expr& e, Type target) {
  Type from = type_of(e);
  return kind_of(e) == Kind::AddressOf && is(from->element, TypeKind::Array) && is(target, TypeKind::Pointer) &&
         from->element->element == target->element && (target->space == Space::Any || target->space == from->space);
}

}  // namespace

bool Inference::converts(const Expr& whole, Type target) {
  const Expr& e = innermost_value(whole);
  Type from = type_of(e);
  if (from == target || is(from, TypeKind::Invalid) || is(target, TypeKind::Invalid)) return true;
  if (is(target, TypeKind::Float) && !is(from, TypeKind::Maybe) && !is(from, TypeKind::EntryRef))
    return converts_to_float(e, target);
  if (const auto* number = constant(e)) {
    if (is(target, TypeKind::Maybe)) target = target->element;
    if (is(target, TypeKind::Int)) return fits(number->form.value, target);
    if (is_enumeration(target)) {
      for (const EnumItem& item : target->body->items)
        if (item.value == number->form.value.value) return true;
    }
    return false;
  }
  if (is(from, TypeKind::Null))
    return is(target, TypeKind::Maybe) || is_function_value(target) ||
           ((is(target, TypeKind::Pointer) || is(target, TypeKind::EntryRef)) && target->nullable);
  if (is(from, TypeKind::Maybe) && !is(target, TypeKind::Maybe))
    return converts(c.make(ValueOf{e}, loc_of(e), from->element), target);
  if (is(target, TypeKind::Maybe)) return converts(e, target->element);
  if (widens(from, target)) return true;
  // A constant of a known type (an enumerator, a named constant) converts where its value fits.
  if (const auto* number = as<Int>(e);
      number && is(target, TypeKind::Int) && (is_enumeration(from) || is(from, TypeKind::Int)))
    return fits(number->form.value, target);
  if (is(from, TypeKind::Str) && is(target, TypeKind::Str)) return from->count <= target->count || as<Concatenate>(e);
  if (is_address_of_array(e, target)) return true;
  if (is(from, TypeKind::Pointer) && is(target, TypeKind::Pointer))
    return same_pointee(from, target) && (target->space == Space::Any || target->space == from->space);
  if (is(from, TypeKind::EntryRef) && is(target, TypeKind::Pointer))
    return same_pointee(from, target) && (is_open(target) || target->space == Space::MapValue);
  if (is(from, TypeKind::EntryRef) && is(target, TypeKind::EntryRef)) return same_pointee(from, target);
  if (is(from, TypeKind::EntryRef))  // what it refers to
    return from->element == target ||
           (is(from->element, TypeKind::Str) && is(target, TypeKind::Str) && from->element->count <= target->count);
  if (is(from, TypeKind::Program) && is(target, TypeKind::Program)) return !target->name;
  return false;
}

Expr Inference::coerce(const Expr& e, Type target) {
  Type from = type_of(e);
  if (from == target || is(from, TypeKind::Invalid)) return e;
  if (is(target, TypeKind::Invalid)) return invalid(loc_of(e));
  if (const auto* block = as<BlockValue>(e); block && block->form.value)
    return with_block_value(*block, [&](const Expr& value) { return coerce(value, target); });
  // What was cut off stays so where there is more room.
  const auto* texts = as<Concatenate>(e);
  if (texts && is(target, TypeKind::Str) && (target->count <= from->count || !is_cut_off(*texts)))
    return c.make(texts->form, texts->loc, target);
  if (!converts(e, target)) return refuse_conversion(e, target);
  if (is_address_of_array(e, target)) {
    const Expr first = c.make(Convert{e}, loc_of(e), t.pointer(target->element, from->space, from->nullable));
    return is_element_pointer(target) ? coerce(first, target) : first;
  }
  if (is(from, TypeKind::Null) && is_function_value(target)) return integer({0}, target, loc_of(e));
  if (is(from, TypeKind::Null)) return c.make(Null{}, loc_of(e), target);
  if (is(target, TypeKind::Maybe)) return c.make(Convert{coerce(e, target->element)}, loc_of(e), target);
  if (is(from, TypeKind::Maybe)) return coerce(value_of_maybe(e), target);
  if (const auto* number = as<Int>(e); number && is_integral(target))
    return integer(number->form.value, target, number->loc, number->form.constant);
  if (const auto* text = as<StringValue>(e); text && is(target, TypeKind::Str))
    return c.make(StringValue{text->form.text}, text->loc, target);
  // An annotation says what is pointed to; where it lies is what the value says.
  if (is(target, TypeKind::Pointer) && is(from, TypeKind::Pointer)) {
    if (is_open(target) || target->count == from->count) return e;
    if (!is_element_pointer(target)) return resting(e);
    const Expr moved = moving(e);
    if (is_invalid(moved) || type_of(moved)->count == target->count) return moved;
    report_two_arrays(moved, target);
    return invalid(loc_of(e));
  }
  if (is(from, TypeKind::Program)) return e;
  if (is(from, TypeKind::EntryRef) && is(target, TypeKind::Str)) return coerce(entry_value(e), target);
  if (is(from, TypeKind::EntryRef) && from->element == target)
    return kind_of(e) == Kind::MapLookup ? entry_copy(e) : Expr(c.make(Deref{e}, loc_of(e), target));
  if (is(target, TypeKind::Float)) return to_float(e, target);
  warn_of_lost_bits(e, target);
  return c.make(Convert{e}, loc_of(e), target);
}

Expr Inference::refuse_conversion(const Expr& e, Type target) {
  Type from = type_of(e);
  if (may_lead(from) && may_lead(target) && from->element == target->element &&
      (from->kind != target->kind || from->space != target->space)) {
    const auto text = [&](Type pointer) {
      return fmt::format("*{} to {}", spell(pointer->element), memory_of(pointer));
    };
    c.diagnostics.report(loc_of(e), diag::type_mismatch, text(from), text(target));
    return invalid(loc_of(e));
  }
  // Of a reference it is what it refers to that does not fit.
  if (is(from, TypeKind::EntryRef)) from = from->element;
  if (is(target, TypeKind::EntryRef)) target = target->element;
  const Loc loc = loc_of(e);
  Type value = is(from, TypeKind::Maybe) ? from->element : from;
  const auto both = [&](TypeKind kind) { return is(from, kind) && is(target, kind); };
  const auto is_number = [](Type type) { return is(type, TypeKind::Int) || is(type, TypeKind::Float); };
  if (constant(e) && is_number(target)) {
    c.diagnostics.report(loc, diag::constant_does_not_fit, integer_text(constant(e)->form.value), spell(target));
  } else if (is(from, TypeKind::Void)) {
    c.diagnostics.report(loc, diag::void_value);
  } else if (const auto* negation = as<Not>(e); negation && is(target, TypeKind::Int) && negates_integer(e)) {
    report_logical_not(*negation, c.diagnostics.report(loc, diag::needs_cast, spell(from), spell(target)));
  } else if (is_integral(value) && is_integral(target) && !is_function_value(value) && !is_function_value(target)) {
    Diagnostic& message = c.diagnostics.report(loc, diag::needs_cast, spell(from), spell(target));
    // A truth is hardly meant as one of the enumerators that happen to be 0 and 1.
    if (!(is(value, TypeKind::Bool) && is_enumeration(target))) fix_with_cast(message, e, target);
  } else if (is_number(value) && is_number(target)) {
    fix_with_cast(c.diagnostics.report(loc, diag::needs_cast, spell(from), spell(target)), e, target);
  } else if (both(TypeKind::Str) || (is_text_array(from) && is(target, TypeKind::Str)) ||
             (both(TypeKind::Pointer) && from->element != target->element && from->space != Space::Context &&
              target->space != Space::Context)) {
    fix_with_cast(c.diagnostics.report(loc, diag::needs_cast, spell(from), spell(target)), e, target);
  } else {
    Diagnostic& message = c.diagnostics.report(loc, diag::type_mismatch, spell(from), spell(target));
    if (is(target, TypeKind::Pointer) && target->element == from && (as<Local>(e) || as<Global>(e)))
      message.fix(before(loc), "&", "pass its address");
  }
  return invalid(loc);
}

bool Inference::negates_integer(const Expr& e) {
  const auto* negation = as<Not>(e);
  const auto* test = negation ? as<Compare>(negation->form.value) : nullptr;
  const auto* zero = test && test->form.op == CompareOp::NotEqual ? as<Int>(test->form.right) : nullptr;
  return zero && zero->form.value.value == 0 && is(type_of(test->form.left), TypeKind::Int) &&
         zero->loc == loc_of(test->form.left);
}

void Inference::report_logical_not(const Node<Not>& negation, Diagnostic& message) {
  const LocationRecord& record = c.locations[negation.loc];
  message.fix(c.locations.add({record.file, record.begin, record.begin + 1, {}, {}}), "~",
              "`!` asks whether it is zero; `~` turns its bits around");
}

Type Inference::meet(Type a, Type b) {
  if (a == b) return is_function_value(a) ? nullptr : a;
  if (is_enumeration(a)) a = a->body->underlying;
  if (is_enumeration(b)) b = b->body->underlying;
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
      if (const auto* block = as<BlockValue>(e))
        return with_block_value(*block, [&](const Expr& value) { return truth(value); });
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
        if (const MapKind* kind = find_map_kind(type_of(lookup->form.map)->name.text());
            kind && kind->entries_always_exist)
          return truth(value_of_maybe(e));
      if (is(type->element, TypeKind::Bool))
        c.diagnostics.report(loc, diag::presence_of_bool).fix(after(loc), " != null", "say so with `!= null`");
      return c.make(Present{e}, loc, t.boolean());
    }
    default: c.diagnostics.report(loc, diag::not_a_condition, spell(type)); return invalid(loc);
  }
}

}  // namespace ksc

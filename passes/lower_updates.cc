// SPDX-License-Identifier: Apache-2.0
/// x op= v   =>   x = x op v; m[k] op= v   =>   slot = the entry, inserted if absent; if (slot) *slot op= v, atomically
#include "ir/effects.h"
#include "ir/map_kind.h"
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NoUpdate>;

/// `left op right` of the place's type.
Expr applied(Operator op, const Expr& left, const Expr& right, Loc loc, Out& to) {
  Type type = type_of(left);
  if (is(type, TypeKind::Float)) {
    const FloatOp operation = op == Operator::Add        ? FloatOp::Add
                              : op == Operator::Subtract ? FloatOp::Subtract
                              : op == Operator::Multiply ? FloatOp::Multiply
                                                         : FloatOp::Divide;
    return to.make(FloatOperation{operation, left, right}, loc, type);
  }
  switch (op) {
    case Operator::Divide: return to.make(Divide{DivideOp::Quotient, left, right}, loc, type);
    case Operator::Remainder: return to.make(Divide{DivideOp::Remainder, left, right}, loc, type);
    case Operator::ShiftLeft: return to.make(Shift{ShiftOp::Left, left, right}, loc, type);
    case Operator::ShiftRight: return to.make(Shift{ShiftOp::Right, left, right}, loc, type);
    case Operator::Subtract: return to.make(Binary{BinaryOp::Subtract, left, right}, loc, type);
    case Operator::Multiply: return to.make(Binary{BinaryOp::Multiply, left, right}, loc, type);
    case Operator::BitAnd: return to.make(Binary{BinaryOp::BitAnd, left, right}, loc, type);
    case Operator::BitOr: return to.make(Binary{BinaryOp::BitOr, left, right}, loc, type);
    case Operator::BitXor: return to.make(Binary{BinaryOp::BitXor, left, right}, loc, type);
    default:
      if (is(type, TypeKind::Str)) return to.make(Concatenate{to.context.span<Expr>({left, right})}, loc, type);
      return to.make(Binary{BinaryOp::Add, left, right}, loc, type);
  }
}

/// [L40] these are one instruction on what several CPUs reach
bool can_be_atomic(Operator op, Type type) {
  const bool simple = op == Operator::Add || op == Operator::Subtract || op == Operator::BitAnd ||
                      op == Operator::BitOr || op == Operator::BitXor;
  return simple && is(type, TypeKind::Int) && type->bits >= 32;
}

/// The same place, in what `pointed` is instead of the map entry.
Expr moved(const Expr& place, const Expr& pointed, Out& to) {
  if (const auto* field = as<Field>(place))
    return to.make(Field{moved(field->form.base, pointed, to), field->form.name}, field->loc, field->type);
  if (const auto* index = as<Index>(place))
    return to.make(Index{moved(index->form.base, pointed, to), index->form.index}, index->loc, index->type);
  return pointed;
}
/// Whether other CPUs and programs reach the place: globals, and what lies in maps.
bool is_shared(const Expr& place) {
  const Expr& root = root_of(place);
  if (const auto* deref = as<Deref>(root)) {
    Type pointer = type_of(deref->form.pointer);
    return is(pointer, TypeKind::EntryRef) || pointer->space == Space::MapValue;
  }
  return kind_of(root) == Kind::Global;
}
/// An atomic instruction needs an address: a bit-field has none.
bool has_address(const Expr& place) {
  if (const auto* index = as<Index>(place)) return has_address(index->form.base);
  if (const auto* field = as<Field>(place)) {
    const StructField* member = find_field(type_of(field->form.base), field->form.name);
    return member && member->bit_size == 0 && has_address(field->form.base);
  }
  return true;
}

void emit_update(Operator op, const Expr& place, const Expr& value, bool atomic, Loc loc, Out& to) {
  Type type = type_of(place);
  if (atomic && can_be_atomic(op, type) && has_address(place)) {
    const auto* deref = as<Deref>(place);
    const Expr pointer =
        deref ? deref->form.pointer
              : Expr(to.make(AddressOf{place}, loc, to.context.types.pointer(type, Space::MapValue, false)));
    return to.emit(AtomicUpdate{op, pointer, value}, loc);
  }
  Expr result = applied(op, place, value, loc, to);
  if (as<Concatenate>(result) && !as<Local>(place)) {
    const Name text = to.fresh("text");
    to.emit(Let{text, type, result}, loc);
    result = to.make(Local{text}, loc, type);
  }
  to.emit(Assign{place, result}, loc);
}

}  // namespace

Ir<lang::NoUpdate> lower_updates(const Ir<lang::OperandsOrdered>& in, Context& context) {
  // Per-CPU entries are reached by one CPU; references remember their map by name.
  std::set<Name, ByText> per_cpu;
  for (const Decl& d : in.declarations)
    if (const auto* map = as<MapDef>(d); map && find_map_kind(map->form.type->name.text())->per_cpu)
      per_cpu.insert(map->form.name);
  const auto is_per_cpu = [&](const Expr& place) {
    const auto* deref = as<Deref>(root_of(place));
    return deref && is(type_of(deref->form.pointer), TypeKind::EntryRef) &&
           per_cpu.count(type_of(deref->form.pointer)->name);
  };
  return rewrite<lang::OperandsOrdered, lang::NoUpdate>(
      in, context, on<Update>([&](const Node<Update>& n, Out& to) {
        const bool in_ebpf = to.function()->domain == Domain::Program || to.function()->domain == Domain::Shared;
        const auto* entry = entry_of(n->place);
        if (!entry)
          return emit_update(n->op, n->place, n->value, in_ebpf && is_shared(n->place) && !is_per_cpu(n->place), n.loc,
                             to);
        Types& types = to.context.types;
        const MapKind* kind = find_map_kind(type_of(entry->form.map)->name.text());
        Type pointer = types.pointer(entry->type, Space::MapValue, true);
        const Name slot = to.fresh("entry");
        to.emit(Let{slot, pointer, to.make(MapSlot{entry->form.map, entry->form.key}, entry->loc, pointer)},
                entry->loc);
        const Expr reference = to.make(Local{slot}, entry->loc, pointer);
        const Expr pointed = to.make(Deref{reference}, entry->loc, entry->type);
        const Body update = to.collect(
            [&] { emit_update(n->op, moved(n->place, pointed, to), n->value, in_ebpf && !kind->per_cpu, n.loc, to); });
        to.emit(If{to.context.span<Branch>({{to.make(Present{reference}, entry->loc, types.boolean()), update}}), {}},
                n.loc);
      }));
}

}  // namespace ksc

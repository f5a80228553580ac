// SPDX-License-Identifier: Apache-2.0
// The address of a part whose place only the run tells [L166] [L169].
#include "ir/effects.h"
#include "passes/inference.h"

namespace ksc {

bool Inference::is_in_range(const Expr& index, uint64_t count) const {
  if (const auto* number = as<Int>(index)) return number->form.value.value < static_cast<__int128>(count);
  Type type = type_of(index);
  if (const auto* converted = as<Convert>(index)) {
    const Expr& from = converted->form.value;
    const bool stays = !is_signed(type) || (is_integral(type_of(from)) && width_of(type) > width_of(type_of(from)));
    return stays && is_in_range(from, count);  // 200 as i8 is below zero
  }
  if (is_integral(type) && !is_signed(type) && width_of(type) < 64 && (uint64_t(1) << width_of(type)) <= count)
    return true;
  if (const auto* local = as<Local>(index)) {
    const auto counter = counters_.find(local->form.name);
    return counter != counters_.end() && counter->second < static_cast<__int128>(count) &&
           !assigned_.count(local->form.name);
  }
  const auto* mask = as<Binary>(index);
  if (const auto* bits = mask && mask->form.op == BinaryOp::BitAnd ? as<Int>(mask->form.right) : nullptr)
    return bits->form.value.value >= 0 && bits->form.value.value < static_cast<__int128>(count);
  const auto* division = as<Divide>(index);
  const auto* divisor = division ? as<Int>(division->form.right) : nullptr;
  return divisor && division->form.op == DivideOp::Remainder && !is_signed(type) && divisor->form.value.value > 0 &&
         divisor->form.value.value <= static_cast<__int128>(count);
}

Expr Inference::address_of_part(const Expr& place, Type pointer, Loc loc) {
  std::vector<Stmt> steps;
  Option<Expr> condition;
  const auto ask = [&](const Expr& test) {
    condition = condition ? Expr(c.make(And{*condition, test}, loc, t.boolean())) : test;
  };
  const auto held = [&](std::string_view hint, const Expr& value) {
    const Name name = c.names.fresh(hint);
    steps.push_back(c.make(Let{name, type_of(value), value}, loc_of(value)));
    return Expr(c.make(Local{name}, loc_of(value), type_of(value)));
  };
  const auto part = [&](const auto& self, const Expr& e) -> Expr {
    if (const auto* field = as<Field>(e))
      return c.make(Field{self(self, field->form.base), field->form.name}, field->loc, field->type);
    if (const auto* element = as<Index>(e)) {
      const Expr base = self(self, element->form.base);
      const uint64_t count = type_of(base)->count;
      if (as<Int>(element->form.index)) return c.make(Index{base, element->form.index}, element->loc, element->type);
      const Expr index = held("index", element->form.index);
      const Expr limit = integer({static_cast<__int128>(count)}, t.u64(), loc);
      const Expr inside = c.make(Compare{CompareOp::Less, index, limit}, loc, t.boolean());
      if (!is_in_range(element->form.index, count)) ask(inside);
      // In the packet the verifier follows a sum.
      if (pointer->space == Space::Packet) {
        Type at = t.pointer(element->type, Space::Packet, false);
        const Expr first = c.make(Index{base, integer({0}, t.u64(), loc)}, element->loc, element->type);
        const Expr count_of = c.make(Convert{index}, loc, t.i64());
        const Expr sum = c.make(PointerAdd{c.make(AddressOf{first}, loc, at), count_of}, loc, at);
        return c.make(Deref{sum}, element->loc, element->type);
      }
      // No place but an element, whatever the index: it is computed before anyone asks.
      const Expr at = c.make(Conditional{inside, index, integer({0}, t.u64(), loc)}, loc, t.u64());
      return c.make(Index{base, at}, element->loc, element->type);
    }
    if (const auto* entry = as<MapEntry>(e)) {
      Type found = t.pointer(entry->type, Space::MapValue, true);
      const Expr there = held("entry", c.make(MapLookup{entry->form.map, entry->form.key}, entry->loc, found));
      ask(c.make(Present{there}, loc, t.boolean()));
      return c.make(Deref{there}, entry->loc, entry->type);
    }
    const auto* deref = as<Deref>(e);
    if (deref && is_element_pointer(type_of(deref->form.pointer))) {
      const Expr there = held("element", resting(deref->form.pointer));
      ask(c.make(Present{there}, loc, t.boolean()));
      return c.make(Deref{there}, deref->loc, deref->type);
    }
    // What calls something does so before an index is computed.
    if (!deref || !may_have_effect(deref->form.pointer)) return e;
    return c.make(Deref{held("at", deref->form.pointer)}, deref->loc, deref->type);
  };
  const Expr whole = part(part, place);
  const auto* pointed = as<Deref>(whole);
  const Expr address = pointed && !steps.empty() ? pointed->form.pointer : Expr(c.make(AddressOf{whole}, loc, pointer));
  if (steps.empty()) return address;
  if (!condition) return c.make(BlockValue{{c.span(steps)}, address}, loc, pointer);
  Type nullable = t.pointer(pointer->element, pointer->space, true);
  const Expr choice = c.make(Conditional{*condition, address, c.make(Null{}, loc, nullable)}, loc, nullable);
  return c.make(BlockValue{{c.span(steps)}, choice}, loc, nullable);
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
// How far behind the packet's start a pointer leads: known from what it is computed from, else measured. It is what
// helpers are passed, and what they give, in place of pointers into the packet.
#include <optional>

#include "passes/inference.h"

namespace ksc {

std::optional<Expr> Inference::known_offset(const Expr& pointer) {
  const Loc loc = loc_of(pointer);
  if (as<PacketStart>(pointer)) return integer({0}, t.u64(), loc);
  if (const auto* converted = as<Convert>(pointer)) return known_offset(converted->form.value);
  if (const auto* local = as<Local>(pointer)) {
    const auto known = offsets_.find(local->form.name);
    return known == offsets_.end() ? std::nullopt : std::optional(known->second);
  }
  if (const auto* choice = as<Conditional>(pointer))  // what a function gave, which is null or leads there
    return as<Null>(choice->form.otherwise) ? known_offset(choice->form.then) : std::nullopt;
  const auto* sum = as<PointerAdd>(pointer);
  if (!sum) return std::nullopt;
  const std::optional<Expr> base = known_offset(sum->form.pointer);
  if (!base) return std::nullopt;
  const auto* start = as<Int>(*base);
  const bool is_start = start && start->form.value.value == 0;
  if (const auto* count = as<Int>(sum->form.count)) {
    const Integer bytes{count->form.value.value * static_cast<__int128>(size_of(type_of(pointer)->element))};
    if (bytes.value < 0) return std::nullopt;
    if (is_start) return integer(bytes, t.u64(), loc, count->form.constant);
    return Expr(c.make(Binary{BinaryOp::Add, *base, integer(bytes, t.u64(), loc)}, loc, t.u64()));
  }
  // A distance that was passed, or given.
  const auto* bytes = as<Convert>(sum->form.count);
  if (!is_start || !bytes || type_of(bytes->form.value) != t.u64()) return std::nullopt;
  const auto* held = as<ValueOf>(bytes->form.value);
  const auto* number = as<Local>(held ? held->form.value : bytes->form.value);
  return number && !assigned_.count(number->form.name) ? std::optional(bytes->form.value) : std::nullopt;
}

std::optional<Expr> Inference::given_offset(const Expr& pointer) {
  if (const auto* converted = as<Convert>(pointer)) return given_offset(converted->form.value);
  if (const auto* local = as<Local>(pointer)) {
    const auto known = given_offsets_.find(local->form.name);
    return known == given_offsets_.end() ? std::nullopt : std::optional(known->second);
  }
  const auto* choice = as<Conditional>(pointer);
  const auto* present = choice && as<Null>(choice->form.otherwise) ? as<Present>(choice->form.condition) : nullptr;
  const std::optional<Expr> offset = present ? known_offset(pointer) : std::nullopt;
  const auto* held = offset ? as<ValueOf>(*offset) : nullptr;
  const auto *whole = held ? as<Local>(held->form.value) : nullptr,
             *asked = present ? as<Local>(present->form.value) : nullptr;
  return whole && asked && whole->form.name == asked->form.name ? std::optional(present->form.value) : std::nullopt;
}

Expr Inference::held_pointer(Name local, const Expr& value) {
  Expr held = value;
  if (const auto* block = as<BlockValue>(value); is_in_packet(type_of(value)) && block && block->form.value) {
    sink_->insert(sink_->end(), block->form.body.statements.begin(), block->form.body.statements.end());
    held = *block->form.value;
  }
  note_offset(local, held);
  return held;
}

void Inference::note_offset(Name local, const Expr& pointer) {
  if (!is_in_packet(type_of(pointer)) || assigned_.count(local)) return;
  if (const std::optional<Expr> given = given_offset(pointer)) given_offsets_.insert_or_assign(local, *given);
  if (const std::optional<Expr> offset = known_offset(pointer)) offsets_.insert_or_assign(local, *offset);
}

Expr Inference::packet_offset(const Expr& pointer) {
  const Loc loc = loc_of(pointer);
  if (const auto* block = as<BlockValue>(pointer); block && block->form.value) {
    const Expr offset = packet_offset(*block->form.value);
    return c.make(BlockValue{block->form.body, offset}, loc, type_of(offset));
  }
  if (!as<Conditional>(pointer))
    if (const std::optional<Expr> known = known_offset(pointer)) return *known;
  const Expr byte = c.make(Convert{pointer}, loc, t.pointer(t.u8(), Space::Packet, false));
  return c.make(PointerDifference{byte, packet_start(loc)}, loc, t.u64());
}

Expr Inference::passed_offset(const Expr& pointer) {
  const Expr offset = packet_offset(pointer);
  Expr root = pointer;
  while (const auto* converted = as<Convert>(root)) root = converted->form.value;
  if (!as<Local>(root)) return offset;
  // The distance does not say that the pointer must be there, and lead into the packet as it is now.
  const Loc loc = loc_of(pointer);
  Type there = t.pointer(type_of(root)->element, Space::Packet, false);
  const Body proof = collect_statements([&] { emit(Let{c.names.fresh("there"), there, convert(root, there)}, loc); });
  return c.make(BlockValue{proof, offset}, loc, type_of(offset));
}

Expr Inference::packet_start(Loc loc) {
  return c.make(PacketStart{c.make(Local{context_.name}, loc, context_.type)}, loc,
                t.pointer(t.u8(), Space::Packet, false));
}

}  // namespace ksc

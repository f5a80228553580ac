// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ir/effects.h"
#include "ir/interpreter.h"
#include "ir/program_type.h"
#include "ir/status.h"

namespace ksc {

Value Interpreter::eval(const Expr& e) {
  step();
  return eval_cases(e);
}

bool Interpreter::is_place(const Expr& e) {
  switch (kind_of(e)) {
    case Kind::Local:
    case Kind::Global:
    case Kind::Deref:
    case Kind::MapEntry: return true;
    case Kind::Field: return is_place(as<Field>(e)->form.base);
    case Kind::Index: return is_place(as<Index>(e)->form.base);
    default: return false;
  }
}

// ---- places -------------------------------------------------------------------------------------

Interpreter::Moved Interpreter::moved_pointer(const Value& pointer) {
  const auto half = [&](long from) {
    return to_bits({c.types.u64(), Bytes(pointer.bytes.begin() + from, pointer.bytes.begin() + from + 8)});
  };
  return {half(0), static_cast<int64_t>(half(8))};
}

Value Interpreter::element_pointer(Type type, Moved moved) {
  Value value = from_bits(type, moved.array);
  const Bytes index = from_bits(c.types.u64(), static_cast<uint64_t>(moved.index)).bytes;
  std::copy(index.begin(), index.end(), value.bytes.begin() + 8);
  return value;
}

uint64_t Interpreter::index_of(const Expr& e) {
  // A negative index is one that is far out of range.
  return static_cast<uint64_t>(to_number(eval(e)));
}

Interpreter::Place Interpreter::place(const Expr& e) {
  step();
  Place at;
  at.type = type_of(e);
  if (const auto* n = as<Local>(e)) {
    const auto found = frames_.back().locals.find(n->form.name);
    if (found == frames_.back().locals.end())
      throw Fault(fmt::format("the variable {} does not exist here", n->form.name.text()));
    at.where = Place::Where::Memory;
    at.at = found->second.first;
    at.type = found->second.second;
  } else if (const auto* n = as<Global>(e)) {
    const auto found = globals_.find(n->form.name);
    if (found == globals_.end()) throw Fault(fmt::format("there is no global {}", n->form.name.text()));
    at.where = Place::Where::Memory;
    at.at = found->second.at;
    at.type = found->second.type;
  } else if (const auto* n = as<Deref>(e)) {
    const Type pointer = type_of(n->form.pointer);
    at.where = Place::Where::Memory;
    if (is_element_pointer(pointer)) {
      const Moved moved = moved_pointer(eval(n->form.pointer));
      at.at = moved.array + static_cast<uint64_t>(moved.index) * size_of(at.type);
      if (static_cast<uint64_t>(moved.index) < pointer->count) return at;
      ++events_["pointer out of its array"];
      at.where = Place::Where::Nowhere;
      at.reads_zero = true;
      return at;
    }
    at.at = to_bits(eval(n->form.pointer));
    at.in_packet = points_into(pointer, Space::Packet);
    at.in_dynptr = points_into(pointer, Space::Dynptr);
  } else if (const auto* n = as<ValueOf>(e)) {
    at = place(n->form.value);
    at.type = type_of(e);
  } else if (const auto* n = as<MapEntry>(e)) {
    at.where = Place::Where::Entry;
    at.map = &map_of(n->form.map);
    at.key = eval(n->form.key).bytes;
    at.whole_entry = true;
  } else if (const auto* n = as<Field>(e)) {
    at = place(n->form.base);
    const StructField* field = find_field(type_of(n->form.base), n->form.name);
    if (!field) throw Fault(fmt::format("{} has no member {}", spell(type_of(n->form.base)), n->form.name.text()));
    at.at += field->offset;
    at.offset += field->offset;
    at.bit_offset = field->bit_offset;
    at.bit_size = field->bit_size;
    at.type = field->type;
    at.whole_entry = false;
  } else if (const auto* n = as<Index>(e)) {
    at = place(n->form.base);
    const Type base = type_of(n->form.base);
    const uint64_t index = index_of(n->form.index);
    const Type element = is(base, TypeKind::Str) ? c.types.character() : base->element;
    at.type = element;
    at.whole_entry = false;
    if (at.in_packet && !at.needed && !as<Int>(n->form.index)) {
      at.needed_at = at.at;
      at.needed = size_of(base);
    }
    if (index >= base->count) {
      ++events_["index out of range"];
      at.where = Place::Where::Nowhere;
      at.reads_zero = is(base, TypeKind::Str);
    } else {
      at.at += index * size_of(element);
      at.offset += index * size_of(element);
    }
  } else {
    throw Fault(fmt::format("{} is no place", kind_names[int(kind_of(e))]));
  }
  return at;
}

Value Interpreter::part(const Value& whole, uint64_t offset, Type type, uint8_t bit_offset, uint8_t bit_size) {
  const uint64_t size = stored_size(type);
  if (offset + size > whole.bytes.size()) throw Fault("a part lies outside its value");
  Value value{type, Bytes(whole.bytes.begin() + static_cast<long>(offset),
                          whole.bytes.begin() + static_cast<long>(offset + size))};
  if (bit_size == 0) return value;
  return from_bits(type, to_bits(value) >> bit_offset & ((uint64_t(1) << bit_size) - 1));
}

Value Interpreter::read(const Place& place) {
  if (place.in_packet && place.needed) require_packet(place, 0, 0);
  if (place.where == Place::Where::Nowhere && in_userspace_ && !place.reads_zero)
    throw ExitProcess{134};  // a panic [L54]
  if (place.where == Place::Where::Nowhere) return zero_value(place.type);
  Address at = place.at;
  if (place.where == Place::Where::Entry) {
    const Address entry = find_entry(*place.map, place.key);
    if (!entry) return zero_value(place.type);
    at = entry + place.offset;
  }
  const uint64_t size = stored_size(place.type);
  if (place.in_packet) require_packet(place, at, size);
  if (place.in_dynptr && !in_open_record(at, size)) return zero_value(place.type);
  Bytes bytes = memory_.load(at, size);
  if (place.in_packet) clear_padding(place.type, bytes);
  return part({place.type, bytes}, 0, place.type, place.bit_offset, place.bit_size);
}

void Interpreter::write(const Place& place, const Value& value) {
  if (place.in_packet && place.needed) require_packet(place, 0, 0);
  if (place.where == Place::Where::Nowhere && in_userspace_ && !place.reads_zero) throw ExitProcess{134};
  if (place.where == Place::Where::Nowhere) {
    // A map entry that is written to is there all the same; only the element is not.
    if (place.map) find_or_insert(*place.map, place.key);
    return;
  }
  const Value stored =
      in_userspace_ && is(place.type, TypeKind::EntryRef) ? own_copy(value) : convert(value, place.type);
  if (place.where == Place::Where::Entry && place.whole_entry) {
    store_or_drop(*place.map, place.key, stored.bytes, 0);
    return;
  }
  Address at = place.at;
  if (place.where == Place::Where::Entry) {
    const Address entry = find_or_insert(*place.map, place.key);
    if (!entry) return;
    at = entry + place.offset;
  }
  const uint64_t size = stored_size(place.type);
  if (place.in_packet) require_packet(place, at, size);
  if (place.in_dynptr && !in_open_record(at, size)) return;
  if (place.bit_size == 0) {
    memory_.store(at, stored.bytes);
    return write_back(at, size);
  }
  const uint64_t mask = ((uint64_t(1) << place.bit_size) - 1) << place.bit_offset;
  const uint64_t old = to_bits({place.type, memory_.load(at, size)});
  memory_.store(at, from_bits(place.type, (old & ~mask) | (to_bits(stored) << place.bit_offset & mask)).bytes);
  write_back(at, size);
}

// ---- arithmetic [L22] ---------------------------------------------------------------------------

Value Interpreter::convert(const Value& value, Type target) {
  const Type from = value.type;
  if (from == target) return value;
  if (is_element_pointer(target))
    return is(from, TypeKind::Null) ? zero_value(target) : element_pointer(target, moved_pointer(value));
  if (is_element_pointer(from)) {
    // Where no element is, it is null.
    const Moved moved = moved_pointer(value);
    const auto index = static_cast<uint64_t>(moved.index);
    if (is(target, TypeKind::Bool)) return from_bits(target, moved.array != 0);
    return from_bits(target, index < from->count && moved.array ? moved.array + index * size_of(from->element) : 0);
  }
  if (is(target, TypeKind::Maybe)) {
    if (is(from, TypeKind::Maybe)) {
      Value inner = convert({from->element, Bytes(value.bytes.begin(), value.bytes.end() - 1)}, target->element);
      inner.type = target;
      inner.bytes.push_back(value.bytes.back());
      return inner;
    }
    if (is(from, TypeKind::Null)) return zero_value(target);
    Value present = convert(value, target->element);
    present.type = target;
    present.bytes.push_back(1);
    return present;
  }
  // A reference to a value of its own [L50].
  if (is(target, TypeKind::EntryRef) && is_aggregate(from))
    return from_bits(target, memory_.allocate(value.bytes, "a value that a reference was given"));
  if (is(target, TypeKind::Str) && (is(from, TypeKind::Str) || is(from, TypeKind::Array))) {
    // Always terminated, and zero after the end [L21].
    Value text = zero_value(target);
    for (size_t i = 0; i + 1 < text.bytes.size() && i < value.bytes.size() && value.bytes[i] != 0; ++i)
      text.bytes[i] = value.bytes[i];
    return text;
  }
  if (is_aggregate(target) || is_aggregate(from)) {
    if (value.bytes.size() != stored_size(target))
      throw Fault(fmt::format("{} becomes {}", spell(from), spell(target)));
    return {target, value.bytes};
  }
  if (is(target, TypeKind::Void)) return zero_value(target);
  return from_number(target, to_number(value));
}

Value Interpreter::concatenate(Type type, const std::vector<Value>& parts) {
  Value text = zero_value(type);
  size_t length = 0;
  for (const Value& part : parts)
    for (const uint8_t byte : convert(part, c.types.str(part.bytes.size() + 1)).bytes)
      if (byte != 0 && length + 1 < text.bytes.size()) text.bytes[length++] = byte;
  return text;
}

namespace {

template <class Number>
bool holds(CompareOp op, Number a, Number b) {
  switch (op) {
    case CompareOp::Equal: return a == b;
    case CompareOp::NotEqual: return a != b;
    case CompareOp::Less: return a < b;
    case CompareOp::LessEqual: return a <= b;
    case CompareOp::Greater: return a > b;
    case CompareOp::GreaterEqual: return a >= b;
  }
  return false;
}

/// Of two numbers of 32 bits the result is exact enough that rounding it once more gives theirs.
double float_result(Operator op, double left, double right) {
  switch (op) {
    case Operator::Add: return left + right;
    case Operator::Subtract: return left - right;
    case Operator::Multiply: return left * right;
    case Operator::Divide: return left / right;
    default: throw Fault("an operator that floating point has not");
  }
}

}  // namespace

Value Interpreter::arithmetic(Operator op, Type type, const Value& left, const Value& right) {
  if (is(type, TypeKind::Str)) return concatenate(type, {left, right});
  if (is(type, TypeKind::Float)) return from_double(type, float_result(op, to_double(left), to_double(right)));
  const __int128 a = to_number(left), b = to_number(right);
  const int width = width_of(type);
  if (b == 0 && (op == Operator::Divide || op == Operator::Remainder)) ++events_["division by zero"];
  if ((op == Operator::ShiftLeft || op == Operator::ShiftRight) && to_bits(right) >= static_cast<unsigned>(width))
    ++events_["shift by the width or more"];
  switch (op) {
    case Operator::Add: return from_number(type, a + b);
    case Operator::Subtract: return from_number(type, a - b);
    case Operator::Multiply: return from_bits(type, static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
    // In 128 bits nothing overflows; the most negative value by -1 wraps back to itself.
    case Operator::Divide: return from_number(type, b == 0 ? 0 : a / b);
    case Operator::Remainder: return from_number(type, b == 0 ? a : a % b);
    case Operator::BitAnd: return from_bits(type, to_bits(left) & to_bits(right));
    case Operator::BitOr: return from_bits(type, to_bits(left) | to_bits(right));
    case Operator::BitXor: return from_bits(type, to_bits(left) ^ to_bits(right));
    // Of the count only its lowest bits matter, so its sign does not.
    case Operator::ShiftLeft:
      return from_bits(type, static_cast<uint64_t>(a) << (to_bits(right) % static_cast<unsigned>(width)));
    case Operator::ShiftRight:
      return from_number(type, a >> static_cast<int>(to_bits(right) % static_cast<unsigned>(width)));
    default: throw Fault("an operator that changes nothing");
  }
}

bool Interpreter::compare(CompareOp op, const Value& left, const Value& right) {
  if (is_aggregate(left.type)) {
    Bytes a = left.bytes, b = right.bytes;
    // Strings of any two sizes compare: what follows a text is zero [L21].
    if (is(left.type, TypeKind::Str)) a.resize(std::max(a.size(), b.size())), b.resize(a.size());
    const bool same = a == b;
    if (op == CompareOp::Equal) return same;
    if (op == CompareOp::NotEqual) return !same;
    throw Fault("an order of values that have none");
  }
  if (is_element_pointer(left.type)) {
    const Moved a = moved_pointer(left), b = moved_pointer(right);
    if (op == CompareOp::Equal) return a.array == b.array && a.index == b.index;
    if (op == CompareOp::NotEqual) return a.array != b.array || a.index != b.index;
    return holds(op, a.index, b.index);  // of two arrays' elements the numbers alone
  }
  return holds(op, to_number(left), to_number(right));
}

Value Interpreter::match(const Node<Match>& n) {
  const Value value_matched = eval(n->subject);
  const bool is_text = is(value_matched.type, TypeKind::Str);
  const __int128 subject = is_text ? 0 : to_number(value_matched);
  for (const MatchArm& arm : n->arms) {
    bool chosen = arm.patterns.empty();
    for (const Pattern& p : arm.patterns) {
      if (is_text) {
        chosen = chosen || compare(CompareOp::Equal, value_matched, eval(p.low));
        continue;
      }
      const __int128 low = to_number(eval(p.low));
      if (!p.high) {
        chosen = chosen || subject == low;
      } else {
        const __int128 high = to_number(eval(*p.high));
        chosen = chosen || (subject >= low && (p.inclusive ? subject <= high : subject < high));
      }
    }
    if (!chosen) continue;
    const Value value = eval(arm.value);
    return is(n.type, TypeKind::Void) ? zero_value(n.type) : convert(value, n.type);
  }
  // An enum may hold what is none of its enumerators: nothing is chosen.
  return zero_value(n.type);
}

// ---- every form ---------------------------------------------------------------------------------

Value Interpreter::eval_cases(const Expr& e) {
  const Type type = type_of(e);
  const auto truth_value = [&](bool holds) { return from_bits(type, holds); };
  const auto as_operator = [](auto op) {
    using Op = decltype(op);
    if constexpr (std::is_same_v<Op, BinaryOp>) {
      static constexpr Operator all[] = {Operator::Add,    Operator::Subtract, Operator::Multiply,
                                         Operator::BitAnd, Operator::BitOr,    Operator::BitXor};
      return all[int(op)];
    } else if constexpr (std::is_same_v<Op, DivideOp>) {
      return op == DivideOp::Quotient ? Operator::Divide : Operator::Remainder;
    } else if constexpr (std::is_same_v<Op, FloatOp>) {
      static constexpr Operator all[] = {Operator::Add, Operator::Subtract, Operator::Multiply, Operator::Divide};
      return all[int(op)];
    } else {
      return op == ShiftOp::Left ? Operator::ShiftLeft : Operator::ShiftRight;
    }
  };
  return visit<runnable>(
      e, on<InvalidExpr>([&](const auto&) -> Value { throw Fault("an invalid expression"); }),
      on<StringValue>([&](const Node<StringValue>& n) {
        Value text = zero_value(type);
        const std::string_view characters = n->text.text();
        for (size_t i = 0; i < characters.size() && i + 1 < text.bytes.size(); ++i)
          text.bytes[i] = static_cast<uint8_t>(characters[i]);
        return text;
      }),
      on<Local>([&](const auto&) { return holds_end(e) ? from_bits(type, packet_end()) : read(place(e)); }),
      on<Global>([&](const auto&) { return read(place(e)); }), on<Deref>([&](const auto&) { return read(place(e)); }),
      on<MapEntry>([&](const auto&) { return read(place(e)); }),
      on<And>([&](const Node<And>& n) { return truth_value(truth(n->left) && truth(n->right)); }),
      on<Or>([&](const Node<Or>& n) { return truth_value(truth(n->left) || truth(n->right)); }),
      on<Not>([&](const Node<Not>& n) { return truth_value(!truth(n->value)); }),
      on<Conditional>([&](const Node<Conditional>& n) {
        return convert(truth(n->condition) ? eval(n->then) : eval(n->otherwise), type);
      }),
      on<Match>([&](const Node<Match>& n) { return match(n); }), on<IfValue>([&](const Node<IfValue>& n) {
        for (const ValueBranch& branch : n->branches)
          if (truth(branch.condition)) return convert(eval(branch.value), type);
        return convert(eval(n->otherwise), type);
      }),
      on<BlockValue>([&](const Node<BlockValue>& n) {
        std::vector<Name> declared;
        const Flow flow = statements(n->body, declared);
        if (flow != Flow::Next) {
          for (const Name& name : declared) unbind(name);
          throw Abrupt{flow};
        }
        const Value value = n->value ? eval(*n->value) : zero_value(type);
        for (const Name& name : declared) unbind(name);
        return value;
      }),
      on<AddressOf>([&](const Node<AddressOf>& n) {
        if (as<Int>(n->place) || as<Zero>(n->place))
          return from_bits(type, memory_.allocate(eval(n->place).bytes, "a constant"));
        const Place at = place(n->place);
        // An element that is not there: what is read behind its address is zero, what is written there is lost.
        if (at.where == Place::Where::Nowhere && in_userspace_ && !at.reads_zero) throw ExitProcess{134};
        if (at.where == Place::Where::Nowhere)
          return from_bits(type, memory_.allocate(zero_value(at.type).bytes, "an element that is not there"));
        if (at.where != Place::Where::Memory) throw Fault("the address of what is not in memory");
        return from_bits(type, at.at);
      }),
      on<Int>([&](const Node<Int>& n) { return from_number(type, n->value.value); }),
      on<Null>([&](const auto&) { return zero_value(type); }), on<Zero>([&](const auto&) { return zero_value(type); }),
      on<MapName>([&](const auto&) -> Value { throw Fault("a map is no value"); }),
      on<FunctionName>([&](const auto&) -> Value { throw Fault("a function is no value"); }),
      on<Field>([&](const Node<Field>& n) {
        if (is_place(e)) return read(place(e));
        const Value base = eval(n->base);
        const StructField* field = find_field(base.type, n->name);
        if (!field) throw Fault(fmt::format("{} has no member {}", spell(base.type), n->name.text()));
        return part(base, field->offset, field->type, field->bit_offset, field->bit_size);
      }),
      on<Index>([&](const Node<Index>& n) {
        if (is_place(e)) return read(place(e));
        const Value base = eval(n->base);
        const uint64_t index = index_of(n->index);
        const uint64_t size = size_of(type);
        if (index >= base.type->count && in_userspace_ && !is(base.type, TypeKind::Str)) throw ExitProcess{134};
        return index < base.type->count ? part(base, index * size, type, 0, 0) : zero_value(type);
      }),
      on<MapLookup>([&](const Node<MapLookup>& n) {
        MapState& map = map_of(n->map);
        const Bytes key = eval(n->key).bytes;
        return entry_value(
            type, in_userspace_ && !is(type, TypeKind::Maybe) ? copy_entry(map, key, false) : find_entry(map, key));
      }),
      on<Present>([&](const Node<Present>& n) {
        const Value value = eval(n->value);
        return truth_value(is(value.type, TypeKind::Maybe) ? value.bytes.back() != 0 : to_bits(value) != 0);
      }),
      on<ValueOf>([&](const Node<ValueOf>& n) {
        Value value = eval(n->value);
        if (!is(value.type, TypeKind::Maybe)) throw Fault("the value of what may not be absent");
        value.bytes.pop_back();  // whether it is there; what is not there is zero, until a member is written
        return convert({value.type->element, value.bytes}, type);
      }),
      on<Unary>([&](const Node<Unary>& n) {
        const __int128 value = to_number(eval(n->value));
        return from_number(type, n->op == UnaryOp::Negate ? -value : ~value);
      }),
      on<Binary>([&](const Node<Binary>& n) {
        const Value left = eval(n->left);
        return arithmetic(as_operator(n->op), type, left, eval(n->right));
      }),
      on<Divide>([&](const Node<Divide>& n) {
        const Value left = eval(n->left);
        return arithmetic(as_operator(n->op), type, left, eval(n->right));
      }),
      on<Shift>([&](const Node<Shift>& n) {
        const Value left = eval(n->left);
        return arithmetic(as_operator(n->op), type, left, eval(n->count));
      }),
      on<Compare>([&](const Node<Compare>& n) {
        const Value left = eval(n->left);
        return truth_value(compare(n->op, left, eval(n->right)));
      }),
      on<FloatValue>([&](const Node<FloatValue>& n) { return float_value(type, std::string(n->spelling.text())); }),
      on<FloatNegation>([&](const Node<FloatNegation>& n) { return from_double(type, -to_double(eval(n->value))); }),
      on<FloatOperation>([&](const Node<FloatOperation>& n) {
        const Value left = eval(n->left);
        return arithmetic(as_operator(n->op), type, left, eval(n->right));
      }),
      on<FloatComparison>([&](const Node<FloatComparison>& n) {
        const Value left = eval(n->left);
        return truth_value(holds(n->op, to_double(left), to_double(eval(n->right))));
      }),
      on<FloatConversion>([&](const Node<FloatConversion>& n) { return nearest_float(type, eval(n->value)); }),
      on<FloatTruncation>([&](const Node<FloatTruncation>& n) { return truncated(type, to_double(eval(n->value))); }),
      on<Concatenate>([&](const Node<Concatenate>& n) {
        std::vector<Value> parts;
        for (const Expr& part : n->parts) parts.push_back(eval(part));
        return concatenate(type, parts);
      }),
      on<Convert>([&](const Node<Convert>& n) { return convert(eval(n->value), type); }),
      on<ElementPointer>([&](const Node<ElementPointer>& n) {
        const uint64_t array = to_bits(eval(n->array));
        return element_pointer(type, {array, static_cast<int64_t>(to_number(eval(n->index)))});
      }),
      on<PointerAdd>([&](const Node<PointerAdd>& n) {
        if (is_element_pointer(type)) {
          const Moved moved = moved_pointer(eval(n->pointer));
          const uint64_t count = static_cast<uint64_t>(to_number(eval(n->count)));
          ++events_["pointer moved in an array"];
          return element_pointer(type, {moved.array, static_cast<int64_t>(static_cast<uint64_t>(moved.index) + count)});
        }
        const uint64_t base = to_bits(eval(n->pointer));
        const uint64_t count = static_cast<uint64_t>(to_number(eval(n->count)));
        if (type->space != Space::Packet) return from_bits(type, base + count * size_of(type->element));
        // [L55] What would lie before the packet, or too far behind its start, lies where no access succeeds.
        const uint64_t distance = base - packet_ + count * size_of(type->element),
                       reach = static_cast<uint64_t>(packet_reach);
        ++events_[count >> 63 == 0   ? "packet offset"
                  : distance < reach ? "packet offset backwards"
                                     : "packet offset out of reach"];
        return from_bits(type, packet_ + std::min(distance, reach));
      }),
      on<PointerDifference>([&](const Node<PointerDifference>& n) {
        if (is_element_pointer(type_of(n->left))) {
          const auto left = static_cast<uint64_t>(moved_pointer(eval(n->left)).index);
          return from_bits(type, left - static_cast<uint64_t>(moved_pointer(eval(n->right)).index));
        }
        const uint64_t left = to_bits(eval(n->left)), right = to_bits(eval(n->right));
        return from_bits(type, static_cast<uint64_t>(static_cast<int64_t>(left - right) /
                                                     static_cast<int64_t>(size_of(type_of(n->left)->element))));
      }),
      on<FunctionValue>([&](const Node<FunctionValue>& n) { return from_bits(type, number_of(n->name)); }),
      on<IndirectCall>([&](const Node<IndirectCall>& n) {
        const uint64_t number = to_bits(eval(n->function));
        std::vector<Value> arguments;
        for (const Expr& argument : n->arguments) arguments.push_back(eval(argument));
        const FunctionDef* function =
            number > 0 && number <= function_list_.size() ? function_list_[number - 1] : nullptr;
        // There is none, or one of the other side.
        if (!function || (function->domain == Domain::User) != in_userspace_) {
          if (in_userspace_) throw ExitProcess{134};
          throw Raised{static_cast<uint64_t>(status_of(StatusKind::Bounds))};
        }
        return call(*function, arguments);
      }),
      on<Call>([&](const Node<Call>& n) {
        const auto found = functions_.find(n->function);
        if (found == functions_.end()) throw Fault(fmt::format("there is no function {}", n->function.text()));
        const FunctionDef& function = *found->second;
        std::vector<Value> arguments;
        for (const Expr& argument : n->arguments) arguments.push_back(eval(argument));
        if (function.domain == Domain::Program) {
          // Where this stands, the result is returned: the program takes over.
          tail_call(n->function);
          return from_number(type, kernel_constant(find_program_type(function.program_type.text())->safe));
        }
        return call(function, arguments);
      }),
      on<HelperCall>([&](const Node<HelperCall>& n) { return helper_call(n); }),
      on<MapCall>([&](const Node<MapCall>& n) { return map_call(n); }),
      on<BuiltinCall>([&](const Node<BuiltinCall>& n) { return builtin_call(n); }),
      on<StructValue>([&](const Node<StructValue>& n) {
        Value whole = zero_value(type);
        for (const FieldValue& given : n->values) {
          const StructField* field = find_field(type, given.name);
          if (!field) throw Fault(fmt::format("{} has no member {}", spell(type), given.name.text()));
          const Value value = convert(eval(given.value), field->type);
          if (field->bit_size == 0) {
            std::copy(value.bytes.begin(), value.bytes.end(), whole.bytes.begin() + field->offset);
            continue;
          }
          const uint64_t bits = (to_bits(value) & ((uint64_t(1) << field->bit_size) - 1)) << field->bit_offset;
          const Bytes unit = from_bits(field->type, bits).bytes;
          for (size_t i = 0; i < unit.size(); ++i) whole.bytes[field->offset + i] |= unit[i];
        }
        return whole;
      }),
      on<ArrayValue>([&](const Node<ArrayValue>& n) {
        Value whole = zero_value(type);
        const uint64_t size = stored_size(type->element);
        for (size_t i = 0; i < n->values.size(); ++i) {
          const Value value = convert(eval(n->values[i]), type->element);
          if (i >= type->count) throw Fault("an array has too many elements");
          std::copy(value.bytes.begin(), value.bytes.end(), whole.bytes.begin() + static_cast<long>(i * size));
        }
        return whole;
      }),
      on<PacketStart>([&](const Node<PacketStart>& n) { return eval(n->context), from_bits(type, packet_start()); }),
      on<PacketEnd>([&](const Node<PacketEnd>& n) { return eval(n->context), from_bits(type, packet_end()); }),
      on<InPacket>([&](const Node<InPacket>& n) {
        const uint64_t at = to_bits(eval(n->pointer));
        eval(n->context);
        return truth_value(reaches_packet(at, n->size, !options_.packet_pulled));
      }),
      on<MapSlot>([&](const Node<MapSlot>& n) {
        MapState& map = map_of(n->map);
        const Bytes key = eval(n->key).bytes;
        return from_bits(type, in_userspace_ ? copy_entry(map, key, true) : find_or_insert(map, key));
      }),
      on<Quotient>([&](const Node<Quotient>& n) {
        const Value left = eval(n->left), right = eval(n->right);
        if (to_bits(right) == 0) throw Fault("division by zero");
        const bool least = to_number(left) < 0 && to_bits(left) == uint64_t(1) << (width_of(type) - 1);
        // Narrower operands are promoted to int, where the quotient has room.
        if (is_signed(type) && width_of(type) >= 32 && to_number(right) == -1 && least)
          throw Fault("division overflows");
        return arithmetic(as_operator(n->op), type, left, right);
      }),
      on<CShift>([&](const Node<CShift>& n) {
        const Value left = eval(n->left), count = eval(n->count);
        if (to_number(count) < 0 || to_number(count) >= width_of(type)) throw Fault("shift by the width or more");
        return arithmetic(as_operator(n->op), type, left, count);
      }),
      on<RuntimeCall>([&](const Node<RuntimeCall>& n) { return runtime_call(n); }),
      on<FunctionAddress>([&](const Node<FunctionAddress>& n) { return from_bits(type, number_of(n->name)); }));
}

}  // namespace ksc

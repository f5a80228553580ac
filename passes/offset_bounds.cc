// SPDX-License-Identifier: Apache-2.0
#include "passes/offset_bounds.h"

#include <algorithm>
#include <bit>

#include "ir/children.h"
#include "ir/places.h"
#include "ir/visit.h"
#include "passes/packet_positions.h"

namespace ksc {
namespace {

/// What rises for so many rounds rises in a loop.
constexpr int most_rounds = 16;

/// Whether a statement, or one within it, writes to the packet; a support function that is given a place there may.
bool writes_packet(const Stmt& s) {
  bool found = false;
  if (const auto* assign = as<Assign>(s)) found = is_in_packet(assign->form.place);
  each_child_of(
      s,
      [&](const Expr& e) {
        const auto* call = as<RuntimeCall>(e);
        if (!call || call->form.function == "barrier_var") return;
        for (const Expr& argument : call->form.arguments) {
          const auto* address = as<AddressOf>(argument);
          if (address && is_in_packet(address->form.place)) found = true;
        }
      },
      [&](const Stmt& t) { found = found || writes_packet(t); });
  return found;
}

/// A parameter through which the function gives its result: the place is what it points at.
const Local* given_through(const Expr& place) {
  const auto* deref = as<Deref>(place);
  const auto* pointer = deref ? as<Local>(deref->form.pointer) : nullptr;
  return pointer && pointer->type->space == Space::Stack ? &pointer->form : nullptr;
}

bool is_stack_pointer(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Stack; }

}  // namespace

OffsetBounds::OffsetBounds(const Program& program, KnownTo known_to) : known_to_(known_to) {
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = &function->form;
  for (const auto& [name, function] : functions_) {
    if (function->domain == Domain::Program) give_up_parameters(name);
    for (const Stmt& s : function->body.statements) {
      find_changes(s);
      writes_packet_ = writes_packet_ || writes_packet(s);
    }
  }
  for (const auto& [name, function] : functions_)
    for (const Parameter& p : function->parameters)
      if (!changed_.count(p.name) && (is_integral(p.type) || is_stack_pointer(p.type))) greatest_[p.name] = 0;
  for (rises_ = true; rises_; ++rounds_) {
    rises_ = false;
    for (const auto& [name, function] : functions_)
      for (const Stmt& s : function->body.statements) look_at(s);
  }
}

void OffsetBounds::give_up_parameters(Name function) {
  for (const Parameter& p : functions_.at(function)->parameters) changed_.insert(p.name);
}

void OffsetBounds::find_changes(const Expr& e) {
  if (const auto* function = as<FunctionAddress>(e)) give_up_parameters(function->form.name);
  if (const auto* local = as<Local>(e); local && is_stack_pointer(local->type)) changed_.insert(local->form.name);
  if (const auto* address = as<AddressOf>(e))
    if (const auto* local = as<Local>(root_of(address->form.place))) changed_.insert(local->form.name);
  const bool is_call = as<Call>(e) != nullptr;
  each_child_of(
      e,
      [&](const Expr& child) {
        const auto* address = is_call ? as<AddressOf>(child) : nullptr;
        if (!address || !as<Local>(address->form.place)) find_changes(child);
      },
      [&](const Stmt& s) { find_changes(s); });
}

void OffsetBounds::find_changes(const Stmt& s) {
  if (const auto* assign = as<Assign>(s)) {
    if (given_through(assign->form.place) || is_followed(assign->form.place)) return find_changes(assign->form.value);
    if (const auto* local = as<Local>(root_of(assign->form.place))) changed_.insert(local->form.name);
  }
  each_child_of(
      s, [&](const Expr& e) { find_changes(e); }, [&](const Stmt& t) { find_changes(t); });
}

void OffsetBounds::look_at(const Expr& e) {
  if (const auto* call = as<Call>(e)) {
    const auto function = functions_.find(call->form.function);
    for (size_t i = 0; i < call->form.arguments.size(); ++i) {
      const Expr& argument = call->form.arguments[i];
      const auto* address = as<AddressOf>(argument);
      const auto* variable = address ? as<Local>(address->form.place) : nullptr;
      const Name parameter = function == functions_.end() ? Name() : function->second->parameters[i].name;
      const auto known = greatest_.find(parameter);
      if (variable) raise(variable->form.name, known == greatest_.end() ? unknown : known->second);
      if (!variable && known != greatest_.end()) raise(parameter, greatest(argument));
    }
  }
  each_child_of(
      e, [&](const Expr& child) { look_at(child); }, [&](const Stmt& s) { look_at(s); });
}

void OffsetBounds::look_at(const Stmt& s) {
  if (const auto* loop = as<CountedLoop>(s)) {
    const auto *low = as<Int>(loop->form.low), *high = as<Int>(loop->form.high);
    if (low && high && low->form.value.value >= 0) raise(loop->form.name, high->form.value.value);
  }
  if (const auto* let = as<Let>(s); let && is_integral(let->form.type))
    raise(let->form.name, let->form.value ? greatest(*let->form.value) : 0);
  if (const auto* let = as<Let>(s); let && known_to_ == KnownTo::Types && points_into(let->form.type, Space::Packet))
    raise(let->form.name, let->form.value ? distance(*let->form.value) : unknown);
  if (const auto* assign = as<Assign>(s); assign && is_followed(assign->form.place))
    raise(as<Local>(assign->form.place)->form.name, distance(assign->form.value));
  if (const auto* assign = as<Assign>(s))
    if (const Local* pointer = given_through(assign->form.place); pointer && greatest_.count(pointer->name))
      raise(pointer->name, greatest(assign->form.value));
  each_child_of(
      s, [&](const Expr& e) { look_at(e); }, [&](const Stmt& t) { look_at(t); });
}

bool OffsetBounds::is_followed(const Expr& place) const {
  return known_to_ == KnownTo::Types && as<Local>(place) && points_into(type_of(place), Space::Packet);
}

bool OffsetBounds::is_load(const Expr& e) const {
  if (const auto* converted = as<Convert>(e)) return is_load(converted->form.value);
  if (const auto* field = as<Field>(e)) return is_load(field->form.base);
  if (const auto* element = as<Index>(e)) return is_load(element->form.base);
  const auto* deref = as<Deref>(e);
  Type pointer = deref ? type_of(deref->form.pointer) : nullptr;
  return pointer && (pointer->space == Space::Context || (pointer->space == Space::Packet && !writes_packet_));
}

__int128 OffsetBounds::greatest(const Expr& e) const {
  const __int128 known = by_form(e);
  if (known_to_ == KnownTo::Verifier) return known;
  Type type = type_of(e);
  if (!is_integral(type) || is_signed(type)) return known;
  return std::min(known, (static_cast<__int128>(1) << width_of(type)) - 1);
}

__int128 OffsetBounds::distance(const Expr& pointer) const {
  if (is_packet_start(pointer)) return 0;
  if (const auto* converted = as<Convert>(pointer)) return distance(converted->form.value);
  if (as<Local>(pointer)) return by_form(pointer);
  const auto* sum = as<PointerAdd>(pointer);
  if (!sum) return unknown;
  const __int128 base = distance(sum->form.pointer);
  __int128 count = greatest(sum->form.count);
  if (base >= unknown || count > UINT32_MAX) return unknown;
  // As the verifier takes it, which has a mask for what varies.
  if (!as<Int>(sum->form.count)) count = std::bit_ceil(static_cast<uint64_t>(count) + 1) - 1;
  return base + count * static_cast<__int128>(size_of(type_of(pointer)->element));
}

__int128 OffsetBounds::by_form(const Expr& e) const {
  const auto* difference = as<PointerDifference>(e);
  if (difference && known_to_ == KnownTo::Types && is_packet_start(difference->form.right))
    return distance(difference->form.left);
  if (const auto* number = as<Int>(e)) return number->form.value.value < 0 ? unknown : number->form.value.value;
  if (const auto* local = as<Local>(e)) {
    auto found = greatest_.find(local->form.name);
    return found == greatest_.end() ? unknown : found->second;
  }
  if (const auto* converted = as<Convert>(e)) {
    Type from = type_of(converted->form.value);
    const __int128 whole = is_integral(from) && !is_signed(from) ? greatest(converted->form.value) : unknown;
    if (whole < static_cast<__int128>(1) << (width_of(type_of(e)) - 1)) return whole;  // it is not cut
    return is_integral(from) && !is_signed(from) && width_of(from) <= width_of(type_of(e))
               ? greatest(converted->form.value)
               : unknown;
  }
  if (const auto* field = as<Field>(e); field && is_load(e)) {
    const StructField* member = find_field(type_of(field->form.base), field->form.name);
    if (member && member->bit_size) return (static_cast<__int128>(1) << member->bit_size) - 1;
  }
  if (is_load(e) && !as<Convert>(e) && type_of(e)->kind == TypeKind::Int && !is_signed(type_of(e)) &&
      width_of(type_of(e)) == 8)
    return 255;
  // i < N ? i : 0
  if (const auto* choice = as<Conditional>(e)) {
    const auto* test = as<Compare>(choice->form.condition);
    const auto* limit = test && test->form.op == CompareOp::Less ? as<Int>(test->form.right) : nullptr;
    const auto* tested = test ? as<Local>(test->form.left) : nullptr;
    const auto* converted = as<Convert>(choice->form.then);
    const auto* chosen = as<Local>(converted ? converted->form.value : choice->form.then);
    const bool is_limited = limit && tested && chosen && tested->form.name == chosen->form.name &&
                            !is_signed(tested->type) && limit->form.value.value > 0;
    const __int128 then = is_limited ? limit->form.value.value - 1 : greatest(choice->form.then);
    return std::max(then, greatest(choice->form.otherwise));
  }
  if (const auto* binary = as<Binary>(e); binary && !is_signed(binary->type)) {
    const __int128 a = greatest(binary->form.left), b = greatest(binary->form.right);
    if (binary->form.op == BinaryOp::BitAnd && (is_load(binary->form.left) || a < unknown) &&
        (is_load(binary->form.right) || b < unknown))
      return std::min(a, b);
    if (a >= unknown || b >= unknown) return unknown;
    if (binary->form.op == BinaryOp::Add) return a + b;
    if (binary->form.op == BinaryOp::Multiply && as<Int>(binary->form.right)) return a * b;
  }
  if (const auto* shift = as<CShift>(e);
      shift && shift->form.op == ShiftOp::Left && as<Int>(shift->form.count) && !is_signed(shift->type)) {
    const __int128 a = greatest(shift->form.left);
    return a >= unknown ? unknown : a << static_cast<int>(as<Int>(shift->form.count)->form.value.value);
  }
  return unknown;
}

void OffsetBounds::raise(Name name, __int128 value) {
  if (changed_.count(name)) return;
  __int128& bound = greatest_.try_emplace(name, 0).first->second;
  if (std::min(value, unknown) <= bound) return;
  bound = rounds_ < most_rounds ? std::min(value, unknown) : unknown;
  rises_ = true;
}

}  // namespace ksc

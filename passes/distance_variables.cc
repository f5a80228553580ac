// SPDX-License-Identifier: Apache-2.0
#include "passes/distance_variables.h"

#include <algorithm>
#include <functional>

#include "ir/children.h"

namespace ksc {
namespace {

/// The variable itself, of type u64, or the parameter behind which such a one lies.
const Local* as_variable(const Expr& e) {
  const auto* local = as<Local>(e);
  if (!local) return nullptr;
  const Type type = points_into(local->type, Space::Stack) ? local->type->element : local->type;
  return is(type, TypeKind::Int) && width_of(type) == 64 && !is_signed(type) ? &local->form : nullptr;
}

/// The variable that an assignment writes, itself or behind a parameter.
const Local* as_target(const Expr& place) {
  const auto* deref = as<Deref>(place);
  return as_variable(deref ? deref->form.pointer : place);
}

/// Whether turns of a loop test the packet: what they find out would hold for the pointers of all callers.
bool tests_in_turns(const Stmt& s, bool in_loop) {
  const bool inside = in_loop || as<CountedLoop>(s) || as<MapLoop>(s);
  bool found = false;
  std::function<void(const Expr&)> on_expression;
  const auto on_statement = [&](const Stmt& inner) { found = found || tests_in_turns(inner, inside); };
  on_expression = [&](const Expr& e) {
    found = found || (inside && tests_packet(e));
    each_child_of(e, on_expression, on_statement);
  };
  each_child_of(s, on_expression, on_statement);
  return found;
}
bool tests_in_turns(const Body& body) {
  return std::any_of(body.statements.begin(), body.statements.end(),
                     [](const Stmt& s) { return tests_in_turns(s, false); });
}

bool has_context(const FunctionDef& function) {
  for (const Parameter& p : function.parameters)
    if (points_into(p.type, Space::Context)) return true;
  return false;
}

}  // namespace

const Local* DistanceVariables::as_position(const Node<PointerAdd>& sum) {
  if (!is_packet_start(sum.form.pointer) || size_of(sum.type->element) != 1) return nullptr;
  const Expr* count = &sum.form.count;
  if (const auto* masked = as<RuntimeCall>(*count)) {
    if (masked->form.function != "ks_masked") return nullptr;
    count = &masked->form.arguments[0];
  }
  while (const auto* converted = as<Convert>(*count)) count = &converted->form.value;
  return as<Local>(*count) && !is(type_of(*count), TypeKind::Pointer) ? as_variable(*count) : nullptr;
}

DistanceVariables::DistanceVariables(const Program& program) : functions_(program) {
  NameSet turns;  // functions that the kernel calls, for each turn of a loop
  for (const Decl& d : program) {
    const auto* function = as<FunctionDef>(d);
    if (!function) continue;
    definitions_[function->form.name] = &function->form;
    any_expression(function->form.body, [&](const Expr& e) {
      if (const auto* address = as<FunctionAddress>(e)) turns.insert(address->form.name);
      return false;
    });
  }
  for (const auto& [name, function] : definitions_) {
    const bool is_called = function->domain != Domain::Program && !turns.count(name);
    const bool moves = functions_.moving.count(name) || functions_.pulling.count(name) || !has_context(*function);
    if (!is_called || moves || tests_in_turns(function->body))
      for (const Parameter& p : function->parameters) others_.insert(p.name);
    look_at(function->body, {!moves && !turns.count(name)});
  }
  spread(others_);
  spread(positions_);
}

void DistanceVariables::spread(NameSet& known) const {
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& [a, b] : flows_)
      if (known.count(a) != known.count(b)) grew = true, known.insert(a), known.insert(b);
  }
}

void DistanceVariables::look_at(const Body& body, const Place& place) {
  for (const Stmt& s : body.statements) look_at(s, place);
}

void DistanceVariables::look_at(const Stmt& s, const Place& place) {
  if (const auto* let = as<Let>(s); let && is(let->form.type, TypeKind::Int)) {
    if (width_of(let->form.type) == 64 && let->form.value) return give(let->form.name, *let->form.value, place);
  }
  if (const auto* assign = as<Assign>(s)) {
    if (const Local* target = as_target(assign->form.place)) return give(target->name, assign->form.value, place);
  }
  Place inside = place;
  if (as<CountedLoop>(s) || as<MapLoop>(s)) inside.stays = false;
  each_child_of(
      s, [&](const Expr& e) { look_at(e, inside); }, [&](const Stmt& inner) { look_at(inner, inside); });
}

void DistanceVariables::look_at(const Expr& e, const Place& place) {
  if (const auto* local = as<Local>(e)) {
    others_.insert(local->form.name);
    return;
  }
  if (const auto* sum = as<PointerAdd>(e)) {
    if (const Local* position = as_position(*sum)) {
      (place.stays ? positions_ : others_).insert(position->name);
      return;
    }
  }
  if (const auto* call = as<Call>(e)) {
    const auto function = definitions_.find(call->form.function);
    for (size_t i = 0; i < call->form.arguments.size(); ++i)
      if (function == definitions_.end())
        look_at(call->form.arguments[i], place);
      else
        argument(call->form.arguments[i], function->second->parameters[i].name, place);
    return;
  }
  each_child_of(
      e, [&](const Expr& child) { look_at(child, place); }, [&](const Stmt& s) { look_at(s, place); });
}

void DistanceVariables::argument(const Expr& value, Name parameter, const Place& place) {
  const auto* address = as<AddressOf>(value);
  const Local* variable = as_variable(address ? address->form.place : value);
  if (variable && place.stays) {
    flows_.push_back({variable->name, parameter});
    return;
  }
  give(parameter, value, place);
}

void DistanceVariables::give(Name variable, const Expr& value, const Place& place) {
  if (!place.stays) others_.insert(variable);
  if (const Local* other = as_variable(value)) {
    flows_.push_back({other->name, variable});
    if (!place.stays) others_.insert(other->name);
    return;
  }
  const auto* number = as<Int>(value);
  const auto* difference = as<PointerDifference>(value);
  const bool is_distance =
      difference && is_packet_start(difference->form.right) && size_of(type_of(difference->form.left)->element) == 1;
  if (!is_distance && !(number && number->form.value.value == 0)) others_.insert(variable);
  look_at(value, place);
}

}  // namespace ksc

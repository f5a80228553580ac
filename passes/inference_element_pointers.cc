// SPDX-License-Identifier: Apache-2.0
// Pointers to variables that arithmetic moves [L24] [L166]: they know how many elements their array has, so that what
// they lead to may be read and written anywhere.
#include <fmt/format.h>

#include "passes/inference.h"
#include "passes/moved_variables.h"

namespace ksc {

bool Inference::moves_parameter(std::string_view function, size_t parameter) const {
  return moved_parameters_.count({function, parameter}) != 0;
}

void Inference::find_moved_parameters() {
  std::vector<const FunctionDecl*> waiting;
  for (const auto& [name, entity] : entities_)
    if (const auto* declared = as<FunctionDecl>(entity.declaration)) waiting.push_back(&declared->form);
  // Who passes something on for a parameter: what it passes is moved once that is.
  std::map<MovedParameter, std::set<const FunctionDecl*>> passing;
  while (!waiting.empty()) {
    const FunctionDecl* function = waiting.back();
    waiting.pop_back();
    const auto& moved = moved_in_[function] = moved_variables(*function, [&](std::string_view name, size_t i) {
      if (moves_parameter(name, i)) return true;
      passing[{name, i}].insert(function);
      return false;
    });
    for (size_t i = 0; i < function->parameters.size(); ++i) {
      const MovedParameter parameter{function->name.name.spelling(), i};
      if (!moved.count(function->parameters[i].name.name) || !moved_parameters_.insert(parameter).second) continue;
      const std::set<const FunctionDecl*>& again = passing[parameter];
      waiting.insert(waiting.end(), again.begin(), again.end());
    }
  }
}

void Inference::find_moved_variables(const FunctionDecl& function) {
  const auto known = moved_in_.find(&function);
  if (known != moved_in_.end())
    moved_ = known->second;
  else  // with variables of its own
    moved_ = moved_variables(function, [this](std::string_view name, size_t i) { return moves_parameter(name, i); });
}

Expr Inference::moving(const Expr& pointer) {
  Type type = type_of(pointer);
  const Loc loc = loc_of(pointer);
  if (is_element_pointer(type) || is_invalid(pointer)) return pointer;
  if (const auto* block = as<BlockValue>(pointer); block && block->form.value)
    return with_block_value(*block, [this](const Expr& value) { return moving(value); });
  if (const auto* rested = as<Convert>(pointer); rested && is_element_pointer(type_of(rested->form.value)) &&
                                                 type_of(rested->form.value)->element == type->element)
    return rested->form.value;
  if (const auto* local = as<Local>(pointer); local && result_name_ && local->form.name == result_name_)
    return unsupported(loc, "moving a result by its name; what another variable holds can be moved, and returned");
  if (is_choice(pointer)) return moving_choice(pointer);
  if (!has_known_size(type) && !points_into(type, Space::Heap))
    return unsupported(loc, fmt::format("moving a pointer into {}", memory_of(type)));

  const auto array_of = [&](const Expr& address, uint64_t count, bool is_nullable) -> Expr {
    Type array = t.pointer(t.array(type->element, count), type->space, is_nullable);
    return type_of(address) == array ? address : Expr(c.make(Convert{address}, loc, array));
  };
  const auto from = [&](const Expr& array, const Expr& index) -> Expr {
    Type moved =
        t.element_pointer(type->element, type->space, type_of(array)->nullable, type_of(array)->element->count);
    return c.make(ElementPointer{array, index}, loc, moved);
  };
  const Expr first = integer({0}, t.i64(), loc);
  if (const auto* address = as<AddressOf>(pointer))
    if (const auto* element = as<Index>(address->form.place)) {
      const Expr& base = element->form.base;
      const auto* number = as<Int>(element->form.index);
      const Expr index = number ? integer(number->form.value, t.i64(), number->loc)
                                : Expr(c.make(Convert{element->form.index}, loc, t.i64()));
      const Expr whole = c.make(AddressOf{base}, loc, t.pointer(type_of(base), type->space, false));
      return from(array_of(whole, type_of(base)->count, false), index);
    }
  // All of a variable as another array, as in a call that takes bytes.
  if (const auto* converted = as<Convert>(pointer))
    if (const auto* whole = as<AddressOf>(converted->form.value))
      if (const uint64_t count = size_of(type_of(whole->form.place)) / size_of(type->element); count != 0)
        return from(array_of(converted->form.value, count, false), first);
  return from(array_of(pointer, 1, type->nullable), first);
}

Expr Inference::moving_choice(const Expr& choice) {
  Type type = nullptr;
  const auto arm = [&](const Expr& value) -> Expr {
    if (kind_of(value) == Kind::Null || is(type_of(value), TypeKind::Void)) return value;
    const Expr moved = moving(value);
    Type next = type_of(moved);
    if (is_invalid(moved)) {
      type = next;
    } else if (!type || is(type, TypeKind::Invalid)) {
      type = type ? type : next;
    } else if (const Type both = common_memory(type, next)) {
      type = both;
    } else {
      report_two_arrays(moved, type);
      type = t.invalid();
    }
    return moved;
  };
  const auto fitted = [&](const Expr& value) -> Expr {
    return kind_of(value) == Kind::Null ? Expr(c.make(Null{}, loc_of(value), t.pointer_with_null(type, true))) : value;
  };
  const Loc loc = loc_of(choice);
  if (const auto* n = as<Conditional>(choice)) {
    const Expr then = arm(n->form.then), otherwise = arm(n->form.otherwise);
    if (!type || is(type, TypeKind::Invalid)) return invalid(loc);
    type = t.pointer_with_null(type, type_of(choice)->nullable);
    return c.make(Conditional{n->form.condition, fitted(then), fitted(otherwise)}, loc, type);
  }
  if (const auto* n = as<IfValue>(choice)) {
    std::vector<ValueBranch> branches;
    for (const ValueBranch& branch : n->form.branches) branches.push_back({branch.condition, arm(branch.value)});
    const Expr otherwise = arm(n->form.otherwise);
    if (!type || is(type, TypeKind::Invalid)) return invalid(loc);
    type = t.pointer_with_null(type, type_of(choice)->nullable);
    for (ValueBranch& branch : branches) branch.value = fitted(branch.value);
    return c.make(IfValue{c.span(branches), fitted(otherwise)}, loc, type);
  }
  std::vector<MatchArm> arms;
  const auto* n = as<Match>(choice);
  for (const MatchArm& one : n->form.arms) arms.push_back({one.patterns, arm(one.value)});
  if (!type || is(type, TypeKind::Invalid)) return invalid(loc);
  type = t.pointer_with_null(type, type_of(choice)->nullable);
  for (MatchArm& one : arms) one.value = fitted(one.value);
  return c.make(Match{n->form.subject, c.span(arms)}, loc, type);
}

void Inference::report_two_arrays(const Expr& pointer, Type type) {
  const auto text = [](Type moved) {
    return moved->count == 1 ? std::string("one element") : fmt::format("an array of {}", moved->count);
  };
  c.diagnostics.report(loc_of(pointer), diag::two_arrays, text(type_of(pointer)), text(type));
}

Expr Inference::resting(const Expr& pointer) {
  Type type = type_of(pointer);
  if (!is_element_pointer(type)) return pointer;
  return c.make(Convert{pointer}, loc_of(pointer), t.pointer(type->element, type->space, true));
}

std::optional<std::pair<Expr, Expr>> Inference::both_moving(const Expr& left, const Expr& right) {
  const Expr a = moving(left), b = moving(right);
  if (is_invalid(a) || is_invalid(b)) return std::nullopt;
  if (type_of(a)->count == type_of(b)->count) return std::pair(a, b);
  report_two_arrays(b, type_of(a));
  return std::nullopt;
}

}  // namespace ksc

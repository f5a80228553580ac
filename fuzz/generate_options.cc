// SPDX-License-Identifier: Apache-2.0
// What may be absent: variables, parameters and results of `option T`.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

T Generator::any_option() {
  // What a helper gives can only be kept in a variable of the same type.
  for (const Helper& helper : helpers_)
    if (helper.result.kind == T::Kind::Option && random_.once_in(3)) return helper.result;
  T element = scalar();
  if (element.kind == T::Kind::Float) element = any_integer();
  const T structure = struct_type(random_.pick(structs_));
  if (random_.once_in(4) && fits_stack(structure)) count("option of a struct"), element = structure;
  return {T::Kind::Option, 0, false, {}, 0, {element}};
}

Tree Generator::option_value(const T& type, int depth) {
  const T& element = type.element[0];
  const auto gives = [&](const Helper& helper) { return helper.result == type && can_call(helper); };
  const auto giver = std::find_if(helpers_.begin(), helpers_.end(), gives);
  if (depth > 0 && giver != helpers_.end() && random_.once_in(3))
    return count("option given a result"), call(*giver, depth);
  switch (random_.below(5)) {
    case 0: return count("option given null"), Tree(random_.pick(Texts{"null", "none"}));
    case 1:
    case 2: {
      const Texts others = places_of(type, false);
      if (others.empty()) break;
      return count("option given an option"), Tree(random_.pick(others));
    }
    case 3:
      for (const Map& map : maps_) {
        if (depth <= 0 || commutes_ || !(map.value == element) || element.kind == T::Kind::Struct) continue;
        return count("option given an entry"), join(map.name + "[", key(map, depth - 1), "]");
      }
      break;
    default: break;
  }
  count("option given a value");
  return value(element, depth);
}

Tree Generator::optional_number(const T& type, int depth) {
  const T option{T::Kind::Option, 0, false, {}, 0, {type}};
  const Texts variables = places_of(option, false);
  if (!variables.empty() && random_.once_in(2))
    return count("option as a number"), expression(Tree(random_.pick(variables)), type);
  for (const Helper& helper : helpers_)
    if (helper.result == option && can_call(helper))
      return count("option as a number"), expression(call(helper, depth - 1), type);
  return Tree();
}

Tree Generator::option_statement(int depth) {
  const auto is_option = [](const T& t) { return t.kind == T::Kind::Option; };
  const std::vector<Place> variables = places_where(is_option, false);
  std::vector<const Helper*> givers;
  for (const Helper& helper : helpers_)
    if (is_option(helper.result) && can_call(helper)) givers.push_back(&helper);
  const uint64_t kind = random_.below(4);
  if (kind == 0 || (variables.empty() && givers.empty())) {
    const T type = any_option();
    const std::string name = fmt::format("option{}", temporaries_++);
    Tree given = option_value(type, depth - 1);
    scopes_.back().push_back({name, type});
    count("option variable");
    return join(fmt::format("var {}: {} = ", name, type.spelled()), std::move(given));
  }
  if (kind == 1 && !variables.empty()) {
    const Place& variable = random_.pick(variables);
    count("option assigned");
    return join(variable.text + " = ", option_value(variable.type, depth - 1));
  }
  if (kind == 2 && !variables.empty()) {
    count("option tested");
    Tree out = join(fmt::format("if ({} {} null) ", random_.pick(variables).text, random_.once_in(2) ? "==" : "!="),
                    block(depth - 1, 2));
    if (random_.once_in(2)) out = join(std::move(out), " else ", block(depth - 1, 1));
    return out;
  }
  if (givers.empty() && variables.empty()) return simple_statement(depth);
  const bool calls = variables.empty() || (!givers.empty() && random_.once_in(2));
  const Place* variable = calls ? nullptr : &random_.pick(variables);
  const Helper* giver = calls ? random_.pick(givers) : nullptr;
  const T element = (calls ? giver->result : variable->type).element[0];
  const std::string name = fmt::format("there{}", temporaries_++), copy = fmt::format("held{}", temporaries_++);
  count("option held");
  Tree out = join(fmt::format("if (var {} = ", name), calls ? call(*giver, depth - 1) : Tree(variable->text), ") ");
  scopes_.emplace_back();
  ++indent_;
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  Tree body;
  body.before = "{\n";
  body.parts.push_back(Tree(fmt::format("{}var {}: {} = {}\n", margin, copy, element.spelled(), name)));
  scopes_.back().push_back({copy, element});
  for (uint64_t i = 0; i < 1 + random_.below(2); ++i) body.parts.push_back(line(statement(depth - 1)));
  --indent_;
  body.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
  scopes_.pop_back();
  out.parts.push_back(std::move(body));
  if (random_.once_in(2)) {
    Tree other = join(" else ", block(depth - 1, 1));
    other.may_drop = true;
    out.parts.push_back(std::move(other));
  }
  return out;
}

}  // namespace ksc::fuzz

// SPDX-License-Identifier: Apache-2.0
// Random functions as values: what they are kept in, and calls of them.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

namespace {

bool have_same_type(const Helper& a, const Helper& b) {
  return !a.with_context && !b.with_context && a.parameters == b.parameters && a.result == b.result;
}

std::string spelled_type(const Helper& helper) {
  std::string text;
  for (const T& parameter : helper.parameters) text += (text.empty() ? "" : ", ") + parameter.spelled();
  return fmt::format("fn({}) -> {}", text, helper.result.spelled());
}

}  // namespace

std::vector<const Helper*> Generator::of_same_type(const Helper& helper) const {
  std::vector<const Helper*> out;
  for (const Helper& other : helpers_)
    if (have_same_type(helper, other) && !other.shares_name) out.push_back(&other);
  return out;
}

/// Any of its functions may be what a variable of the type is, so that a call must be legal for each of them. Functions
/// that are values call none: that might be themselves.
bool Generator::can_call_value(const Helper& helper) {
  if (helper.takes_pointer() || helper.has_option() || helper.with_context || helper.shares_name || !may_call_values_ ||
      commutes_)
    return false;
  const auto all = of_same_type(helper);
  return std::all_of(all.begin(), all.end(), [&](const Helper* one) { return can_call(*one); });
}

Tree Generator::function_value(const Helper& helper, int depth) {
  const auto all = of_same_type(helper);
  const auto kept = std::find_if(function_variables_.begin(), function_variables_.end(),
                                 [&](const auto& variable) { return have_same_type(variable.second, helper); });
  if (kept != function_variables_.end() && random_.once_in(2))
    return count("function kept in a variable"), Tree(kept->first);
  if (random_.once_in(4)) return count("function known"), Tree(helper.name);
  count("function chosen");
  return join("(", condition(depth - 1), " ? ", random_.pick(all)->name, " : ", random_.pick(all)->name + ")");
}

/// A global that is a function.
void Generator::declare_function_variable(Tree& out) {
  std::vector<const Helper*> fitting;
  for (const Helper& helper : helpers_)
    if (!helper.with_context && !helper.shares_name && !helper.takes_pointer() && !helper.has_option())
      fitting.push_back(&helper);
  if (fitting.empty()) return;
  const Helper& helper = *random_.pick(fitting);
  const std::string name = global_name(in_user_ ? "user_handler" : "handler");
  function_variables_.emplace_back(name, helper);
  count("global function");
  out.parts.push_back(declaration(
      fmt::format("var {}: {}{}", name, spelled_type(helper), random_.once_in(4) ? "" : " = " + helper.name)));
}

/// var f = help0, or handler0 = …
Tree Generator::function_variable_statement(int depth) {
  if (function_variables_.empty()) return Tree();
  const auto& [name, helper] = random_.pick(function_variables_);
  count("function assigned");
  return join(name + " = ", function_value(helper, depth));
}

Tree Generator::changed_function(int depth) {
  std::vector<const Helper*> fitting;
  for (const Helper& helper : helpers_)
    if (can_call_value(helper) && of_same_type(helper).size() > 1) fitting.push_back(&helper);
  if (fitting.empty()) return simple_statement(depth);
  const Helper& helper = *random_.pick(fitting);
  const auto all = of_same_type(helper);
  for (const Helper* one : all)
    if (one->throws) return simple_statement(depth);
  count("function variable changed");
  const std::string name = fmt::format("function{}", temporaries_++), margin(2 * static_cast<size_t>(indent_), ' ');
  Tree out = join(fmt::format("var {}: {} = {}\n{}if (", name, spelled_type(helper), all[0]->name, margin),
                  condition(depth - 1), fmt::format(") {{ {} = {} }}\n{}", name, all[1]->name, margin));
  const Texts places = places_of(helper.result, true);
  if (!places.empty()) out.parts.push_back(Tree(random_.pick(places) + " = "));
  out.parts.push_back(Tree(name + "("));
  for (size_t i = 0; i < helper.parameters.size(); ++i)
    out.parts.push_back(join(i ? ", " : "", value(helper.parameters[i], depth - 1)));
  out.parts.push_back(Tree(")"));
  return out;
}

}  // namespace ksc::fuzz

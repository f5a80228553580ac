// SPDX-License-Identifier: Apache-2.0
// Values with statements in them: blocks, if, and the arms of a match.
#include <fmt/format.h>

#include "passes/inference.h"

namespace ksc {

Type Inference::join(const std::vector<Expr>& values, Expected expected) {
  Type type = nullptr;
  bool all_fit = expected.type != nullptr;
  for (const Expr& value : values) {
    if (is_invalid(value)) return nullptr;
    if (!expected.type || is(type_of(value), TypeKind::Void)) continue;
    const bool may = !expected.of_constants || !is_integral(expected) || constant(innermost_value(value));
    all_fit = all_fit && may && converts(value, expected);
  }
  if (all_fit) return expected;
  if (Type number = join_as_floats(values)) return number;
  // Constants take the type that other integers meet at, so they come last.
  std::vector<Expr> ordered = values;
  if (std::all_of(values.begin(), values.end(), [](const Expr& value) {
        return is_integral(present_type(value)) || constant(innermost_value(value));
      }))
    std::stable_partition(ordered.begin(), ordered.end(),
                          [](const Expr& value) { return !constant(innermost_value(value)); });
  const auto is_null = [](const Expr& value) { return kind_of(innermost_value(value)) == Kind::Null; };
  for (const Expr& value : ordered) {
    Type next = type_of(settle(value_of_maybe(value)));
    if (is(next, TypeKind::Void)) continue;  // an arm that leaves has no value
    if (const auto* number = constant(innermost_value(value));
        number && type && is_integral(type) && fits(number->form.value, type))
      continue;
    if (!type || type == next)
      type = next;
    else if (Type both = meet(type, next))
      type = both;
    else if (is(type, TypeKind::Str) && is(next, TypeKind::Str))
      type = type->count < next->count ? next : type;
    else if (is(type, TypeKind::EntryRef) && type->element == next)  // an entry and a value: the entry's value
      type = next;
    else if (is_null(values[0]) && may_lead(next))
      type = nullable(next);
    else if (is_null(value) && may_lead(type))
      type = nullable(type);
    else if (may_lead(type) && may_lead(next) && common_memory(type, next))
      type = common_memory(type, next);
    else if (!converts(value, type)) {
      if (is(type, TypeKind::Pointer) && is(next, TypeKind::Pointer))
        refuse_conversion(value, type);
      else
        c.diagnostics.report(loc_of(value), diag::type_mismatch, spell(next), spell(type));
      return nullptr;
    }
  }
  return type ? type : t.void_type();
}

Expr Inference::unused_value(const Expr& e) {
  const Body body = collect_statements([&] {
    const auto* block = as<BlockValue>(e);
    if (block) this->statements(block->form.body);
    if (!block || block->form.value) evaluate(block ? *block->form.value : e);
  });
  return c.make(BlockValue{body, {}}, loc_of(e), t.void_type());
}

bool Inference::fit_arm(Expr& value, Type type) {
  if (!is(type_of(value), TypeKind::Void)) {
    value = coerce(value, type);
  } else if (!jumps_away(value)) {
    c.diagnostics.report(loc_of(value), diag::block_has_no_value, spell(type));
    return false;
  }
  return true;
}

Expr Inference::infer_if_value(const Node<IfValue>& n, Expected expected) {
  std::vector<ValueBranch> branches;
  std::vector<Expr> values;
  for (const ValueBranch& branch : n->branches) {
    branches.push_back({condition(branch.condition), infer(branch.value, expected)});
    values.push_back(branches.back().value);
    if (is_invalid(branches.back().condition)) return invalid(n.loc);
  }
  Expr otherwise = infer(n->otherwise, expected);
  values.push_back(otherwise);
  Type type = join(values, expected);
  if (!type) return invalid(n.loc);
  if (!is(type, TypeKind::Void)) {
    for (ValueBranch& branch : branches)
      if (!fit_arm(branch.value, type)) return invalid(n.loc);
    if (!fit_arm(otherwise, type)) return invalid(n.loc);
  }
  return c.make(IfValue{c.span(branches), otherwise}, n.loc, type);
}

namespace {

/// What the branch of an `if (var …)` evaluates, if that is all it does; null if it is something else.
const Expr* only_value(const Body& body) {
  const auto* only = body.statements.size() == 1 ? as<Evaluate>(body.statements[0]) : nullptr;
  return only ? &only->form.value : nullptr;
}

/// The `if (var …)` that gives a block its value; null if none does.
const Node<IfVar>* value_giving(const Body& body) {
  const auto* test = body.statements.empty() ? nullptr : as<IfVar>(body.statements[body.statements.size() - 1]);
  if (!test || !only_value(test->form.then) || !only_value(test->form.otherwise)) return nullptr;
  const auto has_value = [](const Expr& e) {
    const auto* block = as<BlockValue>(e);
    return !block || block->form.value || value_giving(block->form.body);
  };
  return has_value(*only_value(test->form.then)) || has_value(*only_value(test->form.otherwise)) ? test : nullptr;
}

bool ends_with_value(const Body& body) {
  return !body.statements.empty() && as<Evaluate>(body.statements[body.statements.size() - 1]);
}

/// The test without `else` that a block ends with, whose values were meant to be the block's; null if there is none.
const Stmt* test_without_else(const Body& body) {
  if (body.statements.empty()) return nullptr;
  const Stmt& last = body.statements[body.statements.size() - 1];
  if (const auto* test = as<IfVar>(last))
    return test->form.otherwise.statements.empty() && ends_with_value(test->form.then) ? &last : nullptr;
  const auto* choice = as<If>(last);
  const auto gives = [](const Branch& branch) { return ends_with_value(branch.body); };
  return choice && choice->form.otherwise.statements.empty() &&
                 std::any_of(choice->form.branches.begin(), choice->form.branches.end(), gives)
             ? &last
             : nullptr;
}

}  // namespace

Expr Inference::infer_block_value(const Node<BlockValue>& n, Expected expected) {
  if (const auto* test = n->value ? nullptr : value_giving(n->body)) return infer_if_var_value(n, *test, expected);
  if (const auto* test = n->value ? nullptr : test_without_else(n->body)) {
    c.diagnostics.report(loc_of(*test), diag::if_without_else);
    return invalid(n.loc);
  }
  std::optional<Expr> value;
  const Body statements = collect_statements([&] {
    this->statements(n->body);
    if (!n->value) return;
    // A value without type is a statement after all: `{ f() }` where f gives nothing.
    value = infer(*n->value, expected);
  });
  if (!value) return c.make(BlockValue{statements, {}}, n.loc, t.void_type());
  if (is_invalid(*value)) return invalid(n.loc);
  return c.make(BlockValue{statements, *value}, n.loc, type_of(*value));
}

Expr Inference::infer_if_var_value(const Node<BlockValue>& n, const Node<IfVar>& test, Expected expected) {
  const Span<Stmt> all = n->body.statements;
  const Name result = c.names.fresh("value");
  Type type = nullptr;
  const auto branches = [&] {
    std::vector<Expr> values;
    std::vector<std::vector<Stmt>> bodies;
    for (const Body& branch : {test->then, test->otherwise}) {
      const Body before = collect_statements([&] { values.push_back(infer(*only_value(branch), expected)); });
      bodies.emplace_back(before.statements.begin(), before.statements.end());
    }
    type = join(values, expected);
    for (size_t i = 0; type && i < values.size(); ++i) {
      const Loc loc = loc_of(values[i]);
      if (!is(type, TypeKind::Void) && !fit_arm(values[i], type)) type = nullptr;
      if (!type) break;
      if (is(type_of(values[i]), TypeKind::Void))
        bodies[i].push_back(c.make(Evaluate{values[i]}, loc));
      else
        bodies[i].push_back(c.make(Assign{c.make(Local{result}, loc, type), values[i]}, loc));
    }
    return std::pair(Body{c.span(bodies[0])}, Body{c.span(bodies[1])});
  };
  const Body statements = collect_statements([&] {
    for (const Stmt& s : Span<Stmt>(all.begin(), all.size() - 1)) statement(s);
    const Body tested = collect_statements([&] { if_var(test, branches); });
    if (type && !is(type, TypeKind::Void)) emit(Let{result, type, {}}, n.loc);
    for (const Stmt& s : tested.statements) sink_->push_back(s);
  });
  if (!type) return invalid(n.loc);
  if (is(type, TypeKind::Void)) return c.make(BlockValue{statements, {}}, n.loc, type);
  return c.make(BlockValue{statements, Expr(c.make(Local{result}, n.loc, type))}, n.loc, type);
}

}  // namespace ksc

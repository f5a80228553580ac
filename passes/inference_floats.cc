// SPDX-License-Identifier: Apache-2.0
// Floating point [L20], which only userspace has: literals, what converts to it and from it, and its operators.
#include <fmt/format.h>

#include <cmath>

#include "ir/value.h"
#include "passes/inference.h"

namespace ksc {
namespace {

bool is_float(Type type) { return is(type, TypeKind::Float); }

/// Whether every number of the type is one of the floating-point type as well.
bool has_all_of(Type target, Type from) {
  const int digits = target->bits == 64 ? 53 : 24;
  if (is_float(from)) return from->bits <= target->bits;
  return is(from, TypeKind::Int) && from->bits - (from->is_signed ? 1 : 0) <= digits;
}

/// Whether the integer is a number of the floating-point type.
bool has(Type target, const Integer& number) {
  if (number.value > UINT64_MAX || number.value < INT64_MIN) return false;
  const double nearest =
      target->bits == 64 ? static_cast<double>(number.value) : static_cast<double>(static_cast<float>(number.value));
  return static_cast<__int128>(nearest) == number.value;
}

/// A literal, or one with a sign.
const Node<FloatValue>* float_literal(const Expr& e) {
  if (const auto* negation = as<FloatNegation>(e)) return as<FloatValue>(negation->form.value);
  return as<FloatValue>(e);
}

std::optional<double> known_float(const Expr& e) {
  Type type = type_of(e);
  if (const auto* literal = as<FloatValue>(e))
    return to_double(float_value(type, std::string(literal->form.spelling.text())));
  if (const auto* negation = as<FloatNegation>(e)) {
    const auto value = known_float(negation->form.value);
    return value ? std::optional(-*value) : std::nullopt;
  }
  if (const auto* converted = as<FloatConversion>(e)) {
    if (const auto* number = as<Int>(converted->form.value))
      return to_double(nearest_float(type, from_number(number->type, number->form.value.value)));
    const auto value = known_float(converted->form.value);
    return value ? std::optional(to_double(from_double(type, *value))) : std::nullopt;
  }
  const auto* n = as<FloatOperation>(e);
  const auto left = n ? known_float(n->form.left) : std::nullopt;
  const auto right = left ? known_float(n->form.right) : std::nullopt;
  if (!right) return std::nullopt;
  double result = *left;
  switch (n->form.op) {
    case FloatOp::Add: result += *right; break;
    case FloatOp::Subtract: result -= *right; break;
    case FloatOp::Multiply: result *= *right; break;
    case FloatOp::Divide: result /= *right; break;
  }
  return to_double(from_double(type, result));
}

}  // namespace

Expr Inference::float_value_of(const Node<FloatLiteral>& n, Expected expected) {
  // Where a type was refused, what would have had it is no second mistake.
  if (is(expected, TypeKind::Invalid)) return invalid(n.loc);
  Type type = is_float(expected) ? Type(expected) : t.floating(64);
  if (in_ebpf() && !at_file_level_) return refuse_floats(type, n.loc), invalid(n.loc);
  std::string spelling;
  for (const char digit : n->spelling.text())
    if (digit != '_') spelling += digit;
  return retyped(c.make(FloatValue{c.name(spelling)}, n.loc, type), type);
}

Expr Inference::retyped(const Expr& literal, Type type) {
  if (const auto* negation = as<FloatNegation>(literal)) {
    const Expr value = retyped(negation->form.value, type);
    return is_invalid(value) ? value : Expr(c.make(FloatNegation{value}, negation->loc, type));
  }
  const auto* number = as<FloatValue>(literal);
  const std::string spelling(number->form.spelling.text());
  if (!std::isinf(to_double(float_value(type, spelling)))) return c.make(number->form, number->loc, type);
  c.diagnostics.report(number->loc, diag::constant_does_not_fit, spelling, spell(type));
  return invalid(number->loc);
}

bool Inference::converts_to_float(const Expr& e, Type target) const {
  if (float_literal(e)) return true;
  if (const auto* number = exact(e)) return has(target, number->form.value);
  return has_all_of(target, type_of(e));
}

Expr Inference::to_float(const Expr& e, Type target) {
  if (type_of(e) == target) return e;
  if (float_literal(e)) return retyped(e, target);
  const auto* number = exact(e);
  if (!number) return c.make(FloatConversion{e}, loc_of(e), target);
  const __int128 value = number->form.value.value;
  const bool negative = value < 0;
  const std::string digits = std::to_string(static_cast<uint64_t>(negative ? -value : value)) + ".0";
  const Expr whole = c.make(FloatValue{c.name(digits)}, number->loc, target);
  return negative ? Expr(c.make(FloatNegation{whole}, number->loc, target)) : whole;
}

std::optional<std::pair<Expr, Expr>> Inference::meet_as_floats(const Expr& left, const Expr& right, Operator spelled,
                                                               Loc loc) {
  Type a = type_of(left), b = type_of(right);
  // A literal takes the other side's type, as a constant integer does.
  Type type = is_float(a) && is_float(b) ? (float_literal(left)                         ? b
                                            : float_literal(right) || a->bits > b->bits ? a
                                                                                        : b)
                                         : (is_float(a) ? a : b);
  // The smallest type that holds both [L23].
  for (const Expr* side : {&left, &right})
    if (!converts_to_float(*side, type)) type = t.floating(64);
  for (const Expr* side : {&left, &right}) {
    if (converts_to_float(*side, type)) continue;
    Type other = type_of(side == &left ? right : left);
    Diagnostic& message =
        c.diagnostics.report(loc, diag::operands_do_not_meet, std::string(operator_text(spelled)), spell(a), spell(b));
    if (is(type_of(*side), TypeKind::Int)) fix_with_cast(message, *side, other);
    return std::nullopt;
  }
  const Expr first = to_float(left, type), second = to_float(right, type);
  if (is_invalid(first) || is_invalid(second)) return std::nullopt;
  return std::pair(first, second);
}

Type Inference::join_as_floats(const std::vector<Expr>& values) {
  Type type = nullptr;
  for (const Expr& value : values)
    if (is_float(type_of(value)) && !float_literal(innermost_value(value)) &&
        (!type || type->bits < type_of(value)->bits))
      type = type_of(value);
  for (const Expr& value : values)
    if (!type && is_float(type_of(value))) type = type_of(value);
  const auto all_are = [&](Type wanted) {
    return std::all_of(values.begin(), values.end(), [&](const Expr& value) {
      return is(type_of(value), TypeKind::Void) || converts(value, wanted);
    });
  };
  if (!type || all_are(type)) return type;
  return all_are(t.floating(64)) ? t.floating(64) : nullptr;
}

Expr Inference::float_operation(Operator op, const Expr& left, const Expr& right, Loc loc) {
  Type known = is_float(type_of(left)) ? type_of(left) : type_of(right);
  static constexpr std::pair<Operator, FloatOp> operations[] = {{Operator::Add, FloatOp::Add},
                                                                {Operator::Subtract, FloatOp::Subtract},
                                                                {Operator::Multiply, FloatOp::Multiply},
                                                                {Operator::Divide, FloatOp::Divide}};
  const auto* found = std::find_if(std::begin(operations), std::end(operations),
                                   [&](const auto& operation) { return operation.first == op; });
  if (found == std::end(operations)) {
    c.diagnostics.report(loc, diag::operand_type, std::string(operator_text(op)), spell(known));
    return invalid(loc);
  }
  const auto sides = meet_as_floats(left, right, op, loc);
  if (!sides) return invalid(loc);
  return c.make(FloatOperation{found->second, sides->first, sides->second}, loc, type_of(sides->first));
}

Expr Inference::float_comparison(CompareOp op, const Expr& left, const Expr& right, Operator spelled, Loc loc) {
  const auto sides = meet_as_floats(left, right, spelled, loc);
  if (!sides) return invalid(loc);
  return c.make(FloatComparison{op, sides->first, sides->second}, loc, t.boolean());
}

Expr Inference::cast_of_float(const Expr& value, Type target, Loc loc) {
  Type from = type_of(value);
  // A literal has a type from here on: what it is rounded to stays so.
  if (is_float(target) && (is_float(from) || is(from, TypeKind::Int) || is(from, TypeKind::Constant)))
    return c.make(FloatConversion{settle(value)}, loc, target);
  if (is_float(from) && is(target, TypeKind::Int)) return c.make(FloatTruncation{value}, loc, target);
  return refuse_conversion(value, target);
}

Expr Inference::computed_float(const Expr& e) {
  const auto value = float_literal(e) ? std::nullopt : known_float(e);
  if (!value) return e;
  if (!std::isfinite(*value)) {
    c.diagnostics.report(loc_of(e), diag::constant_overflow);
    return invalid(loc_of(e));
  }
  Type type = type_of(e);
  // As many digits as tell it from its neighbours.
  std::string digits =
      type->bits == 64 ? fmt::format("{}", std::abs(*value)) : fmt::format("{}", std::abs(static_cast<float>(*value)));
  if (digits.find_first_of(".e") == std::string::npos) digits += ".0";
  const Expr number = c.make(FloatValue{c.name(digits)}, loc_of(e), type);
  return std::signbit(*value) ? Expr(c.make(FloatNegation{number}, loc_of(e), type)) : number;
}

bool Inference::refuse_floats(Type type, Loc loc) {
  if (!holds_float(type)) return false;
  c.diagnostics.report(loc, diag::only_in_userspace, spell(type)).note("eBPF has no floating point");
  return true;
}

}  // namespace ksc

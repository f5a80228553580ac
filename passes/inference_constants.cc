// SPDX-License-Identifier: Apache-2.0
// What constant expressions come to where a constant is asked for [L23]: operators on typed constants wrap at their
// type.
#include "ir/value.h"
#include "passes/inference.h"

namespace ksc {
namespace {

std::optional<__int128> known_value(const Expr& e);

__int128 value_in(__int128 value, Type type) {
  return is(type, TypeKind::Constant) ? value : to_number(from_number(type, value));
}

std::optional<__int128> binary_value(const Binary& n) {
  const auto left = known_value(n.left), right = left ? known_value(n.right) : std::nullopt;
  if (!right) return std::nullopt;
  // Only the lowest 64 bits count, and those of unsigned numbers are defined however many there are.
  const auto a = static_cast<unsigned __int128>(*left), b = static_cast<unsigned __int128>(*right);
  switch (n.op) {
    case BinaryOp::Add: return static_cast<__int128>(a + b);
    case BinaryOp::Subtract: return static_cast<__int128>(a - b);
    case BinaryOp::Multiply: return static_cast<__int128>(a * b);
    case BinaryOp::BitAnd: return static_cast<__int128>(a & b);
    case BinaryOp::BitOr: return static_cast<__int128>(a | b);
    case BinaryOp::BitXor: return static_cast<__int128>(a ^ b);
  }
  return std::nullopt;
}

std::optional<__int128> quotient(const Divide& n) {
  const auto left = known_value(n.left), right = left ? known_value(n.right) : std::nullopt;
  if (!right) return std::nullopt;
  const bool whole = n.op == DivideOp::Quotient;
  if (*right == 0) return whole ? 0 : *left;  // [L22]
  return whole ? *left / *right : *left % *right;
}

std::optional<__int128> shifted(const Shift& n, Type type) {
  const auto left = known_value(n.left), count = left ? known_value(n.count) : std::nullopt;
  if (!count) return std::nullopt;
  const int places = static_cast<int>(static_cast<unsigned __int128>(*count) % width_of(type));
  return n.op == ShiftOp::Right ? *left >> places
                                : static_cast<__int128>(static_cast<unsigned __int128>(*left) << places);
}

std::optional<__int128> compared(const Compare& n) {
  const auto left = known_value(n.left), right = left ? known_value(n.right) : std::nullopt;
  if (!right) return std::nullopt;
  switch (n.op) {
    case CompareOp::Equal: return *left == *right;
    case CompareOp::NotEqual: return *left != *right;
    case CompareOp::Less: return *left < *right;
    case CompareOp::LessEqual: return *left <= *right;
    case CompareOp::Greater: return *left > *right;
    case CompareOp::GreaterEqual: return *left >= *right;
  }
  return std::nullopt;
}

/// The value of an expression of constants before it is wrapped to its type.
std::optional<__int128> operator_value(const Expr& e) {
  if (const auto* number = as<Int>(e)) return number->form.value.value;
  if (const auto* n = as<Convert>(e)) return known_value(n->form.value);
  if (const auto* n = as<Binary>(e)) return binary_value(n->form);
  if (const auto* n = as<Divide>(e)) return quotient(n->form);
  if (const auto* n = as<Shift>(e)) return shifted(n->form, n->type);
  if (const auto* n = as<Compare>(e)) return compared(n->form);
  if (const auto* n = as<Unary>(e)) {
    const auto value = known_value(n->form.value);
    if (!value) return std::nullopt;
    return n->form.op == UnaryOp::Negate ? -*value : ~*value;
  }
  if (const auto* n = as<Not>(e)) {
    const auto value = known_value(n->form.value);
    return value ? std::optional<__int128>(*value == 0) : std::nullopt;
  }
  // Of two sides and two choices both are constants, though one is enough.
  const auto both = [](const Expr& left, const Expr& right, auto choose) -> std::optional<__int128> {
    const auto a = known_value(left), b = a ? known_value(right) : std::nullopt;
    return b ? std::optional<__int128>(choose(*a, *b)) : std::nullopt;
  };
  if (const auto* n = as<And>(e))
    return both(n->form.left, n->form.right, [](__int128 a, __int128 b) { return a != 0 && b != 0; });
  if (const auto* n = as<Or>(e))
    return both(n->form.left, n->form.right, [](__int128 a, __int128 b) { return a != 0 || b != 0; });
  if (const auto* n = as<Conditional>(e)) {
    const auto condition = known_value(n->form.condition);
    if (!condition) return std::nullopt;
    return both(n->form.then, n->form.otherwise, [&](__int128 a, __int128 b) { return *condition != 0 ? a : b; });
  }
  return std::nullopt;
}

std::optional<__int128> known_value(const Expr& e) {
  if (!is_integral(type_of(e)) && !is(type_of(e), TypeKind::Constant)) return std::nullopt;
  const auto value = operator_value(e);
  return value ? std::optional(value_in(*value, type_of(e))) : std::nullopt;
}

}  // namespace

Expr Inference::computed(const Expr& e) {
  if (as<Int>(e) || is_invalid(e)) return e;
  if (is(type_of(e), TypeKind::Float)) return computed_float(e);
  if (const auto value = known_value(e)) return integer({*value}, type_of(e), loc_of(e));
  if (const auto* array = as<ArrayValue>(e)) {
    std::vector<Expr> values;
    for (const Expr& value : array->form.values) values.push_back(computed(value));
    return c.make(ArrayValue{c.span(values)}, array->loc, array->type);
  }
  if (const auto* structure = as<StructValue>(e)) {
    std::vector<FieldValue> values;
    for (const FieldValue& value : structure->form.values) values.push_back({value.name, computed(value.value)});
    return c.make(StructValue{c.span(values)}, structure->loc, structure->type);
  }
  return e;
}

}  // namespace ksc

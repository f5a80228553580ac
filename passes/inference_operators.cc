// SPDX-License-Identifier: Apache-2.0
// Operators: arithmetic, shifts and comparisons, and what constants come to [L23].
#include <fmt/format.h>

#include "passes/inference.h"

namespace ksc {
namespace {

bool is_comparison(Operator op) { return op >= Operator::Equal && op <= Operator::GreaterEqual; }
CompareOp compare_op(Operator op) { return static_cast<CompareOp>(int(op) - int(Operator::Equal)); }

bool computes_floats(Operator op) {
  return op == Operator::Add || op == Operator::Subtract || op == Operator::Multiply || op == Operator::Divide ||
         op == Operator::Negate;
}

/// How many operands of a chain stand in one expression: no walker may recurse without bound.
constexpr size_t chain_step = 64;

}  // namespace

std::string_view operator_text(Operator op) {
  static constexpr std::string_view texts[] = {"=",  "+", "-",  "*", "/",  "%",  "&",  "|", "^", "<<", ">>", "==",
                                               "!=", "<", "<=", ">", ">=", "&&", "||", "-", "!", "~",  "*",  "&"};
  return texts[int(op)];
}

bool Inference::is_plain_number(const Expr& e) {
  const auto are_plain = [this](const auto& all, auto value) {
    return std::all_of(all.begin(), all.end(), [&](const auto& one) { return is_plain_number(value(one)); });
  };
  const auto itself = [](const Expr& value) { return value; };
  if (const auto* n = as<Operation>(e)) return are_plain(n->form.operands, itself);
  if (const auto* n = as<Chain>(e))
    return is_plain_number(n->form.first) &&
           are_plain(n->form.rest, [](const ChainLink& link) { return link.operand; });
  if (const auto* n = as<Conditional>(e)) return is_plain_number(n->form.then) && is_plain_number(n->form.otherwise);
  if (const auto* n = as<IfValue>(e))
    return is_plain_number(n->form.otherwise) &&
           are_plain(n->form.branches, [](const ValueBranch& branch) { return branch.value; });
  if (const auto* n = as<Match>(e)) return are_plain(n->form.arms, [](const MatchArm& arm) { return arm.value; });
  if (const auto* n = as<BlockValue>(e)) return n->form.value && is_plain_number(*n->form.value);
  if (const auto* n = as<GlobalName>(e)) {
    const KernelConstant* known =
        find_entity(n->form.name) ? nullptr : c.kernel_types->find_constant(n->form.name.text());
    return known && known->enum_name.empty();
  }
  return kind_of(e) == Kind::IntLiteral || kind_of(e) == Kind::SizeOf || kind_of(e) == Kind::OffsetOf;
}

Expected Inference::operand_type(const Expr& other, Expected whole) {
  Type type = present_type(other);
  const bool has_numbers = (is_integral(type) && !is(type, TypeKind::Bool)) || is(type, TypeKind::Float);
  return (has_numbers ? Expected(type) : whole).for_constants();
}

std::pair<Expr, Expr> Inference::infer_operands(const Expr& left, const Expr& right, Expected whole, bool meet) {
  const auto wanted = [&](const Expr& other, Expected otherwise) -> Expected {
    return is_invalid(other) ? Expected(t.invalid()) : meet ? operand_type(other, otherwise) : Expected(nullptr);
  };
  if (meet && is_choice(left) && (!is_choice(right) || (is_plain_number(left) && !is_plain_number(right)))) {
    const Expr second = infer(right, whole.for_constants());
    return {infer(left, wanted(second, whole)), second};
  }
  const Expr first = infer(left, whole.for_constants());
  return {first, infer(right, wanted(first, whole))};
}

Expr Inference::infer_operation(const Node<Operation>& n, Expected expected) {
  // What comes out becomes a float; what goes in is none.
  if (is(expected, TypeKind::Float) && !computes_floats(n->op)) expected = nullptr;
  if (n->operands.size() == 2) {
    if (is(expected, TypeKind::Str)) expected = nullptr;  // as in a chain
    const bool shifts = n->op == Operator::ShiftLeft || n->op == Operator::ShiftRight;
    if (is_comparison(n->op)) expected = nullptr;
    const auto [left, right] = infer_operands(n->operands[0], n->operands[1], expected, !shifts);
    return binary(n->op, left, right, n.loc);
  }
  const Expr value = value_of_maybe(infer(n->operands[0], expected.for_constants()));
  Type type = type_of(value);
  if (is_invalid(value)) return value;
  if (const auto* number = constant(value)) {
    const __int128 operand = number->form.value.value;
    return integer({n->op == Operator::Negate ? -operand : ~operand}, t.constant(), n.loc);
  }
  if (const auto* number = exact(value))  // a named constant stays a constant expression
    return integer({n->op == Operator::Negate ? -number->form.value.value : ~number->form.value.value}, t.constant(),
                   n.loc);
  if (is_enumeration(type))
    return c.make(Unary{n->op == Operator::Negate ? UnaryOp::Negate : UnaryOp::Complement,
                        convert(value, type->body->underlying)},
                  n.loc, type->body->underlying);
  if (is(type, TypeKind::Float) && n->op == Operator::Negate) return c.make(FloatNegation{value}, n.loc, type);
  if (!is(type, TypeKind::Int)) {
    c.diagnostics.report(n.loc, diag::operand_type, std::string(operator_text(n->op)), spell(type));
    return invalid(n.loc);
  }
  return c.make(Unary{n->op == Operator::Negate ? UnaryOp::Negate : UnaryOp::Complement, value}, n.loc, type);
}

Expr Inference::infer_chain(const Node<Chain>& n, Expected expected) {
  std::vector<Stmt> steps;
  if (is(expected, TypeKind::Str)) expected = nullptr;  // what comes out is cut off there, not what goes in
  const auto computes = [](const ChainLink& link) { return computes_floats(link.op); };
  if (is(expected, TypeKind::Float) && !std::all_of(n->rest.begin(), n->rest.end(), computes)) expected = nullptr;
  const auto [first, second] = infer_operands(n->first, n->rest[0].operand, expected, true);
  Expr result = first;
  size_t depth = 0;
  std::vector<Expr> texts;  // of a sum of strings, which is made once: strings that grow with it would take all memory
  const auto end_sum = [&] {
    if (!texts.empty()) result = concatenate(texts, c.locations.join(n.loc, loc_of(texts.back())));
    texts.clear();
  };
  for (const ChainLink& link : n->rest) {
    const Expr operand = &link == &n->rest[0] ? second
                         : is_invalid(result) ? infer(link.operand, t.invalid())
                                              : infer(link.operand, operand_type(result, expected));
    if (link.op == Operator::Add && is(type_of(result), TypeKind::Str) && is(type_of(operand), TypeKind::Str)) {
      if (texts.empty()) texts.push_back(result);
      texts.push_back(operand);
      continue;
    }
    end_sum();
    result = binary(link.op, result, operand, c.locations.join(n.loc, loc_of(link.operand)));
    if (is_invalid(result)) return result;
    if (++depth % chain_step != 0 || constant(result) || as<Concatenate>(result)) continue;
    const Name partial = c.names.fresh("sum");
    steps.push_back(c.make(Let{partial, type_of(result), result}, n.loc));
    result = c.make(Local{partial}, n.loc, type_of(result));
  }
  end_sum();
  if (is_invalid(result)) return result;
  if (steps.empty()) return result;
  return c.make(BlockValue{{c.span(steps)}, result}, n.loc, type_of(result));
}

const Node<Int>* Inference::exact(const Expr& e) {
  const auto* number = as<Int>(e);
  if (!number) return nullptr;
  const bool is_named = number->form.constant && !is_hexadecimal(number->form.constant);
  return is(number->type, TypeKind::Constant) ||
                 (is_named && (is_enumeration(number->type) || is(number->type, TypeKind::Int)))
             ? number
             : nullptr;
}

Expr Inference::fold(Operator op, const Integer& left, const Integer& right, Loc loc) {
  const __int128 a = left.value, b = right.value;
  __int128 result = 0;
  bool overflows = false;
  const auto truth_value = [&](bool value) { return integer({value}, t.boolean(), loc); };
  switch (op) {
    case Operator::Add: overflows = __builtin_add_overflow(a, b, &result); break;
    case Operator::Subtract: overflows = __builtin_sub_overflow(a, b, &result); break;
    case Operator::Multiply: overflows = __builtin_mul_overflow(a, b, &result); break;
    case Operator::Divide: result = a / b; break;
    case Operator::Remainder: result = a % b; break;
    case Operator::BitAnd: result = a & b; break;
    case Operator::BitOr: result = a | b; break;
    case Operator::BitXor: result = a ^ b; break;
    case Operator::ShiftLeft:
    case Operator::ShiftRight:
      if (b < 0 || b >= 64) {
        c.diagnostics.report(loc, diag::shift_too_far, integer_text(right), "integer constant");
        return invalid(loc);
      }
      if (op == Operator::ShiftRight)
        result = a >> static_cast<int>(b);
      else
        overflows = __builtin_mul_overflow(a, static_cast<__int128>(1) << static_cast<int>(b), &result);
      break;
    case Operator::Equal: return truth_value(a == b);
    case Operator::NotEqual: return truth_value(a != b);
    case Operator::Less: return truth_value(a < b);
    case Operator::LessEqual: return truth_value(a <= b);
    case Operator::Greater: return truth_value(a > b);
    case Operator::GreaterEqual: return truth_value(a >= b);
    default: return invalid(loc);
  }
  // Far more than any type holds: what grows on from here would not be computed exactly.
  const __int128 limit = static_cast<__int128>(1) << 120;
  if (overflows || result > limit || result < -limit) {
    c.diagnostics.report(loc, diag::constant_overflow);
    return invalid(loc);
  }
  return integer({result}, t.constant(), loc);
}

Expr Inference::binary(Operator op, Expr left, Expr right, Loc loc) {
  if (is_invalid(left) || is_invalid(right)) return invalid(loc);
  const bool divides = op == Operator::Divide || op == Operator::Remainder;
  if (divides)
    if (const auto* divisor = as<Int>(right); divisor && divisor->form.value.value == 0) {
      c.diagnostics.report(loc_of(right), diag::division_by_zero);
      return invalid(loc);
    }
  if (exact(left) && exact(right)) return fold(op, exact(left)->form.value, exact(right)->form.value, loc);
  const auto* left_number = constant(left);
  const auto* right_number = constant(right);
  if (is_comparison(op)) return compare(compare_op(op), left, right, op, loc);
  left = entry_value(value_of_maybe(left));
  right = entry_value(value_of_maybe(right));
  Type a = type_of(left), b = type_of(right);
  if (is(a, TypeKind::Float) || is(b, TypeKind::Float)) return float_operation(op, left, right, loc);

  // pointers [L24]
  const auto is_pointer = [](Type type) { return is(type, TypeKind::Pointer); };
  if (is_pointer(a) && is_pointer(b) && op == Operator::Subtract && must_be_released(a))
    return unsupported(loc, is_object(a) ? "the distance of pointers into what `new` has given"
                                         : "the distance of pointers into a reservation");
  if (is_pointer(a) && is_pointer(b) && op == Operator::Subtract && a->element == b->element &&
      (is_element_pointer(a) || is_element_pointer(b))) {
    const auto both = both_moving(left, right);
    return both ? Expr(c.make(PointerDifference{both->first, both->second}, loc, t.u64())) : invalid(loc);
  }
  if (is_pointer(a) && is_pointer(b) && op == Operator::Subtract && a->element == b->element)
    return c.make(PointerDifference{left, right}, loc, t.u64());
  if (is_pointer(b) && op == Operator::Add) std::swap(left, right), std::swap(a, b);
  if (is_pointer(a) && (op == Operator::Add || op == Operator::Subtract) &&
      (is(b, TypeKind::Int) || is(b, TypeKind::Constant) || is_enumeration(b))) {
    Expr count = is(b, TypeKind::Constant) ? coerce(right, t.i64()) : convert(right, t.i64());
    if (op == Operator::Subtract) {
      const auto* number = as<Int>(count);
      count = number ? integer({-number->form.value.value}, t.i64(), loc_of(right))
                     : Expr(c.make(Unary{UnaryOp::Negate, count}, loc_of(right), t.i64()));
    }
    if (a->space == Space::Context) {
      c.diagnostics.report(loc, diag::operand_type, std::string(operator_text(op)), "the context");
      return invalid(loc);
    }
    if (a->space != Space::Packet && a->space != Space::Dynptr) {
      left = moving(left);
      return is_invalid(left) ? left : Expr(c.make(PointerAdd{left, count}, loc, type_of(left)));
    }
    if (is_packet_end(left)) return c.diagnostics.report(loc, diag::packet_end, "does not move"), invalid(loc);
    return c.make(PointerAdd{left, count}, loc, t.pointer(a->element, a->space, a->nullable));
  }

  if (op == Operator::ShiftLeft || op == Operator::ShiftRight)
    return shift(op == Operator::ShiftLeft ? ShiftOp::Left : ShiftOp::Right, left, right, op, loc);

  if (op == Operator::Add && is(a, TypeKind::Str) && is(b, TypeKind::Str)) return concatenate({left, right}, loc);

  // bool & bool, | and ^ work on the values; there is no arithmetic of bools
  Type type = nullptr;
  const bool bitwise = op == Operator::BitAnd || op == Operator::BitOr || op == Operator::BitXor;
  if (is(a, TypeKind::Bool) && is(b, TypeKind::Bool))
    type = bitwise ? a : nullptr;
  else if (left_number && is_integral(b) && !is(b, TypeKind::Bool))
    type = meet(fits(left_number->form.value, b) ? b : smallest_integer(left_number->form.value), b);
  else if (right_number && is_integral(a) && !is(a, TypeKind::Bool))
    type = meet(a, fits(right_number->form.value, a) ? a : smallest_integer(right_number->form.value));
  else
    type = meet(a, b);
  if (is_enumeration(type)) type = type->body->underlying;
  if (is(type, TypeKind::Char)) type = t.u8();
  if (!type || !is_integral(type)) {
    Diagnostic& message = report_no_meeting(op, left, right, loc);
    for (const Expr* side : {&left, &right})
      if (negates_integer(*side)) report_logical_not(*as<Not>(*side), message);
    return invalid(loc);
  }
  left = coerce(left, type);
  right = coerce(right, type);
  if (is_invalid(left) || is_invalid(right)) return invalid(loc);
  switch (op) {
    case Operator::Divide: return c.make(Divide{DivideOp::Quotient, left, right}, loc, type);
    case Operator::Remainder: return c.make(Divide{DivideOp::Remainder, left, right}, loc, type);
    case Operator::Add: return c.make(Binary{BinaryOp::Add, left, right}, loc, type);
    case Operator::Subtract: return c.make(Binary{BinaryOp::Subtract, left, right}, loc, type);
    case Operator::Multiply: return c.make(Binary{BinaryOp::Multiply, left, right}, loc, type);
    case Operator::BitAnd: return c.make(Binary{BinaryOp::BitAnd, left, right}, loc, type);
    case Operator::BitOr: return c.make(Binary{BinaryOp::BitOr, left, right}, loc, type);
    case Operator::BitXor: return c.make(Binary{BinaryOp::BitXor, left, right}, loc, type);
    default: return invalid(loc);
  }
}

namespace {

/// The size of the whole that strings make, or the characters of an array.
template <class Parts>
uint64_t size_of_parts(const Parts& parts) {
  uint64_t size = 0;
  for (const Expr& part : parts) size += type_of(part)->count + (is(type_of(part), TypeKind::Array) ? 1 : 0);
  return size;
}

}  // namespace

bool Inference::is_cut_off(const Node<Concatenate>& texts) { return texts.type->count < size_of_parts(texts->parts); }

/// [L21] Without a destination it has the sum of the sizes. What follows one another in a chain is one.
Expr Inference::concatenate(const std::vector<Expr>& sides, Loc loc) {
  std::vector<Expr> parts;
  std::string literal;
  bool in_literal = false;
  const auto end_literal = [&] {
    if (in_literal) parts.push_back(c.make(StringValue{c.name(literal)}, loc, t.str(literal.size() + 1)));
    literal.clear();
    in_literal = false;
  };
  for (const Expr& side : sides) {
    // One that was cut off is a string of its own.
    const auto* texts = as<Concatenate>(side);
    const bool is_sum = texts && is(type_of(texts->form.parts[0]), TypeKind::Str) && !is_cut_off(*texts);
    for (const Expr& part : is_sum ? texts->form.parts : Span<Expr>(&side, 1)) {
      if (const auto* text = as<StringValue>(part)) {
        literal += text->form.text.text();
        in_literal = true;
      } else {
        end_literal();
        parts.push_back(part);
      }
      if (literal.size() < largest_string) continue;
      c.diagnostics.report(loc, diag::too_large, "a string", literal.size() + 1, largest_string);
      return invalid(loc);
    }
  }
  end_literal();
  return parts.size() == 1 ? parts[0] : Expr(c.make(Concatenate{c.span(parts)}, loc, t.str(size_of_parts(parts))));
}

Expr Inference::shift(ShiftOp op, Expr left, Expr right, Operator spelled, Loc loc, bool assigns) {
  left = settle(left);
  Type type = type_of(left);
  if (is_enumeration(type)) left = convert(left, type = type->body->underlying);
  if (!is(type, TypeKind::Int)) {
    c.diagnostics.report(loc, diag::operand_type, std::string(operator_text(spelled)), spell(type));
    return invalid(loc);
  }
  if (const auto* count = as<Int>(right)) {
    if (count->form.value.value < 0 || count->form.value.value >= type->bits) {
      Diagnostic& message =
          c.diagnostics.report(loc_of(right), diag::shift_too_far, integer_text(count->form.value), spell(type));
      // `x <<= n` has no operand that could be widened: the result goes where it came from.
      for (int bits : {32, 64})
        if (!assigns && count->form.value.value > 0 && count->form.value.value < bits && type->bits < bits) {
          fix_with_wider_operand(message, left, t.integer(bits, type->is_signed));
          break;
        }
      return invalid(loc);
    }
    right = integer(count->form.value, t.u32(), loc_of(right), count->form.constant);
  } else if (!is_integral(type_of(right)) || is(type_of(right), TypeKind::Bool) || is_function_value(type_of(right))) {
    c.diagnostics.report(loc_of(right), diag::operand_type, std::string(operator_text(spelled)), spell(type_of(right)));
    return invalid(loc);
  }
  return c.make(Shift{op, left, right}, loc, type);
}

namespace {

/// The comparison that says the same with its sides changed.
CompareOp swapped(CompareOp op) {
  switch (op) {
    case CompareOp::Less: return CompareOp::Greater;
    case CompareOp::LessEqual: return CompareOp::GreaterEqual;
    case CompareOp::Greater: return CompareOp::Less;
    case CompareOp::GreaterEqual: return CompareOp::LessEqual;
    default: return op;
  }
}

}  // namespace

void Inference::warn_of_known_answer(CompareOp op, const Expr& value, const Integer& number, Loc loc) {
  Type type = type_of(value);
  if (!is(type, TypeKind::Int) && !is(type, TypeKind::Char)) return;
  const int bits = width_of(type);
  const __int128 low = is_signed(type) ? -(static_cast<__int128>(1) << (bits - 1)) : 0;
  const __int128 high = (static_cast<__int128>(1) << (is_signed(type) ? bits - 1 : bits)) - 1;
  const __int128 n = number.value;
  std::optional<bool> answer;
  switch (op) {
    case CompareOp::Equal:
      if (n < low || n > high) answer = false;
      break;
    case CompareOp::NotEqual:
      if (n < low || n > high) answer = true;
      break;
    case CompareOp::Less:
      if (n > high)
        answer = true;
      else if (n <= low)
        answer = false;
      break;
    case CompareOp::LessEqual:
      if (n >= high)
        answer = true;
      else if (n < low)
        answer = false;
      break;
    case CompareOp::Greater:
      if (n >= high)
        answer = false;
      else if (n < low)
        answer = true;
      break;
    case CompareOp::GreaterEqual:
      if (n > high)
        answer = false;
      else if (n <= low)
        answer = true;
      break;
  }
  if (answer)
    c.diagnostics.report(loc, diag::known_answer, *answer ? "true" : "false", spell(type), integer_text({low}),
                         integer_text({high}));
}

Expr Inference::fit_text(const Expr& e, Type target) {
  const auto* literal = as<StringValue>(e);
  if (!literal || literal->type == target) return e;
  const size_t size = literal->form.text.text().size();
  if (size < target->count) return c.make(StringValue{literal->form.text}, literal->loc, target);
  c.diagnostics.report(literal->loc, diag::string_too_long, size, target->count, target->count - 1);
  return invalid(literal->loc);
}

Expr Inference::compare(CompareOp op, Expr left, Expr right, Operator spelled, Loc loc) {
  Type a = type_of(left), b = type_of(right);
  // x == null asks for presence [L50]
  const bool equality = op == CompareOp::Equal || op == CompareOp::NotEqual;
  for (int side = 0; side < 2; ++side, std::swap(left, right), std::swap(a, b)) {
    if (!is(b, TypeKind::Null) || !equality) continue;
    if (is(a, TypeKind::Maybe) || is(a, TypeKind::Pointer) || is(a, TypeKind::EntryRef)) {
      const Expr present = c.make(Present{left}, loc, t.boolean());
      return op == CompareOp::NotEqual ? present : Expr(c.make(Not{present}, loc, t.boolean()));
    }
    if (is_function_value(a)) return c.make(Compare{op, left, integer({0}, a, loc)}, loc, t.boolean());
    if (is(a, TypeKind::Null)) return integer({op == CompareOp::Equal}, t.boolean(), loc);
    c.diagnostics.report(loc, diag::operands_do_not_meet, std::string(operator_text(spelled)), spell(a), "null");
    return invalid(loc);
  }
  left = entry_value(value_of_maybe(left));
  right = entry_value(value_of_maybe(right));
  a = type_of(left), b = type_of(right);
  if (is(a, TypeKind::Float) || is(b, TypeKind::Float)) return float_comparison(op, left, right, spelled, loc);
  if (is(a, TypeKind::Pointer) && is(b, TypeKind::Pointer)) {
    // A pointer to bytes compares with every other, as `eth + 1 > ctx->data_end`: of two types, both become bytes.
    const auto as_bytes = [&](const Expr& pointer) {
      Type type = type_of(pointer);
      return convert(pointer, t.pointer(t.u8(), type->space, type->nullable));
    };
    if (points_into(a, Space::Dynptr) || points_into(b, Space::Dynptr))
      return unsupported(loc, "comparing pointers into a reservation with anything but null");
    if (a->element == b->element && (is_element_pointer(a) || is_element_pointer(b))) {
      const auto both = both_moving(left, right);
      return both ? Expr(c.make(Compare{op, both->first, both->second}, loc, t.boolean())) : invalid(loc);
    }
    if (a->element == b->element) return c.make(Compare{op, left, right}, loc, t.boolean());
    if ((a->element == t.u8() || b->element == t.u8()) && a->space != Space::Context && b->space != Space::Context)
      return c.make(Compare{op, as_bytes(left), as_bytes(right)}, loc, t.boolean());
  } else if (is(a, TypeKind::Str) && is(b, TypeKind::Str)) {
    // Strings of any two sizes compare [L21]; a literal must be one that the other side can hold.
    if (equality) {
      if (!as<StringValue>(right)) left = fit_text(left, b);
      if (!as<StringValue>(left)) right = fit_text(right, a);
      return is_invalid(left) || is_invalid(right) ? invalid(loc)
                                                   : Expr(c.make(Compare{op, left, right}, loc, t.boolean()));
    }
    c.diagnostics.report(loc, diag::operand_type, std::string(operator_text(spelled)), spell(a));
    return invalid(loc);
  } else {
    const auto* left_number = constant(left);
    const auto* right_number = constant(right);
    if (left_number) warn_of_known_answer(swapped(op), right, left_number->form.value, loc);
    if (right_number) warn_of_known_answer(op, left, right_number->form.value, loc);
    Type type = nullptr;
    if (a == b && is_integral(a))
      type = a;
    else if (left_number && is_integral(b))
      type = converts(left, b) ? b : meet(smallest_integer(left_number->form.value), b);
    else if (right_number && is_integral(a))
      type = converts(right, a) ? a : meet(a, smallest_integer(right_number->form.value));
    else if (converts(left, b) && is_integral(a) && is_integral(b))
      type = b;
    else if (converts(right, a) && is_integral(a) && is_integral(b))
      type = a;
    else
      type = meet(a, b);
    const bool has_order = !is(type, TypeKind::Bool) && !is_function_value(type);
    if (type && is_integral(type) && (equality || has_order)) {
      left = coerce(left, type);
      right = coerce(right, type);
      if (is_invalid(left) || is_invalid(right)) return invalid(loc);
      return c.make(Compare{op, left, right}, loc, t.boolean());
    }
  }
  report_no_meeting(spelled, left, right, loc);
  return invalid(loc);
}

Diagnostic& Inference::report_no_meeting(Operator op, const Expr& left, const Expr& right, Loc loc) {
  Type a = type_of(left), b = type_of(right);
  Diagnostic& message =
      c.diagnostics.report(loc, diag::operands_do_not_meet, std::string(operator_text(op)), spell(a), spell(b));
  if (is(a, TypeKind::Int) && is(b, TypeKind::Int))
    fix_with_cast(message, a->is_signed ? left : right, a->is_signed ? b : a);
  for (const auto& [side, other] : {std::pair(&left, b), std::pair(&right, a)})
    if (const auto* text = as<StringValue>(*side);
        text && is(other, TypeKind::Char) && text->form.text.text().size() == 1)
      if (const char letter = text->form.text.text()[0]; letter > ' ' && letter != '\'' && letter != '\\')
        message.fix(loc_of(*side), fmt::format("'{}'", letter), "say so with a character");
  return message;
}

}  // namespace ksc

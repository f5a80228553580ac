// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ir/places.h"
#include "passes/inference.h"

namespace ksc {
namespace {

bool is_comparison(Operator op) { return op >= Operator::Equal && op <= Operator::GreaterEqual; }
CompareOp compare_op(Operator op) { return static_cast<CompareOp>(int(op) - int(Operator::Equal)); }

/// How many operands of a chain stand in one expression: no walker may recurse without bound.
constexpr size_t chain_step = 64;

}  // namespace

std::string_view operator_text(Operator op) {
  static constexpr std::string_view texts[] = {"=",  "+",  "-", "*",  "/", "%",  "&",  "|",  "^", "<<", ">>", "==",
                                               "!=", "<",  "<=", ">", ">=", "&&", "||", "-",  "!", "~",  "*",  "&"};
  return texts[int(op)];
}

Expr Inference::infer(const Expr& e, Type expected) {
  const Loc loc = loc_of(e);
  return visit<lang::Resolved>(
      e, on<InvalidExpr>([&](const auto&) { return invalid(loc); }),
      on<GlobalName>([&](const auto& n) { return infer_global(n); }),
      on<Local>([&](const Node<Local>& n) -> Expr {
        Type type = locals_[n->name];
        return type ? Expr(c.make(n.form, loc, type)) : invalid(loc);
      }),
      on<IntLiteral>([&](const Node<IntLiteral>& n) -> Expr { return integer(n->value, t.constant(), loc); }),
      on<FloatLiteral>([&](const auto&) { return unsupported(loc, "floating point"); }),
      on<CharLiteral>([&](const Node<CharLiteral>& n) -> Expr { return integer({n->value}, t.character(), loc); }),
      on<BoolLiteral>([&](const Node<BoolLiteral>& n) -> Expr { return integer({n->value}, t.boolean(), loc); }),
      on<NullLiteral>([&](const auto&) -> Expr { return c.make(Null{}, loc, t.null()); }),
      on<StringValue>([&](const Node<StringValue>& n) -> Expr {
        uint64_t size = n->text.text().size() + 1;
        if (is(expected, TypeKind::Str)) {
          if (size > expected->count)
            c.diagnostics.report(loc, diag::string_too_long, size - 1, expected->count, expected->count - 1);
          size = expected->count;
        }
        return c.make(n.form, loc, t.str(size));
      }),
      on<Chain>([&](const auto& n) { return infer_chain(n, expected); }),
      on<Member>([&](const auto& n) { return infer_member(n); }),
      on<Apply>([&](const auto& n) { return infer_apply(n, expected); }),
      on<Subscript>([&](const auto& n) { return infer_subscript(n); }),
      on<Cast>([&](const auto& n) { return infer_cast(n); }),
      on<StructLiteral>([&](const auto& n) { return infer_struct_literal(n); }),
      on<ArrayLiteral>([&](const Node<ArrayLiteral>& n) { return infer_array_literal(n->values, expected, loc); }),
      on<ArrayRepeat>([&](const Node<ArrayRepeat>& n) -> Expr {
        const uint64_t count = size_constant(n->count, 4096);
        if (count == 0) return invalid(loc);
        Type element = is(expected, TypeKind::Array) ? expected->element : nullptr;
        const Expr value = settle(infer(n->value, element));
        if (is_invalid(value)) return value;
        if (const auto* number = as<Int>(value); number && number->form.value.value == 0)
          return c.make(Zero{}, loc, t.array(element ? element : type_of(settle(value)), is(expected, TypeKind::Array) ? expected->count : count));
        return infer_array_literal(c.span(std::vector<Expr>(count, n->value)), expected, loc);
      }),
      on<New>([&](const auto&) { return unsupported(loc, "`new`"); }),
      on<NewValue>([&](const Node<NewValue>& n) -> Expr {
        Type type = resolve(n->target);
        if (is(type, TypeKind::Invalid)) return invalid(loc);
        if (is_aggregate(type) || is_integral(type) || is(type, TypeKind::Str)) return c.make(Zero{}, loc, type);
        c.diagnostics.report(loc, diag::operand_type, "::new()", spell(type));
        return invalid(loc);
      }),
      on<SizeOf>([&](const Node<SizeOf>& n) -> Expr {
        Type type = resolve(n->target);
        if (is(type, TypeKind::Invalid)) return invalid(loc);
        if (is(type, TypeKind::Void)) return c.diagnostics.report(loc, diag::void_value), invalid(loc);
        if (is(type, TypeKind::Struct) && !type->body->complete) return c.diagnostics.report(loc, diag::type_cycle, spell(type)), invalid(loc);
        return integer({static_cast<__int128>(size_of(type))}, t.constant(), loc);
      }),
      on<OffsetOf>([&](const Node<OffsetOf>& n) -> Expr {
        Type type = resolve(n->target);
        if (is(type, TypeKind::Invalid)) return invalid(loc);
        const StructField* field = is(type, TypeKind::Struct) ? find_field(type, n->field.name) : nullptr;
        if (field) return integer({field->offset}, t.constant(), loc);
        c.diagnostics.report(n->field.loc, diag::no_member, spell(type), std::string(n->field.name.text()));
        return invalid(loc);
      }),
      on<Propagate>([&](const auto&) { return unsupported(loc, "`?`"); }),
      on<Operation>([&](const auto& n) { return infer_operation(n, expected); }),
      on<And>([&](const Node<And>& n) -> Expr {
        const Expr left = condition(n->left), right = condition(n->right);
        if (is_invalid(left) || is_invalid(right)) return invalid(loc);
        return c.make(And{left, right}, loc, t.boolean());
      }),
      on<Or>([&](const Node<Or>& n) -> Expr {
        const Expr left = condition(n->left), right = condition(n->right);
        if (is_invalid(left) || is_invalid(right)) return invalid(loc);
        return c.make(Or{left, right}, loc, t.boolean());
      }),
      on<Not>([&](const Node<Not>& n) -> Expr {
        const Expr value = condition(n->value);
        return is_invalid(value) ? value : Expr(c.make(Not{value}, loc, t.boolean()));
      }),
      on<Conditional>([&](const Node<Conditional>& n) -> Expr {
        const Expr test = condition(n->condition), then = infer(n->then, expected), otherwise = infer(n->otherwise, expected);
        Type type = join({then, otherwise}, expected);
        if (is_invalid(test) || !type) return invalid(loc);
        return c.make(Conditional{test, coerce(then, type), coerce(otherwise, type)}, loc, type);
      }),
      on<Match>([&](const auto& n) { return infer_match(n, expected, true); }),
      on<IfValue>([&](const auto& n) { return infer_if_value(n, expected); }),
      on<BlockValue>([&](const auto& n) { return infer_block_value(n, expected); }),
      on<AddressOf>([&](const auto& n) { return infer_address_of(n); }),
      on<Deref>([&](const Node<Deref>& n) -> Expr {
        const Expr pointer = infer(n->pointer);
        Type type = type_of(pointer);
        if (is(type, TypeKind::Invalid)) return pointer;
        if (!can_follow(pointer, loc)) return invalid(loc);
        if (is(type, TypeKind::Pointer) && type->space == Space::Context) return unsupported(loc, "the context as a value");
        if (is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef)) return c.make(Deref{pointer}, loc, type->element);
        c.diagnostics.report(loc, diag::not_a_pointer, spell(type));
        return invalid(loc);
      }));
}

Expr Inference::infer_global(const Node<GlobalName>& n) {
  const std::string_view text = n->name.text();
  if (Entity* entity = find_entity(n->name)) {
    complete(*entity);
    switch (entity->kind) {
      case Entity::Kind::Constant:
        if (!entity->type || is(entity->type, TypeKind::Invalid)) return invalid(n.loc);
        return integer(entity->value, entity->type, n.loc, n->name);
      case Entity::Kind::Variable:
      case Entity::Kind::Config:
        if (entity->storage == Storage::EbpfOnly && !in_ebpf()) {
          c.diagnostics.report(n.loc, diag::local_in_userspace, std::string(text));
          return invalid(n.loc);
        }
        return is(entity->type, TypeKind::Invalid) ? invalid(n.loc) : Expr(c.make(Global{n->name}, n.loc, entity->type));
      case Entity::Kind::Map:
        return is(entity->type, TypeKind::Invalid) ? invalid(n.loc) : Expr(c.make(MapName{n->name}, n.loc, entity->type));
      case Entity::Kind::Function:
        if (entity->runs_nowhere) return invalid(n.loc);
        if (entity->domain == Domain::Program) return c.make(FunctionName{n->name}, n.loc, t.program(n->name));
        return unsupported(n.loc, "functions as values");
      default: break;
    }
    return invalid(n.loc);
  }
  if (const KernelConstant* known = c.kernel_types->find_constant(text)) {
    if (!known->enum_name.empty())
      if (const KernelEnum* description = c.kernel_types->find_enum(known->enum_name))
        return integer({known->value}, kernel_enum(*description), n.loc, n->name);
    return integer({known->value}, t.constant(), n.loc, n->name);
  }
  return unsupported(n.loc, fmt::format("`{}` as a value", text));
}

// ---- operators ------------------------------------------------------------------------------------------------------------------------

Expr Inference::infer_operation(const Node<Operation>& n, Type expected) {
  if (n->operands.size() == 2) {
    const Expr left = infer(n->operands[0], expected && !is_comparison(n->op) ? expected : nullptr);
    const Expr right = infer(n->operands[1], is_comparison(n->op) || n->op == Operator::ShiftLeft || n->op == Operator::ShiftRight ? nullptr : expected);
    return binary(n->op, left, right, n.loc);
  }
  const Expr value = value_of_maybe(infer(n->operands[0], expected));
  Type type = type_of(value);
  if (is_invalid(value)) return value;
  if (const auto* number = constant(value)) {
    const __int128 operand = number->form.value.value;
    return integer({n->op == Operator::Negate ? -operand : ~operand}, t.constant(), n.loc);
  }
  if (const auto* number = exact(value))  // a named constant stays a constant expression
    return integer({n->op == Operator::Negate ? -number->form.value.value : ~number->form.value.value}, t.constant(), n.loc);
  if (is(type, TypeKind::Enum)) return c.make(Unary{n->op == Operator::Negate ? UnaryOp::Negate : UnaryOp::Complement, convert(value, type->body->underlying)}, n.loc, type->body->underlying);
  if (!is(type, TypeKind::Int)) {
    c.diagnostics.report(n.loc, diag::operand_type, std::string(operator_text(n->op)), spell(type));
    return invalid(n.loc);
  }
  return c.make(Unary{n->op == Operator::Negate ? UnaryOp::Negate : UnaryOp::Complement, value}, n.loc, type);
}

Expr Inference::infer_chain(const Node<Chain>& n, Type expected) {
  std::vector<Stmt> steps;
  Expr result = infer(n->first, expected);
  size_t depth = 0;
  for (const ChainLink& link : n->rest) {
    result = binary(link.op, result, infer(link.operand, expected), c.locations.join(n.loc, loc_of(link.operand)));
    if (is_invalid(result)) return result;
    if (++depth % chain_step != 0 || constant(result)) continue;
    const Name partial = c.names.fresh("sum");
    steps.push_back(c.make(Let{partial, type_of(result), result}, n.loc));
    result = c.make(Local{partial}, n.loc, type_of(result));
  }
  if (steps.empty()) return result;
  return c.make(BlockValue{{c.span(steps)}, result}, n.loc, type_of(result));
}

const Node<Int>* Inference::exact(const Expr& e) {
  const auto* number = as<Int>(e);
  if (!number) return nullptr;
  const bool is_named = static_cast<bool>(number->form.constant);
  return is(number->type, TypeKind::Constant) || (is_named && (is(number->type, TypeKind::Enum) || is(number->type, TypeKind::Int))) ? number : nullptr;
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
      if (op == Operator::ShiftRight) result = a >> static_cast<int>(b);
      else overflows = __builtin_mul_overflow(a, static_cast<__int128>(1) << static_cast<int>(b), &result);
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
  left = value_of_maybe(left);
  right = value_of_maybe(right);
  Type a = type_of(left), b = type_of(right);

  // pointers [L24]
  const auto is_pointer = [](Type type) { return is(type, TypeKind::Pointer); };
  if (is_pointer(a) && is_pointer(b) && op == Operator::Subtract && a->element == b->element)
    return c.make(PointerDifference{left, right}, loc, t.u64());
  if (is_pointer(b) && op == Operator::Add) std::swap(left, right), std::swap(a, b);
  if (is_pointer(a) && (op == Operator::Add || op == Operator::Subtract) && (is(b, TypeKind::Int) || is(b, TypeKind::Constant) || is(b, TypeKind::Enum))) {
    Expr count = is(b, TypeKind::Constant) ? coerce(right, t.i64()) : convert(right, t.i64());
    if (op == Operator::Subtract) {
      const auto* number = as<Int>(count);
      count = number ? integer({-number->form.value.value}, t.i64(), loc_of(right)) : Expr(c.make(Unary{UnaryOp::Negate, count}, loc_of(right), t.i64()));
    }
    if (a->space == Space::Context) {
      c.diagnostics.report(loc, diag::operand_type, std::string(operator_text(op)), "the context");
      return invalid(loc);
    }
    if (is_packet_end(left)) return c.diagnostics.report(loc, diag::packet_end, "does not move"), invalid(loc);
    return c.make(PointerAdd{left, count}, loc, t.pointer(a->element, a->space, a->nullable));
  }

  if (op == Operator::ShiftLeft || op == Operator::ShiftRight)
    return shift(op == Operator::ShiftLeft ? ShiftOp::Left : ShiftOp::Right, left, right, op, loc);

  // bool & bool, | and ^ work on the values
  Type type = nullptr;
  const bool bitwise = op == Operator::BitAnd || op == Operator::BitOr || op == Operator::BitXor;
  if (is(a, TypeKind::Bool) && is(b, TypeKind::Bool) && bitwise) type = a;
  else if (left_number && is_integral(b) && !is(b, TypeKind::Bool)) type = meet(fits(left_number->form.value, b) ? b : smallest_integer(left_number->form.value), b);
  else if (right_number && is_integral(a) && !is(a, TypeKind::Bool)) type = meet(a, fits(right_number->form.value, a) ? a : smallest_integer(right_number->form.value));
  else type = meet(a, b);
  if (is(type, TypeKind::Enum)) type = type->body->underlying;
  if (is(type, TypeKind::Char)) type = t.u8();
  if (!type || !is_integral(type)) {
    if (is(a, TypeKind::Str) || is(b, TypeKind::Str)) return unsupported(loc, "operators on strings");
    Diagnostic& message = c.diagnostics.report(loc, diag::operands_do_not_meet, std::string(operator_text(op)), spell(a), spell(b));
    for (const Expr* side : {&left, &right})
      if (negates_integer(*side)) report_logical_not(*as<Not>(*side), message);
    if (is(a, TypeKind::Int) && is(b, TypeKind::Int)) fix_with_cast(message, a->is_signed ? left : right, a->is_signed ? b : a);
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

Expr Inference::shift(ShiftOp op, Expr left, Expr right, Operator spelled, Loc loc) {
  left = settle(left);
  Type type = type_of(left);
  if (is(type, TypeKind::Enum)) left = convert(left, type = type->body->underlying);
  if (!is(type, TypeKind::Int)) {
    c.diagnostics.report(loc, diag::operand_type, std::string(operator_text(spelled)), spell(type));
    return invalid(loc);
  }
  if (const auto* count = as<Int>(right)) {
    if (count->form.value.value < 0 || count->form.value.value >= type->bits) {
      Diagnostic& message = c.diagnostics.report(loc_of(right), diag::shift_too_far, integer_text(count->form.value), spell(type));
      for (int bits : {32, 64})
        if (count->form.value.value > 0 && count->form.value.value < bits && type->bits < bits) {
          fix_with_wider_operand(message, left, t.integer(bits, type->is_signed));
          break;
        }
      return invalid(loc);
    }
    right = integer(count->form.value, t.u32(), loc_of(right), count->form.constant);
  } else if (!is_integral(type_of(right)) || is(type_of(right), TypeKind::Bool)) {
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
    case CompareOp::Equal: if (n < low || n > high) answer = false; break;
    case CompareOp::NotEqual: if (n < low || n > high) answer = true; break;
    case CompareOp::Less: if (n > high) answer = true; else if (n <= low) answer = false; break;
    case CompareOp::LessEqual: if (n >= high) answer = true; else if (n < low) answer = false; break;
    case CompareOp::Greater: if (n >= high) answer = false; else if (n < low) answer = true; break;
    case CompareOp::GreaterEqual: if (n > high) answer = false; else if (n <= low) answer = true; break;
  }
  if (answer) c.diagnostics.report(loc, diag::known_answer, *answer ? "true" : "false", spell(type), integer_text({low}), integer_text({high}));
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
    if (is(a, TypeKind::Null)) return integer({op == CompareOp::Equal}, t.boolean(), loc);
    c.diagnostics.report(loc, diag::operands_do_not_meet, std::string(operator_text(spelled)), spell(a), "null");
    return invalid(loc);
  }
  left = value_of_maybe(left);
  right = value_of_maybe(right);
  a = type_of(left), b = type_of(right);
  if (is(a, TypeKind::Pointer) && is(b, TypeKind::Pointer)) {
    if (a->element == b->element || a->element == t.u8() || b->element == t.u8()) return c.make(Compare{op, left, right}, loc, t.boolean());
  } else if (is(a, TypeKind::Str) && is(b, TypeKind::Str)) {
    // Strings of any two sizes compare [L21]; a literal must be one that the other side can hold.
    if (equality) {
      if (!as<StringValue>(right)) left = fit_text(left, b);
      if (!as<StringValue>(left)) right = fit_text(right, a);
      return is_invalid(left) || is_invalid(right) ? invalid(loc) : Expr(c.make(Compare{op, left, right}, loc, t.boolean()));
    }
    c.diagnostics.report(loc, diag::operand_type, std::string(operator_text(spelled)), spell(a));
    return invalid(loc);
  } else {
    const auto* left_number = constant(left);
    const auto* right_number = constant(right);
    if (left_number) warn_of_known_answer(swapped(op), right, left_number->form.value, loc);
    if (right_number) warn_of_known_answer(op, left, right_number->form.value, loc);
    Type type = nullptr;
    if (a == b && is_integral(a)) type = a;
    else if (left_number && is_integral(b)) type = converts(left, b) ? b : meet(smallest_integer(left_number->form.value), b);
    else if (right_number && is_integral(a)) type = converts(right, a) ? a : meet(a, smallest_integer(right_number->form.value));
    else if (converts(left, b) && is_integral(a) && is_integral(b)) type = b;
    else if (converts(right, a) && is_integral(a) && is_integral(b)) type = a;
    else type = meet(a, b);
    if (type && is_integral(type) && (equality || !is(type, TypeKind::Bool))) {
      left = coerce(left, type);
      right = coerce(right, type);
      if (is_invalid(left) || is_invalid(right)) return invalid(loc);
      return c.make(Compare{op, left, right}, loc, t.boolean());
    }
  }
  c.diagnostics.report(loc, diag::operands_do_not_meet, std::string(operator_text(spelled)), spell(a), spell(b));
  return invalid(loc);
}

// ---- parts of things ---------------------------------------------------------------------------------------------------------------------

Expr Inference::infer_member(const Node<Member>& n) {
  if (const auto* global = as<GlobalName>(n->object))
    if (Entity* entity = find_entity(global->form.name)) {
      complete(*entity);
      if (entity->kind == Entity::Kind::Enum && is(entity->type, TypeKind::Enum)) {
        for (const EnumItem& item : entity->type->body->items)
          if (item.name == n->name.name) return integer({item.value}, entity->type, n.loc, item.name);
        if (!is(entity->type, TypeKind::Invalid)) report_no_member(entity->type, n->name);
        return invalid(n.loc);
      }
    }
  const Expr object = infer(n->object);
  return is_invalid(object) ? object : field_of(object, n->name, n.loc);
}

bool Inference::is_packet_end(const Expr& e) const {
  if (kind_of(e) == Kind::PacketEnd) return true;
  const auto* local = as<Local>(e);
  return local && packet_ends_.count(local->form.name);
}

bool Inference::can_follow(const Expr& pointer, Loc loc) {
  Type type = type_of(pointer);
  if (!is(type, TypeKind::Pointer)) return true;
  if (is_packet_end(pointer)) return c.diagnostics.report(loc, diag::packet_end, "has nothing behind it"), false;
  if (type->space == Space::Any && in_ebpf()) return unsupported(loc, "following a pointer whose memory is not known"), false;
  return true;
}

void Inference::report_no_member(Type type, const Ident& name) {
  Diagnostic& message = c.diagnostics.report(name.loc, diag::no_member, spell(type), std::string(name.name.text()));
  if (!is(type, TypeKind::Struct) && !is(type, TypeKind::Enum)) return;
  std::vector<std::string_view> known;
  for (const StructField& field : type->body->fields) known.push_back(field.name.text());
  for (const EnumItem& item : type->body->items) known.push_back(item.name.text());
  if (const std::string_view near = closest_word(name.name.text(), known); !near.empty())
    message.fix(name.loc, std::string(near), fmt::format("did you mean `{}`?", near));
}

Expr Inference::field_of(const Expr& object, const Ident& name, Loc loc) {
  Type type = type_of(object);
  if (is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef)) {
    Type element = type->element;
    if (is(type, TypeKind::Pointer) && type->space == Space::Context && (name.name == "data" || name.name == "data_end")) {
      Type pointer = t.pointer(t.u8(), Space::Packet, false);
      return name.name == "data" ? Expr(c.make(PacketStart{object}, loc, pointer)) : Expr(c.make(PacketEnd{object}, loc, pointer));
    }
    const StructField* field = is(element, TypeKind::Struct) ? find_field(element, name.name) : nullptr;
    if (field && !can_follow(object, loc)) return invalid(loc);
    if (field && is(type, TypeKind::Pointer) && type->space == Space::Context && program_type_)
      for (std::string_view hidden : program_type_->unreadable)
        if (hidden == name.name.text()) {
          c.diagnostics.report(loc, diag::unreadable_context, std::string(hidden), spell(element), std::string(program_type_->attribute));
          return invalid(loc);
        }
    if (field && kind_of(object) == Kind::MapLookup) {
      // [L50] read in place: zero when absent
      const Name entry = c.names.fresh("entry");
      const Expr reference = c.make(Local{entry}, loc, type);
      const Expr value = c.make(Field{c.make(Deref{reference}, loc, element), name.name}, loc, field->type);
      const Expr chosen = c.make(Conditional{c.make(Present{reference}, loc, t.boolean()), value, c.make(Zero{}, loc, field->type)}, loc, field->type);
      return c.make(BlockValue{{c.span<Stmt>({c.make(Let{entry, type, object}, loc)})}, chosen}, loc, field->type);
    }
    if (field) return c.make(Field{c.make(Deref{object}, loc, element), name.name}, loc, field->type);
    type = element;
  } else if (const StructField* field = is(type, TypeKind::Struct) ? find_field(type, name.name) : nullptr) {
    return c.make(Field{object, name.name}, loc, field->type);
  }
  report_no_member(type, name);
  return invalid(loc);
}

Expr Inference::map_lookup(const Expr& base, const Node<Subscript>& n) {
  Type type = type_of(base);
  const Expr key = coerce(infer(n->index, type->key), type->key);
  if (is_invalid(key)) return key;
  const MapKind* kind = find_map_kind(type->name.text());
  if (kind->entries_always_exist)
    if (const auto* number = as<Int>(key); number && number->form.value.value >= static_cast<__int128>(type->count)) {
      c.diagnostics.report(loc_of(n->index), diag::index_out_of_range, integer_text(number->form.value), spell(type), type->count);
      return invalid(n.loc);
    }
  if (kind->per_cpu && !in_ebpf() && !is_integral(type->element)) return unsupported(n.loc, "per-CPU values that are not integers in userspace");
  Type value = is_aggregate(type->element) ? t.entry_ref(type->element, as<MapName>(base) ? as<MapName>(base)->form.name : Name{}, true)
                                           : t.maybe(type->element);
  return c.make(MapLookup{base, key}, n.loc, value);
}

bool Inference::may_access(const Expr& map, bool writes, Loc loc) {
  const auto* name = as<MapName>(map);
  const Entity* entity = name ? find_entity(name->form.name) : nullptr;
  if (!entity) return true;
  // The plain flags bind the system-call side, those of programs the other [L16].
  const uint64_t forbidden = in_ebpf() ? (writes ? 128 : 256) : (writes ? 8 : 16);
  if (!(entity->flags & forbidden)) return true;
  c.diagnostics.report(loc, diag::map_not_accessible, std::string(name->form.name.text()), writes ? "written" : "read", in_ebpf() ? "eBPF" : "userspace",
                       std::string(writes ? "BPF_F_RDONLY" : "BPF_F_WRONLY") + (in_ebpf() ? "_PROG" : ""));
  return false;
}

bool Inference::in_context(const Expr& place) {
  const auto* pointed = as<Deref>(root_of(place));
  return pointed && is(type_of(pointed->form.pointer), TypeKind::Pointer) && type_of(pointed->form.pointer)->space == Space::Context;
}

Expr Inference::infer_subscript(const Node<Subscript>& n) {
  const Expr base = infer(n->base);
  Type type = type_of(base);
  if (is(type, TypeKind::Invalid)) return infer(n->index), base;
  if (is(type, TypeKind::Map)) return may_access(base, false, n.loc) ? map_lookup(base, n) : invalid(n.loc);
  Expr index = value_of_maybe(infer(n->index));
  if (is_invalid(index)) return index;
  if (!is_integral(type_of(index)) && !constant(index)) {
    c.diagnostics.report(loc_of(n->index), diag::type_mismatch, spell(type_of(index)), "an integer");
    return invalid(n.loc);
  }
  if (is(type, TypeKind::Pointer)) {
    if (!can_follow(base, n.loc)) return invalid(n.loc);
    if (type->space == Space::Context) return unsupported(n.loc, "the context as a value");
    index = constant(index) ? coerce(index, t.i64()) : convert(index, t.i64());
    const Expr pointer = c.make(PointerAdd{base, index}, n.loc, t.pointer(type->element, type->space, type->nullable));
    return c.make(Deref{pointer}, n.loc, type->element);
  }
  if (is(type, TypeKind::Array) || is(type, TypeKind::Str)) {
    if (const auto* number = as<Int>(index)) {
      if (number->form.value.value < 0 || number->form.value.value >= static_cast<__int128>(type->count)) {
        c.diagnostics.report(loc_of(n->index), diag::index_out_of_range, integer_text(number->form.value), spell(type), type->count);
        return invalid(n.loc);
      }
      index = integer(number->form.value, t.u64(), loc_of(index));
    } else {
      if (in_context(base)) return unsupported(n.loc, "an element of the context whose index is not constant");
      warn_of_lost_bits(index, t.u64());
      index = convert(index, t.u64());  // a negative index becomes one that is far out of range
    }
    return c.make(Index{base, index}, n.loc, is(type, TypeKind::Array) ? type->element : t.character());
  }
  c.diagnostics.report(n.loc, diag::not_indexable, spell(type));
  return invalid(n.loc);
}

Expr Inference::infer_cast(const Node<Cast>& n) {
  Type target = resolve(n->target);
  Expr value = value_of_maybe(infer(n->value, target));
  if (is(target, TypeKind::Void) && !is_invalid(value)) return c.diagnostics.report(n.loc, diag::type_mismatch, "void", "a type with values"), invalid(n.loc);
  Type from = type_of(value);
  if (is(target, TypeKind::Invalid) || is_invalid(value)) return invalid(n.loc);
  if (is(from, TypeKind::Constant)) {
    const __int128 number = as<Int>(value)->form.value.value;
    if (is_integral(target)) {
      if (fits({number}, target)) return integer({number}, target, n.loc, as<Int>(value)->form.constant);
      if (is(target, TypeKind::Bool)) return integer({number != 0}, target, n.loc);
      unsigned __int128 bits = static_cast<unsigned __int128>(number) & ((static_cast<unsigned __int128>(1) << width_of(target)) - 1);
      __int128 wrapped = static_cast<__int128>(bits);
      if (is_signed(target) && (bits >> (width_of(target) - 1))) wrapped -= static_cast<__int128>(1) << width_of(target);
      return integer({wrapped}, target, n.loc);
    }
    value = settle(value);
    from = type_of(value);
  }
  if (is_integral(from) && is(target, TypeKind::Bool)) return truth(value);
  if (is_integral(from) && is_integral(target)) return c.make(Convert{value}, n.loc, target);
  if (is(from, TypeKind::Pointer) && is(target, TypeKind::Pointer))
    return c.make(Convert{value}, n.loc, t.pointer(target->element, from->space, from->nullable));
  if (is(from, TypeKind::Str) && is(target, TypeKind::Str)) return c.make(Convert{value}, n.loc, target);
  c.diagnostics.report(n.loc, diag::type_mismatch, spell(from), spell(target));
  return invalid(n.loc);
}

Expr Inference::infer_struct_literal(const Node<StructLiteral>& n) {
  Type type = named_type(n->name);
  if (is(type, TypeKind::Invalid)) return invalid(n.loc);
  if (!is(type, TypeKind::Struct)) {
    c.diagnostics.report(n->name.loc, diag::type_mismatch, spell(type), "a struct");
    return invalid(n.loc);
  }
  std::vector<FieldValue> values;
  std::set<Name, ByText> given;
  for (const NamedExpr& value : n->values) {
    const StructField* field = find_field(type, value.name.name);
    if (!field) {
      report_no_member(type, value.name);
      infer(value.value);
      continue;
    }
    if (!given.insert(value.name.name).second) c.diagnostics.report(value.name.loc, diag::missing_member, std::string(value.name.name.text()));
    values.push_back({value.name.name, coerce(infer(value.value, field->type), field->type)});
  }
  return c.make(StructValue{c.span(values)}, n.loc, type);
}

Expr Inference::infer_array_literal(Span<Expr> values, Type expected, Loc loc) {
  Type element = is(expected, TypeKind::Array) ? expected->element : nullptr;
  std::vector<Expr> typed;
  for (const Expr& value : values) typed.push_back(infer(value, element));
  if (!element) element = join(typed, nullptr);
  if (!element) return invalid(loc);
  for (Expr& value : typed) value = coerce(value, element);
  uint64_t count = values.size();
  if (is(expected, TypeKind::Array)) {
    if (count > expected->count) {
      c.diagnostics.report(loc, diag::too_many_elements, count, spell(expected));
      return invalid(loc);
    }
    count = expected->count;
  }
  if (count == 0) return unsupported(loc, "empty arrays");
  return c.make(ArrayValue{c.span(typed)}, loc, t.array(element, count));
}

Expr Inference::infer_address_of(const Node<AddressOf>& n) {
  const auto target = place(n->place);
  if (!target) return invalid(n.loc);
  Type type = type_of(*target);
  if (const auto* entry = as<MapEntry>(*target)) {
    // There may be no entry [L169]; userspace has copies only.
    if (in_ebpf()) return c.make(MapLookup{entry->form.map, entry->form.key}, n.loc, t.pointer(type, Space::MapValue, true));
    c.diagnostics.report(n.loc, diag::entry_address_in_userspace);
    return invalid(n.loc);
  }
  Space space = Space::Stack;
  const Node<Deref>* pointed = nullptr;
  for (Expr base = *target;;) {
    if (const auto* field = as<Field>(base)) {
      const StructField* member = find_field(type_of(field->form.base), field->form.name);
      if (member && member->bit_size) {
        c.diagnostics.report(n.loc, diag::bit_field_address, std::string(field->form.name.text()));
        return invalid(n.loc);
      }
      base = field->form.base;
    } else if (const auto* index = as<Index>(base)) {
      if (!as<Int>(index->form.index)) return unsupported(n.loc, "the address of an element whose index is not constant");
      base = index->form.base;
    } else {
      pointed = as<Deref>(base);
      if (kind_of(base) == Kind::Global) space = Space::MapValue;
      if (kind_of(base) == Kind::MapEntry) return unsupported(n.loc, "the address of a part of a map entry");
      break;
    }
  }
  if (in_context(*target)) return unsupported(n.loc, "the address of a part of the context");
  if (pointed) {
    Type pointer = type_of(pointed->form.pointer);
    space = is(pointer, TypeKind::EntryRef) ? Space::MapValue : pointer->space;
  }
  return c.make(AddressOf{*target}, n.loc, t.pointer(type, space, false));
}

// ---- values with statements in them ----------------------------------------------------------------------------------------------------

Type Inference::join(const std::vector<Expr>& values, Type expected) {
  Type type = nullptr;
  bool all_fit = expected != nullptr;
  for (const Expr& value : values) {
    if (is_invalid(value)) return nullptr;
    if (expected) all_fit = all_fit && (is(type_of(value), TypeKind::Void) || converts(value, expected));
  }
  if (all_fit) return expected;
  for (const Expr& value : values) {
    Type next = type_of(settle(value_of_maybe(value)));
    if (is(next, TypeKind::Void)) continue;  // an arm that leaves has no value
    if (const auto* number = constant(innermost_value(value)); number && type && is_integral(type) && fits(number->form.value, type)) continue;
    if (!type || type == next) type = next;
    else if (Type both = meet(type, next)) type = both;
    else if (kind_of(innermost_value(values[0])) == Kind::Null && (is(next, TypeKind::Pointer) || is(next, TypeKind::EntryRef)) && next->nullable) type = next;
    else if (!converts(value, type)) {
      c.diagnostics.report(loc_of(value), diag::type_mismatch, spell(next), spell(type));
      return nullptr;
    }
  }
  return type ? type : t.void_type();
}

Expr Inference::infer_match(const Node<Match>& n, Type expected, bool used) {
  const Expr subject = settle(value_of_maybe(infer(n->subject)));
  Type type = type_of(subject);
  const bool is_text = is(type, TypeKind::Str), usable = is_integral(type) || is_text;
  if (!usable && !is_invalid(subject)) c.diagnostics.report(loc_of(n->subject), diag::operand_type, "match", spell(type));

  struct Range {
    __int128 low, high;  // closed
  };
  std::vector<Range> covered;
  std::set<std::string> texts;
  std::vector<MatchArm> arms;
  std::vector<Expr> values;
  bool has_default = false;
  for (const MatchArm& arm : n->arms) {
    std::vector<Pattern> patterns;
    bool wholly_covered = !arm.patterns.empty() && usable, partly_covered = false;
    for (const Pattern& p : arm.patterns) {
      Expr low = infer(p.low);
      if (!usable || is_invalid(low)) {
        wholly_covered = false;
        continue;
      }
      if (is_text && as<StringValue>(low) && !p.high) {
        low = fit_text(low, type);
        const bool is_new = is_invalid(low) || texts.insert(std::string(as<StringValue>(low)->form.text.text())).second;
        wholly_covered = wholly_covered && !is_new;
        partly_covered |= !is_new;
        if (!is_invalid(low)) patterns.push_back({low, {}, p.inclusive});
        continue;
      }
      low = coerce(low, type);
      const auto* first = as<Int>(low);
      if (!first) {
        if (!is_invalid(low)) c.diagnostics.report(loc_of(p.low), diag::not_constant);
        wholly_covered = false;
        continue;
      }
      Range range{first->form.value.value, first->form.value.value};
      Pattern out{low, {}, p.inclusive};
      if (p.high) {
        // The end of a half-open range may lie one above the type's last value.
        const Expr raw = infer(*p.high);
        const auto* last = as<Int>(raw);
        if (!last) {
          if (!is_invalid(raw)) c.diagnostics.report(loc_of(*p.high), diag::not_constant);
          wholly_covered = false;
          continue;
        }
        range.high = last->form.value.value - (p.inclusive ? 0 : 1);
        if (!fits({range.high}, type)) {
          c.diagnostics.report(loc_of(*p.high), diag::constant_does_not_fit, integer_text({range.high}), spell(type));
          continue;
        }
        out.high = integer({range.high}, type, loc_of(*p.high));
        out.inclusive = true;
        if (range.high < range.low) c.diagnostics.report(loc_of(p.low), diag::unreachable_arm);
      }
      __int128 at = range.low;  // walk over what earlier arms cover
      for (bool moved = true; moved && at <= range.high;) {
        moved = false;
        for (const Range& r : covered)
          if (at >= r.low && at <= r.high) at = r.high + 1, moved = true;
      }
      for (const Range& r : covered) partly_covered |= r.low <= range.high && r.high >= range.low;
      wholly_covered = wholly_covered && at > range.high;
      covered.push_back(range);
      patterns.push_back(out);
    }
    if (has_default || wholly_covered) c.diagnostics.report(loc_of(arm.value), diag::unreachable_arm);
    else if (partly_covered) c.diagnostics.report(loc_of(arm.value), diag::overlapping_arm);
    has_default |= arm.patterns.empty();
    values.push_back(used ? infer(arm.value, expected) : unused_value(arm.value));
    arms.push_back({c.span(patterns), values.back()});
  }
  if (!has_default && usable) {
    std::string missing;
    const auto is_covered = [&](__int128 value) {
      for (const Range& r : covered)
        if (value >= r.low && value <= r.high) return true;
      return false;
    };
    if (is(type, TypeKind::Enum)) {
      for (const EnumItem& item : type->body->items)
        if (!is_covered(item.value)) missing += fmt::format("{}`{}`", missing.empty() ? "" : ", ", item.name.text());
    } else if (is(type, TypeKind::Bool)) {
      for (int value : {0, 1})
        if (!is_covered(value)) missing += fmt::format("{}`{}`", missing.empty() ? "" : ", ", value ? "true" : "false");
    } else {
      missing = "other values";
    }
    if (!missing.empty())
      c.diagnostics.report(n.loc, diag::not_exhaustive, missing).note("a `default` arm takes the rest");
  }
  if (is_invalid(subject) || !usable) return invalid(n.loc);
  Type result = used ? join(values, expected) : t.void_type();
  if (!result) return invalid(n.loc);
  if (!is(result, TypeKind::Void))
    for (MatchArm& arm : arms)
      if (!fit_arm(arm.value, result)) return invalid(n.loc);
  return c.make(Match{subject, c.span(arms)}, n.loc, result);
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

Expr Inference::infer_if_value(const Node<IfValue>& n, Type expected) {
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

Expr Inference::infer_block_value(const Node<BlockValue>& n, Type expected) {
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

}  // namespace ksc

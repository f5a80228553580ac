// SPDX-License-Identifier: Apache-2.0
/// 0x7fffffff + 1   =>   -0x80000000: what numbers alone decide, and C compilers would warn about, is computed here
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "ir/sexpr.h"
#include "ir/value.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ConstantsFolded>;

/// The value wrapped to the type's width [L22].
__int128 wrapped(__int128 value, Type type) {
  const int bits = width_of(type);
  unsigned __int128 low = static_cast<unsigned __int128>(value) & ((static_cast<unsigned __int128>(1) << bits) - 1);
  const bool negative = is_signed(type) && (low >> (bits - 1)) != 0;
  return negative ? static_cast<__int128>(low) - (static_cast<__int128>(1) << bits) : static_cast<__int128>(low);
}

__int128 combined(BinaryOp op, __int128 a, __int128 b);

/// What an expression of constants comes to. Those with a named constant that C computes without loss have been left as
/// they are, since the C is read by people.
std::optional<__int128> number(const Expr& e) {
  if (const auto* n = as<Int>(e)) return n->form.value.value;
  if (const auto* negation = as<Unary>(e)) {
    const auto value = negation->form.op == UnaryOp::Negate ? number(negation->form.value) : std::nullopt;
    return value ? std::optional(-*value) : std::nullopt;
  }
  const auto* binary = as<Binary>(e);
  if (!binary || !is_integral(binary->type)) return {};
  const auto left = number(binary->form.left), right = left ? number(binary->form.right) : std::nullopt;
  return right ? std::optional(combined(binary->form.op, *left, *right)) : std::nullopt;
}
/// Whether it is a constant with a name, or one of those that have been left as they are.
bool is_named(const Expr& e) {
  const auto* number = as<Int>(e);
  return !number || (number->form.constant && !is_hexadecimal(number->form.constant));
}

Expr folded(__int128 value, Type type, Loc loc, Out& to) { return to.make(Int{{wrapped(value, type)}, {}}, loc, type); }

/// A variable, or a member or an element of one or of what it points to.
bool is_plain_read(const Expr& e) {
  if (const auto* index = as<Index>(e)) return as<Int>(index->form.index) && is_plain_read(index->form.base);
  if (const auto* field = as<Field>(e)) return is_plain_read(field->form.base);
  if (const auto* converted = as<Convert>(e)) return is_plain_read(converted->form.value);
  if (const auto* deref = as<Deref>(e)) return as<Local>(deref->form.pointer);
  return as<Local>(e) || as<Global>(e);
}

/// The address of a variable, or of a part of one, which is never null.
bool is_address_of_variable(const Expr& e) {
  if (const auto* converted = as<Convert>(e)) return is_address_of_variable(converted->form.value);
  const auto* address = as<AddressOf>(e);
  const Expr* place = address ? &address->form.place : nullptr;
  while (place && !as<Local>(*place) && !as<Global>(*place)) {
    const auto* field = as<Field>(*place);
    const auto* element = as<Index>(*place);
    place = field ? &field->form.base : element && as<Int>(element->form.index) ? &element->form.base : nullptr;
  }
  return place != nullptr;
}

bool is_same(const Expr& a, const Expr& b) {
  return kind_of(a) == kind_of(b) && is_plain_read(a) && is_plain_read(b) && print(a) == print(b);
}

__int128 combined(BinaryOp op, __int128 a, __int128 b) {
  switch (op) {
    case BinaryOp::Add: return a + b;
    case BinaryOp::Subtract: return a - b;
    case BinaryOp::Multiply:
      return static_cast<__int128>(static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b));
    case BinaryOp::BitAnd: return a & b;
    case BinaryOp::BitOr: return a | b;
    case BinaryOp::BitXor: return a ^ b;
  }
  return 0;
}

/// The least and the greatest value that an integer expression can have, as far as types tell.
struct Range {
  __int128 low, high;
};
Range range_of(const Expr& e) {
  if (const auto n = number(e)) return {*n, *n};
  Type type = type_of(e);
  if (is(type, TypeKind::Bool)) return {0, 1};
  const int bits = width_of(type);
  const Range all = is_signed(type)
                        ? Range{-(static_cast<__int128>(1) << (bits - 1)), (static_cast<__int128>(1) << (bits - 1)) - 1}
                        : Range{0, (static_cast<__int128>(1) << bits) - 1};
  const auto* binary = as<Binary>(e);
  if (binary && (binary->form.op == BinaryOp::Subtract || binary->form.op == BinaryOp::BitXor) &&
      is_same(binary->form.left, binary->form.right))
    return {0, 0};
  if (binary && (binary->form.op == BinaryOp::BitAnd || binary->form.op == BinaryOp::BitOr ||
                 binary->form.op == BinaryOp::BitXor)) {
    const Range a = range_of(binary->form.left), b = range_of(binary->form.right);
    if (a.low < 0 || b.low < 0) return all;
    if (binary->form.op == BinaryOp::BitAnd) return {0, std::min(a.high, b.high)};
    __int128 bits_of_both = 1;
    while (bits_of_both <= std::max(a.high, b.high)) bits_of_both <<= 1;
    return {0, bits_of_both - 1};
  }
  if (const auto* shift = as<Shift>(e); shift && shift->form.op == ShiftOp::Right)
    if (const auto count = number(shift->form.count)) {
      const Range shifted = range_of(shift->form.left);
      const int places = static_cast<int>(*count & (bits - 1));
      return {shifted.low >> places, shifted.high >> places};
    }
  const auto* converted = as<Convert>(e);
  if (!converted || !is_integral(type_of(converted->form.value)) || is(type_of(converted->form.value), TypeKind::Enum))
    return all;
  const Range inner = range_of(converted->form.value);
  return inner.low >= all.low && inner.high <= all.high ? inner : all;
}

/// Whether the expression could have that value, as far as its constant bits tell: those that & clears and | sets.
bool can_be(const Expr& e, __int128 value) {
  if (const auto* converted = as<Convert>(e); converted && is_integral(type_of(converted->form.value))) {
    const Range inner = range_of(converted->form.value), outer = range_of(e);
    const bool keeps = inner.low >= outer.low && inner.high <= outer.high;
    if (keeps) return can_be(converted->form.value, value);
    if (width_of(type_of(converted->form.value)) > width_of(converted->type)) return true;
    // A negative number that becomes a large one, or the other way round.
    const __int128 turn = static_cast<__int128>(1) << width_of(converted->type);
    for (const __int128 before : {value - turn, value, value + turn})
      if (before >= inner.low && before <= inner.high && can_be(converted->form.value, before)) return true;
    return false;
  }
  const auto* binary = as<Binary>(e);
  if (!binary) return true;
  const auto left = number(binary->form.left), right = number(binary->form.right);
  if (!left && !right) return true;
  const __int128 bits = left ? *left : *right;
  if (binary->form.op == BinaryOp::BitAnd) return (value & ~bits) == 0;
  if (binary->form.op == BinaryOp::BitOr) return (bits & ~value) == 0;
  return true;
}
/// `==` and `!=` where the bits of one side are never those of the constant on the other.
bool differs(const Expr& left, const Expr& right) {
  const auto a = number(left), b = number(right);
  return (a && !can_be(right, *a)) || (b && !can_be(left, *b));
}

__int128 all_bits(Type type) { return (static_cast<__int128>(1) << width_of(type)) - 1; }
/// x if the expression is ~x or x ^ 255 in 8 bits, or likewise in 16; null if it is something else.
const Expr* complemented(const Expr& e) {
  if (!is_integral(type_of(e)) || is_signed(type_of(e)) || width_of(type_of(e)) >= 32) return nullptr;
  if (const auto* unary = as<Unary>(e)) return unary->form.op == UnaryOp::Complement ? &unary->form.value : nullptr;
  const auto* binary = as<Binary>(e);
  if (!binary || binary->form.op != BinaryOp::BitXor) return nullptr;
  if (number(binary->form.right) == all_bits(binary->type)) return &binary->form.left;
  return number(binary->form.left) == all_bits(binary->type) ? &binary->form.right : nullptr;
}
/// Whether there is one below conversions.
bool has_complement(const Expr& e) {
  if (const auto* converted = as<Convert>(e); converted && is_integral(type_of(converted->form.value)))
    return has_complement(converted->form.value);
  return complemented(e) != nullptr;
}
/// The same number in 32 bits, with ~x & 255 for ~x where x has 8 bits, or 16 likewise: gcc warns about complements of
/// what it widens that are compared, whatever the casts.
Expr without_complement(const Expr& e, Out& to) {
  if (const auto* converted = as<Convert>(e);
      converted && is_integral(type_of(converted->form.value)) && width_of(converted->type) >= 32)
    return to.make(Convert{without_complement(converted->form.value, to)}, converted->loc, converted->type);
  const Loc loc = loc_of(e);
  Type wide = to.context.types.u32();
  const auto widened = [&](const Expr& value) -> Expr {
    return as<Int>(value) ? Expr(to.make(as<Int>(value)->form, loc_of(value), wide))
                          : Expr(to.make(Convert{value}, loc_of(value), wide));
  };
  const Expr* inner = complemented(e);
  if (!inner) return width_of(type_of(e)) < 32 ? widened(e) : e;
  const Expr all = to.make(Int{{all_bits(type_of(e))}, {}}, loc, wide);
  return to.make(Binary{BinaryOp::BitAnd, to.make(Unary{UnaryOp::Complement, widened(*inner)}, loc, wide), all}, loc,
                 wide);
}

/// Whether nobody sees that the expression is not evaluated. In userspace an index out of range ends the process.
bool is_unseen(const Expr& e, const Out& to) {
  if (has_effect(e)) return false;
  if (!to.function() || to.function()->domain != Domain::User || !header(e).contains.has(Kind::Index)) return true;
  const auto* index = as<Index>(e);
  bool unseen = !index || as<Int>(index->form.index);
  each_child_of(
      e, [&](const Expr& child) { unseen = unseen && is_unseen(child, to); }, [](const Stmt&) {});
  return unseen;
}
/// What a comparison is known to give, behind `(x & 0) != 0` for operands that can be seen to be evaluated.
Expr answered(bool answer, const Expr& left, const Expr& right, const Node<Compare>& n, Out& to) {
  Option<Expr> seen;
  for (const Expr& e : {left, right}) {
    if (is_unseen(e, to)) continue;
    const Expr zero = to.make(Int{{0}, {}}, n.loc, type_of(e));
    const Expr masked = to.make(Binary{BinaryOp::BitAnd, e, zero}, n.loc, type_of(e));
    const Expr never = to.make(Compare{CompareOp::NotEqual, masked, zero}, n.loc, n.type);
    seen = seen ? Expr(to.make(Or{*seen, never}, n.loc, n.type)) : never;
  }
  if (!seen) return folded(answer, n.type, n.loc, to);
  return answer ? Expr(to.make(Not{*seen}, n.loc, n.type)) : *seen;
}

/// What the comparison gives, if the operands' types or numbers decide it.
std::optional<bool> known_answer(CompareOp op, const Range& a, const Range& b) {
  const bool apart = a.high < b.low || b.high < a.low, one = a.low == a.high && b.low == b.high && a.low == b.low;
  switch (op) {
    case CompareOp::Equal: return apart ? std::optional(false) : one ? std::optional(true) : std::nullopt;
    case CompareOp::NotEqual: return apart ? std::optional(true) : one ? std::optional(false) : std::nullopt;
    case CompareOp::Less:
      return a.high < b.low ? std::optional(true) : a.low >= b.high ? std::optional(false) : std::nullopt;
    case CompareOp::LessEqual:
      return a.high <= b.low ? std::optional(true) : a.low > b.high ? std::optional(false) : std::nullopt;
    case CompareOp::Greater: return known_answer(CompareOp::Less, b, a);
    case CompareOp::GreaterEqual: return known_answer(CompareOp::LessEqual, b, a);
  }
  return {};
}

}  // namespace

Ir<lang::ConstantsFolded> fold_constants(const Ir<lang::ConstantsRead>& in, Context& context) {
  return rewrite<lang::ConstantsRead, lang::ConstantsFolded>(
      in, context, on<Binary>([](const Node<Binary>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        const auto a = number(left), b = number(right);
        if (a && b && is_integral(n.type)) {
          const __int128 value = combined(n->op, *a, *b);
          const bool reads_well = is_named(left) || is_named(right);
          if (!reads_well || value != wrapped(value, n.type)) return folded(value, n.type, n.loc, to);
        }
        // x & 0 is 0, whatever x is, if nothing happens on the way to it.
        const auto is_zero = [](const std::optional<__int128>& value) { return value && *value == 0; };
        if (n->op == BinaryOp::BitAnd && is_integral(n.type) &&
            ((is_zero(a) && is_unseen(right, to)) || (is_zero(b) && is_unseen(left, to))))
          return folded(0, n.type, n.loc, to);
        // x & x is x; C compilers warn about such things, and the developer's program is not wrong.
        if ((n->op == BinaryOp::BitAnd || n->op == BinaryOp::BitOr) && is_same(left, right)) return left;
        return to.make(Binary{n->op, left, right}, n.loc, n.type);
      }),
      on<Unary>([](const Node<Unary>& n, Out& to) -> Expr {
        const Expr value = to(n->value);
        if (const auto a = number(value)) {
          const __int128 given = n->op == UnaryOp::Negate ? -*a : ~*a;
          const bool reads_well = is_named(value) && n->op == UnaryOp::Negate;
          if (!reads_well || given != wrapped(given, n.type)) return folded(given, n.type, n.loc, to);
        }
        return to.make(Unary{n->op, value}, n.loc, n.type);
      }),
      on<Not>([](const Node<Not>& n, Out& to) -> Expr {
        const Expr value = to(n->value);
        if (const auto* a = as<Int>(value)) return folded(a->form.value.value == 0, n.type, n.loc, to);
        return to.make(Not{value}, n.loc, n.type);
      }),
      on<And>([](const Node<And>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        if (const auto* known = as<Int>(left)) return known->form.value.value != 0 ? right : left;
        if (const auto* known = as<Int>(right); known && known->form.value.value != 0) return left;
        return to.make(And{left, right}, n.loc, n.type);
      }),
      on<Or>([](const Node<Or>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        if (const auto* known = as<Int>(left)) return known->form.value.value != 0 ? left : right;
        if (const auto* known = as<Int>(right); known && known->form.value.value == 0) return left;
        return to.make(Or{left, right}, n.loc, n.type);
      }),
      on<Conditional>([](const Node<Conditional>& n, Out& to) -> Expr {
        const Expr condition = to(n->condition), then = to(n->then), otherwise = to(n->otherwise);
        if (const auto* known = as<Int>(condition)) return known->form.value.value != 0 ? then : otherwise;
        return to.make(Conditional{condition, then, otherwise}, n.loc, n.type);
      }),
      on<Assign>([](const Node<Assign>& n, Out& to) {
        const Expr place = to(n->place), value = to(n->value);
        if (!is_same(place, value)) to.emit(Assign{place, value}, n.loc);
      }),
      on<Switch>([](const Node<Switch>& n, Out& to) {
        const Expr value = to(n->value);
        const auto* known = as<Int>(value);
        if (!known) return to.emit_statement(to.rebuild(n));
        const SwitchCase* chosen = nullptr;
        for (const SwitchCase& one : n->cases) {
          if (one.values.empty() && !chosen) chosen = &one;
          for (const Expr& wanted : one.values)
            if (as<Int>(wanted) && as<Int>(wanted)->form.value.value == known->form.value.value) chosen = &one;
        }
        if (chosen) to.emit(Block{to(chosen->body)}, n.loc);
      }),
      on<CountedLoop>([](const Node<CountedLoop>& n, Out& to) {
        CountedLoop form = n.form;
        form.low = to(form.low);
        form.high = to(form.high);
        const auto low = number(form.low), high = number(form.high);
        if (low && high && (form.inclusive ? *low > *high : *low >= *high)) return;  // no turn
        form.body = to(form.body);
        to.emit(form, n.loc);
      }),
      on<Shift>([](const Node<Shift>& n, Out& to) -> Expr {
        const Expr left = to(n->left), count = to(n->count);
        const auto a = number(left), b = number(count);
        if (!a || !b) return to.make(Shift{n->op, left, count}, n.loc, n.type);
        const int by = static_cast<int>(*b & (width_of(n.type) - 1));
        return folded(
            n->op == ShiftOp::Left ? static_cast<__int128>(static_cast<unsigned __int128>(*a) << by) : *a >> by, n.type,
            n.loc, to);
      }),
      on<Divide>([](const Node<Divide>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        const auto a = number(left), b = number(right);
        // x % 1 is 0, if nothing happens on the way to it.
        if (!a && b && *b == 1 && n->op == DivideOp::Remainder && is_unseen(left, to))
          return folded(0, n.type, n.loc, to);
        if (!a || !b) return to.make(Divide{n->op, left, right}, n.loc, n.type);
        return folded(n->op == DivideOp::Quotient ? (*b == 0 ? 0 : *a / *b) : (*b == 0 ? *a : *a % *b), n.type, n.loc,
                      to);
      }),
      on<BuiltinCall>([](const Node<BuiltinCall>& n, Out& to) -> Expr {
        const Expr call = to.rebuild(n);
        static const std::map<std::string_view, int> swaps = {{"bswap16", 16}, {"bswap32", 32}, {"bswap64", 64},
                                                              {"htons", 16},   {"ntohs", 16},   {"htonl", 32},
                                                              {"ntohl", 32}};
        const auto width = swaps.find(n->function.text());
        const auto value = width == swaps.end() ? std::nullopt : number(as<BuiltinCall>(call)->form.arguments[0]);
        if (value && !to.context.target.little_endian && !n->function.text().starts_with("bswap"))
          return folded(*value, n.type, n.loc, to);
        return value ? folded(static_cast<__int128>(bytes_swapped(static_cast<uint64_t>(*value), width->second)),
                              n.type, n.loc, to)
                     : call;
      }),
      on<Compare>([](const Node<Compare>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        if (is_same(left, right))
          return folded(n->op == CompareOp::Equal || n->op == CompareOp::LessEqual || n->op == CompareOp::GreaterEqual,
                        n.type, n.loc, to);
        const bool integers = is_integral(type_of(left)) && is_integral(type_of(right));
        const std::optional<bool> answer =
            integers ? known_answer(n->op, range_of(left), range_of(right)) : std::nullopt;
        if (answer) return answered(*answer, left, right, n, to);
        if (integers && n->op <= CompareOp::NotEqual && differs(left, right))
          return answered(n->op == CompareOp::NotEqual, left, right, n, to);
        if (integers && !is_signed(type_of(left)) && (has_complement(left) || has_complement(right)))
          return to.make(Compare{n->op, without_complement(left, to), without_complement(right, to)}, n.loc, n.type);
        return to.make(Compare{n->op, left, right}, n.loc, n.type);
      }),
      on<Present>([](const Node<Present>& n, Out& to) -> Expr {
        const Expr value = to(n->value);
        if (is_address_of_variable(value) && !type_of(value)->nullable) return folded(1, n.type, n.loc, to);
        return to.make(Present{value}, n.loc, n.type);
      }),
      on<Convert>([](const Node<Convert>& n, Out& to) -> Expr {
        const Expr value = to(n->value);
        if (type_of(value) == n.type) return value;
        const auto a = number(value);
        if (a && is_integral(n.type) && is_integral(type_of(value))) {
          if (is(n.type, TypeKind::Bool)) return folded(*a != 0, n.type, n.loc, to);
          const auto* constant = as<Int>(value);
          // As a value of another enum it has another name.
          if (constant && constant->form.constant && *a == wrapped(*a, n.type) && !is(n.type, TypeKind::Enum))
            return to.make(Int{{*a}, constant->form.constant}, n.loc, n.type);
          return folded(*a, n.type, n.loc, to);
        }
        return to.make(Convert{value}, n.loc, n.type);
      }));
}

}  // namespace ksc

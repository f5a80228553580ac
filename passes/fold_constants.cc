// SPDX-License-Identifier: Apache-2.0
/// 0x7fffffff + 1   =>   -0x80000000: what C would compute from numbers alone, and warn about, is computed here
#include "ir/rewrite.h"
#include "ir/sexpr.h"
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

/// The number, if the expression is one; named constants stay, since the C is read by people.
const Int* number(const Expr& e, bool even_if_named = false) {
  const auto* n = as<Int>(e);
  return n && (even_if_named || !n->form.constant) ? &n->form : nullptr;
}

Expr folded(__int128 value, Type type, Loc loc, Out& to) { return to.make(Int{{wrapped(value, type)}, {}}, loc, type); }

/// A variable, or a member or an element of one.
bool is_plain_read(const Expr& e) {
  if (const auto* index = as<Index>(e)) return as<Int>(index->form.index) && is_plain_read(index->form.base);
  if (const auto* field = as<Field>(e)) return is_plain_read(field->form.base);
  return as<Local>(e) || as<Global>(e);
}

bool is_same(const Expr& a, const Expr& b) { return kind_of(a) == kind_of(b) && is_plain_read(a) && is_plain_read(b) && print(a) == print(b); }

__int128 combined(BinaryOp op, __int128 a, __int128 b) {
  switch (op) {
    case BinaryOp::Add: return a + b;
    case BinaryOp::Subtract: return a - b;
    case BinaryOp::Multiply: return static_cast<__int128>(static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b));
    case BinaryOp::BitAnd: return a & b;
    case BinaryOp::BitOr: return a | b;
    case BinaryOp::BitXor: return a ^ b;
  }
  return 0;
}

}  // namespace

Ir<lang::ConstantsFolded> fold_constants(const Ir<lang::PinsFlat>& in, Context& context) {
  return rewrite<lang::PinsFlat, lang::ConstantsFolded>(
      in, context,
      on<Binary>([](const Node<Binary>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        const Int *a = number(left, true), *b = number(right, true);
        if (a && b && is_integral(n.type)) {
          const __int128 value = combined(n->op, a->value.value, b->value.value);
          const bool is_named = a->constant || b->constant;
          if (!is_named || value != wrapped(value, n.type)) return folded(value, n.type, n.loc, to);
        }
        // x & x is x; C compilers warn about such things, and the developer's program is not wrong.
        if ((n->op == BinaryOp::BitAnd || n->op == BinaryOp::BitOr) && is_same(left, right)) return left;
        return to.make(Binary{n->op, left, right}, n.loc, n.type);
      }),
      on<Unary>([](const Node<Unary>& n, Out& to) -> Expr {
        const Expr value = to(n->value);
        if (const Int* a = number(value)) return folded(n->op == UnaryOp::Negate ? -a->value.value : ~a->value.value, n.type, n.loc, to);
        return to.make(Unary{n->op, value}, n.loc, n.type);
      }),
      on<Shift>([](const Node<Shift>& n, Out& to) -> Expr {
        const Expr left = to(n->left), count = to(n->count);
        const Int *a = number(left, true), *b = number(count, true);
        if (a && b) {
          const int by = static_cast<int>(b->value.value) & (width_of(n.type) - 1);
          const __int128 value = n->op == ShiftOp::Left ? static_cast<__int128>(static_cast<unsigned __int128>(a->value.value) << by) : a->value.value >> by;
          return folded(value, n.type, n.loc, to);
        }
        return to.make(Shift{n->op, left, count}, n.loc, n.type);
      }),
      on<Divide>([](const Node<Divide>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        const Int *a = number(left), *b = number(right);
        if (a && b) {
          const __int128 x = a->value.value, y = b->value.value;
          return folded(n->op == DivideOp::Quotient ? (y == 0 ? 0 : x / y) : (y == 0 ? x : x % y), n.type, n.loc, to);
        }
        return to.make(Divide{n->op, left, right}, n.loc, n.type);
      }),
      on<Compare>([](const Node<Compare>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        if (!is_same(left, right)) return to.make(Compare{n->op, left, right}, n.loc, n.type);
        return folded(n->op == CompareOp::Equal || n->op == CompareOp::LessEqual || n->op == CompareOp::GreaterEqual, n.type, n.loc, to);
      }),
      on<Convert>([](const Node<Convert>& n, Out& to) -> Expr {
        const Expr value = to(n->value);
        const Int* a = number(value);
        if (a && is_integral(n.type) && is_integral(type_of(value)))
          return folded(is(n.type, TypeKind::Bool) ? a->value.value != 0 : a->value.value, n.type, n.loc, to);
        return to.make(Convert{value}, n.loc, n.type);
      }));
}

}  // namespace ksc

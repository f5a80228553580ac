// SPDX-License-Identifier: Apache-2.0
/// p + n   =>   p + ks_reach(n, 14), where p points into the packet and n may be large
#include <bit>

#include "ir/children.h"
#include "ir/effects.h"
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/packet_positions.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::OffsetsBounded>;

/// The linear part of a packet does not reach that far, so that a larger offset fails the same test.
constexpr __int128 farthest = packet_reach;
constexpr int reach_bits = std::bit_width(static_cast<uint64_t>(packet_reach));
constexpr __int128 unknown = static_cast<__int128>(1) << 64;

struct Known {
  NameMap<__int128> greatest;  // the greatest values of locals that do not change
  bool writes_packet = false;
};

/// A value straight from the context, or from a packet to which nothing is written: the C compiler knows as little of
/// it as the verifier, and keeps its mask. Of other memory it knows what has been written there.
bool is_load(const Expr& e, const Known& known) {
  if (const auto* converted = as<Convert>(e)) return is_load(converted->form.value, known);
  if (const auto* field = as<Field>(e)) return is_load(field->form.base, known);
  if (const auto* element = as<Index>(e)) return is_load(element->form.base, known);
  const auto* deref = as<Deref>(e);
  Type pointer = deref ? type_of(deref->form.pointer) : nullptr;
  return pointer && (pointer->space == Space::Context || (pointer->space == Space::Packet && !known.writes_packet));
}

/// Whether a statement, or one within it, writes to the packet; a support function that is given a place there may.
bool writes_packet(const Stmt& s) {
  bool found = false;
  if (const auto* assign = as<Assign>(s)) found = is_in_packet(assign->form.place);
  each_child_of(
      s,
      [&](const Expr& e) {
        const auto* call = as<RuntimeCall>(e);
        if (!call || call->form.function == "barrier_var") return;
        for (const Expr& argument : call->form.arguments) {
          const auto* address = as<AddressOf>(argument);
          if (address && is_in_packet(address->form.place)) found = true;
        }
      },
      [&](const Stmt& t) { found = found || writes_packet(t); });
  return found;
}

/// The same 64 bits as a number without a sign: sums and products of it differ in nothing but what they are called.
Expr as_unsigned(const Expr& e, Out& to) {
  Type wide = to.context.types.u64();
  if (type_of(e) == wide) return e;
  if (const auto* number = as<Int>(e); number && number->form.value.value >= 0)
    return to.make(Int{number->form.value, number->form.constant}, number->loc, wide);
  const auto* converted = width_of(type_of(e)) == 64 ? as<Convert>(e) : nullptr;
  Type from = converted ? type_of(converted->form.value) : nullptr;
  if (converted && is_integral(from) && !is_signed(from)) return as_unsigned(converted->form.value, to);
  if (const auto* sum = as<Binary>(e); sum && width_of(sum->type) == 64)
    return to.make(Binary{sum->form.op, as_unsigned(sum->form.left, to), as_unsigned(sum->form.right, to)}, sum->loc,
                   wide);
  return to.make(Convert{e}, loc_of(e), wide);
}

/// The greatest value that the verifier will see an offset to have: from the width of what is loaded, masks and
/// constants. It knows nothing of remainders, and the C compiler drops a mask that a remainder makes needless.
__int128 greatest(const Expr& e, const Known& known) {
  if (const auto* number = as<Int>(e)) return number->form.value.value < 0 ? unknown : number->form.value.value;
  if (const auto* local = as<Local>(e)) {
    auto found = known.greatest.find(local->form.name);
    return found == known.greatest.end() ? unknown : found->second;
  }
  if (const auto* converted = as<Convert>(e)) {
    Type from = type_of(converted->form.value);
    const __int128 whole = is_integral(from) && !is_signed(from) ? greatest(converted->form.value, known) : unknown;
    if (whole < static_cast<__int128>(1) << (width_of(type_of(e)) - 1)) return whole;  // it is not cut
    return is_integral(from) && !is_signed(from) && width_of(from) <= width_of(type_of(e))
               ? greatest(converted->form.value, known)
               : unknown;
  }
  if (const auto* field = as<Field>(e); field && is_load(e, known)) {
    const StructField* member = find_field(type_of(field->form.base), field->form.name);
    if (member && member->bit_size) return (static_cast<__int128>(1) << member->bit_size) - 1;
  }
  if (is_load(e, known) && !as<Convert>(e) && type_of(e)->kind == TypeKind::Int && !is_signed(type_of(e)) &&
      width_of(type_of(e)) == 8)
    return 255;
  // i < N ? i : 0
  if (const auto* choice = as<Conditional>(e)) {
    const auto* test = as<Compare>(choice->form.condition);
    const auto* limit = test && test->form.op == CompareOp::Less ? as<Int>(test->form.right) : nullptr;
    const auto* tested = test ? as<Local>(test->form.left) : nullptr;
    const auto* converted = as<Convert>(choice->form.then);
    const auto* chosen = as<Local>(converted ? converted->form.value : choice->form.then);
    const bool is_limited = limit && tested && chosen && tested->form.name == chosen->form.name &&
                            !is_signed(tested->type) && limit->form.value.value > 0;
    const __int128 then = is_limited ? limit->form.value.value - 1 : greatest(choice->form.then, known);
    return std::max(then, greatest(choice->form.otherwise, known));
  }
  if (const auto* binary = as<Binary>(e); binary && !is_signed(binary->type)) {
    const __int128 a = greatest(binary->form.left, known), b = greatest(binary->form.right, known);
    if (binary->form.op == BinaryOp::BitAnd && (is_load(binary->form.left, known) || a < unknown) &&
        (is_load(binary->form.right, known) || b < unknown))
      return std::min(a, b);
    if (a >= unknown || b >= unknown) return unknown;
    if (binary->form.op == BinaryOp::Add) return a + b;
    if (binary->form.op == BinaryOp::Multiply && as<Int>(binary->form.right)) return a * b;
  }
  if (const auto* shift = as<CShift>(e);
      shift && shift->form.op == ShiftOp::Left && as<Int>(shift->form.count) && !is_signed(shift->type)) {
    const __int128 a = greatest(shift->form.left, known);
    return a >= unknown ? unknown : a << static_cast<int>(as<Int>(shift->form.count)->form.value.value);
  }
  return unknown;
}

}  // namespace

Ir<lang::OffsetsBounded> bound_packet_offsets(const Ir<lang::IndexesGuarded>& in, Context& context) {
  NameSet changed;
  Known known;
  for (const Decl& d : in.declarations) {
    const auto* function = as<FunctionDef>(d);
    if (!function) continue;
    changed.merge(changed_locals(function->form.body));
    for (const Stmt& s : function->form.body.statements) known.writes_packet = known.writes_packet || writes_packet(s);
  }
  return rewrite<lang::IndexesGuarded, lang::OffsetsBounded>(
      in, context, on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        const auto *low = as<Int>(n->low), *high = as<Int>(n->high);
        if (low && high && low->form.value.value >= 0) known.greatest[n->name] = high->form.value.value;
        CountedLoop form = n.form;
        form.body = to(form.body);
        to.emit(form, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        const Option<Expr> value = to(n->value);
        if (value && is_integral(n->type) && !changed.count(n->name)) known.greatest[n->name] = greatest(*value, known);
        to.emit(Let{n->name, n->type, value}, n.loc);
      }),
      on<PointerAdd>([&](const Node<PointerAdd>& n, Out& to) -> Expr {
        const Expr pointer = to(n->pointer), count = to(n->count);
        // A constant that leads back leads to what lies in front of it, as root_packet_pointers has seen to, but for
        // one that was computed since: it leads from the packet's start to where no access succeeds.
        const auto* constant = as<Int>(count);
        if (constant && constant->form.value.value < 0 && is_packet_start(pointer))
          return to.make(
              PointerAdd{pointer, to.make(Int{{farthest / static_cast<__int128>(size_of(n.type->element))}, {}},
                                          loc_of(count), type_of(count))},
              n.loc, n.type);
        if (n.type->space != Space::Packet || (constant && constant->form.value.value < 0) ||
            greatest(count, known) * static_cast<__int128>(size_of(n.type->element)) <= farthest)
          return to.make(PointerAdd{pointer, count}, n.loc, n.type);
        Types& types = to.context.types;
        Type wide = types.u64();
        const Expr whole = as_unsigned(count, to);
        if (const uint64_t size = size_of(n.type->element); std::has_single_bit(size) && size <= farthest) {
          const int bits = reach_bits - std::countr_zero(size);
          const Expr width = to.make(Int{{bits}, {}}, n.loc, types.u32());
          return to.make(PointerAdd{pointer, to.make(RuntimeCall{to.context.name("ks_reach"),
                                                                 to.context.span<Expr>({whole, width})},
                                                     n.loc, types.i64())},
                         n.loc, n.type);
        }
        // Elements of other sizes end between two powers of two.
        const Name name = to.fresh("offset");
        to.emit(Let{name, wide, whole}, n.loc);
        const Expr offset = to.make(Local{name}, n.loc, wide);
        // As in guard_array_index: what is compared must be what is added.
        to.emit(Evaluate{to.make(RuntimeCall{to.context.name("barrier_var"), to.context.span<Expr>({offset})}, n.loc,
                                 types.void_type())},
                n.loc);
        const Expr limit = to.make(Int{{farthest / static_cast<__int128>(size_of(n.type->element))}, {}}, n.loc, wide);
        const Expr inside = to.make(Compare{CompareOp::Less, offset, limit}, n.loc, types.boolean());
        return to.make(PointerAdd{pointer, to.make(Convert{to.make(Conditional{inside, offset, limit}, n.loc, wide)},
                                                   n.loc, types.i64())},
                       n.loc, n.type);
      }));
}

}  // namespace ksc

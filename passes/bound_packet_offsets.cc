// SPDX-License-Identifier: Apache-2.0
/// p + n   =>   p + ks_reach(n, 14), where p points into the packet and n may be large for all that the verifier knows,
/// or C compilers may add what they count instead of it
#include <bit>

#include "ir/children.h"
#include "ir/effects.h"
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/as_unsigned.h"
#include "passes/offset_bounds.h"
#include "passes/packet_positions.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::OffsetsBounded>;

/// The linear part of a packet does not reach that far, so that a larger offset fails the same test.
constexpr __int128 farthest = packet_reach;
constexpr int reach_bits = std::bit_width(static_cast<uint64_t>(packet_reach));

}  // namespace

Ir<lang::OffsetsBounded> bound_packet_offsets(const Ir<lang::PacketPointersDelayed>& in, Context& context) {
  const OffsetBounds bounds(in.declarations, OffsetBounds::KnownTo::Verifier);
  const OffsetBounds bounds_of_types(in.declarations, OffsetBounds::KnownTo::Types);
  int loops = 0;  // around what is rewritten
  return rewrite<lang::PacketPointersDelayed, lang::OffsetsBounded>(
      in, context, on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        ++loops;
        to.emit_statement(to.rebuild(n));
        --loops;
      }),
      on<PointerAdd>([&](const Node<PointerAdd>& n, Out& to) -> Expr {
        const Expr pointer = to(n->pointer), count = to(n->count);
        // Such as a distance that every caller gives as 0: the C compiler knows then that a test has been made before.
        if (n.type->space == Space::Packet && bounds.greatest(count) == 0) return pointer;
        // A constant that leads back leads to what lies in front of it, as root_packet_pointers has seen to, but for
        // one that was computed since: it leads from the packet's start to where no access succeeds.
        const auto* constant = as<Int>(count);
        if (constant && constant->form.value.value < 0 && is_packet_start(pointer))
          return to.make(
              PointerAdd{pointer, to.make(Int{{farthest / static_cast<__int128>(size_of(n.type->element))}, {}},
                                          loc_of(count), type_of(count))},
              n.loc, n.type);
        if (n.type->space != Space::Packet || (constant && constant->form.value.value < 0))
          return to.make(PointerAdd{pointer, count}, n.loc, n.type);
        Types& types = to.context.types;
        Type wide = types.u64();
        const auto bounded = [&](const char* by, const Expr& whole, int bits) -> Expr {
          const Expr width = to.make(Int{{bits}, {}}, n.loc, types.u32());
          const Expr offset =
              to.make(RuntimeCall{to.context.name(by), to.context.span<Expr>({whole, width})}, n.loc, types.i64());
          return to.make(PointerAdd{pointer, offset}, n.loc, n.type);
        };
        const __int128 known = bounds.greatest(count);
        if (known * static_cast<__int128>(size_of(n.type->element)) <= farthest) {
          // C compilers count turns by other numbers: they would add one of 2^32 and more, and take it away again.
          if (loops > 0 && !constant)
            return bounded("ks_masked", as_unsigned(count, to), std::bit_width(static_cast<uint64_t>(known)));
          return to.make(PointerAdd{pointer, count}, n.loc, n.type);
        }
        const Expr whole = as_unsigned(count, to);
        if (const uint64_t size = size_of(n.type->element); std::has_single_bit(size) && size <= farthest) {
          const int bits = reach_bits - std::countr_zero(size);
          // What cannot be larger has a mask for the verifier alone.
          const __int128 most = bounds_of_types.greatest(count);
          const bool is_large = most >> bits != 0;
          const int known_bits = is_large ? bits : std::bit_width(static_cast<uint64_t>(most));
          return bounded(is_large ? "ks_reach" : "ks_masked", whole, known_bits);
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

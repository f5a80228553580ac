// SPDX-License-Identifier: Apache-2.0
/// if (at == data_end) …   =>   if (ks_hide(at == data_end)) …, of packet pointers
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

// Of two equal addresses C compilers conclude what the test before an access asks, and leave that out; the verifier
// learns of the packet's length from <, <=, > and >= alone (find_good_pkt_pointers in kernel/bpf/verifier.c).
Ir<lang::PacketEqualitiesHidden> hide_packet_equalities(const Ir<lang::PacketTestsApart>& in, Context& context) {
  using Out = To<lang::PacketEqualitiesHidden>;
  return rewrite<lang::PacketTestsApart, lang::PacketEqualitiesHidden>(
      in, context, on<Compare>([](const Node<Compare>& n, Out& to) -> Expr {
        const Expr compared = to.rebuild(n);
        const Type type = type_of(n->left);
        const bool is_equality = n->op == CompareOp::Equal || n->op == CompareOp::NotEqual;
        if (!is_equality || !is(type, TypeKind::Pointer) || type->space != Space::Packet) return compared;
        return to.make(RuntimeCall{to.context.name("ks_hide"), to.context.span<Expr>({compared})}, n.loc, n.type);
      }));
}

}  // namespace ksc

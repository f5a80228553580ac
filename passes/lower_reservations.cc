// SPDX-License-Identifier: Apache-2.0
/// var e = m.reserve(); m.submit(e)   =>   var e = bpf_ringbuf_reserve(&m, size, 0); if (e != null) { memset(e, 0,
/// size) }; bpf_ringbuf_submit(e, 0)
// The kernel gives what was in the ring before; what is not written is zero [L144].
#include <fmt/format.h>

#include "ir/rewrite.h"
#include "passes/array_copies.h"
#include "passes/passes.h"
#include "passes/reservation_flow.h"

namespace ksc {

Ir<lang::NoReservation> lower_reservations(const Ir<lang::Ebpf>& in, Context& context) {
  using Out = To<lang::NoReservation>;
  Types& types = context.types;
  const auto number = [&](uint64_t value, Loc loc) { return context.make(Int{{value}, {}}, loc, types.u64()); };
  return rewrite<lang::Ebpf, lang::NoReservation>(
      in, context, on<Let>([&](const Node<Let>& n, Out& to) {
        const auto* call = n->value ? reservation_in(*n->value) : nullptr;
        if (!call) return to.emit_statement(to.rebuild(n));
        const Loc loc = n.loc;
        Type element = call->type->element;
        const Expr ring =
            to.make(AddressOf{call->form.map}, loc, types.pointer(type_of(call->form.map), Space::Kernel, false));
        const Expr given =
            to.make(HelperCall{context.name("bpf_ringbuf_reserve"),
                               context.span<Expr>({ring, number(size_of(element), loc), number(0, loc)})},
                    loc, call->type);
        to.emit(Let{n->name, n->type, given}, loc);
        const Expr held = to.make(Local{n->name}, loc, n->type);
        const Body clear = to.collect([&] { emit_zero(to.make(Deref{held}, loc, element), loc, to); });
        const Expr there = to.make(Present{held}, loc, types.boolean());
        to.emit(If{context.span<Branch>({{there, clear}}), {}}, loc);
      }),
      on<MapCall>([&](const Node<MapCall>& n, Out& to) -> Expr {
        if (!is_release(n)) return to.rebuild(n);
        return to.make(HelperCall{context.name(fmt::format("bpf_ringbuf_{}", n->method.text())),
                                  context.span<Expr>({to(n->arguments[0]), number(0, n.loc)})},
                       n.loc, n.type);
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// p + n   =>   var offset = n; p + (offset < 65535 ? offset : 65535), where p points into the packet and n is not known
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// How far the verifier follows a packet pointer: MAX_PACKET_OFF of kernel/bpf/verifier.c. No packet reaches that far, so that
/// a larger offset fails the same test against the packet's end.
constexpr uint64_t farthest = 0xffff;

}  // namespace

Ir<lang::OffsetsBounded> bound_packet_offsets(const Ir<lang::IndexesGuarded>& in, Context& context) {
  using Out = To<lang::OffsetsBounded>;
  std::map<Name, __int128, ByText> greatest;  // what loop counters reach, where their bounds are constants
  const auto is_known = [&](const Expr& count) {
    Expr e = count;
    while (const auto* converted = as<Convert>(e)) e = converted->form.value;
    if (as<Int>(e)) return true;
    const auto* local = as<Local>(e);
    auto found = local ? greatest.find(local->form.name) : greatest.end();
    return found != greatest.end() && found->second <= static_cast<__int128>(farthest);
  };
  return rewrite<lang::IndexesGuarded, lang::OffsetsBounded>(
      in, context,
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        const auto *low = as<Int>(n->low), *high = as<Int>(n->high);
        if (low && high && low->form.value.value >= 0) greatest[n->name] = high->form.value.value;
        CountedLoop form = n.form;
        form.body = to(form.body);
        to.emit(form, n.loc);
      }),
      on<PointerAdd>([&](const Node<PointerAdd>& n, Out& to) -> Expr {
        const Expr pointer = to(n->pointer), count = to(n->count);
        if (n.type->space != Space::Packet || is_known(count)) return to.make(PointerAdd{pointer, count}, n.loc, n.type);
        Types& types = to.context.types;
        Type wide = types.u64();
        const Name name = to.fresh("offset");
        to.emit(Let{name, wide, to.make(Convert{count}, n.loc, wide)}, n.loc);
        const Expr offset = to.make(Local{name}, n.loc, wide);
        // As in guard_array_index: what is compared must be what is added.
        to.emit(Evaluate{to.make(RuntimeCall{to.context.name("barrier_var"), to.context.span<Expr>({offset})}, n.loc, types.void_type())}, n.loc);
        const Expr limit = to.make(Int{{static_cast<__int128>(farthest / std::max<uint64_t>(1, size_of(n.type->element)))}, {}}, n.loc, wide);
        const Expr inside = to.make(Compare{CompareOp::Less, offset, limit}, n.loc, types.boolean());
        return to.make(PointerAdd{pointer, to.make(Convert{to.make(Conditional{inside, offset, limit}, n.loc, wide)}, n.loc, types.i64())}, n.loc, n.type);
      }));
}

}  // namespace ksc

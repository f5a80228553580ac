// SPDX-License-Identifier: Apache-2.0
/// bpf_xdp_adjust_head(ctx, n)   =>   bpf_xdp_adjust_head(ctx, n); barrier_var(ctx): what is read from the context then
/// is read anew
#include "ir/rewrite.h"
#include "passes/packet_walk.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PacketReread>;

/// Whether control that has gone through the statement may have moved the packet.
class Moves {
 public:
  explicit Moves(const Program& program) : functions_(program) {}

  bool in(const Stmt& s) const {
    bool found = false;
    each_child_of(
        s, [&](const Expr& e) { found = found || in(e); }, [&](const Stmt& t) { found = found || in(t); });
    return found;
  }

 private:
  bool in(const Expr& e) const {
    const auto* call = as<Call>(e);
    bool found = moves_packet(e) || (call && functions_.moving.count(call->form.function));
    each_child_of(
        e, [&](const Expr& child) { found = found || in(child); }, [&](const Stmt& s) { found = found || in(s); });
    return found;
  }

  PacketFunctions functions_;
};

/// Makes the context a value of which the C compiler knows nothing: what it has read from it before is not what is read
/// from now on.
void forget_context(Loc loc, Out& to) {
  for (const Parameter& p : to.function()->parameters) {
    if (!is(p.type, TypeKind::Pointer) || p.type->space != Space::Context) continue;
    const Expr context = to.make(Local{p.name}, loc, p.type);
    to.emit(Evaluate{to.make(RuntimeCall{to.context.name("barrier_var"), to.context.span<Expr>({context})}, loc,
                             to.context.types.void_type())},
            loc);
  }
}

}  // namespace

// To the C compiler `ks_data(ctx)` is computed from `ctx` alone, so that two mentions are one value whatever is written
// to memory between them, as remove_known_checks takes it. Only what moves the packet ends that. Loops too: their
// bodies may become functions.
Ir<lang::PacketReread> reread_packet(const Ir<lang::Ebpf>& in, Context& context) {
  const Moves moves(in.declarations);
  const auto after = [&](const auto& n, Out& to) {
    const bool moved = moves.in(Ref<std::remove_cvref_t<decltype(n.form)>>{&n});
    to.emit_statement(to.rebuild(n));
    if (moved) forget_context(n.loc, to);
  };
  return rewrite<lang::Ebpf, lang::PacketReread>(
      in, context, on<Let>([&](const Node<Let>& n, Out& to) { after(n, to); }),
      on<Assign>([&](const Node<Assign>& n, Out& to) { after(n, to); }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) { after(n, to); }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) { after(n, to); }),
      on<MapLoop>([&](const Node<MapLoop>& n, Out& to) { after(n, to); }));
}

}  // namespace ksc

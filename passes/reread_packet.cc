// SPDX-License-Identifier: Apache-2.0
/// bpf_xdp_adjust_head(ctx, n)   =>   bpf_xdp_adjust_head(ctx, n); barrier_var(ctx): what is read from the context then
/// is read anew; and so behind a loop that tests the packet
#include "ir/rewrite.h"
#include "passes/packet_walk.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PacketReread>;

/// Statements behind which the context is a new one: those that may have moved the packet, and those with a loop that
/// tests it, themselves or in what they call.
class Rereading {
 public:
  explicit Rereading(const Program& program) : functions_(program) {
    for (bool grew = true; grew;) {
      grew = false;
      for (const Decl& d : program)
        if (const auto* function = as<FunctionDef>(d); function && !walking_.count(function->form.name))
          for (const Stmt& s : function->form.body.statements)
            if (walks(s, false)) grew |= walking_.insert(function->form.name).second;
    }
  }

  bool after(const Stmt& s) const { return moves(s) || walks(s, false); }

 private:
  /// Whether `of` holds for a part of it.
  template <class Of>
  static bool any(const auto& whole, Of&& of) {
    bool found = false;
    each_child_of(
        whole, [&](const Expr& e) { found = found || of(e); }, [&](const Stmt& s) { found = found || of(s); });
    return found;
  }
  bool moves(const Stmt& s) const {
    return any(s, [&](const auto& part) { return moves(part); });
  }
  bool moves(const Expr& e) const {
    const auto* call = as<Call>(e);
    return moves_packet(e) || (call && functions_.moving.count(call->form.function)) ||
           any(e, [&](const auto& part) { return moves(part); });
  }
  bool walks(const Stmt& s, bool in_loop) const {
    const bool inside = in_loop || as<CountedLoop>(s) || as<MapLoop>(s);
    return any(s, [&](const auto& part) { return walks(part, inside); });
  }
  bool walks(const Expr& e, bool in_loop) const {
    const auto* call = as<Call>(e);
    return (call && walking_.count(call->form.function)) || (in_loop && tests_packet(e)) ||
           any(e, [&](const auto& part) { return walks(part, in_loop); });
  }

  PacketFunctions functions_;
  NameSet walking_;
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
//
// The verifier knows after each turn of a loop how far the packet has been tested. Where control leaves the loop early,
// it goes on once for each turn with another such number, through the next loop as well, and through its million
// instructions; what is read anew has no number yet.
Ir<lang::PacketReread> reread_packet(const Ir<lang::ElementAddressesGuarded>& in, Context& context) {
  const Rereading rereading(in.declarations);
  const auto after = [&](const auto& n, Out& to) {
    const bool again = rereading.after(Ref<std::remove_cvref_t<decltype(n.form)>>{&n});
    to.emit_statement(to.rebuild(n));
    if (again) forget_context(n.loc, to);
  };
  return rewrite<lang::ElementAddressesGuarded, lang::PacketReread>(
      in, context, on<Let>([&](const Node<Let>& n, Out& to) { after(n, to); }),
      on<Assign>([&](const Node<Assign>& n, Out& to) { after(n, to); }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) { after(n, to); }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) { after(n, to); }),
      // Where a jump comes out, it may have left a loop.
      on<Labelled>([&](const Node<Labelled>& n, Out& to) { after(n, to); }),
      on<MapLoop>([&](const Node<MapLoop>& n, Out& to) { after(n, to); }));
}

}  // namespace ksc

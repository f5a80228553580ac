// SPDX-License-Identifier: Apache-2.0
/// var e = m.reserve(); … raise s   =>   var e = m.reserve(); … m.discard(e); raise s, where e is open; delete p, where
/// it is what `new` has given
// The developer closes it on the ways that the source shows (check_reservations); these are the others. Where ways
// have met on one of which it is closed, a variable tells which one it was.
#include "ir/rewrite.h"
#include "passes/passes.h"
#include "passes/reservation_flow.h"

namespace ksc {
namespace {

using Out = To<lang::OpenDiscarded>;

/// What is open where a statement leaves.
struct OpenThere {
  Name variable;
  bool is_certain;
};

struct FunctionReservations {
  std::map<const NodeHeader*, std::vector<OpenThere>> leaving;
  NameMap<OpenThere> ending;  // where the scopes of variables end, by the variable
  NameMap<Expr> reserved;
  std::map<const NodeHeader*, Name> released;  // by the call
  NameMap<Name> open;                          // of variables that are asked for, the one that tells
};

}  // namespace

Ir<lang::OpenDiscarded> discard_open_reservations(const Ir<lang::NoFinally>& in, Context& context) {
  FunctionReservations known;
  const auto look_at = [&](const FunctionDef& function) {
    known = {};
    ReservationEvents events;
    events.leaves = [&](Name variable, const Holding& holding, const WayOut& way) {
      if (!holding.open) return;
      const bool is_certain = !holding.absent && !holding.closed;
      if (way.statement)
        known.leaving[way.statement].push_back({variable, is_certain});
      else
        known.ending[variable] = {variable, is_certain};
      if (!is_certain) known.open[variable] = {};
    };
    events.assigned = [](Name, Loc) {};
    events.used = [](Name, const Expr&, Loc) {};
    events.unheld = [](const Expr&) {};
    events.released = [&](const Expr& call, Name variable) { known.released[&header(call)] = variable; };
    ReservationFlow(nullptr, events).function(function);
  };
  const auto discard = [&](Name held, const Expr& reserved, Loc loc, Out& to) {
    Types& types = context.types;
    Type type = type_of(reserved);
    const Expr pointer =
        to.make(Convert{to.make(Local{held}, loc, type)}, loc, types.pointer(type->element, type->space, false));
    const auto arguments = context.span<Expr>({pointer});
    const auto* of_ring = as<MapCall>(reserved);
    const Expr call =
        of_ring ? Expr(to.make(MapCall{of_ring->form.map, context.name("discard"), arguments}, loc, types.void_type()))
                : Expr(to.make(BuiltinCall{context.name("delete"), arguments}, loc, types.void_type()));
    to.emit(Evaluate{call}, loc);
  };
  const auto discard_open = [&](const OpenThere& there, Loc loc, Out& to) {
    const Expr& reserved = known.reserved.at(there.variable);
    if (there.is_certain) return discard(there.variable, reserved, loc, to);
    const Name open = known.open.at(there.variable);
    const Expr is_open = to.make(Present{to.make(Local{open}, loc, type_of(reserved))}, loc, context.types.boolean());
    const Body then = to.collect([&] { discard(open, reserved, loc, to); });
    to.emit(If{context.span<Branch>({{is_open, then}}), {}}, loc);
  };
  const auto leaving = [&](const auto& n, Out& to) {
    if (const auto found = known.leaving.find(&n); found != known.leaving.end())
      for (const OpenThere& there : found->second) discard_open(there, n.loc, to);
    to.emit_statement(to.rebuild(n));
  };
  return rewrite<lang::NoFinally, lang::OpenDiscarded>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        look_at(n.form);
        FunctionDef form = n.form;
        form.body = to(n->body);
        to.declare(form, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        to.emit_statement(to.rebuild(n));
        if (!n->value || !reserves(*n->value)) return;
        known.reserved.insert_or_assign(n->name, *n->value);
        if (const auto ending = known.ending.find(n->name); ending != known.ending.end())
          to.at_end_of_body([&, there = ending->second, loc = n.loc] { discard_open(there, loc, to); });
        const auto asked = known.open.find(n->name);
        if (asked == known.open.end()) return;
        asked->second = to.fresh("open");
        to.emit(Let{asked->second, type_of(*n->value), Expr(to.make(Local{n->name}, n.loc, n->type))}, n.loc);
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        to.emit_statement(to.rebuild(n));
        const auto released = known.released.find(&header(n->value));
        if (released == known.released.end()) return;
        const auto asked = known.open.find(released->second);
        if (asked == known.open.end() || !asked->second) return;
        Type type = type_of(known.reserved.at(released->second));
        to.emit(Assign{to.make(Local{asked->second}, n.loc, type), to.make(Null{}, n.loc, type)}, n.loc);
      }),
      on<Raise>([&](const Node<Raise>& n, Out& to) { leaving(n, to); }),
      on<Return>([&](const Node<Return>& n, Out& to) { leaving(n, to); }),
      on<TailCall>([&](const Node<TailCall>& n, Out& to) { leaving(n, to); }),
      on<Goto>([&](const Node<Goto>& n, Out& to) { leaving(n, to); }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// … pinned_globals.a …   =>   var pinned = &pinned_globals[0]; if (!pinned) return; … pinned->a …
#include "ir/rewrite.h"
#include "passes/leave_if_null.h"
#include "passes/passes.h"

namespace ksc {
namespace {

bool uses(const Expr& e, Name map);
bool uses(const Stmt& s, Name map) {
  bool found = false;
  each_child_of(
      s, [&](const Expr& child) { found = found || uses(child, map); },
      [&](const Stmt& t) { found = found || uses(t, map); });
  return found;
}
bool uses(const Expr& e, Name map) {
  if (const auto* global = as<Global>(e)) return global->form.name == map;
  bool found = false;
  each_child_of(
      e, [&](const Expr& child) { found = found || uses(child, map); },
      [&](const Stmt& t) { found = found || uses(t, map); });
  return found;
}

}  // namespace

Ir<lang::PinsReached> lower_pinned_access(const Ir<lang::TurnsForgotten>& in, Context& context) {
  using Out = To<lang::PinsReached>;
  Name map;
  Type type = nullptr;
  for (const Decl& d : in.declarations)
    if (const auto* pins = as<PinnedGlobals>(d)) map = pins->form.name, type = pins->form.type;
  Name entry;  // the pointer of the function at work
  return rewrite<lang::TurnsForgotten, lang::PinsReached>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        bool used = false;
        for (const Stmt& s : n->body.statements) used = used || (map && uses(s, map));
        if (!used) return to.declare(n.form, n.loc);
        Types& types = to.context.types;
        entry = to.fresh("pinned");
        FunctionDef form = n.form;
        form.body = to.collect([&] {
          Type reference = types.entry_ref(type, map, false);  // tested once, below
          const Expr array = to.make(MapName{map}, n.loc, types.map(to.context.name("array"), types.u32(), type, 1));
          const Expr key = to.make(Int{{0}, {}}, n.loc, types.u32());
          to.emit(Let{entry, reference, to.make(MapLookup{array, key}, n.loc, reference)}, n.loc);
          // The one entry of an array always exists; the verifier wants to see it tested.
          emit_leave_if_null(to.make(Local{entry}, n.loc, reference), form, n.loc, to);
          to.emit(to(n->body));
        });
        to.declare(form, n.loc);
      }),
      on<Global>([&](const Node<Global>& n, Out& to) -> Expr {
        if (!map || !(n->name == map)) return to.make(n.form, n.loc, n.type);
        Type reference = to.context.types.entry_ref(type, map, false);
        return to.make(Deref{to.make(Local{entry}, n.loc, reference)}, n.loc, type);
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// m[k] = v   =>   MapStore m k v; m[k].f = v   =>   slot = the entry, inserted if absent; if (slot) slot->f = v
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::NoMapEntry> lower_map_entries(const Ir<lang::NoUpdate>& in, Context& context) {
  using Out = To<lang::NoMapEntry>;
  Name slot;  // stands for the entry that the assignment at work writes to
  return rewrite<lang::NoUpdate, lang::NoMapEntry>(
      in, context, on<Assign>([&](const Node<Assign>& n, Out& to) {
        const auto* entry = entry_of(n->place);
        if (!entry) return to.emit(n.form, n.loc);
        if (as<MapEntry>(n->place)) return to.emit(MapStore{entry->form.map, entry->form.key, n->value}, n.loc);
        Types& types = to.context.types;
        Type pointer = types.pointer(entry->type, Space::MapValue, true);
        slot = to.fresh("entry");
        to.emit(Let{slot, pointer, to.make(MapSlot{entry->form.map, entry->form.key}, entry->loc, pointer)},
                entry->loc);
        const Expr reference = to.make(Local{slot}, entry->loc, pointer);
        const Body write = to.collect([&] { to.emit(Assign{to(n->place), n->value}, n.loc); });
        to.emit(If{to.context.span<Branch>({{to.make(Present{reference}, entry->loc, types.boolean()), write}}), {}},
                n.loc);
      }),
      on<MapEntry>([&](const Node<MapEntry>& n, Out& to) -> Expr {
        Type pointer = to.context.types.pointer(n.type, Space::MapValue, true);
        return to.make(Deref{to.make(Local{slot}, n.loc, pointer)}, n.loc, n.type);
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// pin var a: u32; … a …   =>   one struct pinned_globals { a: u32, … } in a one-entry map; … pinned_globals.a …
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::PinsFlat> flatten_pinned_globals(const Ir<lang::AggregatesReturned>& in, Context& context) {
  using Out = To<lang::PinsFlat>;
  std::vector<StructField> fields;
  std::vector<FieldValue> values;
  std::set<Name, ByText> pinned;
  Loc first;
  for (const Decl& d : in.declarations) {
    const auto* global = as<GlobalDef>(d);
    if (!global || global->form.storage != Storage::Pinned) continue;
    if (!first) first = global->loc;
    StructField field;
    field.name = global->form.name;
    field.type = global->form.type;
    fields.push_back(field);
    if (global->form.value) values.push_back({field.name, *global->form.value});
    pinned.insert(field.name);
  }
  const Name name = context.name("pinned_globals");
  Type type = context.types.structure(name);
  if (!fields.empty()) context.types.complete_struct(type, fields);
  bool declared = false;
  return rewrite<lang::AggregatesReturned, lang::PinsFlat>(
      in, context, on<GlobalDef>([&](const Node<GlobalDef>& n, Out& to) {
        if (n->storage != Storage::Pinned) return to.declare(n.form, n.loc);
        if (!std::exchange(declared, true)) to.declare(PinnedGlobals{name, type, to.context.span(values)}, n.loc);
      }),
      on<Global>([&](const Node<Global>& n, Out& to) -> Expr {
        if (!pinned.count(n->name)) return to.make(n.form, n.loc, n.type);
        return to.make(Field{to.make(Global{name}, n.loc, type), n->name}, n.loc, n.type);
      }));
}

}  // namespace ksc

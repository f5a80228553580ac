// SPDX-License-Identifier: Apache-2.0
/// s = value   =>   s_value = value; s = &s_value, where s refers to an entry of a map [L50]
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/local_references.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::ValuesPlaced> place_referenced_values(const Ir<lang::NoIfPresent>& in, Context& context) {
  using Out = To<lang::ValuesPlaced>;
  const NameSet rebound = rebound_references(in.declarations);
  NameMap<Name> values;  // by the reference, what holds the value that it is given
  const auto declare = [&](Name reference, Type type, Loc loc, Out& to) {
    if (!rebound.count(reference)) return;
    values[reference] = to.fresh(std::string(reference.spelling()) + "_value");
    to.emit(Let{values[reference], type->element, {}}, loc);
  };
  return rewrite<lang::NoIfPresent, lang::ValuesPlaced>(
      in, context, on<Let>([&](const Node<Let>& n, Out& to) {
        declare(n->name, n->type, n.loc, to);
        to.emit_statement(to.rebuild(n));
      }),
      on<MapLoop>([&](const Node<MapLoop>& n, Out& to) {
        MapLoop form = n.form;
        form.body = to.collect([&] {
          declare(n->entry, n->type, n.loc, to);
          to.emit(to(n->body));
        });
        to.emit(form, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const Expr* given = referenced_value(n.form);
        if (!given) return to.emit_statement(to.rebuild(n));
        Type type = type_of(n->place);
        const Expr value = to.make(Local{values.at(as<Local>(n->place)->form.name)}, n.loc, type->element);
        to.emit(Assign{value, to(*given)}, n.loc);
        const Expr address =
            to.make(AddressOf{value}, n.loc, to.context.types.pointer(type->element, Space::Stack, false));
        to.emit(Assign{n->place, to.make(Convert{address}, n.loc, type)}, n.loc);
      }));
}

}  // namespace ksc

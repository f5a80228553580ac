// SPDX-License-Identifier: Apache-2.0
/// var k = *p, a struct with padding in the packet   =>   var k; k.a = p->a; k.b = p->b
#include <algorithm>

#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PaddingDropped>;

/// A struct in the packet whose padding would be copied with it.
bool copies_padding(const Expr& e) { return is_in_packet(e) && has_padding(type_of(e)); }

bool holds_copy(const Expr& e) {
  if (copies_padding(e)) return true;
  bool found = false;
  if (as<Conditional>(e))
    each_child_of(
        e, [&](const Expr& child) { found = found || holds_copy(child); }, [](const Stmt&) {});
  return found;
}

/// A place that is not read as a whole.
Expr kept_place(const Expr& e, Out& to) {
  if (const auto* field = as<Field>(e))
    return to.make(Field{kept_place(field->form.base, to), field->form.name}, loc_of(e), type_of(e));
  if (const auto* index = as<Index>(e))
    return to.make(Index{kept_place(index->form.base, to), to(index->form.index)}, loc_of(e), type_of(e));
  if (const auto* deref = as<Deref>(e)) return to.rebuild(*deref);
  return to(e);
}

/// place = source, member by member.
void copy_members(const Expr& place, const Expr& source, Out& to) {
  const Type type = type_of(source);
  const Loc loc = loc_of(source);
  if (!has_padding(type)) return to.emit(Assign{place, source}, loc);
  if (is(type, TypeKind::Struct)) {
    for (const StructField& field : type->body->fields)
      copy_members(to.make(Field{place, field.name}, loc, field.type),
                   to.make(Field{source, field.name}, loc, field.type), to);
    return;
  }
  for (uint64_t i = 0; i < type->count; ++i) {
    const Expr at = to.make(Int{{static_cast<__int128>(i)}, {}}, loc, to.context.types.u64());
    copy_members(to.make(Index{place, at}, loc, type->element), to.make(Index{source, at}, loc, type->element), to);
  }
}

/// var name = value, without what lies between the members of what is in the packet.
void declare(Name name, const Expr& value, Out& to) {
  const Loc loc = loc_of(value);
  to.emit(Let{name, type_of(value), {}}, loc);
  const Expr place = to.make(Local{name}, loc, type_of(value));
  const auto assign = [&](const auto& self, const Expr& v) -> void {
    if (copies_padding(v)) return copy_members(place, kept_place(v, to), to);
    const auto* choice = as<Conditional>(v);
    if (!choice || !holds_copy(v)) return to.emit(Assign{place, to(v)}, loc);
    const Expr condition = to(choice->form.condition);
    const Body then = to.collect([&] { self(self, choice->form.then); });
    const Body otherwise = to.collect([&] { self(self, choice->form.otherwise); });
    to.emit(If{to.context.span<Branch>({{condition, then}}), otherwise}, loc);
  };
  assign(assign, value);
}

}  // namespace

// Keys are compared as a whole, and what lies between their members is zero [L141]; all other values are made so.
Ir<lang::PaddingDropped> drop_packet_padding(const Ir<lang::EnumsConverted>& in, Context& context) {
  const auto value = [](const auto& n, Out& to) -> Expr {
    const Expr e = Ref<std::remove_cvref_t<decltype(n.form)>>{&n};
    if (!holds_copy(e)) return is_in_packet(e) ? kept_place(e, to) : to.rebuild(n);
    const Name name = to.fresh("value");
    declare(name, e, to);
    return to.make(Local{name}, n.loc, n.type);
  };
  return rewrite<lang::EnumsConverted, lang::PaddingDropped>(
      in, context, on<Let>([](const Node<Let>& n, Out& to) {
        if (n->value && holds_copy(*n->value)) return declare(n->name, *n->value, to);
        to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
      }),
      on<Assign>([](const Node<Assign>& n, Out& to) {
        const Expr place = kept_place(n->place, to);
        to.emit(Assign{place, to(n->value)}, n.loc);
      }),
      on<AddressOf>([](const Node<AddressOf>& n, Out& to) -> Expr {
        return to.make(AddressOf{kept_place(n->place, to)}, n.loc, n.type);
      }),
      on<Deref>(value), on<Field>(value), on<Index>(value), on<Conditional>(value));
}

}  // namespace ksc

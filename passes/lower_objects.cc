// SPDX-License-Identifier: Apache-2.0
/// var p = new T(); *p = t; delete p   =>   var p = bpf_obj_new_impl(); if (p != null) { p.a = 0; p.b = 0 }; p.a = t.a;
/// p.b = t.b; bpf_obj_drop_impl(p, 0)
/// v = p.values[i]   =>   ks_get_elements(&values[0], &p.values[0], 8); v = values[i]
// The verifier follows no index into an object, and sees only accesses to one number, so that what is no number goes
// through a variable. The kernel gives what was in the memory before.
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/operands_in_branches.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ObjectsByMembers>;

bool is_known_index(const Index& element) {
  const auto* index = as<Int>(element.index);
  const Type base = type_of(element.base);
  const uint64_t count = is(base, TypeKind::Str) ? size_of(base) : base->count;
  return index && index->form.value.value >= 0 && static_cast<uint64_t>(index->form.value.value) < count;
}

/// The largest part of a place that instructions can reach: all before the first index that is not known.
const Expr& reached_part(const Expr& e) {
  const Expr* base = nullptr;
  bool is_known = true;
  if (const auto* field = as<Field>(e)) base = &field->form.base;
  if (const auto* element = as<Index>(e)) base = &element->form.base, is_known = is_known_index(element->form);
  if (!base) return e;
  const Expr& part = reached_part(*base);
  return &part == base && is_known ? e : part;
}

bool is_number(Type type) { return !is_aggregate(type) && !is(type, TypeKind::Str); }

/// Whether something in it goes through a variable: then that is filled only where the operand is evaluated.
bool copies_object(const Expr& e) {
  if (!header(e).contains.has(Kind::Deref)) return false;
  if (is_in_object(e) && !is_number(type_of(reached_part(e)))) return true;
  bool found = false;
  each_child_of(
      e, [&](const Expr& child) { found = found || copies_object(child); }, [](const Stmt&) {});
  return found;
}

class ObjectLowering {
 public:
  explicit ObjectLowering(Out& to) : to_(to), c_(to.context), t_(c_.types) {}

  Expr read(const Expr& e) {
    const Expr& part = reached_part(e);
    if (is_number(type_of(part))) return place(part);
    return within(e, part, copied(part));
  }
  void write(const Expr& at, const Expr& value, Loc loc) {
    const Expr& part = reached_part(at);
    const Expr target = place(part);
    if (is_number(type_of(part))) return to_.emit(Assign{target, to_(value)}, loc);
    if (same(part, at)) return copy(target, variable(to_(value), loc), loc);
    const Expr given = to_(value), changed = copied(part);
    to_.emit(Assign{within(at, part, changed), given}, loc);
    copy(target, changed, loc);
  }
  void declare(Name name, const Expr& value, Loc loc) {
    to_.emit(Let{name, type_of(value), {}}, loc);
    copy(to_.make(Local{name}, loc, type_of(value)), place(value), loc);
  }
  void clear(const Expr& object, Loc loc) {
    each_part(
        object, object, loc,
        [&](const Expr& number, const Expr&) {
          to_.emit(Assign{number, to_.make(Int{{0}, {}}, loc, type_of(number))}, loc);
        },
        [&](const Expr& first, const Expr&, const Expr& count) {
          call("ks_clear_elements", {first, count}, loc);
        });
  }
  /// The place, whose indexes are known, with what its pointer has become.
  Expr place(const Expr& e) {
    if (const auto* field = as<Field>(e))
      return to_.make(Field{place(field->form.base), field->form.name}, field->loc, field->type);
    if (const auto* element = as<Index>(e))
      return to_.make(Index{place(element->form.base), element->form.index}, element->loc, element->type);
    const auto* deref = as<Deref>(e);
    return to_.make(Deref{to_(deref->form.pointer)}, deref->loc, deref->type);
  }
  Expr drop(const Expr& pointer, Loc loc) {
    const Expr flags = to_.make(Int{{0}, {}}, loc, t_.u64());
    return to_.make(HelperCall{c_.name("bpf_obj_drop_impl"), c_.span<Expr>({pointer, flags})}, loc, t_.void_type());
  }

 private:
  static bool same(const Expr& a, const Expr& b) { return &header(a) == &header(b); }
  Expr index(const Expr& base, uint64_t number, Type type, Loc loc) {
    return to_.make(Index{base, to_.make(Int{{static_cast<__int128>(number)}, {}}, loc, t_.u64())}, loc, type);
  }
  Expr variable(const Expr& value, Loc loc) {
    const Name name = to_.fresh("value");
    to_.emit(Let{name, type_of(value), value}, loc);
    return to_.make(Local{name}, loc, type_of(value));
  }
  Expr copied(const Expr& part) {
    const Name name = to_.fresh("copy");
    declare(name, part, loc_of(part));
    return to_.make(Local{name}, loc_of(part), type_of(part));
  }
  /// The place with the variable instead of the part of it that the variable has a copy of.
  Expr within(const Expr& e, const Expr& part, const Expr& copy) {
    if (same(e, part)) return copy;
    if (const auto* field = as<Field>(e))
      return to_.make(Field{within(field->form.base, part, copy), field->form.name}, field->loc, field->type);
    const auto* element = as<Index>(e);
    const Expr base = within(element->form.base, part, copy);
    return to_.make(Index{base, to_(element->form.index)}, element->loc, element->type);
  }
  using OnNumber = std::function<void(const Expr& number, const Expr& other)>;
  using OnElements = std::function<void(const Expr& first, const Expr& other, const Expr& count)>;
  /// The numbers of a place and of another one of the same type, and the arrays of numbers.
  void each_part(const Expr& place, const Expr& other, Loc loc, const OnNumber& on_number,
                 const OnElements& on_elements) {
    Type type = type_of(place);
    const auto member = [&](const Expr& of, const StructField& field) {
      return to_.make(Field{of, field.name}, loc, field.type);
    };
    if (is_number(type)) return on_number(place, other);
    if (is(type, TypeKind::Struct)) {
      for (const StructField& field : type->body->fields)
        each_part(member(place, field), member(other, field), loc, on_number, on_elements);
      return;
    }
    const bool is_text = is(type, TypeKind::Str);
    Type element = is_text ? t_.character() : type->element;
    const uint64_t count = is_text ? size_of(type) : type->count;
    if (is_number(element))
      return on_elements(first(place, element, loc), first(other, element, loc),
                         to_.make(Int{{static_cast<__int128>(count)}, {}}, loc, t_.u64()));
    for (uint64_t i = 0; i < count; ++i)
      each_part(index(place, i, element, loc), index(other, i, element, loc), loc, on_number, on_elements);
  }
  Expr first(const Expr& array, Type element, Loc loc) {
    const Space space = is_in_object(array) ? Space::Object : Space::Stack;
    return to_.make(AddressOf{index(array, 0, element, loc)}, loc, t_.pointer(element, space, false));
  }
  void copy(const Expr& target, const Expr& source, Loc loc) {
    each_part(
        target, source, loc,
        [&](const Expr& to, const Expr& from) {
          to_.emit(Assign{to, from}, loc);
        },
        [&](const Expr& to, const Expr& from, const Expr& count) {
          call(is_in_object(target) ? "ks_put_elements" : "ks_get_elements", {to, from, count}, loc);
        });
  }
  void call(std::string_view function, const std::vector<Expr>& arguments, Loc loc) {
    to_.emit(Evaluate{to_.make(RuntimeCall{c_.name(function), c_.span(arguments)}, loc, t_.void_type())}, loc);
  }

  Out& to_;
  Context& c_;
  Types& t_;
};

}  // namespace

Ir<lang::ObjectsByMembers> lower_objects(const Ir<lang::NoDynptrPointer>& in, Context& context) {
  const auto read = [](const auto& n, Out& to) -> Expr {
    const Expr e = Ref<std::remove_cvref_t<decltype(n.form)>>{&n};
    return is_in_object(e) ? ObjectLowering(to).read(e) : to.rebuild(n);
  };
  return rewrite<lang::NoDynptrPointer, lang::ObjectsByMembers>(
      in, context, on<Let>([](const Node<Let>& n, Out& to) {
        const bool copies = n->value && is_in_object(*n->value) && !is_number(type_of(*n->value)) &&
                            &header(reached_part(*n->value)) == &header(*n->value);
        copies ? ObjectLowering(to).declare(n->name, *n->value, n.loc) : to.emit_statement(to.rebuild(n));
        const auto* call = n->value ? as<BuiltinCall>(*n->value) : nullptr;
        if (!call || !is_object(call->type)) return;
        const Expr object = to.make(Local{n->name}, n.loc, n->type);
        const Body then =
            to.collect([&] { ObjectLowering(to).clear(to.make(Deref{object}, n.loc, n->type->element), n.loc); });
        const Expr is_there = to.make(Present{object}, n.loc, to.context.types.boolean());
        to.emit(If{to.context.span<Branch>({{is_there, then}}), {}}, n.loc);
      }),
      on<Assign>([](const Node<Assign>& n, Out& to) {
        is_in_object(n->place) ? ObjectLowering(to).write(n->place, n->value, n.loc) : to.emit_statement(to.rebuild(n));
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        const auto* call = as<BuiltinCall>(n->value);
        if (!call || !(call->form.function == "delete") || !is_object(type_of(call->form.arguments[0])))
          return to.emit_statement(to.rebuild(n));
        const Expr pointer = to(call->form.arguments[0]);
        Type type = type_of(pointer);
        if (!type->nullable) return to.emit(Evaluate{ObjectLowering(to).drop(pointer, n.loc)}, n.loc);
        const Expr there = to.make(Convert{pointer}, n.loc, context.types.pointer(type->element, type->space, false));
        const Body then = to.collect([&] { to.emit(Evaluate{ObjectLowering(to).drop(there, n.loc)}, n.loc); });
        const Expr is_there = to.make(Present{pointer}, n.loc, context.types.boolean());
        to.emit(If{context.span<Branch>({{is_there, then}}), {}}, n.loc);
      }),
      on<BuiltinCall>([&](const Node<BuiltinCall>& n, Out& to) -> Expr {
        if (!is_object(n.type)) return to.rebuild(n);
        return to.make(HelperCall{context.name("bpf_obj_new_impl"), {}}, n.loc, n.type);
      }),
      on<AddressOf>([](const Node<AddressOf>& n, Out& to) -> Expr {
        if (!is_in_object(n->place)) return to.rebuild(n);
        return to.make(AddressOf{ObjectLowering(to).place(n->place)}, n.loc, n.type);
      }),
      on<And>([](const Node<And>& n, Out& to) { return in_branches(n, to, copies_object); }),
      on<Or>([](const Node<Or>& n, Out& to) { return in_branches(n, to, copies_object); }),
      on<Conditional>([](const Node<Conditional>& n, Out& to) { return in_branches(n, to, copies_object); }),
      on<If>([](const Node<If>& n, Out& to) { emit_else_ifs(n, to, copies_object); }), on<Deref>(read), on<Field>(read),
      on<Index>(read));
}

}  // namespace ksc

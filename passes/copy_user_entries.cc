// SPDX-License-Identifier: Apache-2.0
/// var s = &m[k]; s.f = v   =>   var s_copy = {key: k}; var s = lookup(m, &s_copy.key, &s_copy.value) ? &s_copy : null;
/// s.value.f = v, written back
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/array_copies.h"
#include "passes/entry_reading.h"
#include "passes/local_references.h"
#include "passes/passes.h"
#include "passes/read_in_place.h"

namespace ksc {
namespace {

using Out = To<lang::UserEntriesCopied>;

/// What references to entries become: pointers to a struct with the entry's key and a copy of its value. Each variable
/// has such a struct of its own, so that it can go on to another entry, or take another variable's. One that is given
/// values of its own as well has a bool that says whether it refers to an entry.
class EntryCopies {
 public:
  EntryCopies(const Program& program, Context& context) : c_(context), t_(context.types), in_place_(program) {
    for (const Decl& d : program) {
      if (const auto* map = as<MapDef>(d)) maps_[map->form.name] = map->form.type;
      if (const auto* function = as<FunctionDef>(d))
        for (const Stmt& s : function->form.body.statements) find_rebound(s);
    }
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d); function && !rebound_.empty())
        for (const SharingReferences& group : sharing_references(function->form, rebound_))
          rebound_.insert(group.begin(), group.end());
  }

  /// Whether the expression is a reference that becomes a pointer to a copy. What is only read in place is left to
  /// lower_user_maps.
  bool is_copied(const Expr& e) const {
    return is(type_of(e), TypeKind::EntryRef) && !(as<Local>(e) && in_place_.has(as<Local>(e)->form.name));
  }
  template <class F>
  bool is_copied(const Node<F>& n) const {
    return is(n->type, TypeKind::EntryRef) && !in_place_.has(name_of(n.form));
  }

  /// The type of the pointers that references to a map's entries become.
  Type pointer(Type reference) { return t_.pointer(structure(reference->name), Space::Stack, true); }

  /// var s = value, and the struct which s will point to.
  void declare(const Node<Let>& n, Out& to) {
    Type type = declared_structure(n->type, n.loc, to);
    const Name copy = to.fresh(std::string(n->name.spelling()) + "_copy");
    copies_[n->name] = copy;
    declare_flag(n->name, n.loc, to);
    const auto read = n->value ? entry_reading(*n->value) : std::nullopt;
    const bool copies_key = read && is_array_in_c(type_of(read->key));
    Option<Expr> first;
    if (read && !copies_key)
      first = to.make(StructValue{c_.span<FieldValue>({{c_.name("key"), to(read->key)}})}, n.loc, type);
    to.emit(Let{copy, type, first}, n.loc);
    if (copies_key) set_key(n->name, n->type, to(read->key), n.loc, to);
    const Expr absent = to.make(Null{}, n.loc, pointer(n->type));
    to.emit(Let{n->name, pointer(n->type), read ? found(n->name, *read, n->type, n.loc, to) : absent}, n.loc);
    if (n->value && !read) {
      take_over(n->name, n->type, *n->value, n.loc, to);
      take_over_flag(n->name, *n->value, n.loc, to);
    }
  }

  /// for (k, s in m): s has a copy of its own as well. Gives the name of the loop's reference, from which it is made.
  Name declare(const Node<MapLoop>& n, Out& to) {
    const Name entry = to.fresh("entry");
    Type type = declared_structure(n->type, n.loc, to);
    const Name copy = to.fresh(std::string(n->entry.spelling()) + "_copy");
    copies_[n->entry] = copy;
    declare_flag(n->entry, n.loc, to);
    const Expr key = to.make(Local{n->key}, n.loc, maps_.at(n->type->name)->key);
    const Expr value = to.make(Deref{to.make(Local{entry}, n.loc, n->type)}, n.loc, n->type->element);
    const bool copies_key = is_array_in_c(type_of(key)), copies_value = is_array_in_c(type_of(value));
    std::vector<FieldValue> first;
    if (!copies_key) first.push_back({c_.name("key"), key});
    if (!copies_value) first.push_back({c_.name("value"), value});
    Option<Expr> given;
    if (!first.empty()) given = to.make(StructValue{c_.span(first)}, n.loc, type);
    to.emit(Let{copy, type, given}, n.loc);
    if (copies_key) set_key(n->entry, n->type, key, n.loc, to);
    if (copies_value) set_value(n->entry, n->type, value, n.loc, to);
    to.emit(Let{n->entry, pointer(n->type), address_of_copy(n->entry, n->type, n.loc, to)}, n.loc);
    return entry;
  }

  /// s = value
  void assign(const Node<Assign>& n, Out& to) {
    const Name name = as<Local>(n->place)->form.name;
    Type type = type_of(n->place);
    const Expr* value = own_value(n->value);
    set_flag(name, !value, n.loc, to);
    if (value) {
      set_value(name, type, *value, n.loc, to);
      return to.emit(Assign{local(name, type, n.loc, to), address_of_copy(name, type, n.loc, to)}, n.loc);
    }
    const auto read = entry_reading(n->value);
    if (!read) {
      take_over(name, type, n->value, n.loc, to);
      return take_over_flag(name, n->value, n.loc, to);
    }
    set_key(name, type, to(read->key), n.loc, to);
    to.emit(Assign{local(name, type, n.loc, to), found(name, *read, type, n.loc, to)}, n.loc);
  }

  /// The same place, its indexes named that the write itself may change: s.f[s.f[0]] = v.
  Expr with_named_indexes(const Expr& place, Out& to) {
    if (const auto* field = as<Field>(place))
      return to.make(Field{with_named_indexes(field->form.base, to), field->form.name}, field->loc, field->type);
    const auto* element = as<Index>(place);
    if (!element) return place;
    Expr index = element->form.index;
    if (header(index).contains.has(Kind::Deref)) {
      const Name name = to.fresh("index");
      to.emit(Let{name, type_of(index), to(index)}, loc_of(index));
      index = to.make(Local{name}, loc_of(index), type_of(index));
    }
    return to.make(Index{with_named_indexes(element->form.base, to), index}, element->loc, element->type);
  }

  /// After a part of the copy was written: the same part of the entry, if it is a copy of one.
  void write_back(const Expr& place, const Expr& reference, Loc loc, Out& to) {
    const auto* local = as<Local>(reference);
    const auto flag = local ? flags_.find(local->form.name) : flags_.end();
    if (flag == flags_.end()) return write_entry(place, reference, loc, to);
    const Expr is_entry = to.make(Local{flag->second}, loc, t_.boolean());
    to.emit(If{c_.span<Branch>({{is_entry, to.collect([&] { write_entry(place, reference, loc, to); })}}), {}}, loc);
  }
  void write_entry(const Expr& place, const Expr& reference, Loc loc, Out& to) {
    Type structure = pointer(type_of(reference))->element;
    const Expr pointed = to.make(Deref{to(reference)}, loc, structure);
    const Expr part = to(place);
    to.emit(Evaluate{call("ks_map_write_or_exit",
                          {map(type_of(reference), loc, to), address(pointed, "key", to), address(pointed, "value", to),
                           to.make(AddressOf{part}, loc, t_.pointer(type_of(part), Space::Stack, false)),
                           to.make(Int{{static_cast<__int128>(size_of(type_of(part)))}, {}}, loc, t_.u64())},
                          t_.void_type(), loc, to)},
            loc);
  }

  Expr value_behind(const Node<Deref>& n, Out& to) {
    const Expr pointed = to.make(Deref{to(n->pointer)}, n.loc, pointer(type_of(n->pointer))->element);
    return to.make(Field{pointed, c_.name("value")}, n.loc, n.type);
  }

  /// A reference as a plain pointer.
  Expr address_of_value(const Node<Convert>& n, Out& to) {
    const Expr reference = to(n->value);
    const Expr pointed = to.make(Deref{reference}, n.loc, type_of(reference)->element);
    const Expr value = to.make(Convert{address(pointed, "value", to)}, n.loc, n.type);
    return to.make(Conditional{to.make(Present{reference}, n.loc, t_.boolean()), value, to.make(Null{}, n.loc, n.type)},
                   n.loc, n.type);
  }

 private:
  /// The value in `s = &value`; null if it is none.
  static const Expr* own_value(const Expr& given) {
    const auto* converted = as<Convert>(given);
    const auto* address =
        converted && is(converted->type, TypeKind::EntryRef) ? as<AddressOf>(converted->form.value) : nullptr;
    return address ? &address->form.place : nullptr;
  }
  void find_rebound(const Stmt& s) {
    if (const auto* assign = as<Assign>(s); assign && as<Local>(assign->form.place) && own_value(assign->form.value))
      rebound_.insert(as<Local>(assign->form.place)->form.name);
    each_child_of(
        s, [](const Expr&) {}, [&](const Stmt& t) { find_rebound(t); });
  }
  void declare_flag(Name reference, Loc loc, Out& to) {
    if (!rebound_.count(reference)) return;
    flags_[reference] = to.fresh(std::string(reference.spelling()) + "_is_entry");
    to.emit(Let{flags_[reference], t_.boolean(), to.make(Int{{1}, {}}, loc, t_.boolean())}, loc);
  }
  void set_flag(Name reference, bool is_entry, Loc loc, Out& to) {
    if (const auto flag = flags_.find(reference); flag != flags_.end())
      to.emit(Assign{to.make(Local{flag->second}, loc, t_.boolean()), to.make(Int{{is_entry}, {}}, loc, t_.boolean())},
              loc);
  }
  /// s = t: if t refers to no entry, s does not either.
  void take_over_flag(Name reference, const Expr& from, Loc loc, Out& to) {
    const auto flag = flags_.find(reference);
    const Name* other = referred_by(from);
    const auto others = other ? flags_.find(*other) : flags_.end();
    if (flag == flags_.end() || others == flags_.end()) return;
    to.emit(Assign{to.make(Local{flag->second}, loc, t_.boolean()), to.make(Local{others->second}, loc, t_.boolean())},
            loc);
  }
  static Name name_of(const Let& let) { return let.name; }
  static Name name_of(const MapLoop& loop) { return loop.entry; }
  Type declared_structure(Type reference, Loc loc, Out& to) {
    Type type = structure(reference->name);
    if (declared_.insert(reference->name).second) to.declare(StructDef{type, {}}, loc);
    return type;
  }
  Type structure(Name map) {
    auto found = structures_.find(map);
    if (found != structures_.end()) return found->second;
    // As fresh as a variable's name, as one word.
    const Name fresh = c_.names.fresh(std::string(map.spelling()) + "_copy");
    Type type = t_.structure(
        c_.name(std::string(fresh.spelling()) + "_" + std::string(fresh.text().substr(fresh.spelling().size() + 1))));
    StructField key, value;
    key.name = c_.name("key");
    key.type = maps_.at(map)->key;
    value.name = c_.name("value");
    value.type = maps_.at(map)->element;
    t_.complete_struct(type, {key, value});
    return structures_[map] = type;
  }
  Expr map(Type reference, Loc loc, Out& to) {
    return to.make(MapName{reference->name}, loc, maps_.at(reference->name));
  }
  Expr local(Name name, Type reference, Loc loc, Out& to) { return to.make(Local{name}, loc, pointer(reference)); }
  Expr copy(Name name, Type reference, Loc loc, Out& to) {
    return to.make(Local{copies_.at(name)}, loc, structure(reference->name));
  }
  /// s_copy.key = key
  void set_key(Name name, Type reference, const Expr& key, Loc loc, Out& to) {
    emit_assignment(to.make(Field{copy(name, reference, loc, to), c_.name("key")}, loc, type_of(key)), key, loc, to);
  }
  /// s_copy.value = value
  void set_value(Name name, Type reference, const Expr& value, Loc loc, Out& to) {
    emit_assignment(to.make(Field{copy(name, reference, loc, to), c_.name("value")}, loc, reference->element), value,
                    loc, to);
  }
  Expr address_of_copy(Name name, Type reference, Loc loc, Out& to) {
    return to.make(AddressOf{copy(name, reference, loc, to)}, loc,
                   t_.pointer(structure(reference->name), Space::Stack, false));
  }
  Expr address(const Expr& structure, std::string_view member, Out& to) {
    const StructField* field = find_field(type_of(structure), c_.name(member));
    return to.make(AddressOf{to.make(Field{structure, field->name}, loc_of(structure), field->type)}, loc_of(structure),
                   t_.pointer(field->type, Space::Stack, false));
  }
  Expr call(std::string_view function, std::vector<Expr> arguments, Type type, Loc loc, Out& to) {
    return to.make(RuntimeCall{c_.name(function), c_.span(arguments)}, loc, type);
  }

  /// lookup(map, &s_copy.key, &s_copy.value) == 0 ? &s_copy : null
  Expr found(Name name, const EntryReading& read, Type reference, Loc loc, Out& to) {
    const Expr mine = copy(name, reference, loc, to);
    const auto [function, arguments] =
        reading_call(read.map, false, address(mine, "key", to), to(read.cpu), address(mine, "value", to));
    const Expr error = call(function, arguments, t_.i32(), loc, to);
    const Expr present =
        to.make(Compare{CompareOp::Equal, error, to.make(Int{{0}, {}}, loc, t_.i32())}, loc, t_.boolean());
    return to.make(
        Conditional{present, address_of_copy(name, reference, loc, to), to.make(Null{}, loc, pointer(reference))}, loc,
        pointer(reference));
  }

  /// s refers to what another reference refers to, with a copy of its own.
  void take_over(Name name, Type reference, const Expr& from, Loc loc, Out& to) {
    const Expr mine = local(name, reference, loc, to), absent = to.make(Null{}, loc, pointer(reference));
    if (as<Null>(from)) return to.emit(Assign{mine, absent}, loc);
    const Name other = to.fresh("entry");
    to.emit(Let{other, pointer(reference), to(from)}, loc);
    const Expr given = to.make(Local{other}, loc, pointer(reference));
    const Body take = to.collect([&] {
      to.emit(Assign{copy(name, reference, loc, to), to.make(Deref{given}, loc, structure(reference->name))}, loc);
      to.emit(Assign{mine, address_of_copy(name, reference, loc, to)}, loc);
    });
    const Body none = to.collect([&] { to.emit(Assign{mine, absent}, loc); });
    to.emit(If{c_.span<Branch>({{to.make(Present{given}, loc, t_.boolean()), take}}), none}, loc);
  }

  Context& c_;
  Types& t_;
  ReadInPlace in_place_;
  std::map<Name, Type, ByText> maps_, structures_;
  std::set<Name, ByText> declared_;
  std::map<Name, Name, ByText> copies_;  // the struct of each reference
  NameSet rebound_;                      // references that are given values of their own, or take another's
  NameMap<Name> flags_;                  // of those: whether they refer to an entry
};

/// The reference through which a place is reached; null if there is none.
const Expr* base_reference(const Expr& place) {
  if (const auto* field = as<Field>(place)) return base_reference(field->form.base);
  if (const auto* index = as<Index>(place)) return base_reference(index->form.base);
  const auto* deref = as<Deref>(place);
  return deref && is(type_of(deref->form.pointer), TypeKind::EntryRef) ? &deref->form.pointer : nullptr;
}

}  // namespace

Ir<lang::UserEntriesCopied> copy_user_entries(const Ir<lang::PresenceAsked>& in, Context& context) {
  EntryCopies copies(in.declarations, context);
  return rewrite<lang::PresenceAsked, lang::UserEntriesCopied>(
      in, context, on<Let>([&](const Node<Let>& n, Out& to) {
        if (copies.is_copied(n)) return copies.declare(n, to);
        to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        if (as<Local>(n->place) && copies.is_copied(n->place)) return copies.assign(n, to);
        const Expr* reference = base_reference(n->place);
        const Expr place = reference ? copies.with_named_indexes(n->place, to) : n->place;
        to.emit(Assign{to(place), to(n->value)}, n.loc);
        if (reference) copies.write_back(place, *reference, n.loc, to);
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        // Arrays and strings are written by memcpy and memset.
        const auto* call = as<RuntimeCall>(n->value);
        const bool writes =
            call && (call->form.function == "__builtin_memcpy" || call->form.function == "__builtin_memset");
        const auto* target = writes ? as<AddressOf>(call->form.arguments[0]) : nullptr;
        const Expr* reference = target ? base_reference(target->form.place) : nullptr;
        if (!reference) return to.emit(Evaluate{to(n->value)}, n.loc);
        const Expr place = copies.with_named_indexes(target->form.place, to);
        std::vector<Expr> arguments = {to.make(AddressOf{to(place)}, target->loc, target->type)};
        for (size_t i = 1; i < call->form.arguments.size(); ++i) arguments.push_back(to(call->form.arguments[i]));
        const RuntimeCall writing{call->form.function, context.span(arguments)};
        to.emit(Evaluate{to.make(writing, call->loc, call->type)}, n.loc);
        copies.write_back(place, *reference, n.loc, to);
      }),
      on<MapLoop>([&](const Node<MapLoop>& n, Out& to) {
        MapLoop form = n.form;
        form.body = to.collect([&] {
          if (copies.is_copied(n)) form.entry = copies.declare(n, to);
          to.emit(to(n->body));
        });
        to.emit(form, n.loc);
      }),
      on<Local>([&](const Node<Local>& n, Out& to) -> Expr {
        const Expr e = Ref<Local>{&n};
        return to.make(n.form, n.loc, copies.is_copied(e) ? copies.pointer(n.type) : n.type);
      }),
      on<Null>([&](const Node<Null>& n, Out& to) -> Expr {
        return to.make(Null{}, n.loc, is(n.type, TypeKind::EntryRef) ? copies.pointer(n.type) : n.type);
      }),
      on<Conditional>([&](const Node<Conditional>& n, Out& to) -> Expr {
        Type type = is(n.type, TypeKind::EntryRef) ? copies.pointer(n.type) : n.type;
        const Expr condition = to(n->condition), then = to(n->then);
        return to.make(Conditional{condition, then, to(n->otherwise)}, n.loc, type);
      }),
      on<Convert>([&](const Node<Convert>& n, Out& to) -> Expr {
        if (copies.is_copied(n->value) && is(n.type, TypeKind::Pointer)) return copies.address_of_value(n, to);
        const Expr value = to(n->value);
        return is(n.type, TypeKind::EntryRef) ? value : to.make(Convert{value}, n.loc, n.type);
      }),
      on<Deref>([&](const Node<Deref>& n, Out& to) -> Expr {
        if (copies.is_copied(n->pointer)) return copies.value_behind(n, to);
        return to.make(Deref{to(n->pointer)}, n.loc, n.type);
      }));
}

}  // namespace ksc

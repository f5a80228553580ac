// SPDX-License-Identifier: Apache-2.0
/// var p = &m[k]   =>   var key = k; var copy; var p = ks_map_lookup(m, &key, &copy) == 0 ? &copy : null
#include "ir/map_kind.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::UserMaps>;

/// A copy of an entry, and where it came from: what is written to the copy is written back [L169].
struct Copy {
  Expr map, key_address, copy_address;
};

class UserMaps {
 public:
  Copy make(const Expr& map, const Expr& key, Type value, Loc loc, Out& to) {
    Copy copy{map, address(key, "key", loc, to), {}};
    const Name name = to.fresh("copy");
    to.emit(Let{name, value, {}}, loc);
    copy.copy_address = to.make(AddressOf{to.make(Local{name}, loc, value)}, loc, to.context.types.pointer(value, Space::Stack, false));
    return copy;
  }
  Expr address(const Expr& value, std::string_view hint, Loc loc, Out& to) {
    const Name name = to.fresh(hint);
    to.emit(Let{name, type_of(value), value}, loc);
    return to.make(AddressOf{to.make(Local{name}, loc, type_of(value))}, loc, to.context.types.pointer(type_of(value), Space::Stack, false));
  }
  static bool is_per_cpu(const Expr& map) { return find_map_kind(type_of(map)->name.text())->per_cpu; }
  Expr call(std::string_view function, std::vector<Expr> arguments, Type type, Loc loc, Out& to) {
    return to.make(RuntimeCall{to.context.name(function), to.context.span(arguments)}, loc, type);
  }
  /// Whether the entry was there; the copy holds it then.
  Expr read(const Copy& copy, Loc loc, Out& to) {
    Types& types = to.context.types;
    const Expr status = call(is_per_cpu(copy.map) ? "ks_percpu_sum" : "ks_map_lookup", {copy.map, copy.key_address, copy.copy_address}, types.i32(), loc, to);
    return to.make(Compare{CompareOp::Equal, status, to.make(Int{{0}, {}}, loc, types.i32())}, loc, types.boolean());
  }
  void write(const Expr& map, const Expr& key_address, const Expr& value_address, Loc loc, Out& to) {
    Types& types = to.context.types;
    const Expr flags = to.make(Int{{0}, to.context.name("BPF_ANY")}, loc, types.u64());
    if (is_per_cpu(map)) to.emit(Evaluate{call("ks_percpu_set", {map, key_address, value_address, flags}, types.i32(), loc, to)}, loc);
    else to.emit(Evaluate{call("ks_map_update_or_exit", {map, key_address, value_address, flags}, types.void_type(), loc, to)}, loc);
  }

  std::map<Name, Copy, ByText> copies;  // by the pointer that refers to it
};

/// The local pointer through which a place is reached; no name if there is none.
Name base_pointer(const Expr& place) {
  if (const auto* field = as<Field>(place)) return base_pointer(field->form.base);
  if (const auto* index = as<Index>(place)) return base_pointer(index->form.base);
  const auto* deref = as<Deref>(place);
  const auto* local = deref ? as<Local>(deref->form.pointer) : nullptr;
  return local ? local->form.name : Name{};
}

}  // namespace

Ir<lang::UserMaps> lower_user_maps(const Ir<lang::User>& in, Context& context) {
  UserMaps maps;
  return rewrite<lang::User, lang::UserMaps>(
      in, context,
      on<Let>([&](const Node<Let>& n, Out& to) {
        const auto* lookup = n->value ? as<MapLookup>(*n->value) : nullptr;
        const auto* slot = n->value ? as<MapSlot>(*n->value) : nullptr;
        if (!lookup && !slot) return to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
        const Copy copy = lookup ? maps.make(lookup->form.map, to(lookup->form.key), n->type->element, n.loc, to)
                                 : maps.make(slot->form.map, to(slot->form.key), n->type->element, n.loc, to);
        maps.copies[n->name] = copy;
        if (lookup) {
          const Expr present = maps.read(copy, n.loc, to);
          return to.emit(Let{n->name, n->type, to.make(Conditional{present, copy.copy_address, to.make(Null{}, n.loc, n->type)}, n.loc, n->type)}, n.loc);
        }
        // An absent entry starts from zero, which the copy is.
        const Name found = to.fresh("found");
        to.emit(Let{found, to.context.types.boolean(), maps.read(copy, n.loc, to)}, n.loc);
        to.emit(Let{n->name, n->type, copy.copy_address}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        to.emit(Assign{to(n->place), to(n->value)}, n.loc);
        const Name pointer = base_pointer(n->place);
        if (auto found = maps.copies.find(pointer); pointer && found != maps.copies.end())
          maps.write(found->second.map, found->second.key_address, found->second.copy_address, n.loc, to);
      }),
      on<MapLookup>([&](const Node<MapLookup>& n, Out& to) -> Expr {
        const Copy copy = maps.make(n->map, to(n->key), n.type->element, n.loc, to);
        return to.make(Conditional{maps.read(copy, n.loc, to), copy.copy_address, to.make(Null{}, n.loc, n.type)}, n.loc, n.type);
      }),
      on<MapSlot>([&](const Node<MapSlot>& n, Out& to) -> Expr { return maps.make(n->map, to(n->key), n.type->element, n.loc, to).copy_address; }),
      on<MapStore>([&](const Node<MapStore>& n, Out& to) {
        const Expr key = maps.address(to(n->key), "key", n.loc, to);
        maps.write(n->map, key, maps.address(to(n->value), "value", n.loc, to), n.loc, to);
      }),
      on<MapDelete>([&](const Node<MapDelete>& n, Out& to) {
        const Expr key = maps.address(to(n->key), "key", n.loc, to);
        to.emit(Evaluate{maps.call("ks_map_delete_or_exit", {n->map, key}, to.context.types.void_type(), n.loc, to)}, n.loc);
      }),
      on<MapCall>([&](const Node<MapCall>& n, Out& to) -> Expr {
        if (n->method == "len") return maps.call("ks_map_len", {n->map}, n.type, n.loc, to);
        const Expr key = maps.address(to(n->arguments[0]), "key", n.loc, to);
        if (n->method == "contains_key") return maps.call("ks_map_contains", {n->map, key}, n.type, n.loc, to);
        const bool is_new = n->method == "insert_new";
        const Expr value = maps.address(to(n->arguments[1]), "value", n.loc, to);
        const Expr flags = to.make(Int{{is_new}, to.context.name(is_new ? "BPF_NOEXIST" : "BPF_ANY")}, n.loc, to.context.types.u64());
        return maps.call(UserMaps::is_per_cpu(n->map) ? "ks_percpu_set" : "ks_map_update", {n->map, key, value, flags}, n.type, n.loc, to);
      }));
}

}  // namespace ksc

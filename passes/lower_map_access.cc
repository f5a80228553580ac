// SPDX-License-Identifier: Apache-2.0
/// var p = &m[k]   =>   var key = k; var p = bpf_map_lookup_elem(&m, &key), and a write that fails is counted [L51]
#include "ir/map_kind.h"
#include "ir/rewrite.h"
#include "passes/array_copies.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NoMapAccess>;
constexpr int any = 0, no_exist = 1;  // BPF_ANY, BPF_NOEXIST of linux/bpf.h

struct MapAccessState {
  NameSet counters;                   // of loops
  std::map<Type, Name> empty_values;  // that have been declared
  unsigned loops = 0;                 // around the place at work
};

/// What spill_locals has put elsewhere, or a member of what a loop's function was given: a place that helpers can be
/// given as it is.
bool is_in_scratch(const Expr& value) {
  const auto* member = as<Field>(value);
  const auto* scratch = member ? as<Deref>(member->form.base) : nullptr;
  const Type pointer = scratch ? type_of(scratch->form.pointer) : nullptr;
  return is(pointer, TypeKind::Pointer) && pointer->space == Space::Stack;
}

class MapAccess {
 public:
  MapAccess(Out& to, Loc loc, MapAccessState& state) : to_(to), loc_(loc), types_(to.context.types), state_(state) {}

  /// &map
  Expr map(const Expr& m) { return to_.make(AddressOf{m}, loc_, types_.pointer(type_of(m), Space::Kernel, false)); }
  /// The address of the value, in a local unless it is a number or zero: helpers take pointers. A counter whose address
  /// is taken would live on the stack, where the verifier may lose sight of it and take its loop for an endless one.
  Expr address(const Expr& value, std::string_view hint) {
    return as<Int>(value) ? address_of(value) : address_of_variable(value, hint);
  }
  /// The same for what is given several times: C keeps a place for each literal whose address is taken.
  Expr address_of_variable(const Expr& value, std::string_view hint) {
    const auto* local = as<Local>(value);
    if ((local && !state_.counters.count(local->form.name)) || is_in_scratch(value)) return address_of(value);
    const Name name = to_.fresh(hint);
    emit_declaration(name, value, loc_of(value), to_);
    return address_of(to_.make(Local{name}, loc_, type_of(value)));
  }
  /// The address of a zero value: of more than a register it is a variable of its own, which nobody writes. On the
  /// stack it would have to be made anew for each insertion, and in a loop the verifier would know which of the turns
  /// before have made one: each set of them would be a state in which it walks through the next turn.
  Expr zero_address(Type type) {
    if (is_integral(type) && state_.loops == 0) return address_of_variable(to_.make(Int{{0}, {}}, loc_, type), "zero");
    Name& empty = state_.empty_values[type];
    if (!empty) {
      empty = to_.fresh("empty");
      to_.declare(GlobalDef{empty, type, {}, Storage::EbpfOnly}, loc_);
    }
    return to_.make(AddressOf{to_.make(Global{empty}, loc_, type)}, loc_, types_.pointer(type, Space::Any, false));
  }
  Expr call(std::string_view helper, std::vector<Expr> arguments, Type result) {
    return to_.make(HelperCall{to_.context.name(helper), to_.context.span(arguments)}, loc_, result);
  }
  Expr lookup(const Expr& m, const Expr& key_address, Type result) {
    return call("bpf_map_lookup_elem", {map(m), key_address}, result);
  }
  Expr update(const Expr& m, const Expr& key_address, const Expr& value_address, int flag, Type result) {
    return call("bpf_map_update_elem", {map(m), key_address, value_address, flags(flag)}, result);
  }
  Expr flags(int flag) {
    return to_.make(Int{{flag}, to_.context.name(flag == any ? "BPF_ANY" : "BPF_NOEXIST")}, loc_, types_.u64());
  }
  /// if (failed) { count it }
  void count_if(const Expr& failed) {
    const Body count = to_.collect([&] {
      to_.emit(Evaluate{to_.make(RuntimeCall{to_.context.name("ks_count_lost_write"), {}}, loc_, types_.void_type())},
               loc_);
    });
    to_.emit(If{to_.context.span<Branch>({{failed, count}}), {}}, loc_);
  }
  Expr present(const Expr& pointer) { return to_.make(Present{pointer}, loc_, types_.boolean()); }

 private:
  Expr address_of(const Expr& place) {
    return to_.make(AddressOf{place}, loc_, types_.pointer(type_of(place), Space::Stack, false));
  }

  Out& to_;
  Loc loc_;
  Types& types_;
  MapAccessState& state_;
};

/// slot = lookup; if (!slot) { insert zero unless somebody did; slot = lookup }
void emit_slot(Name name, const Node<MapSlot>& n, MapAccessState& state, Out& to) {
  MapAccess access(to, n.loc, state);
  Types& types = to.context.types;
  const bool always_exists = find_map_kind(type_of(n->map)->name.text())->entries_always_exist;
  const Expr given = to(n->key);
  const Expr key = always_exists ? access.address(given, "key") : access.address_of_variable(given, "key");
  to.emit(Let{name, n.type, access.lookup(n->map, key, n.type)}, n.loc);
  if (always_exists) return;
  const Expr slot = to.make(Local{name}, n.loc, n.type);
  const Body insert = to.collect([&] {
    const Expr value = access.zero_address(n.type->element);
    to.emit(Evaluate{access.update(n->map, key, value, no_exist, types.i64())}, n.loc);
    to.emit(Assign{slot, access.lookup(n->map, key, n.type)}, n.loc);
    access.count_if(to.make(Not{access.present(slot)}, n.loc, types.boolean()));
  });
  to.emit(If{to.context.span<Branch>({{to.make(Not{access.present(slot)}, n.loc, types.boolean()), insert}}), {}},
          n.loc);
}

}  // namespace

Ir<lang::NoMapAccess> lower_map_access(const Ir<lang::ZerosForgotten>& in, Context& context) {
  MapAccessState state;
  return rewrite<lang::ZerosForgotten, lang::NoMapAccess>(
      in, context, on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        state.counters.insert(n->name);
        ++state.loops;
        to.emit_statement(to.rebuild(n));
        --state.loops;
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        if (n->value)
          if (const auto* slot = as<MapSlot>(*n->value)) return emit_slot(n->name, *slot, state, to);
        to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
      }),
      on<MapLookup>([&](const Node<MapLookup>& n, Out& to) -> Expr {
        MapAccess access(to, n.loc, state);
        return access.lookup(n->map, access.address(to(n->key), "key"), n.type);
      }),
      on<MapSlot>([&](const Node<MapSlot>& n, Out& to) -> Expr {
        const Name slot = to.fresh("slot");
        emit_slot(slot, n, state, to);
        return to.make(Local{slot}, n.loc, n.type);
      }),
      on<MapStore>([&](const Node<MapStore>& n, Out& to) {
        MapAccess access(to, n.loc, state);
        const Expr key = access.address(to(n->key), "key");
        const Expr value = access.address(to(n->value), "value");
        Types& types = to.context.types;
        const Expr update = access.update(n->map, key, value, any, types.i64());
        // No element of an array is missed: one that does not exist is out of range [L51].
        if (find_map_kind(type_of(n->map)->name.text())->entries_always_exist) return to.emit(Evaluate{update}, n.loc);
        const Name error = to.fresh("error");
        to.emit(Let{error, types.i64(), update}, n.loc);
        access.count_if(to.make(Compare{CompareOp::NotEqual, to.make(Local{error}, n.loc, types.i64()),
                                        to.make(Int{{0}, {}}, n.loc, types.i64())},
                                n.loc, types.boolean()));
      }),
      on<MapDelete>([&](const Node<MapDelete>& n, Out& to) {
        MapAccess access(to, n.loc, state);
        const Expr key = access.address(to(n->key), "key");
        to.emit(Evaluate{access.call("bpf_map_delete_elem", {access.map(n->map), key}, to.context.types.i64())}, n.loc);
      }),
      on<MapCall>([&](const Node<MapCall>& n, Out& to) -> Expr {
        MapAccess access(to, n.loc, state);
        Types& types = to.context.types;
        if (!type_of(n->map)->key) {
          if (find_map_kind(type_of(n->map)->name.text())->is_ring) {
            const Expr record = access.address(to(n->arguments[0]), "record");
            const Expr size = to.make(Int{{size_of(type_of(n->map)->element)}, {}}, n.loc, types.u64());
            const Expr flags = to.make(Int{{0}, {}}, n.loc, types.u64());
            const Expr given =
                access.call("bpf_ringbuf_output", {access.map(n->map), record, size, flags}, types.i64());
            return to.make(Convert{given}, n.loc, n.type);
          }
          const std::string helper = fmt::format("bpf_map_{}_elem", n->method.text());
          if (n->method != "push") return access.call(helper, {access.map(n->map), to(n->arguments[0])}, n.type);
          const Expr value = access.address(to(n->arguments[0]), "value");
          const Expr given = access.call(helper, {access.map(n->map), value, access.flags(any)}, types.i64());
          return to.make(Convert{given}, n.loc, n.type);
        }
        const Expr key = access.address(to(n->arguments[0]), "key");
        if (n->method == "contains_key")
          return access.present(
              access.lookup(n->map, key, types.pointer(type_of(n->map)->element, Space::MapValue, true)));
        const Expr value = access.address(to(n->arguments[1]), "value");
        const Expr given = access.update(n->map, key, value, n->method == "insert_new" ? no_exist : any, types.i64());
        return to.make(Convert{given}, n.loc, n.type);
      }));
}

}  // namespace ksc

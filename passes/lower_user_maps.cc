// SPDX-License-Identifier: Apache-2.0
/// var p = &m[k]   =>   var key = k; var copy; var p = ks_map_lookup(m, &key, &copy) == 0 ? &copy : null
/// for (cpu, v in m.each_cpu(k)) A   =>   var values = ks_percpu_values(m, &k, &count); count cpus of { var v =
/// values[cpu]; A }; free(values) for (k, v in m) A   =>   var keys = ks_map_keys(m, &count); count turns of { var k =
/// keys[turn]; var v = its copy; A }; free(keys)
#include "ir/children.h"
#include "ir/effects.h"
#include "ir/map_kind.h"
#include "ir/rewrite.h"
#include "passes/array_copies.h"
#include "passes/entry_reading.h"
#include "passes/passes.h"
#include "passes/read_in_place.h"

namespace ksc {
namespace {

using Out = To<lang::UserMaps>;

/// A copy of an entry, and where it came from: what is written to the copy is written back [L169].
struct EntryCopy {
  Expr map, key_address, copy_address;
  Option<Expr> cpu = {};  // where it is one CPU's
};

class UserMaps {
 public:
  explicit UserMaps(const Program& program) : in_place(program) {}

  EntryCopy make(const EntryReading& read, Type value, Loc loc, Out& to) {
    const Expr key_address = address(to(read.key), "key", loc, to);
    EntryCopy copy{read.map, key_address, {}, to(read.cpu)};
    const Name name = to.fresh("copy");
    to.emit(Let{name, value, {}}, loc);
    copy.copy_address =
        to.make(AddressOf{to.make(Local{name}, loc, value)}, loc, to.context.types.pointer(value, Space::Stack, false));
    return copy;
  }
  Expr address(const Expr& value, std::string_view hint, Loc loc, Out& to) {
    const Name name = to.fresh(hint);
    emit_declaration(name, value, loc, to);
    return address_of(to.make(Local{name}, loc, type_of(value)), loc, to);
  }
  /// For the next statement only: a number, or a local that holds the value already, needs no name of its own.
  Expr address_now(const Expr& value, std::string_view hint, Loc loc, Out& to) {
    return as<Local>(value) || as<Int>(value) ? address_of(value, loc, to) : address(value, hint, loc, to);
  }
  Expr address_of(const Expr& value, Loc loc, Out& to) {
    return to.make(AddressOf{value}, loc, to.context.types.pointer(type_of(value), Space::Stack, false));
  }
  /// A copy that is zero if the entry is absent.
  void read_now(Name pointer, const EntryReading& read, Type value, Loc loc, Out& to) {
    const Name name = to.fresh(value_hint(read.map));
    const Expr key_address = address_now(to(read.key), "key", loc, to);
    const EntryCopy copy{read.map, key_address, address_of(to.make(Local{name}, loc, value), loc, to), to(read.cpu)};
    to.emit(Let{name, value, {}}, loc);
    to.emit(Evaluate{lookup(copy, loc, to)}, loc);
    read_copies[pointer] = to.make(Local{name}, loc, value);
  }
  /// The place behind a pointer to an entry, in the copy of the entry.
  Expr in_copy(const Expr& place, Out& to) {
    if (const auto* field = as<Field>(place))
      return to.make(Field{in_copy(field->form.base, to), field->form.name}, field->loc, field->type);
    if (const auto* index = as<Index>(place))
      return to.make(Index{in_copy(index->form.base, to), to(index->form.index)}, index->loc, index->type);
    return read_copies.at(base_pointer(place));
  }
  /// An entry of `counts` is called `counts_entry`.
  static std::string value_hint(const Expr& map) {
    const auto* name = as<MapName>(map);
    return name ? std::string(name->form.name.spelling()) + "_entry" : "entry";
  }
  static bool is_per_cpu(const Expr& map) { return find_map_kind(type_of(map)->name.text())->per_cpu; }
  Expr call(std::string_view function, std::vector<Expr> arguments, Type type, Loc loc, Out& to) {
    return to.make(RuntimeCall{to.context.name(function), to.context.span(arguments)}, loc, type);
  }
  Expr lookup(const EntryCopy& copy, Loc loc, Out& to) {
    const auto [function, arguments] =
        reading_call(copy.map, is_per_cpu(copy.map), copy.key_address, copy.cpu, copy.copy_address);
    return call(function, arguments, to.context.types.i32(), loc, to);
  }
  /// Whether the entry was there; the copy holds it then.
  Expr read(const EntryCopy& copy, Loc loc, Out& to) {
    Types& types = to.context.types;
    return to.make(Compare{CompareOp::Equal, lookup(copy, loc, to), to.make(Int{{0}, {}}, loc, types.i32())}, loc,
                   types.boolean());
  }
  /// The address of a copy, or null if the entry is absent.
  Expr copied(const EntryReading& reading, Type pointer, Loc loc, Out& to) {
    const EntryCopy copy = make(reading, pointer->element, loc, to);
    return to.make(Conditional{read(copy, loc, to), copy.copy_address, to.make(Null{}, loc, pointer)}, loc, pointer);
  }
  void write(const Expr& map, const Expr& key_address, const Expr& value_address, Loc loc, Out& to) {
    Types& types = to.context.types;
    const Expr flags = to.make(Int{{0}, to.context.name("BPF_ANY")}, loc, types.u64());
    to.emit(Evaluate{call(is_per_cpu(map) ? "ks_percpu_set_or_exit" : "ks_map_update_or_exit",
                          {map, key_address, value_address, flags}, types.void_type(), loc, to)},
            loc);
  }

  /// The keys that are there now, and how many; both are locals that do not change.
  std::pair<Expr, Expr> keys(const Expr& map, Loc loc, Out& to) {
    return in_memory("ks_map_keys", {map}, type_of(map)->key, "keys", "count", loc, to);
  }
  /// The values that all CPUs have for a key now, and how many.
  std::pair<Expr, Expr> values_of_cpus(const Expr& map, const Expr& key, Loc loc, Out& to) {
    const Expr key_address = address_now(key, "key", loc, to);
    return in_memory("ks_percpu_values", {map, key_address}, type_of(map)->element, "values", "cpus", loc, to);
  }
  /// What a function of the runtime gives: memory with elements, and how many there are, which it writes behind its
  /// last argument.
  std::pair<Expr, Expr> in_memory(std::string_view function, std::vector<Expr> arguments, Type element,
                                  std::string_view name_hint, std::string_view count_hint, Loc loc, Out& to) {
    Types& types = to.context.types;
    Type pointer = types.pointer(element, Space::User, false);
    const Name count = to.fresh(count_hint), name = to.fresh(name_hint);
    to.emit(Let{count, types.u32(), {}}, loc);
    const Expr number = to.make(Local{count}, loc, types.u32());
    arguments.push_back(address_of(number, loc, to));
    to.emit(Let{name, pointer, call(function, arguments, pointer, loc, to)}, loc);
    return {to.make(Local{name}, loc, pointer), number};
  }
  /// A body that is run for each element of such memory, which is free afterwards, and at each `return` in the body.
  template <class Fill>
  void walk(const std::pair<Expr, Expr>& memory, Name turn, Loc loc, Out& to, Fill&& fill) {
    const auto& [elements, count] = memory;
    Types& types = to.context.types;
    const Expr at = to.make(PointerAdd{elements, to.make(Local{turn}, loc, types.u32())}, loc, type_of(elements));
    open_memory.push_back(elements);
    const Body body = to.collect([&] { fill(at); });
    open_memory.pop_back();
    to.emit(CountedLoop{turn, types.u32(), to.make(Int{{0}, {}}, loc, types.u32()), count, false, body}, loc);
    free(elements, loc, to);
  }
  void free(const Expr& memory, Loc loc, Out& to) {
    to.emit(Evaluate{call("free", {memory}, to.context.types.void_type(), loc, to)}, loc);
  }
  /// One turn: nothing for an entry that is gone, else the body with a copy of it.
  void turn(const Node<MapLoop>& n, const Expr& key_address, Out& to) {
    Types& types = to.context.types;
    Type map = type_of(n->map);
    emit_declaration(n->key, to.make(Deref{key_address}, n.loc, map->key), n.loc, to);
    const auto skip_if = [&](const Expr& gone) {
      to.emit(If{to.context.span<Branch>({{gone, Body{to.context.span<Stmt>({to.make(Continue{}, n.loc)})}}}), {}},
              n.loc);
    };
    if (is_per_cpu(n->map) && !is_integral(map->element)) {
      // There is no one value that the body could ask for.
      const Expr key = address_of(to.make(Local{n->key}, n.loc, map->key), n.loc, to);
      skip_if(to.make(Not{call("ks_map_contains", {n->map, key}, types.boolean(), n.loc, to)}, n.loc, types.boolean()));
      return to.emit(to(n->body));
    }
    const Name name = to.fresh(value_hint(n->map));
    to.emit(Let{name, map->element, {}}, n.loc);
    const EntryCopy copy{n->map, key_address, address_of(to.make(Local{name}, n.loc, map->element), n.loc, to)};
    skip_if(to.make(Compare{CompareOp::NotEqual, lookup(copy, n.loc, to), to.make(Int{{0}, {}}, n.loc, types.i32())},
                    n.loc, types.boolean()));
    // A number is copied from the copy before anything else; what is referred to has its reference.
    if (is(n->type, TypeKind::EntryRef))
      to.emit(Let{n->entry, n->type, copy.copy_address}, n.loc);
    else
      numbers[n->entry] = to.make(Local{name}, n.loc, map->element);
    copies[n->entry] = copy;
    to.emit(to(n->body));
  }

  /// A copy of an entry that is going to be written to. An absent one starts from zero, which the copy is.
  void declare_slot(Name pointer, const Node<MapSlot>& n, Out& to) {
    const Expr key = address(to(n->key), "key", n.loc, to);
    const Name name = to.fresh(value_hint(n->map));
    Type value = n.type->element;
    to.emit(Let{name, value, {}}, n.loc);
    const Expr place = to.make(Local{name}, n.loc, value);
    copies[pointer] = {n->map, key, address_of(place, n.loc, to)};
    to.emit(Evaluate{lookup(copies[pointer], n.loc, to)}, n.loc);
    slots[pointer] = place;
  }

  /// Writes the copy back that has been written to, if the place lies in one.
  void write_back(const Expr& place, Loc loc, Out& to) {
    const Name pointer = base_pointer(place);
    auto found = pointer ? copies.find(pointer) : copies.end();
    if (found != copies.end()) write(found->second.map, found->second.key_address, found->second.copy_address, loc, to);
  }

  ReadInPlace in_place;
  std::vector<Expr> open_memory;             // what the loops around the statement at work go through
  NameMap<size_t> labels;                    // how many of them are around the statement of a label
  std::map<Name, EntryCopy, ByText> copies;  // by the pointer that refers to it
  std::map<Name, Expr, ByText> read_copies;  // of entries that are read in place, by the pointer
  std::map<Name, Expr, ByText> numbers;      // copies of entries that are numbers, by the pointer
  std::map<Name, Expr, ByText> slots;        // copies of entries that are written to, by the pointer
  std::map<Name, Expr, ByText> values;       // temporaries that are a member of such a copy, which nothing changes
};

}  // namespace

Ir<lang::UserMaps> lower_user_maps(const Ir<lang::UserEntriesCopied>& in, Context& context) {
  UserMaps maps(in.declarations);
  return rewrite<lang::UserEntriesCopied, lang::UserMaps>(
      in, context, on<Let>([&](const Node<Let>& n, Out& to) {
        const auto read = n->value ? entry_reading(*n->value) : std::nullopt;
        const auto* slot = n->value ? as<MapSlot>(*n->value) : nullptr;
        if (read && maps.in_place.has(n->name)) return maps.read_now(n->name, *read, n->type->element, n.loc, to);
        if (const Name pointer = n->value ? read_in_place(*n->value) : Name{}; pointer && maps.in_place.has(pointer)) {
          const Expr place = maps.in_copy(as<Conditional>(*n->value)->form.then, to);
          // An index may change before the temporary is used.
          const bool stays =
              n->name.is_generated() && !maps.in_place.is_changed(n->name) && !header(place).contains.has(Kind::Index);
          if (!stays) return to.emit(Let{n->name, n->type, place}, n.loc);
          maps.values[n->name] = place;
          return;
        }
        if (!read && !slot) return to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
        if (slot) return maps.declare_slot(n->name, *slot, to);
        const EntryCopy copy = maps.make(*read, n->type->element, n.loc, to);
        maps.copies[n->name] = copy;
        const Expr present = maps.read(copy, n.loc, to);
        to.emit(Let{n->name, n->type,
                    to.make(Conditional{present, copy.copy_address, to.make(Null{}, n.loc, n->type)}, n.loc, n->type)},
                n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        to.emit(Assign{to(n->place), to(n->value)}, n.loc);
        maps.write_back(n->place, n.loc, to);
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        to.emit(Evaluate{to(n->value)}, n.loc);
        // Arrays and strings are written by memcpy and memset.
        const auto* call = as<RuntimeCall>(n->value);
        if (!call || (call->form.function != "__builtin_memcpy" && call->form.function != "__builtin_memset")) return;
        if (const auto* target = as<AddressOf>(call->form.arguments[0])) maps.write_back(target->form.place, n.loc, to);
      }),
      on<Conditional>([&](const Node<Conditional>& n, Out& to) -> Expr {
        const Name pointer = read_in_place(to.make(n.form, n.loc, n.type));
        if (pointer && maps.in_place.has(pointer)) return maps.in_copy(n->then, to);
        return to.make(Conditional{to(n->condition), to(n->then), to(n->otherwise)}, n.loc, n.type);
      }),
      on<Deref>([&](const Node<Deref>& n, Out& to) -> Expr {
        const auto* pointer = as<Local>(n->pointer);
        if (pointer)
          for (const auto* places : {&maps.numbers, &maps.slots})
            if (auto found = places->find(pointer->form.name); found != places->end()) return found->second;
        return to.rebuild(n);
      }),
      on<Local>([&](const Node<Local>& n, Out& to) -> Expr {
        if (auto found = maps.values.find(n->name); found != maps.values.end()) return found->second;
        return to.make(n.form, n.loc, n.type);
      }),
      on<If>([&](const Node<If>& n, Out& to) {
        // A slot is always there: what is done if it is, is done.
        const auto* present = as<Present>(n->branches[0].condition);
        const auto* slot = present ? as<Local>(present->form.value) : nullptr;
        if (slot && maps.slots.count(slot->form.name)) return to.emit(to(n->branches[0].body));
        to.emit_statement(to.rebuild(n));
      }),
      on<MapLookup>([&](const Node<MapLookup>& n, Out& to) -> Expr {
        return maps.copied({n->map, n->key, {}}, n.type, n.loc, to);
      }),
      on<MapSlot>([&](const Node<MapSlot>& n, Out& to) -> Expr {
        return maps.make({n->map, n->key, {}}, n.type->element, n.loc, to).copy_address;
      }),
      on<MapStore>([&](const Node<MapStore>& n, Out& to) {
        const Expr key = maps.address_now(to(n->key), "key", n.loc, to);
        maps.write(n->map, key, maps.address_now(to(n->value), "value", n.loc, to), n.loc, to);
      }),
      on<MapLoop>([&](const Node<MapLoop>& n, Out& to) {
        maps.walk(maps.keys(n->map, n.loc, to), to.fresh("turn"), n.loc, to,
                  [&](const Expr& key_address) { maps.turn(n, key_address, to); });
      }),
      on<CpuLoop>([&](const Node<CpuLoop>& n, Out& to) {
        // A number that the body changes cannot count the turns.
        const bool is_changed = changed_locals(n->body).count(n->cpu) != 0;
        const Name turn = is_changed ? to.fresh("turn") : n->cpu;
        Type number = to.context.types.u32(), value = type_of(n->map)->element;
        maps.walk(maps.values_of_cpus(n->map, to(n->key), n.loc, to), turn, n.loc, to, [&](const Expr& address) {
          if (is_changed) to.emit(Let{n->cpu, number, to.make(Local{turn}, n.loc, number)}, n.loc);
          emit_declaration(n->value, to.make(Deref{address}, n.loc, value), n.loc, to);
          to.emit(to(n->body));
        });
      }),
      on<Return>([&](const Node<Return>& n, Out& to) {
        const Option<Expr> value = to(n->value);
        for (auto memory = maps.open_memory.rbegin(); memory != maps.open_memory.rend(); ++memory)
          maps.free(*memory, n.loc, to);
        to.emit(Return{value}, n.loc);
      }),
      on<Labelled>([&](const Node<Labelled>& n, Out& to) {
        maps.labels[n->label] = maps.open_memory.size();
        to.emit(Labelled{n->label, to(n->body)}, n.loc);
      }),
      on<Goto>([&](const Node<Goto>& n, Out& to) {
        for (size_t open = maps.open_memory.size(); open > maps.labels.at(n->label); --open)
          maps.free(maps.open_memory[open - 1], n.loc, to);
        to.emit(n.form, n.loc);
      }),
      on<MapDelete>([&](const Node<MapDelete>& n, Out& to) {
        const Expr key = maps.address_now(to(n->key), "key", n.loc, to);
        to.emit(Evaluate{maps.call("ks_map_delete_or_exit", {n->map, key}, to.context.types.void_type(), n.loc, to)},
                n.loc);
      }),
      on<MapCall>([&](const Node<MapCall>& n, Out& to) -> Expr {
        if (n->method == "cpu") return maps.copied({n->map, n->arguments[0], n->arguments[1]}, n.type, n.loc, to);
        if (n->method == "len") return maps.call("ks_map_len", {n->map}, n.type, n.loc, to);
        if (!type_of(n->map)->key) {
          const Expr value = n->method == "push" ? maps.address_now(to(n->arguments[0]), "value", n.loc, to)
                                                 : Expr(to(n->arguments[0]));
          return maps.call(fmt::format("ks_map_{}", n->method.text()), {n->map, value}, n.type, n.loc, to);
        }
        const Expr key = maps.address_now(to(n->arguments[0]), "key", n.loc, to);
        if (n->method == "contains_key") return maps.call("ks_map_contains", {n->map, key}, n.type, n.loc, to);
        const bool is_new = n->method == "insert_new";
        const Expr value = maps.address_now(to(n->arguments[1]), "value", n.loc, to);
        const Expr flags =
            to.make(Int{{is_new}, to.context.name(is_new ? "BPF_NOEXIST" : "BPF_ANY")}, n.loc, to.context.types.u64());
        return maps.call(UserMaps::is_per_cpu(n->map) ? "ks_percpu_set" : "ks_map_update", {n->map, key, value, flags},
                         n.type, n.loc, to);
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// var a = &m[k]; if (!a) return; var b = &m[k], inserted if absent; if (b) *b += 1   =>   var a = &m[k]; if (!a)
/// return; *a += 1
///
/// Only in eBPF: there an entry has an address, and what is read is read anew behind it. In userspace a lookup copies
/// the value, and a second one sees what eBPF has written since.
#include "ir/effects.h"
#include "ir/map_kind.h"
#include "ir/rewrite.h"
#include "ir/sexpr.h"
#include "passes/map_effects.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::LookupsMerged>;

static_assert(names_all(stmt_forms, lang::NoTailCall.forms,
                        form_set_of<Let, Assign, AtomicUpdate, If, Switch, CountedLoop, Block, Labelled, Goto, Return,
                                    Break, Continue, MapStore, MapDelete>(),
                        form_set_of<Evaluate, Print>()));

/// A local that holds what a lookup of the key would give.
struct Found {
  Name map;
  std::string key;
  Expr pointer;
  NameSet names;  // the locals which that depends on: the pointer itself, and what the key is made of
};

/// What is known at one place of a function, on the way that control has taken.
struct State {
  std::vector<Found> found;
  NameMap<bool> present;  // of pointers: whether they are not null
};

/// A key that has the same value wherever its locals have.
bool is_stable(const Expr& key) {
  constexpr FormSet stable =
      form_set_of<Int, Zero, StringValue, Local, Field, Index, Convert, Unary, Binary, CShift, Quotient, Compare, Not,
                  And, Or, Conditional, RuntimeCall, StructValue, ArrayValue>();
  return header(key).contains.minus(stable).empty();
}
void collect_locals(const Expr& e, NameSet& out) {
  if (const auto* local = as<Local>(e)) out.insert(local->form.name);
  each_child_of(
      e, [&](const Expr& child) { collect_locals(child, out); }, [](const Stmt&) {});
}
void collect_addressed(const Stmt& s, NameSet& out);
void collect_addressed(const Expr& e, NameSet& out) {
  if (const auto* address = as<AddressOf>(e))
    if (const auto* local = as<Local>(root_of(address->form.place))) out.insert(local->form.name);
  each_child_of(
      e, [&](const Expr& child) { collect_addressed(child, out); }, [&](const Stmt& s) { collect_addressed(s, out); });
}
void collect_addressed(const Stmt& s, NameSet& out) {
  each_child_of(
      s, [&](const Expr& child) { collect_addressed(child, out); }, [&](const Stmt& t) { collect_addressed(t, out); });
}
/// The compiler made the name: the developer's own are kept.
bool is_temporary(Name name) { return name.is_generated(); }

class LookupMerger {
 public:
  LookupMerger(const MapEffectsOfFunctions& changes, const NameMap<const MapKind*>& kinds)
      : changes_(changes), kinds_(kinds) {}

  void begin(const FunctionDef& function) {
    state_ = {};
    falls_through_ = true;
    replacements_.clear();
    changed_ = changed_locals(function.body);
    addressed_.clear();
    for (const Stmt& s : function.body.statements) collect_addressed(s, addressed_);
  }

  // ---- lookups ----

  const Found* find(const Expr& map, const Expr& key) const {
    const auto* name = as<MapName>(map);
    if (!name || !is_stable(key)) return nullptr;
    const std::string printed = print(key);
    for (const Found& f : state_.found)
      if (f.map == name->form.name && f.key == printed) return &f;
    return nullptr;
  }
  /// The pointer that is known to be what a lookup would give, as that type; none if there is no such.
  Option<Expr> known(const Expr& map, const Expr& key, bool inserts, Loc loc, Type type, Out& to) const {
    const Found* f = find(map, key);
    // What is not known to be present is inserted, or counted as lost once more [L51].
    if (!f || (inserts && !always_exists(f->map) && presence(f->pointer) != true)) return {};
    return type_of(f->pointer) == type ? f->pointer : Expr(to.make(Convert{f->pointer}, loc, type));
  }
  /// var name = a lookup, or the place that is inserted where there is none
  void declare(Name name, Type type, const Expr& map, const Expr& key, bool inserts, Loc loc, Out& to) {
    if (const Option<Expr> pointer = known(map, key, inserts, loc, type, to)) {
      const auto* local = as<Local>(*pointer);
      if (local && is_temporary(name) && !changed_.count(name) && !changed_.count(local->form.name)) {
        replacements_.insert({name, *pointer});
      } else {
        to.emit(Let{name, type, *pointer}, loc);
      }
      return;
    }
    if (inserts) {
      to.emit(Let{name, type, to.make(MapSlot{map, key}, loc, type)}, loc);
      insert(map);
    } else {
      to.emit(Let{name, type, to.make(MapLookup{map, key}, loc, type)}, loc);
    }
    const auto* map_name = as<MapName>(map);
    if (!map_name || !is_stable(key)) return;
    std::erase_if(state_.found, [&, printed = print(key)](const Found& f) {
      return f.map == map_name->form.name && f.key == printed;
    });
    Found f{map_name->form.name, print(key), to.make(Local{name}, loc, type), {name}};
    collect_locals(key, f.names);
    state_.found.push_back(std::move(f));
  }
  /// var name = m.contains_key(k)
  void declare_contains(const Node<Let>& n, const Node<MapCall>& call, Out& to) {
    const Expr key = to(call->arguments[0]);
    Type pointer = to.context.types.pointer(type_of(call->map)->element, Space::MapValue, true);
    if (is_stable(key) && !find(call->map, key))
      declare(to.fresh("entry"), pointer, call->map, key, false, call.loc, to);
    const Found* f = find(call->map, key);
    if (!f)
      return to.emit(Let{n->name, n->type,
                         to.make(MapCall{call->map, call->method, to.context.span<Expr>({key})}, call.loc, call.type)},
                     n.loc);
    const Expr present = to(Expr(to.make(Present{f->pointer}, call.loc, call.type)));
    if (is_temporary(n->name) && !changed_.count(n->name) && !changed_.count(as<Local>(f->pointer)->form.name))
      replacements_.insert({n->name, present});
    else
      to.emit(Let{n->name, n->type, present}, n.loc);
  }
  const Expr* replacement(Name name) const {
    auto found = replacements_.find(name);
    return found == replacements_.end() ? nullptr : &found->second;
  }

  // ---- what is known of pointers ----

  std::optional<bool> presence(const Expr& pointer) const {
    const auto* local = as<Local>(pointer);
    auto found = local ? state_.present.find(local->form.name) : state_.present.end();
    return found == state_.present.end() ? std::nullopt : std::optional(found->second);
  }
  void learn(const Expr& condition, bool holds) {
    if (const auto* negation = as<Not>(condition)) learn(negation->form.value, !holds);
    if (const auto* both = as<And>(condition); both && holds)
      learn(both->form.left, true), learn(both->form.right, true);
    if (const auto* either = as<Or>(condition); either && !holds)
      learn(either->form.left, false), learn(either->form.right, false);
    if (const auto* present = as<Present>(condition))
      if (const auto* local = as<Local>(present->form.value); local && !addressed_.count(local->form.name))
        state_.present[local->form.name] = holds;
  }

  // ---- what ends it ----

  /// An absent key may have been inserted: what had been found stays where it is, unless the kind makes room for new
  /// entries.
  void insert(Name map) {
    if (always_exists(map)) return;
    const MapKind* kind = kind_of_map(map);
    std::erase_if(state_.found, [&](const Found& f) {
      return f.map == map && (!kind || kind->may_evict || presence(f.pointer) != true);
    });
  }
  void insert(const Expr& map) {
    if (const auto* name = as<MapName>(map)) insert(name->form.name);
  }
  /// An entry may have been replaced or deleted; those of arrays stay where they are.
  void replace(Name map) {
    if (!always_exists(map)) std::erase_if(state_.found, [&](const Found& f) { return f.map == map; });
  }
  void replace(const Expr& map) {
    if (const auto* name = as<MapName>(map)) replace(name->form.name);
  }
  void change(Name local) {
    std::erase_if(state_.found, [&](const Found& f) { return f.names.count(local) != 0; });
    state_.present.erase(local);
  }
  /// Something was written behind a pointer, or by somebody who may have one.
  void change_addressed() {
    for (Name local : addressed_) change(local);
  }
  void apply(const MapEffects& changes) {
    for (Name map : changes.replaced) replace(map);
    for (Name map : changes.inserted) insert(map);
    if (changes.calls) change_addressed();
  }
  void apply(const Expr& e) { apply(changes_.of(e)); }

  // ---- control ----

  /// A body that may or may not run from here on: what it leads to is added to `ends`, and what was known before it is
  /// known again.
  Body branch(const Body& body, std::vector<State>& ends, Out& to) {
    const State before = state_;
    const bool outer = std::exchange(falls_through_, true);
    const Body out = to(body);
    if (falls_through_) ends.push_back(state_);
    falls_through_ = outer;
    state_ = before;
    return out;
  }
  /// Goes on with what is known at all ends; names that are declared inside them are not seen here.
  void join(const std::vector<State>& ends) {
    if (ends.empty()) {
      falls_through_ = false;
      return;
    }
    for (const State& end : ends) {
      std::erase_if(state_.found, [&](const Found& f) {
        for (const Found& other : end.found)
          if (other.map == f.map && other.key == f.key &&
              as<Local>(other.pointer)->form.name == as<Local>(f.pointer)->form.name)
            return false;
        return true;
      });
    }
    // What is tested on the way is known after it where all ways agree.
    state_.present = ends[0].present;
    for (const State& end : ends)
      std::erase_if(state_.present, [&](const auto& known) {
        auto found = end.present.find(known.first);
        return found == end.present.end() || found->second != known.second;
      });
  }
  void stop() { falls_through_ = false; }
  const State& state() const { return state_; }
  void restore(const State& state) { state_ = state; }
  /// Before a loop: what its turns change is not known in any of them.
  void enter_loop(const Body& body) {
    for (Name local : changed_locals(body)) change(local);
    if (header_forms(body).has(Kind::AtomicUpdate) || header_forms(body).has(Kind::Assign)) change_addressed();
    apply(changes_.of(body));
  }

 private:
  static FormSet header_forms(const Body& body) {
    FormSet forms;
    for (const Stmt& s : body.statements) forms = forms | header(s).contains;
    return forms;
  }
  const MapKind* kind_of_map(Name map) const {
    auto found = kinds_.find(map);
    return found == kinds_.end() ? nullptr : found->second;
  }
  bool always_exists(Name map) const {
    const MapKind* kind = kind_of_map(map);
    return kind && kind->entries_always_exist;
  }

  const MapEffectsOfFunctions& changes_;
  const NameMap<const MapKind*>& kinds_;
  State state_;
  bool falls_through_ = true;
  NameSet changed_, addressed_;
  NameMap<Expr> replacements_;  // names of the compiler's that are not needed any more
};

std::optional<bool> truth(const Expr& e) {
  const auto* number = as<Int>(e);
  return number ? std::optional(number->form.value.value != 0) : std::nullopt;
}

}  // namespace

Ir<lang::LookupsMerged> merge_lookups(const Ir<lang::NoTailCall>& in, Context& context) {
  const MapEffectsOfFunctions changes(in.declarations);
  NameMap<const MapKind*> kinds;
  for (const Decl& d : in.declarations)
    if (const auto* map = as<MapDef>(d)) kinds[map->form.name] = find_map_kind(map->form.type->name.text());
  LookupMerger merger(changes, kinds);
  const auto is_false = [](const Expr& e) { return truth(e) == false; };
  const auto is_true = [](const Expr& e) { return truth(e) == true; };
  return rewrite<lang::NoTailCall, lang::LookupsMerged>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        merger.begin(form);
        if (!(n.contains & form_set_of<MapLookup, MapSlot, MapCall>()).empty()) form.body = to(form.body);
        to.declare(form, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        if (n->value) {
          if (const auto* lookup = as<MapLookup>(*n->value))
            return merger.declare(n->name, n->type, lookup->form.map, to(lookup->form.key), false, n.loc, to);
          if (const auto* slot = as<MapSlot>(*n->value))
            return merger.declare(n->name, n->type, slot->form.map, to(slot->form.key), true, n.loc, to);
          if (const auto* call = as<MapCall>(*n->value); call && call->form.method == "contains_key")
            return merger.declare_contains(n, *call, to);
        }
        to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const Expr place = to(n->place);
        to.emit(Assign{place, to(n->value)}, n.loc);
        if (const auto* local = as<Local>(root_of(place)))
          merger.change(local->form.name);
        else
          merger.change_addressed();
      }),
      on<AtomicUpdate>([&](const Node<AtomicUpdate>& n, Out& to) {
        to.emit(AtomicUpdate{n->op, to(n->pointer), to(n->value)}, n.loc);
        merger.change_addressed();
      }),
      on<MapStore>([&](const Node<MapStore>& n, Out& to) {
        const Expr key = to(n->key);
        to.emit(MapStore{n->map, key, to(n->value)}, n.loc);
        merger.replace(n->map);
      }),
      on<MapDelete>([&](const Node<MapDelete>& n, Out& to) {
        to.emit(MapDelete{n->map, to(n->key)}, n.loc);
        merger.replace(n->map);
      }),
      on<MapLookup>([&](const Node<MapLookup>& n, Out& to) -> Expr {
        const Expr key = to(n->key);
        const Option<Expr> pointer = merger.known(n->map, key, false, n.loc, n.type, to);
        return pointer ? *pointer : Expr(to.make(MapLookup{n->map, key}, n.loc, n.type));
      }),
      on<MapSlot>([&](const Node<MapSlot>& n, Out& to) -> Expr {
        const Expr slot = to.rebuild(n);
        merger.insert(n->map);
        return slot;
      }),
      on<MapCall>([&](const Node<MapCall>& n, Out& to) -> Expr {
        const Expr call = to.rebuild(n);
        merger.apply(call);
        return call;
      }),
      on<Call>([&](const Node<Call>& n, Out& to) -> Expr {
        const Expr call = to.rebuild(n);
        merger.apply(call);
        return call;
      }),
      on<HelperCall>([&](const Node<HelperCall>& n, Out& to) -> Expr {
        const Expr call = to.rebuild(n);
        merger.apply(call);
        return call;
      }),
      on<Local>([&](const Node<Local>& n, Out& to) -> Expr {
        const Expr* other = merger.replacement(n->name);
        return other ? *other : Expr(to.make(n.form, n.loc, n.type));
      }),
      on<Present>([&](const Node<Present>& n, Out& to) -> Expr {
        const Expr value = to(n->value);
        if (const auto known = merger.presence(value)) return to.make(Int{{*known}, {}}, n.loc, n.type);
        return to.make(Present{value}, n.loc, n.type);
      }),
      on<Not>([&](const Node<Not>& n, Out& to) -> Expr {
        const Expr value = to(n->value);
        if (const auto known = truth(value)) return to.make(Int{{!*known}, {}}, n.loc, n.type);
        return to.make(Not{value}, n.loc, n.type);
      }),
      on<And>([&](const Node<And>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        return is_false(left) || is_true(right) ? left
               : is_true(left)                  ? right
                                                : Expr(to.make(And{left, right}, n.loc, n.type));
      }),
      on<Or>([&](const Node<Or>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        return is_true(left) || is_false(right) ? left
               : is_false(left)                 ? right
                                                : Expr(to.make(Or{left, right}, n.loc, n.type));
      }),
      on<Conditional>([&](const Node<Conditional>& n, Out& to) -> Expr {
        const Expr condition = to(n->condition);
        if (const auto known = truth(condition)) return to(*known ? n->then : n->otherwise);
        const Expr then = to(n->then);
        return to.make(Conditional{condition, then, to(n->otherwise)}, n.loc, n.type);
      }),
      on<If>([&](const Node<If>& n, Out& to) {
        std::vector<Branch> branches;
        std::vector<State> ends;
        Body otherwise = n->otherwise;
        for (const Branch& b : n->branches) {
          const Expr condition = to(b.condition);
          if (is_false(condition)) continue;
          if (is_true(condition)) {
            otherwise = b.body;
            break;
          }
          const State before = merger.state();
          merger.learn(condition, true);
          branches.push_back({condition, merger.branch(b.body, ends, to)});
          merger.restore(before);
          merger.learn(condition, false);
        }
        if (branches.empty()) return to.emit(to(otherwise));
        const Body last = merger.branch(otherwise, ends, to);
        to.emit(If{to.context.span(branches), last}, n.loc);
        merger.join(ends);
      }),
      on<Switch>([&](const Node<Switch>& n, Out& to) {
        const Expr value = to(n->value);
        std::vector<SwitchCase> cases;
        std::vector<State> ends;
        bool has_default = false;
        for (const SwitchCase& c : n->cases) {
          cases.push_back({c.values, merger.branch(c.body, ends, to)});
          has_default = has_default || c.values.empty();
        }
        if (!has_default) ends.push_back(merger.state());
        to.emit(Switch{value, to.context.span(cases)}, n.loc);
        merger.join(ends);
      }),
      on<Block>([&](const Node<Block>& n, Out& to) {
        std::vector<State> ends;
        to.emit(Block{merger.branch(n->body, ends, to)}, n.loc);
        merger.join(ends);
      }),
      on<Labelled>([&](const Node<Labelled>& n, Out& to) {
        // Nobody knows how far the body came.
        merger.enter_loop(n->body);
        const State before = merger.state();
        std::vector<State> ends;
        to.emit(Labelled{n->label, merger.branch(n->body, ends, to)}, n.loc);
        merger.restore(before);
      }),
      on<Goto>([&](const Node<Goto>& n, Out& to) { to.emit(n.form, n.loc), merger.stop(); }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        CountedLoop form = n.form;
        form.low = to(form.low);
        form.high = to(form.high);
        merger.enter_loop(form.body);
        std::vector<State> ends;
        form.body = merger.branch(form.body, ends, to);
        to.emit(form, n.loc);
      }),
      on<Break>([&](const Node<Break>& n, Out& to) { to.emit(n.form, n.loc), merger.stop(); }),
      on<Continue>([&](const Node<Continue>& n, Out& to) { to.emit(n.form, n.loc), merger.stop(); }),
      on<Return>([&](const Node<Return>& n, Out& to) {
        to.emit(Return{to(n->value)}, n.loc);
        merger.stop();
      }));
}

}  // namespace ksc

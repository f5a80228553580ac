// SPDX-License-Identifier: Apache-2.0
/// m[7] = S { … }   =>   key = 7; var value = S { … }; m[key] = value, where the stack is too small for what has no
/// name
#include "ir/rewrite.h"
#include "passes/array_copies.h"
#include "passes/passes.h"
#include "passes/spill_limits.h"

namespace ksc {
namespace {

using Out = To<lang::LargeValuesNamed>;

/// Names for what helpers of the kernel are given by its address. Small values of one type take turns in one variable
/// of the function or of the loop around them: C keeps a place for each literal, for as long as the function runs.
class Naming {
 public:
  explicit Naming(const Program& program) : limits_(spill_limits(program)) {
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d); function && limits_.count(function->form.name))
        for (const Stmt& s : function->form.body.statements) count(s);
  }

  /// A body of a function or of a loop, with the variables that it shares.
  Body body(const Body& b, Loc loc, Out& to) {
    auto outer = std::exchange(shared_, {});
    const Body inner = to.collect([&] { to.emit(to(b)); });
    const Body whole = to.collect([&] {
      for (const auto& [key, name] : shared_) to.emit(Let{name, key.second, {}}, loc);
      to.emit(inner);
    });
    shared_ = std::move(outer);
    return whole;
  }
  Expr named(const Expr& value, std::string_view hint, Out& to) {
    const Expr converted = to(value);
    const auto limit = limits_.find(to.function()->name);
    if (limit == limits_.end()) return converted;
    const Loc loc = loc_of(value);
    const Type type = type_of(value);
    // A variable that is given by its address cannot stay in a register; one that often is may have its place.
    if (const auto* local = as<Local>(value); local && (!is_integral(type) || given_[local->form.name] > 1))
      return converted;
    if (is_integral(type)) {
      const Expr place = to.make(Local{shared(hint, type, to)}, loc, type);
      to.emit(Assign{place, converted}, loc);
      return place;
    }
    if (size_of(type) < limit->second || !is_spillable(type)) return converted;
    const Name name = to.fresh(hint);
    emit_declaration(name, converted, loc, to);
    return to.make(Local{name}, loc, type);
  }

 private:
  /// How often variables are what a helper is given.
  void count(const Stmt& s) {
    if (const auto* store = as<MapStore>(s)) note(store->form.key), note(store->form.value);
    if (const auto* removal = as<MapDelete>(s)) note(removal->form.key);
    each_child_of(
        s, [&](const Expr& e) { count(e); }, [&](const Stmt& t) { count(t); });
  }
  void count(const Expr& e) {
    if (const auto* lookup = as<MapLookup>(e)) note(lookup->form.key);
    if (const auto* slot = as<MapSlot>(e)) note(slot->form.key);
    if (const auto* call = as<MapCall>(e))
      for (const Expr& argument : call->form.arguments) note(argument);
    each_child_of(
        e, [&](const Expr& child) { count(child); }, [&](const Stmt& s) { count(s); });
  }
  void note(const Expr& given) {
    if (const auto* local = as<Local>(given)) ++given_[local->form.name];
  }
  Name shared(std::string_view hint, Type type, Out& to) {
    for (const auto& [key, name] : shared_)
      if (key == std::pair(hint, type)) return name;
    return shared_.emplace_back(std::pair(hint, type), to.fresh(hint)).second;
  }
  NameMap<uint64_t> limits_;
  NameMap<int> given_;
  std::vector<std::pair<std::pair<std::string_view, Type>, Name>> shared_;  // of the body at work, as they were needed
};

}  // namespace

Ir<lang::LargeValuesNamed> name_large_values(const Ir<lang::PacketReread>& in, Context& context) {
  Naming naming(in.declarations);
  return rewrite<lang::PacketReread, lang::LargeValuesNamed>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        form.body = naming.body(n->body, n.loc, to);
        to.declare(form, n.loc);
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        CountedLoop form = n.form;
        form.low = to(n->low), form.high = to(n->high);
        form.body = naming.body(n->body, n.loc, to);
        to.emit(form, n.loc);
      }),
      on<MapLoop>([&](const Node<MapLoop>& n, Out& to) {
        MapLoop form = n.form;
        form.body = naming.body(n->body, n.loc, to);
        to.emit(form, n.loc);
      }),
      on<MapLookup>([&](const Node<MapLookup>& n, Out& to) -> Expr {
        return to.make(MapLookup{n->map, naming.named(n->key, "key", to)}, n.loc, n.type);
      }),
      on<MapSlot>([&](const Node<MapSlot>& n, Out& to) -> Expr {
        return to.make(MapSlot{n->map, naming.named(n->key, "key", to)}, n.loc, n.type);
      }),
      on<MapStore>([&](const Node<MapStore>& n, Out& to) {
        const Expr key = naming.named(n->key, "key", to);
        to.emit(MapStore{n->map, key, naming.named(n->value, "value", to)}, n.loc);
      }),
      on<MapDelete>([&](const Node<MapDelete>& n, Out& to) {
        to.emit(MapDelete{n->map, naming.named(n->key, "key", to)}, n.loc);
      }),
      on<MapCall>([&](const Node<MapCall>& n, Out& to) -> Expr {
        // Where they have no keys, what is given is a value, or the address of one.
        std::vector<Expr> arguments;
        for (const Expr& argument : n->arguments)
          arguments.push_back(
              is(type_of(argument), TypeKind::Pointer)
                  ? Expr(to(argument))
                  : naming.named(argument, arguments.empty() && type_of(n->map)->key ? "key" : "value", to));
        return to.make(MapCall{n->map, n->method, to.context.span(arguments)}, n.loc, n.type);
      }));
}

}  // namespace ksc

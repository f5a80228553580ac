// SPDX-License-Identifier: Apache-2.0
#include "passes/map_effects.h"

#include "ir/children.h"
#include "ir/visit.h"

namespace ksc {
namespace {

/// Collects what code does itself, and the functions that it calls.
struct Collector {
  MapEffects changes;
  NameSet callees;

  void note(const Expr& map, NameSet& where) {
    if (const auto* name = as<MapName>(map)) where.insert(name->form.name);
  }
  void visit(const Expr& e) {
    constexpr FormSet interesting = form_set_of<MapSlot, MapCall, HelperCall, Call, FunctionAddress, BlockValue>();
    if ((header(e).contains & interesting).empty()) return;
    if (const auto* slot = as<MapSlot>(e)) note(slot->form.map, changes.inserted);
    if (const auto* call = as<MapCall>(e); call && call->form.method == "insert_new")
      note(call->form.map, changes.inserted);
    if (const auto* call = as<MapCall>(e); call && call->form.method == "insert")
      note(call->form.map, changes.replaced);
    if (const auto* call = as<Call>(e)) callees.insert(call->form.function), changes.calls = true;
    if (const auto* address = as<FunctionAddress>(e)) callees.insert(address->form.name);
    if (as<HelperCall>(e)) {
      changes.calls = true;
      note_maps(e);
    }
    each_child_of(
        e, [&](const Expr& child) { visit(child); }, [&](const Stmt& s) { visit(s); });
  }
  /// A helper may do anything to the maps that it is given.
  void note_maps(const Expr& e) {
    note(e, changes.replaced);
    each_child_of(
        e, [&](const Expr& child) { note_maps(child); }, [](const Stmt&) {});
  }
  void visit(const Stmt& s) {
    if (const auto* store = as<MapStore>(s)) note(store->form.map, changes.replaced);
    if (const auto* gone = as<MapDelete>(s)) note(gone->form.map, changes.replaced);
    each_child_of(
        s, [&](const Expr& child) { visit(child); }, [&](const Stmt& t) { visit(t); });
  }
};

void add(MapEffects& to, const MapEffects& from) {
  to.inserted.insert(from.inserted.begin(), from.inserted.end());
  to.replaced.insert(from.replaced.begin(), from.replaced.end());
  to.calls = to.calls || from.calls;
}

}  // namespace

MapEffectsOfFunctions::MapEffectsOfFunctions(Span<Decl> program) {
  NameMap<NameSet> callers;
  std::vector<Name> work;
  for (const Decl& d : program) {
    const auto* function = as<FunctionDef>(d);
    if (!function) continue;
    Collector collector;
    for (const Stmt& s : function->form.body.statements) collector.visit(s);
    functions_[function->form.name] = collector.changes;
    for (Name callee : collector.callees) callers[callee].insert(function->form.name);
    if (!collector.changes.inserted.empty() || !collector.changes.replaced.empty()) work.push_back(function->form.name);
  }
  while (!work.empty()) {
    const Name callee = work.back();
    work.pop_back();
    for (Name caller : callers[callee]) {
      MapEffects& own = functions_[caller];
      const size_t before = own.inserted.size() + own.replaced.size();
      add(own, functions_[callee]);
      if (own.inserted.size() + own.replaced.size() != before) work.push_back(caller);
    }
  }
}

const MapEffects& MapEffectsOfFunctions::of(Name function) const {
  static const MapEffects nothing;
  auto found = functions_.find(function);
  return found == functions_.end() ? nothing : found->second;
}

MapEffects MapEffectsOfFunctions::of(const Expr& e) const {
  Collector collector;
  collector.visit(e);
  for (Name callee : collector.callees) add(collector.changes, of(callee));
  return collector.changes;
}

MapEffects MapEffectsOfFunctions::of(const Body& body) const {
  Collector collector;
  for (const Stmt& s : body.statements) collector.visit(s);
  for (Name callee : collector.callees) add(collector.changes, of(callee));
  return collector.changes;
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include "passes/map_changes.h"

#include <map>
#include <optional>

#include "ir/children.h"
#include "ir/effects.h"
#include "ir/places.h"

namespace ksc {
namespace {

/// A map that something changes, under which key (if it is said there), and where.
struct Change {
  Name map;
  Option<Expr> key;
  Loc loc;
};

Option<Change> change_of(const Expr& map, const Option<Expr>& key, Loc loc) {
  const auto* name = as<MapName>(map);
  return name ? Option<Change>(Change{name->form.name, key, loc}) : Option<Change>();
}

Option<Change> change_by(const Stmt& s) {
  if (const auto* removal = as<MapDelete>(s)) return change_of(removal->form.map, removal->form.key, removal->loc);
  const auto* assign = as<Assign>(s);
  const auto* update = as<Update>(s);
  const auto* entry = assign ? entry_of(assign->form.place) : update ? entry_of(update->form.place) : nullptr;
  return entry ? change_of(entry->form.map, entry->form.key, loc_of(s)) : Option<Change>();
}
Option<Change> change_by(const Expr& e) {
  const auto* call = as<MapCall>(e);
  if (!call || call->form.method == "contains_key" || call->form.method == "len" || !type_of(call->form.map)->key)
    return {};
  return change_of(call->form.map, call->form.arguments[0], call->loc);
}

/// The changes that each function makes, itself or through those it calls.
using Changes = std::map<Name, std::vector<Change>, ByText>;

/// Calls `found` with each change that statements make.
class ChangeSearch {
 public:
  ChangeSearch(const Changes& known, std::function<void(const Change&)> found)
      : known_(known), found_(std::move(found)) {}
  void operator()(const Stmt& s) {
    if (const auto change = change_by(s)) found_(*change);
    each_child_of(
        s, [&](const Expr& e) { (*this)(e); }, [&](const Stmt& inner) { (*this)(inner); });
  }
  void operator()(const Expr& e) {
    if (const auto change = change_by(e)) found_(*change);
    if (const auto* call = as<Call>(e))
      if (auto known = known_.find(call->form.function); known != known_.end())
        for (const Change& change : known->second) found_({change.map, {}, call->loc});
    each_child_of(
        e, [&](const Expr& inner) { (*this)(inner); }, [&](const Stmt& inner) { (*this)(inner); });
  }

 private:
  const Changes& known_;
  std::function<void(const Change&)> found_;
};

Changes changes_of(const Span<Decl>& program) {
  Changes changes;
  for (bool grows = true; grows;) {
    grows = false;
    for (const Decl& d : program) {
      const auto* function = as<FunctionDef>(d);
      if (!function) continue;
      std::vector<Change>& own = changes[function->form.name];
      ChangeSearch search(changes, [&](const Change& change) {
        for (const Change& known : own)
          if (known.map == change.map) return;
        own.push_back(change);
        grows = true;
      });
      for (const Stmt& s : function->form.body.statements) search(s);
    }
  }
  return changes;
}

void report_loop(const Node<MapLoop>& loop, const Changes& changes, Context& context) {
  const auto* map = as<MapName>(loop->map);
  if (!map) return;
  const bool key_changes = changed_locals(loop->body).count(loop->key) != 0;
  bool is_reported = false;
  ChangeSearch search(changes, [&](const Change& change) {
    if (change.map != map->form.name || is_reported) return;
    // The entry at hand may be changed and deleted.
    const auto* key = change.key ? as<Local>(*change.key) : nullptr;
    if (key && key->form.name == loop->key && !key_changes) return;
    context.diagnostics.report(change.loc, diag::map_changed_in_loop, std::string(map->form.name.spelling()))
        .note(loc_of(loop->map), "this is the loop");
    is_reported = true;
  });
  for (const Stmt& s : loop->body.statements) search(s);
}

}  // namespace

void report_map_changes(const Span<Decl>& program, Context& context) {
  const Changes changes = changes_of(program);
  std::function<void(const Expr&)> on_expr;
  std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) {
    if (!header(s).contains.has(Kind::MapLoop)) return;
    if (const auto* loop = as<MapLoop>(s)) report_loop(*loop, changes, context);
    each_child_of(s, on_expr, on_stmt);
  };
  on_expr = [&](const Expr& e) {
    if (header(e).contains.has(Kind::MapLoop)) each_child_of(e, on_expr, on_stmt);
  };
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) on_stmt(s);
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include "passes/map_deaths.h"

#include <fmt/format.h>

#include "ir/children.h"
#include "ir/map_kind.h"
#include "ir/places.h"
#include "passes/packet_walk.h"

namespace ksc {

std::optional<Death> death_by(const Stmt& s) {
  if (const auto* removal = as<MapDelete>(s)) {
    const auto* map = as<MapName>(removal->form.map);
    if (map)
      return Death{map->form.name, removal->loc, fmt::format("an entry of `{}` is deleted", map->form.name.spelling())};
  }
  const auto* assign = as<Assign>(s);
  const auto* update = as<Update>(s);
  if (!assign && !update) return {};
  const Expr& place = assign ? assign->form.place : update->form.place;
  const auto* entry = entry_of(place);
  const auto* map = entry ? as<MapName>(entry->form.map) : nullptr;
  const MapKind* kind = map ? find_map_kind(map->type->name.text()) : nullptr;
  if (!kind || kind->entries_always_exist) return {};
  const Name name = map->form.name;
  if (kind->may_evict)
    return Death{name, loc_of(s), fmt::format("`{}` may evict an entry to insert one", name.spelling())};
  if (assign && as<MapEntry>(place))
    return Death{name, loc_of(s), fmt::format("an entry of `{}` is replaced", name.spelling())};
  return {};
}

std::optional<Death> death_by(const Expr& e) {
  if (moves_packet(e))
    return Death{{}, loc_of(e), fmt::format("`{}` moves the packet", as<HelperCall>(e)->form.helper.text())};
  const auto* call = as<MapCall>(e);
  const auto* map = call ? as<MapName>(call->form.map) : nullptr;
  if (!map || !(call->form.method == "insert_new" || call->form.method == "insert")) return {};
  const MapKind* kind = find_map_kind(type_of(call->form.map)->name.text());
  if (!kind || kind->entries_always_exist) return {};
  const Name name = map->form.name;
  if (kind->may_evict)
    return Death{name, call->loc, fmt::format("`{}` may evict an entry to insert one", name.spelling())};
  if (call->form.method == "insert_new") return {};
  return Death{name, call->loc, fmt::format("an entry of `{}` is replaced", name.spelling())};
}

void DeathSearch::operator()(const Stmt& s) {
  if (const auto death = death_by(s)) found_(*death);
  each_child_of(
      s, [&](const Expr& e) { (*this)(e); }, [&](const Stmt& inner) { (*this)(inner); });
}
void DeathSearch::operator()(const Expr& e) {
  if (const auto death = death_by(e)) found_(*death);
  if (const auto* call = as<Call>(e)) called(call->form.function, call->loc);
  each_child_of(
      e, [&](const Expr& inner) { (*this)(inner); }, [&](const Stmt& inner) { (*this)(inner); });
}
void DeathSearch::called(Name function, Loc loc) {
  auto known = deaths_.find(function);
  if (known == deaths_.end()) return;
  for (const Death& death : known->second)
    found_({death.map, loc, fmt::format("`{}` is called: {}", function.spelling(), death.reason)});
}

Deaths deaths_of(const Program& program) {
  Deaths deaths;
  for (bool grows = true; grows;) {
    grows = false;
    for (const Decl& d : program) {
      const auto* function = as<FunctionDef>(d);
      if (!function) continue;
      std::vector<Death>& own = deaths[function->form.name];
      DeathSearch search(deaths, [&](const Death& death) {
        for (const Death& known : own)
          if (known.map == death.map) return;
        own.push_back(death);
        grows = true;
      });
      for (const Stmt& s : function->form.body.statements) search(s);
    }
  }
  return deaths;
}

}  // namespace ksc

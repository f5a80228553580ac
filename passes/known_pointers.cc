// SPDX-License-Identifier: Apache-2.0
#include "passes/known_pointers.h"

#include <algorithm>

namespace ksc {

const KnownPointer& KnownPointers::of(Name local) const {
  static const KnownPointer nothing;
  const auto found = known_.find(local);
  return found == known_.end() ? nothing : found->second;
}

void KnownPointers::set(Name local, KnownPointer known) {
  KnownPointer& place = known_[local];
  changes_.emplace_back(local, std::exchange(place, std::move(known)));
}

void KnownPointers::prove(Name local, bool is_proven) {
  KnownPointer known = of(local);
  if (known.is_proven == is_proven) return;
  known.is_proven = is_proven;
  set(local, known);
}

void KnownPointers::end(const Death& death) {
  const auto ending = std::make_shared<const Death>(death);
  for (auto& [local, known] : known_) {
    if (known.ending || std::find(known.refers.begin(), known.refers.end(), death.map) == known.refers.end()) continue;
    changes_.emplace_back(local, known);
    known.ending = ending;
  }
}

void KnownPointers::forget_ending(Name local) {
  KnownPointer known = of(local);
  known.ending.reset();
  set(local, known);
}

void KnownPointers::take_back(Mark mark) {
  while (changes_.size() > mark) {
    known_[changes_.back().first] = std::move(changes_.back().second);
    changes_.pop_back();
  }
}

KnownPointers::Way KnownPointers::changes_since(Mark mark) const {
  Way way;
  for (size_t i = mark; i < changes_.size(); ++i) way.try_emplace(changes_[i].first, of(changes_[i].first));
  return way;
}

bool KnownPointers::join(const std::vector<Way>& ways) {
  if (ways.empty()) return false;
  Way joined;
  for (const Way& changed : ways)
    for (const auto& [local, _] : changed) {
      const auto [place, is_new] = joined.try_emplace(local);
      if (!is_new) continue;
      KnownPointer& known = place->second;
      known.is_proven = true;
      for (const Way& way : ways) {
        const auto found = way.find(local);
        const KnownPointer& there = found == way.end() ? of(local) : found->second;
        known.is_proven = known.is_proven && there.is_proven;
        for (const Name map : there.refers)
          if (std::find(known.refers.begin(), known.refers.end(), map) == known.refers.end())
            known.refers.push_back(map);
        if (!known.ending) known.ending = there.ending;
      }
    }
  for (auto& [local, known] : joined) set(local, std::move(known));
  return true;
}

}  // namespace ksc

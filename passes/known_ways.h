// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ir/forms.h"
#include "ir/sexpr.h"

namespace ksc {

/// More ways than are counted.
inline constexpr uint64_t most_ways = 1u << 20;

/// The variable that a place is, or is a member of; none behind pointers and in arrays.
inline const Local* variable_of(const Expr& e) {
  if (const auto* field = as<Field>(e)) return variable_of(field->form.base);
  const auto* local = as<Local>(e);
  return local ? &local->form : nullptr;
}

/// How many different numbers the verifier may know in each variable, at the place that a walk has reached. What ways
/// change is noted, so that they cost that and no more.
class KnownWays {
 public:
  using Mark = size_t;
  struct Number {
    Expr place;
    uint64_t ways = 1;
  };
  using Changes = std::map<std::string, Number>;

  uint64_t of(const Expr& place) const {
    if (known_.empty()) return 1;
    const auto found = known_.find(print(place));
    return found == known_.end() ? 1 : found->second.ways;
  }
  void set(const Expr& place, uint64_t ways) { set(print(place), {place, std::min(ways, most_ways)}); }
  void set(const std::string& key, Number number) {
    const auto found = known_.find(key);
    const bool is_known = found != known_.end();
    changes_.push_back({key, is_known ? found->second : Number{number.place, 1}});
    if (number.ways <= 1)
      known_.erase(key);
    else
      known_[key] = number;
  }
  /// The numbers in a variable, and in its members.
  std::vector<Expr> in(Name variable) const {
    std::vector<Expr> places;
    for (const auto& [_, number] : known_)
      if (variable_of(number.place)->name == variable) places.push_back(number.place);
    return places;
  }
  /// Of all that is known together.
  uint64_t states() const {
    uint64_t product = 1;
    for (const auto& [_, number] : known_) product = std::min(most_ways, product * number.ways);
    return product;
  }

  Mark mark() const { return changes_.size(); }
  Changes changes_since(Mark mark) const {
    Changes out;
    for (size_t i = mark; i < changes_.size(); ++i) {
      const auto now = known_.find(changes_[i].first);
      out[changes_[i].first] = now == known_.end() ? Number{changes_[i].second.place, 1} : now->second;
    }
    return out;
  }
  void take_back(Mark mark) {
    while (changes_.size() > mark) {
      const auto& [key, before] = changes_.back();
      if (before.ways <= 1)
        known_.erase(key);
      else
        known_[key] = before;
      changes_.pop_back();
    }
  }
  /// Where ways meet that began at what is known now: what one of them changes has the numbers of all.
  void join(const std::vector<Changes>& ways) {
    std::map<std::string, Number> joined;
    for (const Changes& way : ways)
      for (const auto& [key, number] : way) joined.try_emplace(key, Number{number.place, 0});
    for (auto& [key, number] : joined) {
      for (const Changes& way : ways) {
        const auto changed = way.find(key);
        const auto before = known_.find(key);
        number.ways += changed != way.end() ? changed->second.ways : before != known_.end() ? before->second.ways : 1;
      }
      set(key, {number.place, std::min(number.ways, most_ways)});
    }
  }

 private:
  std::map<std::string, Number> known_;
  std::vector<std::pair<std::string, Number>> changes_;  // what was known before
};

}  // namespace ksc

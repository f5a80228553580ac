// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "ir/lang.h"
#include "passes/map_deaths.h"

namespace ksc {

/// What is known of one local at a place.
struct KnownPointer {
  bool is_proven = false;               // it holds something
  std::vector<Name> refers;             // into these maps it may refer; without a name: into the packet
  std::shared_ptr<const Death> ending;  // what it refers to may be gone, or its packet may have moved
};

/// What is known of a function's locals at the place that a walk has reached. Ways that part and meet again cost what
/// they change, not what is known: changes are noted, taken back at the end of a way, and joined where the ways meet.
class KnownPointers {
 public:
  /// A place to which the changes can be taken back.
  using Mark = size_t;
  /// What a way has changed since a mark.
  using Way = NameMap<KnownPointer>;

  const KnownPointer& of(Name local) const;
  void set(Name local, KnownPointer known);
  void prove(Name local, bool is_proven = true);
  /// What refers into the map, or the packet, is gone; the first ending of each stays.
  void end(const Death& death);
  void forget_ending(Name local);

  Mark mark() const { return changes_.size(); }
  Way changes_since(Mark mark) const;
  void take_back(Mark mark);
  /// Where ways meet that began at what is known now: proven is what all have proven, gone what one has ended. Returns
  /// whether there is a way at all.
  bool join(const std::vector<Way>& ways);

 private:
  NameMap<KnownPointer> known_;
  std::vector<std::pair<Name, KnownPointer>> changes_;  // what was known before each change
};

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace ksc {

/// A place in the sources: an index into the compilation's table of locations. 0 means "nowhere".
struct Loc {
  uint32_t index = 0;
  explicit operator bool() const { return index != 0; }
  bool operator==(const Loc&) const = default;
};

/// What a location stands for.
struct LocationRecord {
  uint32_t file = 0;   // index into the compilation's sources
  uint32_t begin = 0;  // byte offsets, half open
  uint32_t end = 0;
  std::string_view origin;  // why the compiler made the node: "bounds check", "inlined"; empty: the developer wrote it
  Loc parent;               // what it was made from
};

/// The locations of one compilation, in the order in which they were made.
class Locations {
 public:
  Loc add(const LocationRecord& record) {
    records_.push_back(record);
    return Loc{static_cast<uint32_t>(records_.size() - 1)};
  }
  /// The smallest range that holds both; `a` where they lie in different files.
  Loc join(Loc a, Loc b) {
    if (!a) return b;
    if (!b) return a;
    const LocationRecord &x = (*this)[a], &y = (*this)[b];
    if (x.file != y.file) return a;
    return add({x.file, x.begin < y.begin ? x.begin : y.begin, x.end > y.end ? x.end : y.end, {}, {}});
  }
  /// The same range, made by the compiler for the reason `origin` (a string that lives for ever).
  Loc derived(Loc from, std::string_view origin) {
    LocationRecord record = (*this)[from];
    record.origin = origin;
    record.parent = from;
    return add(record);
  }
  const LocationRecord& operator[](Loc loc) const { return records_[loc.index]; }

 private:
  std::vector<LocationRecord> records_{LocationRecord{}};
};

}  // namespace ksc

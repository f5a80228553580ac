// SPDX-License-Identifier: Apache-2.0
#include "ir/map_kind.h"

namespace ksc {
namespace map_kinds {
#define KSC_MAP_KIND(X) extern const MapKind X;
#include "map_kinds.inc"
#undef KSC_MAP_KIND
}  // namespace map_kinds

std::span<const MapKind* const> all_map_kinds() {
  static const MapKind* const all[] = {
#define KSC_MAP_KIND(X) &map_kinds::X,
#include "map_kinds.inc"
#undef KSC_MAP_KIND
  };
  return all;
}

const MapKind* find_map_kind(std::string_view name) {
  for (const MapKind* kind : all_map_kinds())
    if (kind->name == name) return kind;
  return nullptr;
}

}  // namespace ksc

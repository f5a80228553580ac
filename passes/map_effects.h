// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/forms.h"

namespace ksc {

/// What some code may do to maps, itself or through the functions that it calls.
struct MapEffects {
  NameSet inserted;    // maps into which absent keys may be put
  NameSet replaced;    // maps whose entries may be replaced or deleted
  bool calls = false;  // something is called: memory behind pointers may be written
};

/// The map changes of each function of a program.
class MapEffectsOfFunctions {
 public:
  explicit MapEffectsOfFunctions(Span<Decl> program);
  /// What the function does; nothing for what is not declared.
  const MapEffects& of(Name function) const;
  /// What the expression or the statements do.
  MapEffects of(const Expr& e) const;
  MapEffects of(const Body& body) const;

 private:
  NameMap<MapEffects> functions_;
};

}  // namespace ksc

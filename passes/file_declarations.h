// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/context.h"
#include "ir/sexpr.h"

namespace ksc {

/// The name at file level that a declaration of the developer's has; none where it has none, as for broken ones.
inline Name declared_name(const Decl& d) {
  return boost::variant2::visit(
      [](const auto& ref) -> Name {
        if constexpr (requires { ref->name.loc; }) return ref->name.name;
        return {};
      },
      d);
}

/// Whether two declarations, each of another file, say the same: then they are one [L18].
inline bool is_repetition(const Decl& a, const Decl& b, const Locations& locations) {
  return locations[loc_of(a)].file != locations[loc_of(b)].file && kind_of(a) == kind_of(b) &&
         equal(Program(&a, 1), Program(&b, 1));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/children.h"

namespace ksc {

/// Whether a way goes from within the statement to behind the loop around it.
inline bool leaves_loop(const Stmt& s) {
  if (as<Break>(s) || as<Goto>(s)) return true;
  if (as<CountedLoop>(s)) return false;
  bool found = false;
  each_body_of(s, [&](const Body& body) {
    for (const Stmt& inner : body.statements) found = found || leaves_loop(inner);
  });
  return found;
}

}  // namespace ksc

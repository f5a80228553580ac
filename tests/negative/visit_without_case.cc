// expect: visit_has_no_case_for<ksc::Kind::Continue>
// SPDX-License-Identifier: Apache-2.0
// A visit has one case for each form of the language, and no default; the message names the form.
#include "ir/visit.h"

namespace ksc {

inline constexpr Lang jumps = language_of(Kind::Break, Kind::Continue);

int length(const Stmt& s) {
  return visit<jumps>(s,
#ifdef KSC_CORRECT
                      on<Continue>([](const Node<Continue>&) { return 8; }),
#endif
                      on<Break>([](const Node<Break>&) { return 5; }));
}

}  // namespace ksc

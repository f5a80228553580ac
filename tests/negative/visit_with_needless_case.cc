// expect: visit_has_a_needless_case_for<ksc::Kind::Return>
// SPDX-License-Identifier: Apache-2.0
// A visit has no case for a form that is not in the language; the message names the form.
#include "ir/visit.h"

namespace ksc {

inline constexpr Lang jumps = language_of(Kind::Break, Kind::Continue);

int length(const Stmt& s) {
  return visit<jumps>(s,
#ifndef KSC_CORRECT
                      on<Return>([](const Node<Return>&) { return 6; }),
#endif
                      on<Continue>([](const Node<Continue>&) { return 8; }),
                      on<Break>([](const Node<Break>&) { return 5; }));
}

}  // namespace ksc

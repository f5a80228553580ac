// expect: pass_has_a_needless_case_for<ksc::Kind::Match>
// SPDX-License-Identifier: Apache-2.0
// A pass has no case for a form that an earlier pass has removed; the message names the form.
#include "ir/languages.h"
#include "ir/rewrite.h"

namespace ksc {

Ir<lang::NoWhile> lower_while(const Ir<lang::NoIfValue>& in, Context& context) {
  using Out = To<lang::NoWhile>;
  return rewrite<lang::NoIfValue, lang::NoWhile>(
      in, context,
#ifndef KSC_CORRECT
      on<Match>([](const Node<Match>& n, Out& to) -> Expr { return to(n->subject); }),
#endif
      on<While>([](const Node<While>& n, Out& to) { to.emit(Loop{to(n->body)}, n.loc); }));
}

}  // namespace ksc

// expect: pass_has_no_case_for<ksc::Kind::While>
// SPDX-License-Identifier: Apache-2.0
// A pass must say what becomes of each form that leaves the language; the message names the form.
#include "ir/languages.h"
#include "ir/rewrite.h"

namespace ksc {

Ir<lang::NoWhile> lower_while(const Ir<lang::NoIfValue>& in, Context& context) {
  using Out = To<lang::NoWhile>;
#ifdef KSC_CORRECT
  const auto lower = on<While>([](const Node<While>& n, Out& to) { to.emit(Loop{to(n->body)}, n.loc); });
#else
  const auto lower = on<Break>([](const Node<Break>& n, Out& to) { to.emit(Break{}, n.loc); });
#endif
  return rewrite<lang::NoIfValue, lang::NoWhile>(in, context, lower);
}

}  // namespace ksc

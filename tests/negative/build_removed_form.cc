// expect: this form is not in the pass's output language
// SPDX-License-Identifier: Apache-2.0
// A pass that removes a form cannot build it.
#include "ir/languages.h"
#include "ir/rewrite.h"

namespace ksc {

Ir<lang::NoWhile> lower_while(const Ir<lang::NoIfValue>& in, Context& context) {
  using Out = To<lang::NoWhile>;
  return rewrite<lang::NoIfValue, lang::NoWhile>(in, context, on<While>([](const Node<While>& n, Out& to) {
#ifdef KSC_CORRECT
                                                   to.emit(Loop{to(n->body)}, n.loc);
#else
                                                   to.emit(While{to(n->condition), to(n->body)}, n.loc);
#endif
                                                 }));
}

}  // namespace ksc

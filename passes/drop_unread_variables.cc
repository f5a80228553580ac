// SPDX-License-Identifier: Apache-2.0
/// var last = ip.daddr   =>   nothing, where no one reads `last`; the test of the access stays
// C compilers drop such variables as well. But those that have no room on the stack by ksc's estimate would lie in a
// map, where each is written.
#include "ir/rewrite.h"
#include "ir/unread_variables.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::UnreadDropped> drop_unread_variables(const Ir<lang::PacketDynptrs>& in, Context& context) {
  using Out = To<lang::UnreadDropped>;
  NameSet unread;
  return rewrite<lang::PacketDynptrs, lang::UnreadDropped>(in, context,
                                                           on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
                                                             unread = unread_variables(n->body);
                                                             FunctionDef form = n.form;
                                                             form.body = to(form.body);
                                                             to.declare(form, n.loc);
                                                           }),
                                                           on<Let>([&](const Node<Let>& n, Out& to) {
                                                             if (!unread.count(n->name))
                                                               to.emit_statement(to.rebuild(n));
                                                           }));
}

}  // namespace ksc

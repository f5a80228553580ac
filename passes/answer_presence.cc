// SPDX-License-Identifier: Apache-2.0
/// if (p) …   =>   if (ks_present(p)) …, where nothing follows p
#include "ir/only_tested.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

// C compilers make one of two ways that do the same, and then one of the tests that led there: (p | q) != NULL. The
// verifier refuses to combine pointers, but not numbers, which the answers are.
Ir<lang::PresenceAnswered> answer_presence(const Ir<lang::NoMapAccess>& in, Context& context) {
  std::set<Name, ByText> answered;  // names are unique, so one set serves the whole program
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d)) answered.merge(only_tested(function->form.body));
  return rewrite<lang::NoMapAccess, lang::PresenceAnswered>(
      in, context, on<Present>([&](const Node<Present>& n, To<lang::PresenceAnswered>& to) -> Expr {
        const auto* local = as<Local>(n->value);
        if (!local || !answered.count(local->form.name)) return to.rebuild(n);
        return to.make(RuntimeCall{to.context.name("ks_present"), to.context.span<Expr>({to(n->value)})}, n.loc,
                       n.type);
      }));
}

}  // namespace ksc

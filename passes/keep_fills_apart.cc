// SPDX-License-Identifier: Apache-2.0
/// memset(&a, 0, 600); memset(&b, 0, 600)   =>   memset(&a, 0, 600); barrier(); memset(&b, 0, 600)
#include "ir/fills.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::FillsApart>;

Body kept_apart(const Body& in, Context& context) {
  std::vector<Stmt> out;
  FilledBytes filled;
  for (const Stmt& statement : in.statements) {
    const Stmt s = map_children(
        context, statement, [](const Expr& e) { return e; },
        [&](const Body& inner) { return kept_apart(inner, context); });
    if (filled.with(s) > most_filled) {
      const Loc loc = loc_of(s);
      out.push_back(context.make(
          Evaluate{context.make(RuntimeCall{context.name("barrier"), {}}, loc, context.types.void_type())}, loc));
      filled.begin_anew(s);
    }
    out.push_back(s);
  }
  return {context.span(out)};
}

}  // namespace

Ir<lang::FillsApart> keep_fills_apart(const Ir<lang::LargeCopiesLooped>& in, Context& context) {
  return rewrite<lang::LargeCopiesLooped, lang::FillsApart>(in, context,
                                                            on<FunctionDef>([](const Node<FunctionDef>& n, Out& to) {
                                                              FunctionDef form = n.form;
                                                              form.body = kept_apart(form.body, to.context);
                                                              to.declare(form, n.loc);
                                                            }));
}

}  // namespace ksc

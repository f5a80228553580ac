// SPDX-License-Identifier: Apache-2.0
/// loop { … return b … } return true   =>   loop { … return b … } return ks_hide(true)
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// What a function returns: from within a loop, and besides constants.
struct EarlyAnswers {
  bool early = false, computed = false;
};

void collect(const Stmt& s, bool in_loop, EarlyAnswers& answers) {
  if (const auto* give = as<Return>(s); give && give->form.value) {
    answers.early |= in_loop;
    answers.computed |= !as<Int>(*give->form.value);
  }
  const bool inside = in_loop || as<CountedLoop>(s);
  each_child_of(
      s, [](const Expr&) {}, [&](const Stmt& t) { collect(t, inside, answers); });
}

}  // namespace

// Of a truth that is returned early and a constant elsewhere, clang 14 makes `!early | truth`, also where it was not
// early and the register of the truth holds anything; the verifier refuses if that is a pointer.
Ir<lang::EarlyAnswersHidden> hide_early_answers(const Ir<lang::ContextAccessesApart>& in, Context& context) {
  using Out = To<lang::EarlyAnswersHidden>;
  EarlyAnswers answers;
  return rewrite<lang::ContextAccessesApart, lang::EarlyAnswersHidden>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        answers = {};
        if (is(n->result, TypeKind::Bool))
          for (const Stmt& s : n->body.statements) collect(s, false, answers);
        FunctionDef form = n.form;
        form.body = to(n->body);
        to.declare(form, n.loc);
      }),
      on<Return>([&](const Node<Return>& n, Out& to) {
        if (!answers.early || !answers.computed || !as<Int>(*n->value)) return to.emit(n.form, n.loc);
        const Expr hidden = to.make(RuntimeCall{to.context.name("ks_hide"), to.context.span<Expr>({*n->value})}, n.loc,
                                    type_of(*n->value));
        to.emit(Return{Option<Expr>(hidden)}, n.loc);
      }));
}

}  // namespace ksc

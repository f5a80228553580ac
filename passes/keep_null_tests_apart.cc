// SPDX-License-Identifier: Apache-2.0
/// p != NULL || q != NULL   =>   p != NULL || ks_hide(q != NULL)
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NullTestsApart>;

bool is_bool(const Expr& e, BinaryOp op) {
  const auto* binary = as<Binary>(e);
  return binary && binary->form.op == op && is(binary->type, TypeKind::Bool);
}

/// The variables that hold what a null test came to.
using Answers = std::set<Name, ByText>;
void collect(const Stmt& s, Answers& answers) {
  const auto* let = as<Let>(s);
  if (let && let->form.value && is(let->form.type, TypeKind::Bool) && header(*let->form.value).contains.has(Kind::Present)) answers.insert(let->form.name);
  each_child_of(s, [](const Expr&) {}, [&](const Stmt& t) { collect(t, answers); });
}

/// Walks over what asks, as one, whether any of several pointers is present (`any`), or whether none is. All but the first test are hidden.
class Separator {
 public:
  Separator(Out& to, const Answers& answers) : to_(to), answers_(answers) {}

  Expr apart(const Expr& e, bool any) {
    if (const auto* negation = as<Not>(e)) return to_.make(Not{apart(negation->form.value, !any)}, negation->loc, negation->type);
    if (const auto* either = as<Or>(e); either && any) return pair(*either, any);
    if (const auto* both = as<And>(e); both && !any) return pair(*both, any);
    if (is_bool(e, any ? BinaryOp::BitOr : BinaryOp::BitAnd)) {
      const auto& binary = *as<Binary>(e);
      const Expr left = apart(binary.form.left, any), right = apart(binary.form.right, any);
      return to_.make(Binary{binary.form.op, left, right}, binary.loc, binary.type);
    }
    const Expr out = to_(e);
    const auto* local = as<Local>(e);
    const bool is_test = as<Present>(e) || (local && answers_.count(local->form.name));
    if (!is_test || !any || !std::exchange(seen_, true)) return out;
    return to_.make(RuntimeCall{to_.context.name("ks_hide"), to_.context.span<Expr>({out})}, loc_of(e), type_of(e));
  }

 private:
  template <class F>
  Expr pair(const Node<F>& n, bool any) {
    const Expr left = apart(n->left, any), right = apart(n->right, any);
    return to_.make(F{left, right}, n.loc, n.type);
  }

  Out& to_;
  const Answers& answers_;
  bool seen_ = false;
};

}  // namespace

// C compilers make one test of the two, (p | q) != NULL, and the verifier refuses to combine pointers. What is hidden teaches the
// verifier nothing, and need not: that one of several is present, or that none is, lets nobody follow any of them.
Ir<lang::NullTestsApart> keep_null_tests_apart(const Ir<lang::NoMapAccess>& in, Context& context) {
  Answers answers;  // names are unique, so one set serves the whole program
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) collect(s, answers);
  return rewrite<lang::NoMapAccess, lang::NullTestsApart>(
      in, context,
      on<Or>([&](const Node<Or>& n, Out& to) -> Expr { return Separator(to, answers).apart(Ref<Or>{&n}, true); }),
      on<And>([&](const Node<And>& n, Out& to) -> Expr { return Separator(to, answers).apart(Ref<And>{&n}, false); }),
      on<Binary>([&](const Node<Binary>& n, Out& to) -> Expr {
        if (is_bool(Ref<Binary>{&n}, BinaryOp::BitOr)) return Separator(to, answers).apart(Ref<Binary>{&n}, true);
        if (is_bool(Ref<Binary>{&n}, BinaryOp::BitAnd)) return Separator(to, answers).apart(Ref<Binary>{&n}, false);
        return to.rebuild(n);
      }));
}

}  // namespace ksc

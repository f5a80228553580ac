// SPDX-License-Identifier: Apache-2.0
/// p != NULL || q != NULL   =>   ks_hide(p != NULL) || ks_hide(q != NULL)
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NullTestsApart>;

/// The variables that hold what a null test came to, or something made of it; and the functions with such a test that
/// give a truth: C compilers that put them into their callers may make the test of it.
using Answers = std::set<Name, ByText>;
bool is_answer(const Expr& e, const Answers& answers) {
  const auto* local = as<Local>(e);
  const auto* call = as<Call>(e);
  return as<Present>(e) || (local && answers.count(local->form.name)) || (call && answers.count(call->form.function));
}
bool mentions_answer(const Expr& e, const Answers& answers) {
  bool found = is_answer(e, answers);
  each_child_of(
      e, [&](const Expr& child) { found = found || mentions_answer(child, answers); }, [](const Stmt&) {});
  return found;
}
void collect(const Stmt& s, Answers& answers) {
  const auto note = [&](Name name, Type type, const Expr& value) {
    if (is(type, TypeKind::Bool) && mentions_answer(value, answers)) answers.insert(name);
  };
  if (const auto* let = as<Let>(s); let && let->form.value) note(let->form.name, let->form.type, *let->form.value);
  if (const auto* assign = as<Assign>(s))
    if (const auto* local = as<Local>(assign->form.place)) note(local->form.name, local->type, assign->form.value);
  each_child_of(
      s, [](const Expr&) {}, [&](const Stmt& t) { collect(t, answers); });
}

/// What an expression asks of the null tests in it: whether they all hold, whether any does, or what each comes to.
enum class Asks { All, Any, Each };

class Separator {
 public:
  Separator(Out& to, const Answers& answers) : to_(to), answers_(answers) {}

  /// The expression; its null tests are hidden unless it asks whether all hold: then whoever goes on may follow the
  /// pointers.
  Expr apart(const Expr& e, Asks asks) {
    if (const auto* negation = as<Not>(e)) {
      const Asks other = asks == Asks::All ? Asks::Any : asks == Asks::Any ? Asks::All : Asks::Each;
      return to_.make(Not{apart(negation->form.value, other)}, negation->loc, negation->type);
    }
    if (const auto* either = as<Or>(e); either && asks == Asks::Any) return pair(*either, asks);
    if (const auto* both = as<And>(e); both && asks == Asks::All) return pair(*both, asks);
    if (const auto* binary = as<Binary>(e); binary && is(binary->type, TypeKind::Bool)) {
      const Expr left = apart(binary->form.left, Asks::Each), right = apart(binary->form.right, Asks::Each);
      return to_.make(Binary{binary->form.op, left, right}, binary->loc, binary->type);
    }
    if (const auto* compare = as<Compare>(e); compare && is(type_of(compare->form.left), TypeKind::Bool)) {
      const Expr left = apart(compare->form.left, Asks::Each), right = apart(compare->form.right, Asks::Each);
      return to_.make(Compare{compare->form.op, left, right}, compare->loc, compare->type);
    }
    const Expr out = to_(e);
    if (!is_answer(e, answers_) || asks == Asks::All) return out;
    return to_.make(RuntimeCall{to_.context.name("ks_hide"), to_.context.span<Expr>({out})}, loc_of(e), type_of(e));
  }

  /// The expression, where its value goes on as a number and may meet others: the test that it ends in is hidden. What
  /// is left of && and || decides whether the right side is evaluated, which may follow the pointers.
  Expr kept(const Expr& e) {
    if (const auto* negation = as<Not>(e))
      return to_.make(Not{kept(negation->form.value)}, negation->loc, negation->type);
    if (const auto* both = as<And>(e))
      return to_.make(And{apart(both->form.left, Asks::All), kept(both->form.right)}, both->loc, both->type);
    if (const auto* either = as<Or>(e))
      return to_.make(Or{apart(either->form.left, Asks::Any), kept(either->form.right)}, either->loc, either->type);
    if (const auto* choice = as<Conditional>(e)) {
      const Expr then = kept(choice->form.then), otherwise = kept(choice->form.otherwise);
      return to_.make(Conditional{to_(choice->form.condition), then, otherwise}, choice->loc, choice->type);
    }
    return apart(e, Asks::Each);
  }

 private:
  template <class F>
  Expr pair(const Node<F>& n, Asks asks) {
    const Expr left = apart(n->left, asks), right = apart(n->right, asks);
    return to_.make(F{left, right}, n.loc, n.type);
  }

  Out& to_;
  const Answers& answers_;
};

}  // namespace

// C compilers make one test of several, (p | q) != NULL, and the verifier refuses to combine pointers. What is hidden
// teaches the verifier nothing, and need not: that one of several is present, or that none is, lets nobody follow any
// of them.
Ir<lang::NullTestsApart> keep_null_tests_apart(const Ir<lang::PresenceAnswered>& in, Context& context) {
  Answers answers;  // names are unique, so one set serves the whole program
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d)) {
      const Body& body = function->form.body;
      for (const Stmt& s : body.statements) collect(s, answers);
      if (is(function->form.result, TypeKind::Bool) &&
          any_expression(body, [&](const Expr& e) { return is_answer(e, answers); }))
        answers.insert(function->form.name);
    }
  const auto each = [&](const auto& n, Out& to) -> Expr {
    return Separator(to, answers).apart(Ref<std::remove_cvref_t<decltype(n.form)>>{&n}, Asks::Each);
  };
  const auto kept = [&](const Expr& e, Out& to) {
    return is(type_of(e), TypeKind::Bool) ? Separator(to, answers).kept(e) : to(e);
  };
  return rewrite<lang::PresenceAnswered, lang::NullTestsApart>(
      in, context,
      on<Or>([&](const Node<Or>& n, Out& to) -> Expr { return Separator(to, answers).apart(Ref<Or>{&n}, Asks::Any); }),
      on<And>(
          [&](const Node<And>& n, Out& to) -> Expr { return Separator(to, answers).apart(Ref<And>{&n}, Asks::All); }),
      on<Return>([&](const Node<Return>& n, Out& to) {
        to.emit(Return{n->value ? Option<Expr>(kept(*n->value, to)) : n->value}, n.loc);
      }),
      on<Call>([&](const Node<Call>& n, Out& to) -> Expr {
        std::vector<Expr> arguments;
        for (const Expr& argument : n->arguments) arguments.push_back(kept(argument, to));
        return to.make(Call{n->function, to.context.span(arguments)}, n.loc, n.type);
      }),
      on<Print>([&](const Node<Print>& n, Out& to) {
        std::vector<Expr> arguments;
        for (const Expr& argument : n->arguments) arguments.push_back(kept(argument, to));
        to.emit(Print{n->format, to.context.span(arguments)}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const Expr value = as<Local>(n->place) ? to(n->value) : kept(n->value, to);
        to.emit(Assign{to(n->place), value}, n.loc);
      }),
      on<Convert>(
          [&](const Node<Convert>& n, Out& to) -> Expr { return to.make(Convert{kept(n->value, to)}, n.loc, n.type); }),
      on<Compare>([&](const Node<Compare>& n, Out& to) -> Expr {
        return is(type_of(n->left), TypeKind::Bool) ? each(n, to) : to.rebuild(n);
      }),
      on<Binary>([&](const Node<Binary>& n, Out& to) -> Expr {
        return is(n.type, TypeKind::Bool) ? each(n, to) : to.rebuild(n);
      }));
}

}  // namespace ksc

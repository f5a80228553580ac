// SPDX-License-Identifier: Apache-2.0
/// var t = a; if (!t) { t = b }   =>   var t = a || b, where b only reads; if (t) { t = b } likewise with &&
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "ir/sexpr.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// The expression with a local's value in its place.
Expr with_value(const Expr& e, Name name, const Expr& value, Context& context) {
  if (const auto* local = as<Local>(e)) return local->form.name == name ? value : e;
  return map_children(context, e, [&](const Expr& child) { return with_value(child, name, value, context); });
}

/// Whether something is read twice and compared with itself: C compilers warn about it, so that it stays apart.
bool compares_with_itself(const Expr& e) {
  const auto* compare = as<Compare>(e);
  bool found = compare && print(compare->form.left) == print(compare->form.right);
  each_child_of(
      e, [&](const Expr& child) { found = found || compares_with_itself(child); }, [](const Stmt&) {});
  return found;
}

/// Whether it asks if a pointer is there (or if it is not): of two such operands C compilers make one
/// (keep_null_tests_apart).
bool is_null_test(const Expr& e) {
  const auto* negation = as<Not>(e);
  return as<Present>(negation ? negation->form.value : e) != nullptr;
}

class Raiser {
 public:
  explicit Raiser(Context& context) : context_(context) {}

  Body body(const Body& in) {
    std::vector<Stmt> out;
    for (const Stmt& s : in.statements) {
      const Stmt now = map_children(
          context_, s, [](const Expr& e) { return e; }, [&](const Body& inner) { return body(inner); });
      const std::optional<Stmt> raised = out.empty() ? std::nullopt : together(out.back(), now);
      if (raised)
        out.back() = *raised;
      else
        out.push_back(now);
    }
    return {context_.span(out)};
  }

 private:
  /// The declaration and the test that follows it as one declaration; none if they are something else.
  std::optional<Stmt> together(const Stmt& declaration, const Stmt& test) {
    const auto* let = as<Let>(declaration);
    const auto* choice = as<If>(test);
    if (!let || !let->form.value || !let->form.name.is_generated() || !is(let->form.type, TypeKind::Bool) || !choice ||
        choice->form.branches.size() != 1 || !choice->form.otherwise.statements.empty())
      return {};
    const Branch& branch = choice->form.branches[0];
    const auto* negation = as<Not>(branch.condition);
    const auto* tested = as<Local>(negation ? negation->form.value : branch.condition);
    if (!tested || !(tested->form.name == let->form.name)) return {};
    const std::optional<Expr> right = assigned(branch.body, let->form.name);
    if (!right) return {};
    Expr left = *let->form.value;
    if (is_null_test(left) && is_null_test(*right))
      left =
          context_.make(RuntimeCall{context_.name("ks_hide"), context_.span<Expr>({left})}, let->loc, let->form.type);
    const Expr value = negation ? Expr(context_.make(Or{left, *right}, choice->loc, let->form.type))
                                : context_.make(And{left, *right}, choice->loc, let->form.type);
    return context_.make(Let{let->form.name, let->form.type, value}, let->loc);
  }

  /// What the body assigns to the local, where that is all it does but for naming what it reads.
  std::optional<Expr> assigned(const Body& body, Name name) {
    if (body.statements.empty()) return {};
    const auto* assign = as<Assign>(body.statements[body.statements.size() - 1]);
    const auto* place = assign ? as<Local>(assign->form.place) : nullptr;
    if (!place || !(place->form.name == name)) return {};
    Expr value = assign->form.value;
    for (size_t i = body.statements.size() - 1; i-- > 0;) {
      const auto* let = as<Let>(body.statements[i]);
      if (!let || !let->form.value || !let->form.name.is_generated() || !is_scalar(let->form.type) ||
          !only_reads(*let->form.value))
        return {};
      value = with_value(value, let->form.name, *let->form.value, context_);
    }
    return only_reads(value) && !compares_with_itself(value) ? std::optional(value) : std::nullopt;
  }

  Context& context_;
};

}  // namespace

// lower_short_circuits makes branches of operands whose packet accesses must be tested; mostly the test turns out to be
// known, and what is left is what the developer wrote.
Ir<lang::ShortCircuitsRaised> raise_short_circuits(const Ir<lang::CountersWide>& in, Context& context) {
  return rewrite<lang::CountersWide, lang::ShortCircuitsRaised>(
      in, context, on<FunctionDef>([](const Node<FunctionDef>& n, To<lang::ShortCircuitsRaised>& to) {
        FunctionDef form = n.form;
        form.body = Raiser(to.context).body(form.body);
        to.declare(form, n.loc);
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include "ir/check_apart.h"

#include <fmt/format.h>

#include "ir/children.h"
#include "ir/context_fields.h"
#include "ir/known_null.h"
#include "ir/only_tested.h"
#include "ir/support_calls.h"
#include "ir/visit.h"

namespace ksc {
namespace {

const Expr& without_not(const Expr& e) {
  const auto* negation = as<Not>(e);
  return negation ? negation->form.value : e;
}
bool is_test(const Expr& e) { return as<Present>(e); }

/// Whether several null tests of one expression are asked so that one instruction could answer [NullTestsApart].
class NullTestCheck {
 public:
  NullTestCheck(const Lang& lang, const CheckReport& report)
      : is_raised_(lang.rules.has(Rule::ShortCircuitsRaised)), report_(report) {}

  void statement(const Stmt& s) {
    if (!header(s).contains.has(Kind::Present)) return;
    if (const auto* give = as<Return>(s); give && give->form.value) value(*give->form.value);
    if (const auto* assign = as<Assign>(s); assign && !as<Local>(assign->form.place)) value(assign->form.value);
    if (const auto* print = as<Print>(s))
      for (const Expr& argument : print->form.arguments) value(argument);
    each_child_of(
        s, [&](const Expr& e) { expression(e); }, [](const Stmt&) {});
  }

 private:
  void expression(const Expr& e) {
    if (!header(e).contains.has(Kind::Present)) return;
    if (const auto* either = as<Or>(e)) {
      // raise_short_circuits puts a test beside what reads from the packet: one pointer alone is combined with nothing.
      const bool left = is_test(either->form.left), right = is_test(either->form.right);
      if (is_raised_ ? left && right : left || right) report_("null tests may become one");
    } else if (const auto* both = as<And>(e)) {
      const bool left = is_negated(both->form.left), right = is_negated(both->form.right);
      if (is_raised_ ? left && right : left || right) report_("null tests may become one");
    } else if (const auto* binary = as<Binary>(e)) {
      if (is(binary->type, TypeKind::Bool)) value(binary->form.left), value(binary->form.right);
    } else if (const auto* compare = as<Compare>(e)) {
      value(compare->form.left), value(compare->form.right);
    } else if (const auto* converted = as<Convert>(e)) {
      value(converted->form.value);
    } else if (const auto* call = as<Call>(e)) {
      for (const Expr& argument : call->form.arguments) value(argument);
    }
    each_child_of(
        e, [&](const Expr& child) { expression(child); }, [](const Stmt&) {});
  }
  static bool is_negated(const Expr& e) { return as<Not>(e) && is_test(without_not(e)); }
  /// What goes on as a number.
  void value(const Expr& e) {
    if (is_test(without_not(e))) report_("a null test goes on as a number");
  }

  const bool is_raised_;
  const CheckReport& report_;
};

/// Whether a pointer is tested again after a call, in the order of the text, or after it was given null, and C
/// compilers may still know what the first test came to [PointersRetested].
class RetestCheck {
 public:
  explicit RetestCheck(const CheckReport& report) : report_(report) {}

  /// The statement's own expressions.
  void statement(const Stmt& s) {
    if (const Expr* hidden = hidden_by(s)) {
      if (const auto* local = as<Local>(*hidden)) tested_.erase(local->form.name);
      return;
    }
    calls_before_ = calls_;
    each_child_of(
        s, [&](const Expr& e) { expression(e); }, [](const Stmt&) {});
    if (as<Print>(s) || as<TraceLine>(s)) ++calls_;
    if (const auto* let = as<Let>(s)) give(let->form.name, let->form.value ? &*let->form.value : nullptr);
    if (const auto* assign = as<Assign>(s))
      if (const auto* local = as<Local>(assign->form.place)) give(local->form.name, &assign->form.value);
  }

 private:
  void give(Name name, const Expr* value) {
    if (value && is_known_null(*value))
      tested_[name] = calls_ - 1;
    else
      tested_.erase(name);
  }
  void expression(const Expr& e) {
    constexpr FormSet looked_at = form_set_of<Call, HelperCall, Present>();
    if ((header(e).contains & looked_at).empty()) return;
    each_child_of(
        e, [&](const Expr& child) { expression(child); }, [](const Stmt&) {});
    if (as<Call>(e) || as<HelperCall>(e)) ++calls_;
    const auto* present = as<Present>(e);
    const auto* local = present ? as<Local>(present->form.value) : nullptr;
    if (!local) return;
    const auto [known, is_first] = tested_.insert({local->form.name, calls_});
    if (!is_first && known->second < calls_before_) report_("a pointer's null test is far from an earlier one");
    known->second = calls_;
  }

  NameMap<int> tested_;  // and how many calls there had been then
  int calls_ = 0;
  int calls_before_ = 0;  // the statement, in which nothing can be hidden
  const CheckReport& report_;
};

/// Whether the context is read in several ways, or written, and nothing keeps C compilers from making one access of
/// them [ContextAccessesApart].
class ContextCheck {
 public:
  /// Behind the tests of indexes, the only read of a function may stand in such a test: there is nothing to join it
  /// with.
  ContextCheck(const FunctionDef& function, const Lang& lang, const CheckReport& report)
      : is_shared_(function.domain != Domain::Program), report_(report) {
    body(function.body);
    const bool one_may_stand_on_a_way = lang.rules.has(Rule::IndexesGuarded);
    if ((plain_on_ways_ > 0 && !one_may_stand_on_a_way) || (plain_ > 0 && (all_ > 1 || is_shared_)))
      report_("accesses to the context may become one");
  }

 private:
  void body(const Body& in) {
    const Span<Stmt> all = in.statements;
    for (size_t i = 0; i < all.size(); ++i) {
      const auto* assign = as<Assign>(all[i]);
      if (assign && context_field(assign->form.place)) {
        expression(assign->form.value);
        if (i + 1 == all.size() || !is_support_call(all[i + 1], "barrier"))
          report_("nothing keeps a write to the context where it is");
      } else {
        statement(all[i]);
      }
    }
  }
  void statement(const Stmt& s) {
    if (const auto* test = as<If>(s)) {
      // Only the first condition is always evaluated.
      const Span<Branch> branches = test->form.branches;
      for (size_t i = 0; i < branches.size(); ++i) {
        const auto look_at = [&] { expression(branches[i].condition); };
        i == 0 ? look_at() : on_way(look_at);
      }
    } else {
      each_child_of(
          s, [&](const Expr& e) { expression(e); }, [](const Stmt&) {});
    }
    const auto look_at = [&] { each_body_of(s, [&](const Body& inner) { body(inner); }); };
    as<Block>(s) || as<Labelled>(s) ? look_at() : on_way(look_at);
  }
  void expression(const Expr& e) {
    // Other places are read so as well.
    const bool is_apart = is_support_call(e, "ks_read") && context_field(as<RuntimeCall>(e)->form.arguments[0]);
    if (is_apart || context_field(e)) {
      ++all_;
      plain_ += !is_apart;
      plain_on_ways_ += !is_apart && ways_ > 0;
      return;
    }
    if (const auto* call = as<Call>(e))
      for (const Expr& argument : call->form.arguments) is_shared_ |= is_context(type_of(argument));
    if (const auto* both = as<And>(e)) {
      expression(both->form.left);
      on_way([&] { expression(both->form.right); });
    } else if (const auto* either = as<Or>(e)) {
      expression(either->form.left);
      on_way([&] { expression(either->form.right); });
    } else if (const auto* choice = as<Conditional>(e)) {
      expression(choice->form.condition);
      on_way([&] { expression(choice->form.then), expression(choice->form.otherwise); });
    } else {
      each_child_of(
          e, [&](const Expr& child) { expression(child); }, [](const Stmt&) {});
    }
  }
  template <class Do>
  void on_way(Do&& run) {
    ++ways_;
    run();
    --ways_;
  }

  int ways_ = 0, all_ = 0, plain_ = 0, plain_on_ways_ = 0;
  bool is_shared_;  // what is read may be one with what another function reads: C compilers put one into the other
  const CheckReport& report_;
};

/// All statements, each before those in it.
template <class Check>
void each_statement(const Body& body, Check& check) {
  for (const Stmt& s : body.statements) {
    check.statement(s);
    each_body_of(s, [&](const Body& inner) { each_statement(inner, check); });
  }
}

}  // namespace

void check_apart(const FunctionDef& function, const Lang& lang, const CheckReport& report) {
  if (lang.rules.has(Rule::PresenceAnswered))
    for (const Name name : only_tested(function.body))
      report(fmt::format("nothing follows `{}`, and its test is no number", name.text()));
  if (lang.rules.has(Rule::NullTestsApart)) {
    NullTestCheck null_tests(lang, report);
    each_statement(function.body, null_tests);
  }
  if (lang.rules.has(Rule::PointersRetested)) {
    RetestCheck retests(report);
    each_statement(function.body, retests);
  }
  if (lang.rules.has(Rule::ContextAccessesApart)) ContextCheck(function, lang, report);
}

}  // namespace ksc

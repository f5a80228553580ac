// SPDX-License-Identifier: Apache-2.0
#include "ir/check_temporaries.h"

#include <fmt/format.h>

#include "ir/children.h"
#include "ir/effects.h"

namespace ksc {
namespace {

constexpr int surely_folded = 16;  // what stands higher may keep its name

class TemporaryCheck {
 public:
  TemporaryCheck(const FunctionDef& function, const CheckReport& report)
      : changed_(changed_locals(function.body)), report_(report) {
    for (const Stmt& s : function.body.statements) count(s);
    body(function.body);
  }

 private:
  void count(const Stmt& s) {
    each_child_of(
        s, [&](const Expr& e) { count(e); }, [&](const Stmt& t) { count(t); });
  }
  void count(const Expr& e) {
    if (const auto* local = as<Local>(e)) ++uses_[local->form.name];
    each_child_of(
        e, [&](const Expr& child) { count(child); }, [&](const Stmt& s) { count(s); });
  }

  void body(const Body& in) {
    const Span<Stmt> all = in.statements;
    for (size_t i = 0; i < all.size(); ++i) {
      if (i > 0) pair(all[i - 1], all[i]);
      each_body_of(all[i], [&](const Body& inner) { body(inner); });
    }
  }

  void pair(const Stmt& first, const Stmt& second) {
    const auto* let = as<Let>(first);
    if (!let || !let->form.name.is_generated() || !let->form.value || header(*let->form.value).height > surely_folded)
      return;
    const Expr* all = whole(second);
    const auto* use = all ? as<Local>(*all) : nullptr;
    if (!use || !(use->form.name == let->form.name) || uses_[use->form.name] != 1 || changed_.count(use->form.name))
      return;
    report_(fmt::format("`{}` could be folded into the statement after it", use->form.name.text()));
  }
  /// What the statement only passes on: null if it does more, or nothing of the kind.
  static const Expr* whole(const Stmt& s) {
    if (const auto* let = as<Let>(s)) return let->form.value ? &*let->form.value : nullptr;
    if (const auto* assign = as<Assign>(s)) return as<Local>(assign->form.place) ? &assign->form.value : nullptr;
    if (const auto* give = as<Return>(s)) return give->form.value ? &*give->form.value : nullptr;
    if (const auto* test = as<If>(s)) return test->form.branches.empty() ? nullptr : &test->form.branches[0].condition;
    if (const auto* choice = as<Switch>(s)) return &choice->form.value;
    return nullptr;
  }

  NameMap<int> uses_;
  const NameSet changed_;
  const CheckReport& report_;
};

}  // namespace

void check_temporaries(const FunctionDef& function, const CheckReport& report) { TemporaryCheck(function, report); }

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include "ir/check.h"

#include <fmt/format.h>

#include <set>

#include "ir/sexpr.h"
#include "ir/visit.h"

namespace ksc {
namespace {

/// Walks every node below a declaration and reports the ones that break a rule.
class RuleChecker {
 public:
  RuleChecker(const Lang& lang, std::vector<std::string>& problems) : lang_(lang), problems_(problems) {}

  template <class Sum>
  void node(const Sum& sum) {
    boost::variant2::visit([&](const auto& ref) { form(sum, *ref); }, sum);
  }

 private:
  template <class Sum, class F>
  void form(const Sum& sum, const Node<F>& n) {
    if (!lang_.has(F::kind)) problems_.push_back(fmt::format("{} is not in the language: {}", kind_names[int(F::kind)], excerpt(sum)));
    if constexpr (std::same_as<Sum, Expr>) {
      if (lang_.rules.has(Rule::Typed) && !n.type) problems_.push_back("an expression has no type: " + excerpt(sum));
    }
    declares(n.form);
    each_child_of_form(n.form, [&](const auto& child) { node(child); });
  }
  /// Names are unique from resolve_names on: nothing is declared twice.
  template <class F>
  void declares(const F& form) {
    if (!lang_.rules.has(Rule::NamesBound)) return;
    if constexpr (std::same_as<F, Let> || std::same_as<F, IfPresent> || std::same_as<F, CountedLoop>) declared(form.name);
    else if constexpr (std::same_as<F, VarStmt> || std::same_as<F, For>) declared(form.name.name);
    else if constexpr (std::same_as<F, FunctionDef>)
      for (const Parameter& p : form.parameters) declared(p.name);
  }
  void declared(Name name) {
    if (!names_.insert(name.text()).second) problems_.push_back(fmt::format("`{}` is declared twice", name.text()));
  }
  template <class Sum>
  static std::string excerpt(const Sum& sum) {
    if constexpr (std::same_as<Sum, Expr> || std::same_as<Sum, Stmt>) return print(sum).substr(0, 200);
    else return std::string(kind_names[int(header(sum).kind)]);
  }

  const Lang& lang_;
  std::vector<std::string>& problems_;
  std::set<std::string_view> names_;
};

}  // namespace

std::vector<std::string> check(const Program& program, const Lang& lang) {
  std::vector<std::string> problems;
  RuleChecker checker(lang, problems);
  for (const Decl& d : program) checker.node(d);
  return problems;
}

}  // namespace ksc

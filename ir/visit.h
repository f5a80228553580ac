// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdlib>
#include <optional>
#include <type_traits>
#include <utility>

#include "ir/lang.h"

namespace ksc {

/// One case: what to do with form F.
template <class F, class Do>
struct Case {
  Do run;
};
template <class F, class Do>
Case<F, Do> on(Do run) {
  return {std::move(run)};
}

template <class... F>
constexpr FormSet form_set_of() {
  FormSet set;
  ((set = set.with(F::kind)), ...);
  return set;
}

/// The forms which a sum can hold.
inline constexpr FormSet type_forms = form_set_of<
#define KSC_TYPE_FORM(F) F,
#include "ir/forms.def"
    InvalidType>();
inline constexpr FormSet expr_forms = form_set_of<
#define KSC_EXPR_FORM(F) F,
#include "ir/forms.def"
    InvalidExpr>();
inline constexpr FormSet stmt_forms = form_set_of<
#define KSC_STMT_FORM(F) F,
#include "ir/forms.def"
    InvalidStmt>();

/// For analyses that look at some forms and go through the parts of all others alike: whether each form of that sum in
/// the language is named in one of the two groups. So a new form does not compile until somebody has said which it is.
constexpr bool names_all(FormSet sum, FormSet language, FormSet looked_at, FormSet gone_through) {
  return (sum & language).minus(looked_at).minus(gone_through).empty();
}
inline constexpr FormSet decl_forms = form_set_of<
#define KSC_DECL_FORM(F) F,
#include "ir/forms.def"
    InvalidDecl>();
template <class Sum>
constexpr FormSet forms_of_sum() {
  if constexpr (std::is_same_v<Sum, TypeExpr>)
    return type_forms;
  else if constexpr (std::is_same_v<Sum, Expr>)
    return expr_forms;
  else if constexpr (std::is_same_v<Sum, Stmt>)
    return stmt_forms;
  else
    return decl_forms;
}

template <Kind K>
struct visit_has_no_case_for {
  static_assert(K == Kind::count, "a form of the language has no case in this visit");
};
template <Kind K>
struct visit_has_a_needless_case_for {
  static_assert(K == Kind::count, "this visit has a case for a form that the language does not have");
};

/// Runs the one case for the node's form; there must be exactly one for each form of L that the sum can hold.
template <Lang L, class Sum, class... F, class... Do>
decltype(auto) visit(const Sum& sum, const Case<F, Do>&... cases) {
  constexpr FormSet wanted = L.forms & forms_of_sum<Sum>();
  constexpr FormSet given = form_set_of<F...>();
  (void)visit_has_no_case_for<wanted.minus(given).first()>{};
  (void)visit_has_a_needless_case_for<given.minus(wanted).first()>{};
  using Result = std::common_type_t<decltype(cases.run(std::declval<const Node<F>&>()))...>;
  if constexpr (std::is_void_v<Result>) {
    const bool found = ((as<F>(sum) ? (cases.run(*as<F>(sum)), true) : false) || ...);
    if (!found) std::abort();  // the checker lets no other form get here
  } else {
    std::optional<Result> result;
    const bool found = ((as<F>(sum) ? (result.emplace(cases.run(*as<F>(sum))), true) : false) || ...);
    if (!found) std::abort();
    return Result(*result);
  }
}

}  // namespace ksc

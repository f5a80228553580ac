// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/forms.h"

namespace ksc {

/// Whether it is a call of that function of the support code.
inline bool is_support_call(const Expr& e, std::string_view function) {
  const auto* call = as<RuntimeCall>(e);
  return call && call->form.function == function;
}
/// Whether that is all that the statement does.
inline bool is_support_call(const Stmt& s, std::string_view function) {
  const auto* evaluate = as<Evaluate>(s);
  return evaluate && is_support_call(evaluate->form.value, function);
}

/// What barrier_var hides from C compilers; null if the statement is something else.
inline const Expr* hidden_by(const Stmt& s) {
  return is_support_call(s, "barrier_var") ? &as<RuntimeCall>(as<Evaluate>(s)->form.value)->form.arguments[0] : nullptr;
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include "ir/status.h"

#include <fmt/format.h>

#include <functional>

#include "ir/children.h"

namespace ksc {

Expr constant_status(LeaveReason reason, Loc loc, Context& context) {
  const std::string_view name = reason == LeaveReason::Bounds ? "KS_BOUNDS" : "KS_PANIC";
  return context.make(Int{{status_of(status_kind(reason))}, context.name(name)}, loc, context.types.u64());
}

Expr thrown_status(const Int& code, Loc loc, Context& context) {
  const auto number = static_cast<int32_t>(code.value.value);
  const std::string spelled = code.constant ? std::string(code.constant.text()) : std::to_string(number);
  return context.make(Int{{status_of(StatusKind::Throw, number)}, context.name(fmt::format("KS_THROW({})", spelled))},
                      loc, context.types.u64());
}

bool may_panic(const Program& program) {
  bool found = false;
  std::function<void(const Expr&)> on_expr;
  std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) { each_child_of(s, on_expr, on_stmt); };
  on_expr = [&](const Expr& e) {
    const auto* status = as<Int>(e);
    found = found || (status && status->form.constant == "KS_PANIC");
    each_child_of(e, on_expr, on_stmt);
  };
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) on_stmt(s);
  return found;
}

}  // namespace ksc

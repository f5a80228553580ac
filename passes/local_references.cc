// SPDX-License-Identifier: Apache-2.0
#include "passes/local_references.h"

#include "ir/children.h"

namespace ksc {

const Expr* referenced_value(const Assign& assign) {
  const auto* given = as<Convert>(assign.value);
  const bool is_reference = as<Local>(assign.place) && is(type_of(assign.place), TypeKind::EntryRef);
  return is_reference && given && is_aggregate(type_of(given->form.value)) ? &given->form.value : nullptr;
}

NameSet rebound_references(const Program& program) {
  NameSet found;
  std::function<void(const Expr&)> on_expr;
  const std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) {
    if (const auto* assign = as<Assign>(s); assign && referenced_value(assign->form))
      found.insert(as<Local>(assign->form.place)->form.name);
    each_child_of(s, on_expr, on_stmt);
  };
  on_expr = [&](const Expr& e) { each_child_of(e, on_expr, on_stmt); };
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) on_stmt(s);
  return found;
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include "passes/lasting_addresses.h"

#include <functional>

#include "ir/children.h"
#include "ir/places.h"

namespace ksc {
namespace {

/// Whether the place is the same wherever it stands: no index is computed.
bool is_fixed(const Expr& place) {
  if (const auto* field = as<Field>(place)) return is_fixed(field->form.base);
  const auto* element = as<Index>(place);
  return element ? as<Int>(element->form.index) && is_fixed(element->form.base) : as<Local>(place) || as<Global>(place);
}

}  // namespace

NameMap<Expr> lasting_addresses(const FunctionDef& function, const NameSet& function_variables) {
  NameMap<Expr> found;
  NameSet changed;
  std::function<void(const Expr&)> on_expr;
  std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) {
    if (const auto* let = as<Let>(s); let && let->form.value) {
      const Expr* value = &*let->form.value;
      while (const auto* converted = as<Convert>(*value)) value = &converted->form.value;
      const auto* address = as<AddressOf>(*value);
      const auto* root = address ? as<Local>(root_of(address->form.place)) : nullptr;
      if (address && is_fixed(address->form.place) && (!root || function_variables.count(root->form.name)))
        found.emplace(let->form.name, *let->form.value);
    }
    if (const auto* assign = as<Assign>(s))
      if (const auto* local = as<Local>(assign->form.place)) changed.insert(local->form.name);
    each_child_of(s, on_expr, on_stmt);
  };
  on_expr = [&](const Expr& e) { each_child_of(e, on_expr, on_stmt); };
  for (const Stmt& s : function.body.statements) on_stmt(s);
  for (const Name name : changed) found.erase(name);
  return found;
}

}  // namespace ksc

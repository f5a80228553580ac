// SPDX-License-Identifier: Apache-2.0
#include "passes/local_references.h"

#include <algorithm>
#include <functional>

#include "ir/children.h"

namespace ksc {

const Expr* referenced_value(const Assign& assign) {
  const auto* given = as<Convert>(assign.value);
  const bool is_reference = as<Local>(assign.place) && is(type_of(assign.place), TypeKind::EntryRef);
  return is_reference && given && is_aggregate(type_of(given->form.value)) ? &given->form.value : nullptr;
}

namespace {

/// Calls `visit` for each statement of a body, those in expressions too.
void each_statement(const Body& body, const std::function<void(const Stmt&)>& visit) {
  std::function<void(const Expr&)> on_expr;
  const std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) {
    visit(s);
    each_child_of(s, on_expr, on_stmt);
  };
  on_expr = [&](const Expr& e) { each_child_of(e, on_expr, on_stmt); };
  for (const Stmt& s : body.statements) on_stmt(s);
}

}  // namespace

NameSet rebound_references(const Program& program) {
  NameSet found;
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d))
      each_statement(function->form.body, [&](const Stmt& s) {
        if (const auto* assign = as<Assign>(s); assign && referenced_value(assign->form))
          found.insert(as<Local>(assign->form.place)->form.name);
      });
  return found;
}

const Name* referred_by(const Expr& e) {
  if (const auto* converted = as<Convert>(e)) return referred_by(converted->form.value);
  const auto* local = as<Local>(e);
  return local && is(local->type, TypeKind::EntryRef) ? &local->form.name : nullptr;
}

std::map<Name, Type, ByText> reference_types(const FunctionDef& function) {
  std::map<Name, Type, ByText> found;
  each_statement(function.body, [&](const Stmt& s) {
    if (const auto* let = as<Let>(s); let && is(let->form.type, TypeKind::EntryRef))
      found[let->form.name] = let->form.type;
    if (const auto* loop = as<MapLoop>(s); loop && is(loop->form.type, TypeKind::EntryRef))
      found[loop->form.entry] = loop->form.type;
  });
  return found;
}

std::vector<SharingReferences> sharing_references(const FunctionDef& function, const NameSet& rebound) {
  std::vector<SharingReferences> groups;
  each_statement(function.body, [&](const Stmt& s) {
    const auto* let = as<Let>(s);
    const auto* assign = as<Assign>(s);
    const auto* place = assign ? as<Local>(assign->form.place) : nullptr;
    const Name* to = let ? &let->form.name : place ? &place->form.name : nullptr;
    const Name* from = let && let->form.value ? referred_by(*let->form.value)
                       : place                ? referred_by(assign->form.value)
                                              : nullptr;
    if (!to || !from) return;
    SharingReferences together{*to, *from};
    std::erase_if(groups, [&](const SharingReferences& group) {
      if (!group.count(*to) && !group.count(*from)) return false;
      together.insert(group.begin(), group.end());
      return true;
    });
    groups.push_back(together);
  });
  std::erase_if(groups, [&](const SharingReferences& group) {
    return std::none_of(group.begin(), group.end(), [&](const Name& name) { return rebound.count(name) != 0; });
  });
  return groups;
}

}  // namespace ksc

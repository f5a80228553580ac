// SPDX-License-Identifier: Apache-2.0
#include "ir/call_chains.h"

#include <algorithm>

#include "ir/children.h"
#include "ir/visit.h"

namespace ksc {

CallChains::CallChains(const Program& program) {
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d)) {
      names_.push_back(function->form.name);
      functions_[function->form.name].node = function;
    }
  for (Name name : names_)
    for (const Stmt& s : functions_.at(name).node->form.body.statements) count(s, functions_.at(name));
  // As one writes it by hand; clang alone leaves a call where it believes that it is seldom reached. A call has five
  // registers for its arguments; what spill_locals adds may be a sixth [L62].
  for (Name name : names_) {
    const Function& function = functions_.at(name);
    if (can_be_inlined(function) && (function.calls == 1 || function.node->form.parameters.size() > 5))
      inlined_.insert(name);
  }
  for (std::vector<Name> chain = longest(); chain.size() > most_frames; chain = longest()) {
    // Each further call of it is one more copy.
    const Function* fewest = nullptr;
    for (Name name : chain)
      if (const Function& function = functions_.at(name);
          can_be_inlined(function) && (!fewest || function.calls < fewest->calls))
        fewest = &function;
    if (!fewest) {
      too_long_ = std::move(chain);
      return;
    }
    inlined_.insert(fewest->node->form.name);
  }
}

bool CallChains::can_be_inlined(const Function& function) const {
  return function.node->form.domain != Domain::Program && !function.runs_turns;
}

void CallChains::count(const Stmt& s, Function& caller) {
  constexpr FormSet looked_at = form_set_of<Call, FunctionAddress>();
  if ((header(s).contains & looked_at).empty()) return;
  each_child_of(
      s, [&](const Expr& e) { count(e, caller); }, [&](const Stmt& t) { count(t, caller); });
}

void CallChains::count(const Expr& e, Function& caller) {
  const auto* call = as<Call>(e);
  const auto* address = as<FunctionAddress>(e);
  const auto callee =
      call || address ? functions_.find(call ? call->form.function : address->form.name) : functions_.end();
  if (callee != functions_.end()) {
    callee->second.calls += call != nullptr;
    callee->second.runs_turns |= address != nullptr;
    if (std::find(caller.callees.begin(), caller.callees.end(), callee->first) == caller.callees.end())
      caller.callees.push_back(callee->first);
  }
  each_child_of(
      e, [&](const Expr& child) { count(child, caller); }, [&](const Stmt& s) { count(s, caller); });
}

const std::vector<Name>& CallChains::longest_from(Name name, NameMap<std::vector<Name>>& known) const {
  if (const auto found = known.find(name); found != known.end()) return found->second;
  std::vector<Name> longest;
  for (Name callee : functions_.at(name).callees)
    if (const std::vector<Name>& below = longest_from(callee, known); below.size() > longest.size()) longest = below;
  if (!inlined_.count(name)) longest.insert(longest.begin(), name);
  return known[name] = std::move(longest);
}

std::vector<Name> CallChains::longest() const {
  NameMap<std::vector<Name>> known;
  std::vector<Name> longest;
  for (Name name : names_)
    if (functions_.at(name).node->form.domain == Domain::Program)
      if (const std::vector<Name>& chain = longest_from(name, known); chain.size() > longest.size()) longest = chain;
  return longest;
}

}  // namespace ksc

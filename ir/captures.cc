// SPDX-License-Identifier: Apache-2.0
#include "ir/captures.h"

#include "ir/children.h"

namespace ksc {
namespace {

class CaptureMentions {
 public:
  explicit CaptureMentions(const NameSet& function_variables) : known_(function_variables) {}

  void look_at(const Stmt& s) {
    if (const auto* let = as<Let>(s)) known_.insert(let->form.name);
    if (const auto* loop = as<For>(s)) known_.insert(loop->form.name.name);
    if (const auto* loop = as<MapLoop>(s)) known_.insert(loop->form.key), known_.insert(loop->form.entry);
    if (const auto* loop = as<CpuLoop>(s)) known_.insert(loop->form.cpu), known_.insert(loop->form.value);
    if (const auto* test = as<IfPresent>(s)) known_.insert(test->form.name);
    if (const auto* attempt = as<Try>(s))
      for (const CatchClause& clause : attempt->form.clauses) known_.insert(clause.name.name);
    each_child_of(
        s, [&](const Expr& e) { look_at(e); }, [&](const Stmt& t) { look_at(t); });
  }

  std::vector<std::pair<Name, Type>> captured;

 private:
  void look_at(const Expr& e) {
    if (const auto* local = as<Local>(e); local && known_.insert(local->form.name).second)
      captured.push_back({local->form.name, local->type});
    each_child_of(
        e, [&](const Expr& child) { look_at(child); }, [&](const Stmt& s) { look_at(s); });
  }

  NameSet known_;
};

}  // namespace

NameSet function_variables(const FunctionDef& function) {
  NameSet names;
  for (const Parameter& parameter : function.parameters) names.insert(parameter.name);
  if (function.result_name) names.insert(function.result_name);
  for (const Stmt& s : function.body.statements)
    if (const auto* let = as<Let>(s)) names.insert(let->form.name);
  return names;
}

std::vector<std::pair<Name, Type>> captured_by(const Defer& form, const NameSet& function_variables) {
  CaptureMentions mentions(function_variables);
  for (const Stmt& s : form.body.statements) mentions.look_at(s);
  return mentions.captured;
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include "passes/fault_verdicts.h"

#include <fmt/format.h>

#include "ir/children.h"
#include "ir/program_type.h"

namespace ksc {

FaultVerdicts::FaultVerdicts(const Program& program, Context& context) : context_(context) {
  for (const Decl& d : program) {
    if (const auto* verdict = as<FaultVerdict>(d)) given_.emplace(verdict->form.program, verdict->form.verdict);
    const auto* function = as<FunctionDef>(d);
    if (!function) continue;
    functions_[function->form.name] = &function->form;
    std::function<void(const Expr&)> on_expr;
    std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) { each_child_of(s, on_expr, on_stmt); };
    on_expr = [&](const Expr& e) {
      if (const auto* call = as<Call>(e)) callers_[call->form.function].insert(function->form.name);
      each_child_of(e, on_expr, on_stmt);
    };
    for (const Stmt& s : function->form.body.statements) on_stmt(s);
  }
}

Expr FaultVerdicts::of(const FunctionDef& program, Loc loc) const {
  if (const auto given = given_.find(program.name); given != given_.end()) {
    const auto& number = *as<Int>(given->second);
    return context_.make(number.form, loc, program.result);
  }
  return constant(find_program_type(program.program_type.text())->pass_through, program.result, loc);
}

Expr FaultVerdicts::safe(const FunctionDef& program, Loc loc) const {
  return constant(find_program_type(program.program_type.text())->safe, program.result, loc);
}

Expr FaultVerdicts::constant(std::string_view name, Type type, Loc loc) const {
  return context_.make(Int{{context_.kernel_types->find_constant(name)->value}, context_.name(name)}, loc, type);
}

std::string FaultVerdicts::spelled(const FunctionDef& program) const {
  const Expr verdict = of(program, {});
  const Int& number = as<Int>(verdict)->form;
  return number.constant ? std::string(number.constant.spelling())
                         : std::to_string(static_cast<int64_t>(number.value.value));
}

std::string FaultVerdicts::ending(const FunctionDef& function) const {
  if (function.domain == Domain::Program)
    return fmt::format("`{}` ends with `{}`", function.name.spelling(), spelled(function));
  std::set<Name, ByText> seen;
  std::vector<Name> work{function.name};
  std::map<Name, const FunctionDef*, ByText> programs;
  while (!work.empty()) {
    const Name name = work.back();
    work.pop_back();
    if (!seen.insert(name).second) continue;
    const auto found = functions_.find(name);
    if (found != functions_.end() && found->second->domain == Domain::Program) programs[name] = found->second;
    const auto callers = callers_.find(name);
    if (callers != callers_.end()) work.insert(work.end(), callers->second.begin(), callers->second.end());
  }
  if (programs.empty()) return "the program that calls this ends, but none does";
  std::string text = "the program that called this ends:";
  for (const auto& [name, program] : programs)
    text += fmt::format("{} `{}` with `{}`", name == programs.begin()->first ? "" : ",", name.spelling(),
                        spelled(*program));
  return text;
}

}  // namespace ksc

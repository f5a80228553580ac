// SPDX-License-Identifier: Apache-2.0
/// return program(ctx)   =>   TailCall program ctx
#include "ir/program_type.h"
#include "ir/rewrite.h"
#include "passes/call_cycles.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::TailCallsFound> find_tail_calls(const Ir<lang::ReturnsSplit>& in, Context& context) {
  using Out = To<lang::TailCallsFound>;
  std::map<Name, const FunctionDef*, ByText> programs;
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d); function && function->form.domain == Domain::Program)
      programs[function->form.name] = &function->form;
  const auto program_of = [&](Name name) {
    auto found = programs.find(name);
    return found == programs.end() ? nullptr : found->second;
  };
  // `@tc("ingress")`
  const auto attribute_of = [](const FunctionDef& program) {
    return program.target ? fmt::format("@{}(\"{}\")", program.program_type.text(), program.target.text())
                          : fmt::format("@{}", program.program_type.text());
  };
  const Ir<lang::TailCallsFound> out = rewrite<lang::ReturnsSplit, lang::TailCallsFound>(
      in, context, on<Return>([&](const Node<Return>& n, Out& to) {
        const Expr* value = n->value ? &*n->value : nullptr;
        const auto* converted = value ? as<Convert>(*value) : nullptr;
        const auto* call = converted ? as<Call>(converted->form.value) : value ? as<Call>(*value) : nullptr;
        const FunctionDef* program = call ? program_of(call->form.function) : nullptr;
        if (!program) return to.emit(Return{to(n->value)}, n.loc);
        const FunctionDef& from = *to.function();
        if (from.domain != Domain::Program) {
          to.context.diagnostics.report(call->loc, diag::tail_call_in_helper);
        } else if (from.program_type != program->program_type || from.target != program->target) {
          to.context.diagnostics.report(call->loc, diag::tail_call_type, attribute_of(from),
                                        std::string(program->name.spelling()), attribute_of(*program));
        }
        to.emit(TailCall{call->form.function, call->form.arguments[0]}, n.loc);
      }),
      on<Call>([&](const Node<Call>& n, Out& to) -> Expr {
        if (program_of(n->function))
          to.context.diagnostics.report(n.loc, diag::program_called, std::string(n->function.spelling()),
                                        std::string(n->function.spelling()));
        return to.rebuild(n);
      }));
  report_call_cycles(out.declarations, context);
  return out;
}

}  // namespace ksc

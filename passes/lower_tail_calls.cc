// SPDX-License-Identifier: Apache-2.0
/// return program(ctx)   =>   bpf_tail_call(ctx, &xdp_programs, index of program); return XDP_ABORTED
#include "ir/program_type.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::NoTailCall> lower_tail_calls(const Ir<lang::PinsReached>& in, Context& context) {
  using Out = To<lang::NoTailCall>;
  // One array a program type and direction holds what is handed over to, in the order of the source.
  std::map<std::string, std::vector<Name>> targets;
  const auto array_of = [](const FunctionDef& f) {
    return std::string(f.program_type.text()) + (f.target ? "_" + std::string(f.target.text()) : "") + "_programs";
  };
  std::set<Name, ByText> called;
  std::function<void(const Stmt&)> find = [&](const Stmt& s) {
    if (const auto* call = as<TailCall>(s)) called.insert(call->form.program);
    each_child_of(
        s, [](const Expr&) {}, find);
  };
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) find(s);
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d); function && called.count(function->form.name))
      targets[array_of(function->form)].push_back(function->form.name);

  std::set<std::string> declared;
  return rewrite<lang::PinsReached, lang::NoTailCall>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        if (n.contains.has(Kind::TailCall) && declared.insert(array_of(n.form)).second)
          to.declare(ProgramArray{to.context.name(array_of(n.form)), n->program_type,
                                  to.context.span(targets[array_of(n.form)])},
                     n.loc);
        FunctionDef form = n.form;
        form.body = to(form.body);
        to.declare(form, n.loc);
      }),
      on<TailCall>([&](const Node<TailCall>& n, Out& to) {
        Types& types = to.context.types;
        const FunctionDef& from = *to.function();
        const std::string array = array_of(from);
        const auto& programs = targets[array];
        const auto index = std::find(programs.begin(), programs.end(), n->program) - programs.begin();
        const Expr map = to.make(MapName{to.context.name(array)}, n.loc,
                                 types.map(to.context.name("prog_array"), types.u32(), types.u32(), programs.size()));
        const Expr where = to.make(AddressOf{map}, n.loc, types.pointer(type_of(map), Space::Kernel, false));
        const Expr which = to.make(Int{{index}, {}}, n.loc, types.u32());
        to.emit(Evaluate{to.make(
                    HelperCall{to.context.name("bpf_tail_call"), to.context.span<Expr>({to(n->context), where, which})},
                    n.loc, types.void_type())},
                n.loc);
        // Reached only if the hand-over failed [L63].
        to.emit(
            Evaluate{to.make(RuntimeCall{to.context.name("ks_count_failed_tail_call"), {}}, n.loc, types.void_type())},
            n.loc);
        const ProgramType* type = find_program_type(from.program_type.text());
        const KernelConstant* verdict = to.context.kernel_types->find_constant(type->safe);
        to.emit(Return{Expr(to.make(Int{{verdict->value}, to.context.name(type->safe)}, n.loc, from.result))}, n.loc);
      }));
}

}  // namespace ksc

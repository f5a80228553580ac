// SPDX-License-Identifier: Apache-2.0
/// fn f() -> str(8) { return v }; x = f()   =>   fn f(result: *str(8)) { *result = v; return }; f(&x)
#include "ir/effects.h"
#include "passes/array_copies.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::AggregatesReturned>;

/// The call, whose result goes where `pointer` points.
void emit_call(const Node<Call>& n, const Expr& pointer, Out& to) {
  std::vector<Expr> arguments;
  for (const Expr& argument : n->arguments) arguments.push_back(to(argument));
  arguments.push_back(pointer);
  to.emit(Evaluate{to.make(Call{n->function, to.context.span(arguments)}, n.loc, to.context.types.void_type())}, n.loc);
}
/// var name: its type, and the call that fills it.
Expr emit_variable(Name name, const Node<Call>& call, Out& to) {
  to.emit(Let{name, call.type, {}}, call.loc);
  const Expr place = to.make(Local{name}, call.loc, call.type);
  emit_call(call, to.make(AddressOf{place}, call.loc, to.context.types.pointer(call.type, Space::Stack, false)), to);
  return place;
}

/// What a function ends with anyway.
Body without_last_return(const Body& body, Context& context) {
  std::vector<Stmt> statements(body.statements.begin(), body.statements.end());
  const auto* last = statements.empty() ? nullptr : as<Return>(statements.back());
  if (last && !last->form.value) statements.pop_back();
  return {context.span(statements)};
}

}  // namespace

// A function of C gives no array, and one of eBPF no struct.
Ir<lang::AggregatesReturned> return_aggregates(const Ir<lang::ObjectsByMembers>& in, Context& context) {
  Name result;  // the parameter through which the function at work gives its value
  std::map<Name, Domain, ByText> domains;
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d)) domains[function->form.name] = function->form.domain;
  const auto placed_call = [&](const Option<Expr>& e) -> const Node<Call>* {
    const auto* call = e ? as<Call>(*e) : nullptr;
    return call && goes_by_address(call->type, domains.at(call->form.function)) ? call : nullptr;
  };
  return rewrite<lang::ObjectsByMembers, lang::AggregatesReturned>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        if (goes_by_address(form.result, form.domain)) {
          result = to.fresh("result");
          std::vector<Parameter> parameters(form.parameters.begin(), form.parameters.end());
          parameters.push_back({result, to.context.types.pointer(form.result, Space::Stack, false)});
          form.parameters = to.context.span(parameters);
          form.result = to.context.types.void_type();
        }
        form.body = to(n->body);
        if (goes_by_address(n->result, form.domain)) form.body = without_last_return(form.body, context);
        to.declare(form, n.loc);
      }),
      on<Return>([&](const Node<Return>& n, Out& to) {
        if (!n->value || !goes_by_address(type_of(*n->value), to.function()->domain)) return to.emit(n.form, n.loc);
        Type type = type_of(*n->value);
        const Expr pointer = to.make(Local{result}, n.loc, to.context.types.pointer(type, Space::Stack, false));
        if (const auto* call = placed_call(n->value))
          emit_call(*call, pointer, to);
        else
          to.emit(Assign{to.make(Deref{pointer}, n.loc, type), to(*n->value)}, n.loc);
        to.emit(Return{}, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        if (const auto* call = placed_call(n->value)) return void(emit_variable(n->name, *call, to));
        to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const auto* call = placed_call(n->value);
        if (!call) return to.emit_statement(to.rebuild(n));
        // What the function reads is still the old value.
        const Expr value = emit_variable(to.fresh("value"), *call, to);
        to.emit(Assign{to(n->place), value}, n.loc);
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        if (const auto* call = placed_call(n->value)) return void(emit_variable(to.fresh("unused"), *call, to));
        to.emit_statement(to.rebuild(n));
      }));
}

}  // namespace ksc

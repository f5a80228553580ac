// SPDX-License-Identifier: Apache-2.0
/// *captured->n = *captured->n + 1   =>   *captured->n = ks_forget(*captured->n + 1), in what a bpf_loop callback runs
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::TurnsForgotten>;
using FunctionNames = std::set<Name, ByText>;

/// The functions whose address the expressions take, and the functions that they call.
void collect(const Expr& e, FunctionNames& addressed, FunctionNames& called);
void collect(const Stmt& s, FunctionNames& addressed, FunctionNames& called) {
  each_child_of(
      s, [&](const Expr& child) { collect(child, addressed, called); },
      [&](const Stmt& t) { collect(t, addressed, called); });
}
void collect(const Expr& e, FunctionNames& addressed, FunctionNames& called) {
  if (const auto* address = as<FunctionAddress>(e)) addressed.insert(address->form.name);
  if (const auto* call = as<Call>(e)) called.insert(call->form.function);
  each_child_of(
      e, [&](const Expr& child) { collect(child, addressed, called); },
      [&](const Stmt& s) { collect(s, addressed, called); });
}

/// Callbacks, and what they call in turn.
FunctionNames run_in_turns(const Program& program) {
  FunctionNames reached;
  std::map<Name, FunctionNames, ByText> calls;
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) collect(s, reached, calls[function->form.name]);
  std::vector<Name> waiting(reached.begin(), reached.end());
  while (!waiting.empty()) {
    const Name name = waiting.back();
    waiting.pop_back();
    for (Name callee : calls[name])
      if (reached.insert(callee).second) waiting.push_back(callee);
  }
  return reached;
}

/// A place on the stack of a caller: it is still there in the next turn.
bool outlives_turn(const Expr& place) {
  if (const auto* field = as<Field>(place)) return outlives_turn(field->form.base);
  if (const auto* index = as<Index>(place)) return outlives_turn(index->form.base);
  const auto* pointed = as<Deref>(place);
  return pointed && is(type_of(pointed->form.pointer), TypeKind::Pointer) &&
         type_of(pointed->form.pointer)->space == Space::Stack;
}

}  // namespace

// The verifier walks through a callback again and again until it meets a state that it has seen [L153]. It knows
// numbers on the stack exactly, and does not know that a callback which returns 1 is the last: a count that a branch
// has looked at is a new state each time, to the end of its million instructions. A number of which it knows nothing is
// one state.
Ir<lang::TurnsForgotten> forget_turn_values(const Ir<lang::LoopsBounded>& in, Context& context) {
  const FunctionNames in_turns = run_in_turns(in.declarations);
  return rewrite<lang::LoopsBounded, lang::TurnsForgotten>(
      in, context, on<Assign>([&](const Node<Assign>& n, Out& to) {
        Type type = type_of(n->place);
        const bool is_counting = is_integral(type) && !as<Int>(n->value) && outlives_turn(n->place);
        if (!is_counting || !in_turns.count(to.function()->name)) return to.emit(n.form, n.loc);
        const Expr forgotten =
            to.make(RuntimeCall{to.context.name("ks_forget"), to.context.span<Expr>({n->value})}, n.loc, type);
        to.emit(Assign{n->place, forgotten}, n.loc);
      }));
}

}  // namespace ksc

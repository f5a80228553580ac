// SPDX-License-Identifier: Apache-2.0
/// n = n + 1   =>   n = ks_forget(n + 1), where n outlives a turn of a loop: in what a bpf_loop callback runs, and in a
/// long plain loop whose ways meet again
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

/// Whether ways through the statements meet again: of those that leave no state is left.
bool has_meeting_ways(const Stmt& s) {
  const bool is_choice = as<If>(s) || as<Switch>(s);
  bool found = false;
  each_body_of(s, [&](const Body& body) {
    const Span<Stmt> all = body.statements;
    const bool leaves = !all.empty() && (as<Return>(all.back()) || as<Break>(all.back()));
    found = found || (is_choice && !all.empty() && !leaves) || std::any_of(all.begin(), all.end(), has_meeting_ways);
  });
  return found;
}

/// The plain loops around the place that a walk has reached, as far as what they count multiplies states.
class LongLoops {
 public:
  void enter(const CountedLoop& loop) {
    const auto *low = as<Int>(loop.low), *high = as<Int>(loop.high);
    const bool is_long = low && high && high->form.value.value - low->form.value.value > most_turns;
    const Span<Stmt> body = loop.body.statements;
    declared_.emplace_back();
    is_counted_.push_back(is_long && std::any_of(body.begin(), body.end(), has_meeting_ways));
  }
  void leave() { declared_.pop_back(), is_counted_.pop_back(); }
  void declare(Name name) {
    if (!declared_.empty()) declared_.back().insert(name);
  }
  /// Whether the variable is there before one of those loops begins.
  bool outlived_by(Name name) const {
    for (size_t i = declared_.size(); i-- > 0;) {
      if (declared_[i].count(name)) return false;
      if (is_counted_[i]) return true;
    }
    return false;
  }

 private:
  /// So few turns the verifier follows on all ways.
  static constexpr __int128 most_turns = 16;
  std::vector<NameSet> declared_;
  std::vector<bool> is_counted_;
};

}  // namespace

// The verifier walks through a callback again and again until it meets a state that it has seen [L153]. It knows
// numbers on the stack exactly, and does not know that a callback which returns 1 is the last: a count that a branch
// has looked at is a new state each time, to the end of its million instructions. A number of which it knows nothing is
// one state. In a plain loop with a branch that
// counts it is the turns' number times the counts' that it walks through.
Ir<lang::TurnsForgotten> forget_turn_values(const Ir<lang::LoopsBounded>& in, Context& context) {
  const FunctionNames in_turns = run_in_turns(in.declarations);
  LongLoops loops;
  return rewrite<lang::LoopsBounded, lang::TurnsForgotten>(
      in, context, on<Let>([&](const Node<Let>& n, Out& to) {
        loops.declare(n->name);
        to.emit_statement(to.rebuild(n));
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        loops.enter(n.form);
        CountedLoop form = n.form;
        form.body = to(n->body);
        loops.leave();
        to.emit(form, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        Type type = type_of(n->place);
        const auto* local = as<Local>(n->place);
        const bool outlives = local ? loops.outlived_by(local->form.name)
                                    : outlives_turn(n->place) && in_turns.count(to.function()->name);
        if (!is_integral(type) || as<Int>(n->value) || !outlives) return to.emit(n.form, n.loc);
        const Expr forgotten =
            to.make(RuntimeCall{to.context.name("ks_forget"), to.context.span<Expr>({n->value})}, n.loc, type);
        to.emit(Assign{n->place, forgotten}, n.loc);
      }));
}

}  // namespace ksc

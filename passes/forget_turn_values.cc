// SPDX-License-Identifier: Apache-2.0
/// n = n + 1   =>   n = ks_forget(n + 1), where n outlives a turn of a loop: in what a bpf_loop callback runs, and in a
/// plain loop through whose turns many ways lead
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

/// What loops capture of the compiler's own, each as the struct of captures and its member: how the loop was left, and
/// what is returned then. What is done behind it may be done for one way alone, so that the constants stay known.
class OwnCaptures {
 public:
  explicit OwnCaptures(const Program& program) {
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d))
        for (const Stmt& s : function->form.body.statements) look_at(s);
  }
  /// Whether the place is reached through such a member.
  bool has(const Expr& place) const {
    const auto* pointed = as<Deref>(place);
    const auto* member = pointed ? as<Field>(pointed->form.pointer) : nullptr;
    return member && found_.count({type_of(member->form.base), member->form.name});
  }

 private:
  void look_at(const Stmt& s) {
    each_child_of(
        s, [&](const Expr& e) { look_at(e); }, [&](const Stmt& t) { look_at(t); });
  }
  void look_at(const Expr& e) {
    if (const auto* captures = as<StructValue>(e))
      for (const FieldValue& value : captures->form.values) {
        const auto* address = as<AddressOf>(value.value);
        const auto* variable = address ? as<Local>(address->form.place) : nullptr;
        if (variable && variable->form.name.is_generated()) found_.insert({captures->type, value.name});
      }
    each_child_of(
        e, [&](const Expr& child) { look_at(child); }, [](const Stmt&) {});
  }

  std::set<std::pair<Type, Name>, decltype([](const auto& a, const auto& b) {
             return a.first != b.first ? std::less<>()(a.first, b.first) : ByText()(a.second, b.second);
           })>
      found_;
};

/// How many ways the verifier goes through statements that meet again at their end; those that leave count nothing.
class Ways {
 public:
  /// So few the verifier goes, all of them.
  static constexpr uint64_t few_ways = 64;

  explicit Ways(const Program& program) {
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = &function->form;
  }
  /// Of all turns of a loop, one behind the other.
  uint64_t of_turns(const CountedLoop& loop) {
    const auto *low = as<Int>(loop.low), *high = as<Int>(loop.high);
    if (!low || !high) return 1;  // what has no constant bounds is run by bpf_loop
    const __int128 turns = high->form.value.value - low->form.value.value + loop.inclusive;
    const uint64_t turn = of(loop.body);
    uint64_t ways = 1;
    for (__int128 i = 0; i < turns && turn > 1 && ways < most; ++i) ways = std::min(most, ways * turn);
    return ways;
  }

 private:
  static constexpr uint64_t most = 1000000;

  uint64_t of(const Body& body) {
    uint64_t ways = 1;
    for (const Stmt& s : body.statements) {
      if (as<Return>(s) || as<Break>(s)) return 0;
      ways = std::min(most, ways * of(s));
    }
    return ways;
  }
  uint64_t of(const Stmt& s) {
    uint64_t ways = 1;
    if (const auto* test = as<If>(s)) {
      ways = of(test->form.otherwise);
      for (const Branch& b : test->form.branches) ways += of(b.body);
    } else if (const auto* choice = as<Switch>(s)) {
      bool has_default = false;
      ways = 0;
      for (const SwitchCase& c : choice->form.cases) {
        ways += of(c.body);
        has_default = has_default || c.values.empty();
      }
      ways += !has_default;
    } else if (const auto* loop = as<CountedLoop>(s)) {
      // If they are too many for this loop alone, it forgets what its turns count.
      ways = of_turns(loop->form);
      if (ways > few_ways) ways = 1;
    } else if (const auto* block = as<Block>(s)) {
      ways = of(block->form.body);
    } else if (const auto* labelled = as<Labelled>(s)) {
      ways = of(labelled->form.body) + 1;
    }
    each_child_of(
        s, [&](const Expr& e) { ways = std::min(most, ways * of_calls(e)); }, [](const Stmt&) {});
    return std::min(most, ways);
  }
  /// What is called comes back in as many ways as it returns.
  uint64_t of_calls(const Expr& e) {
    uint64_t ways = 1;
    if (const auto* call = as<Call>(e)) {
      const auto [known, is_new] = returning_.try_emplace(call->form.function, 1);
      const auto found = functions_.find(call->form.function);
      if (is_new && found != functions_.end()) returning_[call->form.function] = returns(found->second->body);
      ways = returning_[call->form.function];
    }
    each_child_of(
        e, [&](const Expr& child) { ways = std::min(most, ways * of_calls(child)); }, [](const Stmt&) {});
    return ways;
  }
  static uint64_t returns(const Body& body) {
    uint64_t count = 0;
    for (const Stmt& s : body.statements) {
      count += as<Return>(s) != nullptr;
      each_body_of(s, [&](const Body& inner) { count += returns(inner); });
    }
    return std::max<uint64_t>(count, 1);
  }

  NameMap<const FunctionDef*> functions_;
  NameMap<uint64_t> returning_;
};

/// The plain loops around the place that a walk has reached, as far as what they count multiplies states.
class LongLoops {
 public:
  explicit LongLoops(const Program& program) : ways_(program) {}
  void enter(const CountedLoop& loop) {
    declared_.emplace_back();
    is_counted_.push_back(ways_.of_turns(loop) > Ways::few_ways);
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
  Ways ways_;
  std::vector<NameSet> declared_;
  std::vector<bool> is_counted_;
};

}  // namespace

// The verifier walks through a callback again and again until it meets a state that it has seen [L153]. It knows
// numbers on the stack exactly, and does not know that a callback which returns 1 is the last: a count that a branch
// has looked at is a new state each time, to the end of its million instructions. A number of which it knows nothing is
// one state. In a plain loop with
// branches it goes each way through each turn, as long as what the ways count differs.
Ir<lang::TurnsForgotten> forget_turn_values(const Ir<lang::LoopsBounded>& in, Context& context) {
  const FunctionNames in_turns = run_in_turns(in.declarations);
  LongLoops loops(in.declarations);
  const OwnCaptures own(in.declarations);
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
        // Of a callback the constants are multiplied by all else that turns leave: the state of a machine, a count that
        // begins anew. There are two truths, and the branches that ask for them tell them anyway.
        const bool stays_known = as<Int>(n->value) && (local || is(type, TypeKind::Bool) || own.has(n->place));
        if (!is_integral(type) || stays_known || !outlives) return to.emit(n.form, n.loc);
        const Expr forgotten =
            to.make(RuntimeCall{to.context.name("ks_forget"), to.context.span<Expr>({n->value})}, n.loc, type);
        to.emit(Assign{n->place, forgotten}, n.loc);
      }));
}

}  // namespace ksc

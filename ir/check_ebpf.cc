// SPDX-License-Identifier: Apache-2.0
#include "ir/check_ebpf.h"

#include <bit>

#include <algorithm>

#include "ir/children.h"
#include "ir/effects.h"
#include "ir/fills.h"
#include "ir/kept_truth.h"
#include "ir/packet_movers.h"
#include "ir/support_calls.h"
#include "ir/visit.h"

namespace ksc {
namespace {

constexpr FormSet calling = form_set_of<Call, HelperCall, TraceLine>();

/// Behind a tail call the program only returns.
bool moves_packet(const Node<HelperCall>& n) {
  return !(n.form.helper == "bpf_tail_call") && may_move_packet(n.form.helper.text());
}

/// What C compilers keep as a constant of their own and copy from there, or point to.
bool is_constant_aggregate(const Expr& e) {
  constexpr FormSet numbers =
      form_set_of<Int, Zero, StringValue, StructValue, ArrayValue, Convert, Unary, Binary, CShift, Quotient>();
  const auto is_one_number = [](uint64_t size) { return size <= 8 && std::has_single_bit(size); };
  const auto* array = as<ArrayValue>(e);
  const bool is_aggregate = as<StructValue>(e) || (array && size_of(array->type->element) > 1);
  const bool holds_address = header(e).contains.has(Kind::AddressOf);
  const FormSet constants = holds_address ? numbers.with(Kind::AddressOf).with(Kind::Global) : numbers;
  return is_aggregate && (!is_one_number(size_of(type_of(e))) || holds_address) &&
         header(e).contains.minus(constants).empty();
}

/// Whether a place lies on the stack of a caller.
bool is_on_stack_of_caller(const Expr& place) {
  const auto* pointed = as<Deref>(root_of(place));
  return pointed && points_into(type_of(pointed->form.pointer), Space::Stack);
}

/// The first variable that an expression mentions; none if there is none.
Name first_local(const Expr& e) {
  if (const auto* local = as<Local>(e)) return local->form.name;
  Name found;
  each_child_of(
      e,
      [&](const Expr& child) {
        if (!found) found = first_local(child);
      },
      [](const Stmt&) {});
  return found;
}

/// Looks at one function, a list of statements after another.
class EbpfCheck {
 public:
  EbpfCheck(const FunctionDef& function, const EbpfCalls& calls, const Lang& lang, const CheckReport& report)
      : function_(function), calls_(calls), lang_(lang), report_(report) {
    for (const Parameter& p : function.parameters) has_context_ |= points_into(p.type, Space::Context);
    body(function.body);
    if (has(Rule::ResultsCleared) && calls.is_shared(function.name)) end(function.body.statements);
    if (has(Rule::EarlyAnswersHidden) && is(function.result, TypeKind::Bool)) early_answers();
  }

 private:
  bool has(Rule rule) const { return lang_.rules.has(rule); }

  void body(const Body& in) {
    const Span<Stmt> all = in.statements;
    FilledBytes filled;
    for (size_t i = 0; i < all.size(); ++i) {
      if (has(Rule::FillsApart) && filled.with(all[i]) > most_filled) report_("fills one behind another are too large");
      if (has(Rule::ResultsCleared)) result(all, i);
      if (has(Rule::PacketReread) && has_context_) reread(all, i);
      if (has(Rule::ReboundPointersHidden) && as<If>(all[i])) rebound(all, i);
      if (has(Rule::PacketPointersDelayed) && i > 0) delayed(all[i - 1], all[i]);
      if (has(Rule::PacketTestsApart) && loops_ > 0) packet_tests(all, i);
      if (has(Rule::ShortCircuitsRaised) && i > 0) short_circuit(all[i - 1], all[i]);
      statement(all[i]);
    }
  }
  void statement(const Stmt& s) {
    if (has(Rule::TurnsForgotten) && calls_.runs_in_turns(function_.name)) turn_value(s);
    const auto* loop = as<CountedLoop>(s);
    if (loop && has(Rule::CountersWide)) counter(loop->form);
    if (has(Rule::PacketElementsPointed))
      each_child_of(
          s, [&](const Expr& e) { packet_elements(e); }, [](const Stmt&) {});
    if (loop) counters_.push_back(loop->form.name);
    if (const auto* give = as<Return>(s)) answers_.push_back({give, loops_ > 0});
    if (has(Rule::PlacesApart)) {
      if (const auto* test = as<If>(s); !has(Rule::IndexesGuarded) && test && chooses_place_by_truth(test->form))
        report_("a truth that was kept chooses between places of two branches");
      each_child_of(
          s, [&](const Expr& e) { expression(e); }, [](const Stmt&) {});
    }
    loops_ += loop != nullptr;
    each_body_of(s, [&](const Body& inner) { body(inner); });
    loops_ -= loop != nullptr;
    if (loop) counters_.pop_back();
  }
  /// No packet pointer stands right before a test that returns without asking for it.
  void delayed(const Stmt& before, const Stmt& s) {
    const auto* pointer = as<Let>(before);
    const auto* test = as<If>(s);
    if (!pointer || !pointer->form.value || !as<PointerAdd>(*pointer->form.value) || !test ||
        !points_into(pointer->form.type, Space::Packet) || has_effect(*pointer->form.value))
      return;
    const If& form = test->form;
    if (form.branches.size() == 1 && as<Local>(form.branches[0].condition) && form.otherwise.statements.empty() &&
        form.branches[0].body.statements.size() == 1 && as<Return>(form.branches[0].body.statements[0]) &&
        !mentions(s, pointer->form.name))
      report_("a packet pointer is computed before a test that leaves without it");
  }
  /// What is chosen in the packet is behind a pointer of its own, but for what the innermost loop counts.
  void packet_elements(const Expr& e) {
    if (!header(e).contains.has(Kind::Index)) return;
    if (const auto* index = as<Index>(e); index && is_in_packet(e)) {
      const Expr* at = &index->form.index;
      while (const auto* converted = as<Convert>(*at)) at = &converted->form.value;
      const auto* local = as<Local>(*at);
      const bool is_counter = local && !counters_.empty() && counters_.back() == local->form.name;
      if (!as<Int>(*at) && !is_counter) report_("an element of the packet is chosen without a pointer to it");
    }
    each_child_of(
        e, [&](const Expr& child) { packet_elements(child); }, [](const Stmt&) {});
  }
  void expression(const Expr& e) {
    constexpr FormSet looked_at = form_set_of<Conditional, StructValue, ArrayValue>();
    if ((header(e).contains & looked_at).empty()) return;
    const auto* choice = as<Conditional>(e);
    if (choice && chooses_place_by_truth(choice->form)) report_("a truth that was kept chooses between two places");
    if (has(Rule::MembersInitialised) && is_constant_aggregate(e)) report_("an aggregate of constants is copied");
    each_child_of(
        e, [&](const Expr& child) { expression(child); }, [](const Stmt&) {});
  }

  /// Before each return the register of the result is cleared; what later passes put in between calls nothing.
  void result(Span<Stmt> all, size_t at) {
    if (!as<Return>(all[at]) || !calls_.is_shared(function_.name)) return;
    while (at-- > 0) {
      if (is_support_call(all[at], "ks_clear_result")) return;
      const bool only_names = as<Let>(all[at]) && (header(all[at]).contains & calling).empty();
      if (!only_names && !is_support_call(all[at], "barrier_var")) break;
    }
    report_("a result's register is not cleared before a return");
  }
  void end(Span<Stmt> all) {
    if (all.empty() || (!as<Return>(all.back()) && !is_support_call(all.back(), "ks_clear_result")))
      report_("a result's register is not cleared at the end");
  }

  /// A pointer that may be null and is given something else in a branch is hidden behind it.
  void rebound(Span<Stmt> all, size_t at) {
    const auto is_hidden = [&](Name pointer) {
      for (size_t i = at + 1; i < all.size(); ++i) {
        const Expr* hidden = hidden_by(all[i]);
        if (!hidden) return false;
        if (const auto* local = as<Local>(*hidden); local && local->form.name == pointer) return true;
      }
      return false;
    };
    each_body_of(all[at], [&](const Body& branch) {
      NameSet declared;
      for (const Stmt& s : branch.statements) {
        if (const auto* let = as<Let>(s)) declared.insert(let->form.name);
        const auto* assign = as<Assign>(s);
        const auto* local = assign ? as<Local>(assign->form.place) : nullptr;
        if (!local || !(is(local->type, TypeKind::Pointer) || is(local->type, TypeKind::EntryRef))) continue;
        Expr given = local ? assign->form.value : Expr();
        while (const auto* converted = as<Convert>(given)) given = converted->form.value;
        if (!local->type->nullable || !as<AddressOf>(given)) continue;
        if (!declared.count(local->form.name) && !is_hidden(local->form.name))
          report_("a pointer that a branch replaces is not hidden behind it");
      }
    });
  }
  /// What moves the packet, and a loop that tests it, is followed by a context of which C compilers know nothing.
  void reread(Span<Stmt> all, size_t at) {
    const Stmt& s = all[at];
    const bool is_simple = as<Let>(s) || as<Assign>(s) || as<Evaluate>(s);
    bool moves = as<CountedLoop>(s) && header(s).contains.has(Kind::InPacket);
    if (as<Labelled>(s)) each_body_of(s, [&](const Body& body) { moves |= tests_in_turns(body); });
    if (is_simple && !(header(s).contains & calling).empty())
      each_child_of(
          s, [&](const Expr& e) { moves |= may_move(e); }, [](const Stmt&) {});
    if (!moves) return;
    // What the call gave may be forgotten and put away first, which reads nothing of the context.
    size_t next = at + 1;
    while (next < all.size() && puts_away(all[next])) ++next;
    const Expr* context = next < all.size() ? hidden_by(all[next]) : nullptr;
    if (!context || !points_into(type_of(*context), Space::Context))
      report_("the context is the old one after what may have moved the packet");
  }
  static bool puts_away(const Stmt& s) {
    const auto* assign = as<Assign>(s);
    const auto* behind = assign ? as<Deref>(root_of(assign->form.place)) : nullptr;
    if (!behind || points_into(type_of(behind->form.pointer), Space::Packet)) return false;
    const bool is_forgotten = is_support_call(assign->form.value, "ks_forget");
    return as<Local>(is_forgotten ? as<RuntimeCall>(assign->form.value)->form.arguments[0] : assign->form.value);
  }
  static bool tests_in_turns(const Body& body) {
    return std::any_of(body.statements.begin(), body.statements.end(), [](const Stmt& s) {
      if (!header(s).contains.has(Kind::InPacket)) return false;
      bool found = as<CountedLoop>(s) != nullptr;
      each_body_of(s, [&](const Body& inner) { found = found || tests_in_turns(inner); });
      return found;
    });
  }
  bool may_move(const Expr& e) const {
    const auto* helper = as<HelperCall>(e);
    const auto* call = as<Call>(e);
    bool moves = (helper && moves_packet(*helper)) || (call && calls_.moves_packet(call->form.function));
    each_child_of(
        e, [&](const Expr& child) { moves |= may_move(child); }, [](const Stmt&) {});
    return moves;
  }

  /// In a loop, what a test of the packet is computed from is hidden before the test.
  void packet_tests(Span<Stmt> all, size_t at) {
    const auto* test = as<If>(all[at]);
    if (!test) return;
    NameSet hidden;
    while (at > 0 && hidden_by(all[at - 1]))
      if (const auto* local = as<Local>(*hidden_by(all[--at]))) hidden.insert(local->form.name);
    for (const Branch& branch : test->form.branches) packet_tests(branch.condition, hidden);
  }
  void packet_tests(const Expr& e, const NameSet& hidden) {
    if (!header(e).contains.has(Kind::InPacket)) return;
    if (const auto* test = as<InPacket>(e)) {
      const Name tested = first_local(test->form.pointer);
      if (tested && !hidden.count(tested)) report_("tests of the packet in a loop's turns may become one");
      return;
    }
    each_child_of(
        e, [&](const Expr& child) { packet_tests(child, hidden); }, [](const Stmt&) {});
  }

  /// t = a; if (t) { t = b } is t = a && b, where b only reads.
  void short_circuit(const Stmt& first, const Stmt& second) {
    const auto* let = as<Let>(first);
    const auto* choice = as<If>(second);
    if (!let || !let->form.value || !let->form.name.is_generated() || !is(let->form.type, TypeKind::Bool) || !choice ||
        choice->form.branches.size() != 1 || !choice->form.otherwise.statements.empty())
      return;
    const Branch& branch = choice->form.branches[0];
    const auto* negation = as<Not>(branch.condition);
    const auto* assign = branch.body.statements.size() == 1 ? as<Assign>(branch.body.statements[0]) : nullptr;
    if (is_local(negation ? negation->form.value : branch.condition, let->form.name) && assign &&
        is_local(assign->form.place, let->form.name) && only_reads(assign->form.value))
      report_("a branch only chooses what is read");
  }
  static bool is_local(const Expr& e, Name name) {
    const auto* local = as<Local>(e);
    return local && local->form.name == name;
  }

  /// What a turn of a callback leaves on its caller's stack is nothing that the verifier knows.
  void turn_value(const Stmt& s) {
    const auto* assign = as<Assign>(s);
    if (assign && is_integral(type_of(assign->form.place)) && !as<Int>(assign->form.value) &&
        is_on_stack_of_caller(assign->form.place) && !is_support_call(assign->form.value, "ks_forget"))
      report_("the verifier knows what a turn counts");
  }

  void counter(const CountedLoop& loop) {
    const Span<Stmt> all = loop.body.statements;
    const auto calls = [](const Stmt& s) { return !(header(s).contains & calling).empty(); };
    if (std::none_of(all.begin(), all.end(), calls)) return;
    if (width_of(loop.type) != 64) report_("a counter that may have to wait has not 64 bits");
    const auto *low = as<Int>(loop.low), *high = as<Int>(loop.high);
    if (!low || !high || high->form.value.value - low->form.value.value + loop.inclusive != 2) return;
    const Expr* hidden = hidden_by(all[0]);
    if (!hidden || !is_local(*hidden, loop.name)) report_("a counter of two turns is a truth to C compilers");
  }

  /// Where a truth is returned from within a loop, and somewhere one that is computed, the constants are hidden.
  void early_answers() {
    bool early = false, computed = false, plain = false;
    for (const auto& [give, in_loop] : answers_) {
      if (!give->form.value) continue;
      const Expr& value = *give->form.value;
      const bool is_constant = as<Int>(value);
      early |= in_loop;
      plain |= is_constant;
      computed |= !is_constant && !is_support_call(value, "ks_hide");
    }
    if (early && computed && plain) report_("a truth that leaves a loop may be mixed with a constant");
  }

  struct Answer {
    const Node<Return>* give;
    bool in_loop;
  };

  const FunctionDef& function_;
  const EbpfCalls& calls_;
  const Lang& lang_;
  const CheckReport& report_;
  bool has_context_ = false;
  int loops_ = 0;
  std::vector<Name> counters_;  // of the loops around the statement at work
  std::vector<Answer> answers_;
};

}  // namespace

EbpfCalls::EbpfCalls(const Program& program) {
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) look_at(s, function->form.name);
  close();
}

bool EbpfCalls::is_shared(Name function) const {
  const auto found = calls_.find(function);
  return found != calls_.end() && found->second > 1;
}

void EbpfCalls::look_at(const Stmt& s, Name caller) {
  constexpr FormSet looked_at = form_set_of<Call, HelperCall, FunctionAddress>();
  if ((header(s).contains & looked_at).empty()) return;
  each_child_of(
      s, [&](const Expr& e) { look_at(e, caller); }, [&](const Stmt& t) { look_at(t, caller); });
}
void EbpfCalls::look_at(const Expr& e, Name caller) {
  if (const auto* address = as<FunctionAddress>(e)) in_turns_.insert(address->form.name);
  if (const auto* helper = as<HelperCall>(e); helper && ksc::moves_packet(*helper)) moving_.insert(caller);
  if (const auto* call = as<Call>(e)) {
    ++calls_[call->form.function];
    callees_[caller].insert(call->form.function);
  }
  each_child_of(
      e, [&](const Expr& child) { look_at(child, caller); }, [&](const Stmt& s) { look_at(s, caller); });
}

/// What a function does, those do that call it; how it is run, those are that it calls.
void EbpfCalls::close() {
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& [caller, callees] : callees_)
      for (Name callee : callees) {
        if (in_turns_.count(caller)) grew |= in_turns_.insert(callee).second;
        if (moving_.count(callee)) grew |= moving_.insert(caller).second;
      }
  }
}

void check_ebpf(const FunctionDef& function, const EbpfCalls& calls, const Lang& lang, const CheckReport& report) {
  EbpfCheck(function, calls, lang, report);
}

}  // namespace ksc

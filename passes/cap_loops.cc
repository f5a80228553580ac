// SPDX-License-Identifier: Apache-2.0
/// loop A   =>   var broke = false; count 8,388,608 turns of A, whose breaks set broke; if (!broke) { leave }
#include "ir/check_loops.h"
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/fault_verdicts.h"
#include "passes/passes.h"
#include "passes/ways_out.h"

namespace ksc {
namespace {

using Out = To<lang::LoopsCapped>;

/// What bpf_loop runs at most: BPF_MAX_LOOPS of include/linux/bpf.h [L43].
constexpr __int128 most_turns = 8388608;

/// -Rloops: the loop is capped, and this comes of reaching the cap.
void remark(Loc loc, Out& to, const FaultVerdicts& verdicts) {
  if (!to.context.diagnostics.wants(Remark::loops)) return;
  to.context.diagnostics.report(loc, diag::loop_capped, std::string("8,388,608"), verdicts.ending(*to.function()));
}

/// How many times a loop between constants runs.
__int128 turns_between(const CountedLoop& loop) {
  return as<Int>(loop.high)->form.value.value - as<Int>(loop.low)->form.value.value + loop.inclusive;
}

bool in_ebpf(const FunctionDef* f) { return f && (f->domain == Domain::Program || f->domain == Domain::Shared); }

/// The loop's body, with a note in `broke` before each break that leaves this loop.
Body noting_breaks(const Body& body, Name broke, Out& to);
void note(const Stmt& s, Name broke, Out& to) {
  Type boolean = to.context.types.boolean();
  if (as<Break>(s)) {
    to.emit(Assign{to.make(Local{broke}, loc_of(s), boolean), to.make(Int{{1}, {}}, loc_of(s), boolean)}, loc_of(s));
    to.emit_statement(s);
  } else if (const auto* test = as<If>(s)) {
    std::vector<Branch> branches;
    for (const Branch& b : test->form.branches) branches.push_back({b.condition, noting_breaks(b.body, broke, to)});
    to.emit(If{to.context.span(branches), noting_breaks(test->form.otherwise, broke, to)}, test->loc);
  } else if (const auto* block = as<Block>(s)) {
    to.emit(Block{noting_breaks(block->form.body, broke, to)}, block->loc);
  } else if (const auto* attempt = as<Try>(s)) {
    Try form = attempt->form;
    form.body = noting_breaks(form.body, broke, to);
    std::vector<CatchClause> clauses(form.clauses.begin(), form.clauses.end());
    for (CatchClause& clause : clauses) clause.body = noting_breaks(clause.body, broke, to);
    form.clauses = to.context.span(clauses);
    to.emit(form, attempt->loc);
  } else {
    to.emit_statement(s);  // inner loops keep their own breaks
  }
}
Body noting_breaks(const Body& body, Name broke, Out& to) {
  return to.collect([&] {
    for (const Stmt& s : body.statements) note(s, broke, to);
  });
}

}  // namespace

Ir<lang::LoopsCapped> cap_loops(const Ir<lang::ChecksMinimal>& in, Context& context) {
  const FaultVerdicts verdicts(in.declarations, context);
  NameSet changed, small;  // variables that are given something else later; that are at most a constant
  return rewrite<lang::ChecksMinimal, lang::LoopsCapped>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        changed = changed_locals(n->body);
        FunctionDef form = n.form;
        form.body = to(form.body);
        to.declare(form, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        const bool is_small = n->value && bound_of_smaller(*n->value).value_or(most_turns + 1) <= most_turns;
        if (is_small && !changed.count(n->name)) small.insert(n->name);
        to.emit_statement(to.rebuild(n));
      }),
      on<Loop>([&](const Node<Loop>& n, Out& to) {
        if (!in_ebpf(to.function())) return to.emit(Loop{to(n->body)}, n.loc);
        remark(n.loc, to, verdicts);
        Types& types = to.context.types;
        const Loc loc = to.context.locations.derived(n.loc, "loop cap");
        const Stmt leave = to.make(Leave{LeaveReason::Bounds}, loc);
        const Name turn = to.fresh("turn");
        const auto count_turns = [&](const Body& body) {
          to.emit(CountedLoop{turn, types.u32(), to.make(Int{{0}, {}}, loc, types.u32()),
                              to.make(Int{{most_turns}, {}}, loc, types.u32()), false, body},
                  n.loc);
        };
        if (jumps_away(Stmt(Ref<Loop>{&n}))) {  // no break: what comes behind it has come to the cap
          count_turns(to(n->body));
          return to.emit_statement(leave);
        }
        const Name broke = to.fresh("broke");
        to.emit(Let{broke, types.boolean(), to.make(Int{{0}, {}}, loc, types.boolean())}, loc);
        count_turns(noting_breaks(to(n->body), broke, to));
        const Expr ran_out = to.make(Not{to.make(Local{broke}, loc, types.boolean())}, loc, types.boolean());
        to.emit(If{to.context.span<Branch>({{ran_out, Body{to.context.span<Stmt>({leave})}}}), {}}, loc);
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        CountedLoop form = n.form;
        form.body = to(form.body);
        if (!in_ebpf(to.function())) return to.emit(form, n.loc);
        if (as<Int>(n->low) && as<Int>(n->high)) {
          if (turns_between(n.form) <= most_turns) return to.emit(form, n.loc);
          to.context.diagnostics.report(n.loc, diag::loop_too_long, verdicts.ending(*to.function()));
          return to.emit(Leave{LeaveReason::Bounds}, n.loc);
        }
        // The bounds are known at run time only: count the turns, and refuse more than can be run.
        Types& types = to.context.types;
        Type wide = types.u64(), boolean = types.boolean();
        const Loc loc = to.context.locations.derived(n.loc, "loop cap");
        const auto number = [&](__int128 value) { return to.make(Int{{value}, {}}, loc, wide); };
        const auto widened = [&](const Expr& e) -> Expr {
          return type_of(e) == wide ? e : Expr(to.make(Convert{e}, loc, wide));
        };
        Expr distance = to.make(Binary{BinaryOp::Subtract, widened(n->high), widened(n->low)}, loc, wide);
        if (n->inclusive) distance = to.make(Binary{BinaryOp::Add, distance, number(1)}, loc, wide);
        const Expr runs =
            to.make(Compare{n->inclusive ? CompareOp::LessEqual : CompareOp::Less, n->low, n->high}, loc, boolean);
        const Name turns = to.fresh("turns");
        // From 0 on, an unsigned bound is the number of turns.
        const auto* first = as<Int>(n->low);
        const bool is_bound = first && first->form.value.value == 0 && !n->inclusive && !is_signed(n->type);
        const Expr amount =
            is_bound ? widened(n->high) : Expr(to.make(Conditional{runs, distance, number(0)}, loc, wide));
        to.emit(Let{turns, wide, amount}, loc);
        const Expr count = to.make(Local{turns}, loc, wide);
        // What has 16 bits cannot come that far, nor what is at most a smaller constant.
        const auto* narrow = as<Convert>(n->high);
        const auto* last = as<Local>(n->high);
        const bool is_small = is_bound && last && small.count(last->form.name);
        if (!is_small && width_of(narrow ? type_of(narrow->form.value) : n->type) > 16) {
          remark(n.loc, to, verdicts);
          const Expr too_many = to.make(Compare{CompareOp::Greater, count, number(most_turns)}, loc, boolean);
          const Body leave{to.context.span<Stmt>({to.make(Leave{LeaveReason::Bounds}, loc)})};
          to.emit(If{to.context.span<Branch>({{too_many, leave}}), {}}, loc);
        }
        const Name turn = to.fresh("turn");
        const Body body = to.collect([&] {
          const Expr offset = n->type == wide ? Expr(to.make(Local{turn}, loc, wide))
                                              : Expr(to.make(Convert{to.make(Local{turn}, loc, wide)}, loc, n->type));
          const auto* low = as<Int>(n->low);
          const Expr value = low && low->form.value.value == 0
                                 ? offset
                                 : Expr(to.make(Binary{BinaryOp::Add, n->low, offset}, loc, n->type));
          to.emit(Let{n->name, n->type, value}, n.loc);
          to.emit(form.body);
        });
        to.emit(CountedLoop{turn, wide, number(0), count, false, body}, n.loc);
      }));
}

}  // namespace ksc

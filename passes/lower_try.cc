// SPDX-License-Identifier: Apache-2.0
/// try { raise 1 } catch 1 A   =>   var thrown = 0; caught: { thrown = 1; goto caught }; if (thrown == 1) A
#include <utility>

#include "ir/rewrite.h"
#include "ir/status.h"
#include "passes/passes.h"
#include "passes/ways_out.h"

namespace ksc {
namespace {

using Out = To<lang::NoTry>;

/// A try whose body is at work.
struct OpenTry {
  Name label;
  Expr thrown;                  // the variable that holds what was raised, 0 if nothing was
  std::set<__int128> statuses;  // those that are raised in it, as far as they are known
  bool has_unknown = false;     // what a call gave is raised in it
};

/// Writes the test of what a try's body raised.
class Clauses {
 public:
  Clauses(const Node<Try>& n, const OpenTry& open, Out& to) : n_(n), open_(open), to_(to) {}

  /// Whether there is something for a clause to take.
  bool takes(const CatchClause& clause) const {
    if (open_.has_unknown) return true;
    return std::any_of(open_.statuses.begin(), open_.statuses.end(),
                       [&](__int128 status) { return takes(clause, status); });
  }
  bool takes(const CatchClause& clause, __int128 status) const {
    const bool is_throw = kind_of_status(static_cast<uint64_t>(status)) == StatusKind::Throw;
    if (clause.bounds) return status == status_of(StatusKind::Bounds);
    return clause.code ? status == status_of(clause) : is_throw;
  }
  /// Whether something is raised that no clause takes.
  bool leaves_some() const {
    if (open_.has_unknown) return true;
    return std::any_of(open_.statuses.begin(), open_.statuses.end(), [&](__int128 status) {
      return std::none_of(n_->clauses.begin(), n_->clauses.end(),
                          [&](const CatchClause& clause) { return takes(clause, status); });
    });
  }
  Expr condition(const CatchClause& clause) {
    Types& types = to_.context.types;
    const Loc loc = n_.loc;
    if (clause.bounds) return equals(open_.thrown, constant_status(LeaveReason::Bounds, loc, to_.context), loc);
    if (clause.code) return equals(open_.thrown, thrown_status(as<Int>(*clause.code)->form, loc, to_.context), loc);
    const Expr kind = to_.make(Shift{ShiftOp::Right, open_.thrown, number(32, loc)}, loc, types.u64());
    const Expr thrown =
        to_.make(Int{{static_cast<int>(StatusKind::Throw)}, to_.context.name("KS_THROWN")}, loc, types.u64());
    return equals(kind, thrown, loc);
  }
  Body body(const CatchClause& clause) {
    return to_.collect([&] {
      if (clause.name.name) {
        Type code = to_.context.types.i32();
        to_.emit(Let{clause.name.name, code, Expr(to_.make(Convert{open_.thrown}, n_.loc, code))}, n_.loc);
      }
      to_.emit(to_(clause.body));
    });
  }
  Expr something_thrown() {
    return to_.make(Compare{CompareOp::NotEqual, open_.thrown, number(0, n_.loc)}, n_.loc, to_.context.types.boolean());
  }

 private:
  static __int128 status_of(const CatchClause& clause) {
    return ksc::status_of(StatusKind::Throw, static_cast<int32_t>(as<Int>(*clause.code)->form.value.value));
  }
  static __int128 status_of(StatusKind kind) { return ksc::status_of(kind); }
  Expr number(__int128 value, Loc loc) { return to_.make(Int{{value}, {}}, loc, to_.context.types.u64()); }
  Expr equals(const Expr& left, const Expr& right, Loc loc) {
    return to_.make(Compare{CompareOp::Equal, left, right}, loc, to_.context.types.boolean());
  }

  const Node<Try>& n_;
  const OpenTry& open_;
  Out& to_;
};

/// Whether what is thrown in it only leaves an eBPF program with the pass-through verdict, as `e?` does [L34].
bool gives_up(const Try& form) {
  if (form.clauses.size() != 1 || form.clauses[0].bounds || form.clauses[0].code) return false;
  const Body& body = form.clauses[0].body;
  const auto* raised = body.statements.size() == 1 ? as<Raise>(body.statements[0]) : nullptr;
  const auto* status = raised ? as<Int>(raised->form.status) : nullptr;
  return status && status->form.value.value == status_of(StatusKind::Bounds);
}

}  // namespace

Ir<lang::NoTry> lower_try(const Ir<lang::PacketPulled>& in, Context& context) {
  std::vector<OpenTry> open;
  // Outside every try of a function that returns no status, nothing is left to raise (ir/escapes.h).
  const bool panics = may_panic(in.declarations);
  bool gives_up_here = false;
  const auto give_up = [&](const Expr& status, Loc loc, Out& to) {
    const Expr panic = constant_status(LeaveReason::Panic, loc, to.context);
    const auto* known = as<Int>(status);
    if (known && known->form.value.value == as<Int>(panic)->form.value.value) return to.emit(Raise{panic}, loc);
    if (!known && panics) {
      const Expr panicked = to.make(Compare{CompareOp::Equal, status, panic}, loc, to.context.types.boolean());
      const Body leave = to.collect([&] { to.emit(Raise{panic}, loc); });
      to.emit(If{to.context.span<Branch>({{panicked, leave}}), {}}, loc);
    }
    to.emit(Raise{constant_status(LeaveReason::Bounds, loc, to.context)}, loc);
  };
  const auto raise = [&](const Expr& status, Loc loc, Out& to) {
    if (open.empty()) return gives_up_here ? give_up(status, loc, to) : to.emit(Raise{status}, loc);
    OpenTry& around = open.back();
    if (const auto* known = as<Int>(status))
      around.statuses.insert(known->form.value.value);
    else
      around.has_unknown = true;
    to.emit(Assign{around.thrown, status}, loc);
    to.emit(Goto{around.label}, loc);
  };
  return rewrite<lang::PacketPulled, lang::NoTry>(
      in, context, on<Raise>([&](const Node<Raise>& n, Out& to) { raise(n->status, n.loc, to); }),
      on<Try>([&](const Node<Try>& n, Out& to) {
        if (open.empty() && to.function()->domain == Domain::Program && gives_up(n.form)) {
          const bool gave_up = std::exchange(gives_up_here, true);  // one may stand within another
          to.emit(to(n->body));
          gives_up_here = gave_up;
          return;
        }
        Types& types = to.context.types;
        const Name thrown = to.fresh("thrown");
        open.push_back({to.fresh("caught"), to.make(Local{thrown}, n.loc, types.u64()), {}, false});
        const Body body = to(n->body);
        const OpenTry done = open.back();
        open.pop_back();
        if (!done.has_unknown && done.statuses.empty()) return to.emit(Block{body}, n.loc);
        to.emit(Let{thrown, types.u64(), to.make(Int{{0}, {}}, n.loc, types.u64())}, n.loc);
        to.emit(Labelled{done.label, body}, n.loc);
        Clauses clauses(n, done, to);
        std::vector<Branch> branches;
        for (const CatchClause& clause : n->clauses)
          if (clauses.takes(clause)) branches.push_back({clauses.condition(clause), clauses.body(clause)});
        const FunctionDef& function = *to.function();
        const bool ends_all =
            function.domain == Domain::Program || (function.domain == Domain::User && function.name == "main");
        const bool can_leave = function.throws || ends_all || !open.empty();
        Body otherwise;
        if (can_leave && clauses.leaves_some()) {
          const Body pass_on = to.collect([&] { raise(done.thrown, n.loc, to); });
          branches.push_back({clauses.something_thrown(), pass_on});
        }
        // Where the body does not come to its end, something was raised: the last branch takes what is left.
        if (always_leaves(n->body) && !branches.empty()) {
          otherwise = branches.back().body;
          branches.pop_back();
          if (branches.empty()) return to.emit(Block{otherwise}, n.loc);
        }
        // What is caught and forgotten needs no test, where nothing else would be done.
        while (otherwise.statements.empty() && !branches.empty() && branches.back().body.statements.empty())
          branches.pop_back();
        if (!branches.empty()) to.emit(If{to.context.span(branches), otherwise}, n.loc);
      }));
}

}  // namespace ksc

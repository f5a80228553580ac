// SPDX-License-Identifier: Apache-2.0
/// x = a[i]   =>   x = i < N ? a[i] : 0; a[i] = x   =>   if (i < N) { a[i] = x }, unless i is known to be in range
#include "ir/rewrite.h"
#include "passes/index_guard.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::IndexesGuarded>;

/// Whether an element that is not known by its number is read.
bool chooses_element(const Expr& e) {
  if (!header(e).contains.has(Kind::Index)) return false;
  const auto* index = as<Index>(e);
  bool found = index && !as<Int>(index->form.index);
  each_child_of(
      e, [&](const Expr& child) { found = found || chooses_element(child); }, [](const Stmt&) {});
  return found;
}
bool reads_place(const Expr& e) { return !(header(e).contains & form_set_of<Global, Field, Index, Deref>()).empty(); }

class ElementGuard {
 public:
  ElementGuard(Out& to, const CounterRanges& ranges, bool unlinks)
      : to_(to), guard_(to, ranges, unlinks, [this](const Expr& e) { return read(e); }) {}

  /// The value with guarded reads.
  Expr read(const Expr& e) {
    if (!header(e).contains.has(Kind::Index)) return e;
    if (as<Index>(e) || as<Field>(e) || as<Deref>(e)) {
      Option<Expr> test;
      Expr place = guarded(e, test);
      if (in_choice_ && is_integral(type_of(e)) && chooses_element(e))
        place =
            to_.make(RuntimeCall{to_.context.name("ks_read"), to_.context.span<Expr>({place})}, loc_of(e), type_of(e));
      if (!test) return place;
      return to_.make(Conditional{*test, place, to_.make(Zero{}, loc_of(e), type_of(e))}, loc_of(e), type_of(e));
    }
    if (as<AddressOf>(e)) return e;  // guard_element_addresses has tested its indexes
    const auto* choice = as<Conditional>(e);
    const bool was_in_choice = in_choice_;
    in_choice_ = choice ? reads_place(choice->form.then) && reads_place(choice->form.otherwise) : in_choice_;
    const Expr out = map_children(to_.context, e, [&](const Expr& child) { return read(child); });
    in_choice_ = was_in_choice;
    return out;
  }
  Expr guarded(const Expr& place, Option<Expr>& test) { return guard_.guarded(place, test); }

 private:
  Out& to_;
  IndexGuard<lang::IndexesGuarded> guard_;
  bool in_choice_ = false;  // between two things in memory
};

/// clang would read what several branches read once behind them, through a pointer that it computes with `|`, which the
/// verifier allows for no pointer [L153]. In a choice, ks_read keeps them apart.
void keep_apart(const Expr& place, Loc loc, Out& to) {
  const bool in_register = is_integral(type_of(place));
  const Name barrier = to.context.name(in_register ? "barrier_var" : "barrier");
  to.emit(Evaluate{to.make(RuntimeCall{barrier, in_register ? to.context.span<Expr>({place}) : Span<Expr>()}, loc,
                           to.context.types.void_type())},
          loc);
}

}  // namespace

Ir<lang::IndexesGuarded> guard_array_index(const Ir<lang::ReboundPointersHidden>& in, Context& context) {
  CounterRanges ranges;
  const bool unlinks = adds_large_constants(in.declarations);
  const auto guard = [&](Out& to) { return ElementGuard(to, ranges, unlinks); };
  const auto operands = [&](const auto& n, Out& to) {
    to.emit_mapped(n, [&](const Expr& e) { return guard(to).read(e); });
  };
  int branches_around = 0;
  // C compilers make one copy of structs that are chosen: each branch gets an assignment of its own.
  const auto assign = [&](auto& self, const Expr& place, const Expr& value, Loc loc, Out& to) -> void {
    const bool chooses = chooses_element(value);
    if (const auto* choice = as<Conditional>(value); choice && chooses && is_aggregate(type_of(value))) {
      const Expr condition = guard(to).read(choice->form.condition);
      ++branches_around;
      const Body then = to.collect([&] { self(self, place, choice->form.then, loc, to); });
      const Body otherwise = to.collect([&] { self(self, place, choice->form.otherwise, loc, to); });
      --branches_around;
      return to.emit(If{to.context.span<Branch>({{condition, then}}), otherwise}, loc);
    }
    to.emit(Assign{place, guard(to).read(value)}, loc);
    if (branches_around > 0 && chooses && (as<Local>(place) || is_aggregate(type_of(place))))
      keep_apart(place, loc, to);
  };
  const auto branches = [&](const auto& n, Out& to) {
    ++branches_around;
    operands(n, to);
    --branches_around;
  };
  return rewrite<lang::ReboundPointersHidden, lang::IndexesGuarded>(
      in, context, on<Let>([&](const Node<Let>& n, Out& to) {
        if (!n->value || !as<Conditional>(*n->value) || !is_aggregate(n->type) || !chooses_element(*n->value))
          return operands(n, to);
        to.emit(Let{n->name, n->type, {}}, n.loc);
        assign(assign, to.make(Local{n->name}, n.loc, n->type), *n->value, n.loc, to);
      }),
      on<Evaluate>(operands), on<Return>(operands), on<If>(branches), on<Switch>(branches), on<Print>(operands),
      on<AtomicUpdate>([&](const Node<AtomicUpdate>& n, Out& to) {
        to.emit(AtomicUpdate{n->op, n->pointer, guard(to).read(n->value)}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        Option<Expr> test;
        const Expr place = guard(to).guarded(n->place, test);
        const Body write = to.collect([&] { assign(assign, place, n->value, n.loc, to); });
        if (!test) return to.emit(write);
        to.emit(If{to.context.span<Branch>({{*test, write}}), {}}, n.loc);
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        ranges.note(n.form);
        operands(n, to);
      }));
}

}  // namespace ksc

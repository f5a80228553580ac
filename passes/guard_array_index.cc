// SPDX-License-Identifier: Apache-2.0
/// x = a[i]   =>   x = i < N ? a[i] : 0; a[i] = x   =>   if (i < N) { a[i] = x }, unless i is known to be in range
#include "ir/rewrite.h"
#include "passes/counter_ranges.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::IndexesGuarded>;

class IndexGuard {
 public:
  IndexGuard(Out& to, const CounterRanges& ranges) : to_(to), ranges_(ranges) {}

  /// The value with guarded reads.
  Expr read(const Expr& e) {
    if (!header(e).contains.has(Kind::Index)) return e;
    if (is_place(e)) {
      Option<Expr> test;
      const Expr place = guarded(e, test);
      if (!test) return place;
      return to_.make(Conditional{*test, place, to_.make(Zero{}, loc_of(e), type_of(e))}, loc_of(e), type_of(e));
    }
    if (as<AddressOf>(e)) return e;  // its indexes are constants
    return map_children(to_.context, e, [&](const Expr& child) { return read(child); });
  }

  /// The place, and in `test` what must hold for it to exist.
  Expr guarded(const Expr& place, Option<Expr>& test) {
    if (const auto* f = as<Field>(place))
      return to_.make(Field{guarded(f->form.base, test), f->form.name}, f->loc, f->type);
    if (const auto* deref = as<Deref>(place))
      return to_.make(Deref{read(deref->form.pointer)}, deref->loc, deref->type);
    const auto* index = as<Index>(place);
    if (!index) return read(place);
    const Expr base = guarded(index->form.base, test);
    const uint64_t count = type_of(index->form.base)->count;
    Expr at = read(index->form.index);
    if (!is_known(at, count)) {
      const Loc loc = loc_of(at);
      Types& types = to_.context.types;
      // A variable of its own, which the C compiler must take as it is: it would compare the lower half and add the
      // whole, of which the verifier then knows nothing.
      const Name name = to_.fresh("index");
      to_.emit(Let{name, type_of(at), at}, loc);
      at = to_.make(Local{name}, loc, type_of(at));
      to_.emit(Evaluate{to_.make(RuntimeCall{to_.context.name("barrier_var"), to_.context.span<Expr>({at})}, loc,
                                 types.void_type())},
               loc);
      const Expr limit = to_.make(Int{{static_cast<__int128>(count)}, {}}, loc, type_of(at));
      const Expr inside = to_.make(Compare{CompareOp::Less, at, limit}, loc, types.boolean());
      test = test ? Expr(to_.make(And{*test, inside}, loc, types.boolean())) : inside;
    }
    return to_.make(Index{base, at}, index->loc, index->type);
  }

 private:
  static bool is_place(const Expr& e) { return as<Index>(e) || as<Field>(e) || as<Deref>(e); }
  bool is_known(const Expr& e, uint64_t count) const {
    const auto* converted = as<Convert>(e);
    if (converted && !is_signed(type_of(converted->form.value))) return is_known(converted->form.value, count);
    return ranges_.is_below(e, count);
  }

  Out& to_;
  const CounterRanges& ranges_;
};

}  // namespace

Ir<lang::IndexesGuarded> guard_array_index(const Ir<lang::PlacesApart>& in, Context& context) {
  CounterRanges ranges;
  const auto guard = [&](Out& to) { return IndexGuard(to, ranges); };
  const auto operands = [&](const auto& n, Out& to) {
    to.emit_mapped(n, [&](const Expr& e) { return guard(to).read(e); });
  };
  return rewrite<lang::PlacesApart, lang::IndexesGuarded>(
      in, context, on<Let>(operands), on<Evaluate>(operands), on<Return>(operands), on<If>(operands),
      on<Switch>(operands), on<Print>(operands), on<AtomicUpdate>([&](const Node<AtomicUpdate>& n, Out& to) {
        to.emit(AtomicUpdate{n->op, n->pointer, guard(to).read(n->value)}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const Expr value = guard(to).read(n->value);
        Option<Expr> test;
        const Expr place = guard(to).guarded(n->place, test);
        if (!test) return to.emit(Assign{place, value}, n.loc);
        const Body write{to.context.span<Stmt>({to.make(Assign{place, value}, n.loc)})};
        to.emit(If{to.context.span<Branch>({{*test, write}}), {}}, n.loc);
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        ranges.note(n.form);
        operands(n, to);
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>

#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/counter_ranges.h"

namespace ksc {

/// Whether the program adds, subtracts or divides by constants of 2^29 (BPF_MAX_VAR_OFF of
/// include/linux/bpf_verifier.h) or more. Since Linux 6.12 the verifier links two numbers that differ by a constant,
/// and takes that constant for an offset where one of them is added to a pointer.
inline bool adds_large_constants(const Program& program) {
  const auto is_large = [](const Expr& e) {
    const auto* number = as<Int>(e);
    return number && (number->form.value.value >= 1 << 29 || number->form.value.value <= -(1 << 29));
  };
  bool found = false;
  std::function<void(const Expr&)> on_expr;
  std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) { each_child_of(s, on_expr, on_stmt); };
  on_expr = [&](const Expr& e) {
    if (const auto* sum = as<Binary>(e); sum && (sum->form.op == BinaryOp::Add || sum->form.op == BinaryOp::Subtract))
      found = found || is_large(sum->form.left) || is_large(sum->form.right);
    if (const auto* quotient = as<Quotient>(e)) found = found || is_large(quotient->form.right);
    each_child_of(e, on_expr, on_stmt);
  };
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) on_stmt(s);
  return found;
}

/// Makes of places in eBPF places whose indexes have names, and the tests that they are in range.
template <Lang Out>
class IndexGuard {
 public:
  /// `read`: what else is to be done with the expressions in the place, its indexes among them.
  /// `unlinks`: whether the verifier could know the index by another number (adds_large_constants).
  IndexGuard(To<Out>& to, const CounterRanges& ranges, bool unlinks, std::function<Expr(const Expr&)> read)
      : to_(to), ranges_(ranges), unlinks_(unlinks), read_(std::move(read)) {}

  /// The place, and in `test` what must hold for it to exist; nothing is added where that is known.
  Expr guarded(const Expr& place, Option<Expr>& test) {
    if (const auto* f = as<Field>(place))
      return to_.make(Field{guarded(f->form.base, test), f->form.name}, f->loc, f->type);
    if (const auto* deref = as<Deref>(place))
      return to_.make(Deref{read_(deref->form.pointer)}, deref->loc, deref->type);
    const auto* index = as<Index>(place);
    if (!index) return read_(place);
    const Expr base = guarded(index->form.base, test);
    const uint64_t count = type_of(index->form.base)->count;
    Expr at = read_(index->form.index);
    if (const auto* choice = as_clamped(at, count)) {
      const Expr chosen = named(choice->form.then);
      const auto* inside = as<Compare>(choice->form.condition);
      const Expr test = to_.make(Compare{CompareOp::Less, chosen, inside->form.right}, inside->loc, inside->type);
      at = to_.make(Conditional{test, chosen, choice->form.otherwise}, choice->loc, choice->type);
    } else if (!is_known(at, count)) {
      const Loc loc = loc_of(at);
      Type truth = to_.context.types.boolean();
      at = named(at);
      const Expr limit = to_.make(Int{{static_cast<__int128>(count)}, {}}, loc, type_of(at));
      const Expr inside = to_.make(Compare{CompareOp::Less, at, limit}, loc, truth);
      test = test ? Expr(to_.make(And{*test, inside}, loc, truth)) : inside;
    }
    return to_.make(Index{base, at}, index->loc, index->type);
  }

 private:
  /// The index as a variable of its own, which the C compiler must take as it is: it would compare the lower half and
  /// add the whole, of which the verifier then knows nothing.
  Expr named(Expr at) {
    const Loc loc = loc_of(at);
    const Name name = to_.fresh("index");
    if (unlinks_)
      at = to_.make(RuntimeCall{to_.context.name("ks_unlinked"), to_.context.template span<Expr>({at})}, loc,
                    type_of(at));
    to_.emit(Let{name, type_of(at), at}, loc);
    at = to_.make(Local{name}, loc, type_of(at));
    to_.emit(Evaluate{to_.make(RuntimeCall{to_.context.name("barrier_var"), to_.context.template span<Expr>({at})}, loc,
                               to_.context.types.void_type())},
             loc);
    return at;
  }
  bool is_known(const Expr& e, uint64_t count) const {
    const auto* converted = as<Convert>(e);
    if (converted && !is_signed(type_of(converted->form.value))) return is_known(converted->form.value, count);
    return ranges_.is_below(e, count);
  }

  To<Out>& to_;
  const CounterRanges& ranges_;
  bool unlinks_;
  std::function<Expr(const Expr&)> read_;
};

}  // namespace ksc

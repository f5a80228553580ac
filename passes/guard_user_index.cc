// SPDX-License-Identifier: Apache-2.0
/// a[i]   =>   a[KS_INDEX(i, N)], unless i is known to be in range: the program ends there [L54]; s[i] of a string is 0
/// behind its end [L21]
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/counter_ranges.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::UserIndexes> guard_user_index(const Ir<lang::NoAttempt>& in, Context& context) {
  using Out = To<lang::UserIndexes>;
  CounterRanges ranges;
  const auto is_known = [&](const Expr& index, uint64_t count) {
    const Expr* at = &index;
    while (const auto* converted = as<Convert>(*at)) at = &converted->form.value;
    return as_clamped(index, count) || ranges.is_below(*at, count);
  };
  return rewrite<lang::NoAttempt, lang::UserIndexes>(
      in, context, on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        ranges.note(n.form);
        CountedLoop form = n.form;
        form.body = to(form.body);
        to.emit(form, n.loc);
      }),
      on<Index>([&](const Node<Index>& n, Out& to) -> Expr {
        const uint64_t count = type_of(n->base)->count;
        const Expr base = to(n->base), index = to(n->index);
        if (is_known(index, count)) return to.make(Index{base, index}, n.loc, n.type);
        Types& types = to.context.types;
        const bool is_text = is(type_of(n->base), TypeKind::Str);
        const Expr limit = to.make(Int{{static_cast<__int128>(count)}, {}}, n.loc, types.u64());
        if (is_text)
          return to.make(RuntimeCall{to.context.name("ks_character"), to.context.span<Expr>({base, limit, index})},
                         n.loc, n.type);
        const Expr guarded = to.make(RuntimeCall{to.context.name("KS_INDEX"), to.context.span<Expr>({index, limit})},
                                     n.loc, types.u64());
        return to.make(Index{base, guarded}, n.loc, n.type);
      }));
}

}  // namespace ksc

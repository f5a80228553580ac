// SPDX-License-Identifier: Apache-2.0
/// a[i]   =>   a[KS_INDEX(i, N)], unless i is known to be in range: the program ends there [L54]
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::UserIndexes> guard_user_index(const Ir<lang::UserMaps>& in, Context& context) {
  using Out = To<lang::UserIndexes>;
  // The greatest values that loop counters take, where constants say it.
  std::map<Name, __int128, ByText> greatest;
  const auto is_known = [&](const Expr& index, uint64_t count) {
    const Expr* at = &index;
    while (const auto* converted = as<Convert>(*at)) at = &converted->form.value;
    if (const auto* number = as<Int>(*at)) return number->form.value.value >= 0 && number->form.value.value < static_cast<__int128>(count);
    const auto* local = as<Local>(*at);
    auto found = local ? greatest.find(local->form.name) : greatest.end();
    return found != greatest.end() && found->second < static_cast<__int128>(count);
  };
  return rewrite<lang::UserMaps, lang::UserIndexes>(
      in, context,
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        const auto* low = as<Int>(n->low);
        const auto* high = as<Int>(n->high);
        if (low && high && low->form.value.value >= 0) greatest[n->name] = high->form.value.value - (n->inclusive ? 0 : 1);
        CountedLoop form = n.form;
        form.body = to(form.body);
        to.emit(form, n.loc);
      }),
      on<Index>([&](const Node<Index>& n, Out& to) -> Expr {
        const uint64_t count = type_of(n->base)->count;
        const Expr base = to(n->base), index = to(n->index);
        if (is_known(index, count)) return to.make(Index{base, index}, n.loc, n.type);
        Types& types = to.context.types;
        const Expr limit = to.make(Int{{static_cast<__int128>(count)}, {}}, n.loc, types.u64());
        const Expr guarded = to.make(RuntimeCall{to.context.name("KS_INDEX"), to.context.span<Expr>({index, limit})}, n.loc, types.u64());
        return to.make(Index{base, guarded}, n.loc, n.type);
      }));
}

}  // namespace ksc

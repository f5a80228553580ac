// SPDX-License-Identifier: Apache-2.0
/// for (i in a..b) A   =>   var end = b; count i from a while i < end { A }; where i could not count, it is a copy of
/// what does
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NoFor>;

/// Whether statements change the variable, or let its address out.
struct IndexChanges {
  Name name;
  bool operator()(const Expr& e) const {
    bool found = false;
    if (const auto* address = as<AddressOf>(e)) found = is_it(address->form.place);
    each_child_of(
        e, [&](const Expr& child) { found = found || (*this)(child); },
        [&](const Stmt& s) { found = found || (*this)(s); });
    return found;
  }
  bool operator()(const Stmt& s) const {
    bool found = false;
    if (const auto* assign = as<Assign>(s)) found = is_it(assign->form.place);
    if (const auto* update = as<Update>(s)) found = is_it(update->form.place);
    each_child_of(
        s, [&](const Expr& child) { found = found || (*this)(child); },
        [&](const Stmt& t) { found = found || (*this)(t); });
    return found;
  }
  bool is_it(const Expr& place) const {
    const auto* local = as<Local>(place);
    return local && local->form.name == name;
  }
};

}  // namespace

Ir<lang::NoFor> lower_for(const Ir<lang::NoWhile>& in, Context& context) {
  return rewrite<lang::NoWhile, lang::NoFor>(
      in, context, on<For>([](const Node<For>& n, Out& to) {
        Types& types = to.context.types;
        Type type = type_of(n->low);
        const Name name = n->name.name;
        // Bounds are evaluated once, in order; what follows sees constants or names.
        const auto settled = [&](const Expr& bound, std::string_view hint) -> Expr {
          const Expr value = to(bound);
          if (as<Int>(value)) return value;
          const Name kept = to.fresh(hint);
          to.emit(Let{kept, type, value}, loc_of(bound));
          return to.make(Local{kept}, loc_of(bound), type);
        };
        const Expr low = settled(n->low, "first"), high = settled(n->high, "last");
        const auto* last = as<Int>(high);
        const __int128 top = type->is_signed ? (static_cast<__int128>(1) << (type->bits - 1)) - 1
                                             : (static_cast<__int128>(1) << type->bits) - 1;
        const bool may_wrap =
            n->inclusive && (!last || last->form.value.value == top);  // a counter of this type would never pass `last`
        bool is_changed = false;
        for (const Stmt& s : n->body.statements) is_changed = is_changed || IndexChanges{name}(s);
        if (!may_wrap && !is_changed)
          return to.emit(CountedLoop{name, type, low, high, n->inclusive, to(n->body)}, n.loc);

        const Name counter = to.fresh("turn");
        const auto count = [&](Type counted, const Expr& from, const Expr& to_where, bool inclusive,
                               const std::function<Expr(const Expr&)>& value_of) {
          const Body body = to.collect([&] {
            to.emit(Let{name, type, value_of(to.make(Local{counter}, n.loc, counted))}, n.loc);
            to.emit(to(n->body));
          });
          to.emit(CountedLoop{counter, counted, from, to_where, inclusive, body}, n.loc);
        };
        if (!may_wrap) return count(type, low, high, n->inclusive, [](const Expr& turn) { return turn; });
        if (type->bits < 64) {
          Type wide = type->is_signed ? types.i64() : types.u64();
          const auto widened = [&](const Expr& e) {
            const auto* constant = as<Int>(e);
            return constant ? Expr(to.make(constant->form, loc_of(e), wide)) : Expr(to.make(Convert{e}, n.loc, wide));
          };
          return count(wide, widened(low), widened(high), true,
                       [&](const Expr& turn) { return to.make(Convert{turn}, n.loc, type); });
        }
        // No counter is wider: count the turns instead, low + 0, low + 1, …
        const auto number = [&](__int128 value) { return to.make(Int{{value}, {}}, n.loc, types.u64()); };
        const auto unsigned_ = [&](const Expr& e) {
          return type_of(e) == types.u64() ? e : Expr(to.make(Convert{e}, n.loc, types.u64()));
        };
        const Expr distance = to.make(Binary{BinaryOp::Subtract, unsigned_(high), unsigned_(low)}, n.loc, types.u64());
        const Expr amount = to.make(Binary{BinaryOp::Add, distance, number(1)}, n.loc, types.u64());
        const Expr runs = to.make(Compare{CompareOp::LessEqual, low, high}, n.loc, types.boolean());
        const Name turns = to.fresh("turns");
        to.emit(Let{turns, types.u64(), to.make(Conditional{runs, amount, number(0)}, n.loc, types.u64())}, n.loc);
        count(types.u64(), number(0), to.make(Local{turns}, n.loc, types.u64()), false, [&](const Expr& turn) {
          const Expr offset = type == types.u64() ? turn : Expr(to.make(Convert{turn}, n.loc, type));
          return Expr(to.make(Binary{BinaryOp::Add, low, offset}, n.loc, type));
        });
      }));
}

}  // namespace ksc

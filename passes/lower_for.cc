// SPDX-License-Identifier: Apache-2.0
/// for (i in a..b) A   =>   var end = b; count i from a while i < end { A }; a body that changes i gets a copy of the counter
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NoFor>;

/// Whether statements change the variable, or let its address out.
struct Changes {
  Name name;
  bool operator()(const Expr& e) const {
    bool found = false;
    if (const auto* address = as<AddressOf>(e)) found = is_it(address->form.place);
    each_child_of(e, [&](const Expr& child) { found = found || (*this)(child); }, [&](const Stmt& s) { found = found || (*this)(s); });
    return found;
  }
  bool operator()(const Stmt& s) const {
    bool found = false;
    if (const auto* assign = as<Assign>(s)) found = is_it(assign->form.place);
    if (const auto* update = as<Update>(s)) found = is_it(update->form.place);
    each_child_of(s, [&](const Expr& child) { found = found || (*this)(child); }, [&](const Stmt& t) { found = found || (*this)(t); });
    return found;
  }
  bool is_it(const Expr& place) const {
    const auto* local = as<Local>(place);
    return local && local->form.name == name;
  }
};

}  // namespace

Ir<lang::NoFor> lower_for(const Ir<lang::NoWhile>& in, Context& context) {
  return rewrite<lang::NoWhile, lang::NoFor>(in, context, on<For>([](const Node<For>& n, Out& to) {
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
    const __int128 top = type->is_signed ? (static_cast<__int128>(1) << (type->bits - 1)) - 1 : (static_cast<__int128>(1) << type->bits) - 1;
    const bool may_wrap = n->inclusive && (!last || last->form.value.value == top);  // a counter of this type would never pass `last`
    bool is_changed = false;
    for (const Stmt& s : n->body.statements) is_changed = is_changed || Changes{name}(s);
    if (!may_wrap && !is_changed) return to.emit(CountedLoop{name, type, low, high, n->inclusive, to(n->body)}, n.loc);

    const Name counter = to.fresh(name.spelling());
    const auto body = [&](const Expr& value) {
      return to.collect([&] {
        to.emit(Let{name, type, value}, n.loc);
        to.emit(to(n->body));
      });
    };
    if (!may_wrap)
      return to.emit(CountedLoop{counter, type, low, high, n->inclusive, body(to.make(Local{counter}, n.loc, type))}, n.loc);
    // Count the turns instead: low + 0, low + 1, …, in 64 bits.
    Type wide = types.u64();
    const auto widened = [&](const Expr& e) { return to.make(Convert{e}, n.loc, wide); };
    const Expr distance = to.make(Binary{BinaryOp::Subtract, widened(high), widened(low)}, n.loc, wide);
    const Expr one = to.make(Int{{1}, {}}, n.loc, wide), none = to.make(Int{{0}, {}}, n.loc, wide);
    const Expr turns = to.make(Conditional{to.make(Compare{CompareOp::LessEqual, low, high}, n.loc, types.boolean()),
                                           to.make(Binary{BinaryOp::Add, distance, one}, n.loc, wide), none}, n.loc, wide);
    const Name count = to.fresh("turns");
    to.emit(Let{count, wide, turns}, n.loc);
    const Expr offset = to.make(Convert{to.make(Local{counter}, n.loc, wide)}, n.loc, type);
    const Expr value = to.make(Binary{BinaryOp::Add, low, offset}, n.loc, type);
    to.emit(CountedLoop{counter, wide, none, to.make(Local{count}, n.loc, wide), false, body(value)}, n.loc);
  }));
}

}  // namespace ksc

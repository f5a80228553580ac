// SPDX-License-Identifier: Apache-2.0
/// x = a[i]   =>   x = i < N ? a[i] : 0; a[i] = x   =>   if (i < N) { a[i] = x }, unless i is known to be in range
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::IndexesGuarded>;

/// The greatest values that loop counters take, by name: a counted loop between constants says it.
using Ranges = std::map<Name, __int128, ByText>;

class IndexGuard {
 public:
  IndexGuard(Out& to, const Ranges& ranges) : to_(to), ranges_(ranges) {}

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
    return boost::variant2::visit(
        [&](const auto& ref) -> Expr {
          return to_.context.make(std::apply([&](const auto&... f) { return std::remove_cvref_t<decltype((*ref).form)>{field(f)...}; }, (*ref).form.fields()),
                                  (*ref).loc, (*ref).type);
        },
        e);
  }
  Option<Expr> read(const Option<Expr>& e) { return e ? Option<Expr>(read(*e)) : e; }

  /// The place, and in `test` what must hold for it to exist.
  Expr guarded(const Expr& place, Option<Expr>& test) {
    if (const auto* f = as<Field>(place)) return to_.make(Field{guarded(f->form.base, test), f->form.name}, f->loc, f->type);
    if (const auto* deref = as<Deref>(place)) return to_.make(Deref{read(deref->form.pointer)}, deref->loc, deref->type);
    const auto* index = as<Index>(place);
    if (!index) return read_leaf(place);
    const Expr base = guarded(index->form.base, test);
    const uint64_t count = type_of(index->form.base)->count;
    Expr at = read(index->form.index);
    if (!is_known(at, count)) {
      const Loc loc = loc_of(at);
      Types& types = to_.context.types;
      // A variable of its own, which the C compiler must take as it is: it would compare the lower half and add the whole,
      // of which the verifier then knows nothing.
      const Name name = to_.fresh("index");
      to_.emit(Let{name, type_of(at), at}, loc);
      at = to_.make(Local{name}, loc, type_of(at));
      to_.emit(Evaluate{to_.make(RuntimeCall{to_.context.name("barrier_var"), to_.context.span<Expr>({at})}, loc, types.void_type())}, loc);
      const Expr limit = to_.make(Int{{static_cast<__int128>(count)}, {}}, loc, type_of(at));
      const Expr inside = to_.make(Compare{CompareOp::Less, at, limit}, loc, types.boolean());
      test = test ? Expr(to_.make(And{*test, inside}, loc, types.boolean())) : inside;
    }
    return to_.make(Index{base, at}, index->loc, index->type);
  }

 private:
  static bool is_place(const Expr& e) { return as<Index>(e) || as<Field>(e) || as<Deref>(e); }
  Expr read_leaf(const Expr& e) { return header(e).contains.has(Kind::Index) ? read(e) : e; }
  bool is_known(const Expr& e, uint64_t count) const {
    if (const auto* number = as<Int>(e)) return number->form.value.value >= 0 && number->form.value.value < static_cast<__int128>(count);
    if (const auto* converted = as<Convert>(e); converted && !is_signed(type_of(converted->form.value))) return is_known(converted->form.value, count);
    const auto* local = as<Local>(e);
    auto found = local ? ranges_.find(local->form.name) : ranges_.end();
    return found != ranges_.end() && found->second < static_cast<__int128>(count);
  }

  template <class T>
  T field(const T& value) {
    if constexpr (std::same_as<T, Expr> || std::same_as<T, Option<Expr>>) {
      return read(value);
    } else if constexpr (is_span<T>) {
      using Value = std::remove_cvref_t<decltype(value[0])>;
      if constexpr (std::same_as<Value, Expr> || Record<Value>) {
        std::vector<Value> out;
        for (const Value& v : value) out.push_back(field(v));
        return to_.context.span(out);
      } else {
        return value;
      }
    } else if constexpr (Record<T>) {
      return std::apply([&](const auto&... parts) { return T{field(parts)...}; }, value.fields());
    } else {
      return value;
    }
  }

  Out& to_;
  const Ranges& ranges_;
};

}  // namespace

Ir<lang::IndexesGuarded> guard_array_index(const Ir<lang::NoMapAccess>& in, Context& context) {
  Ranges ranges;
  const auto guard = [&](Out& to) { return IndexGuard(to, ranges); };
  return rewrite<lang::NoMapAccess, lang::IndexesGuarded>(
      in, context,
      on<Let>([&](const Node<Let>& n, Out& to) { to.emit(Let{n->name, n->type, guard(to).read(n->value)}, n.loc); }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const Expr value = guard(to).read(n->value);
        Option<Expr> test;
        const Expr place = guard(to).guarded(n->place, test);
        if (!test) return to.emit(Assign{place, value}, n.loc);
        const Body write{to.context.span<Stmt>({to.make(Assign{place, value}, n.loc)})};
        to.emit(If{to.context.span<Branch>({{*test, write}}), {}}, n.loc);
      }),
      on<AtomicUpdate>([&](const Node<AtomicUpdate>& n, Out& to) { to.emit(AtomicUpdate{n->op, n->pointer, guard(to).read(n->value)}, n.loc); }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) { to.emit(Evaluate{guard(to).read(n->value)}, n.loc); }),
      on<Return>([&](const Node<Return>& n, Out& to) { to.emit(Return{guard(to).read(n->value)}, n.loc); }),
      on<If>([&](const Node<If>& n, Out& to) {
        std::vector<Branch> branches;
        for (const Branch& b : n->branches) {
          const Expr test = guard(to).read(b.condition);
          branches.push_back({test, to(b.body)});
        }
        to.emit(If{to.context.span(branches), to(n->otherwise)}, n.loc);
      }),
      on<Switch>([&](const Node<Switch>& n, Out& to) {
        const Expr value = guard(to).read(n->value);
        std::vector<SwitchCase> cases;
        for (const SwitchCase& c : n->cases) cases.push_back({c.values, to(c.body)});
        to.emit(Switch{value, to.context.span(cases)}, n.loc);
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        const auto* low = as<Int>(n->low);
        const auto* high = as<Int>(n->high);
        if (low && high && low->form.value.value >= 0) ranges[n->name] = high->form.value.value - (n->inclusive ? 0 : 1);
        CountedLoop form = n.form;
        form.body = to(form.body);
        to.emit(form, n.loc);
      }),
      on<Print>([&](const Node<Print>& n, Out& to) {
        std::vector<Expr> arguments;
        for (const Expr& argument : n->arguments) arguments.push_back(guard(to).read(argument));
        to.emit(Print{n->format, to.context.span(arguments)}, n.loc);
      }));
}

}  // namespace ksc

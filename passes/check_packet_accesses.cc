// SPDX-License-Identifier: Apache-2.0
/// x = p->f   =>   if (!in_packet(p, bytes up to the end of f)) { leave }; x = p->f
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::AccessesChecked>;

/// Emits a test before each packet access of a statement, and gives pointers a name so that test and access use one value.
class AccessChecker {
 public:
  explicit AccessChecker(Out& to) : to_(to) {}

  /// The expression with every packet access in it tested.
  Expr checked(const Expr& e) {
    if (is_in_packet(e)) {
      uint64_t end = 0;
      const Expr place = access(e, end);
      return place;
    }
    if (!header(e).contains.has(Kind::Deref)) return e;
    return boost::variant2::visit(
        [&](const auto& ref) -> Expr {
          return to_.context.make(std::apply([&](const auto&... f) { return std::remove_cvref_t<decltype((*ref).form)>{field(f)...}; }, (*ref).form.fields()),
                                  (*ref).loc, (*ref).type);
        },
        e);
  }
  Option<Expr> checked(const Option<Expr>& e) { return e ? Option<Expr>(checked(*e)) : e; }
  Span<Expr> checked(const Span<Expr>& values) {
    std::vector<Expr> out;
    for (const Expr& value : values) out.push_back(checked(value));
    return to_.context.span(out);
  }

 private:
  template <class T>
  T field(const T& value) {
    if constexpr (std::same_as<T, Expr> || std::same_as<T, Option<Expr>> || std::same_as<T, Span<Expr>>) {
      return checked(value);
    } else if constexpr (is_span<T>) {
      using Value = std::remove_cvref_t<decltype(value[0])>;
      if constexpr (Record<Value>) {
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

  /// The place, tested; the bytes that it needs are counted from the pointer on.
  Expr access(const Expr& place, uint64_t& end) {
    uint64_t begin = 0;
    const Expr out = rebased(place, begin, size_of(type_of(place)), end);
    return out;
  }
  Expr rebased(const Expr& place, uint64_t& begin, uint64_t size, uint64_t& end) {
    if (const auto* f = as<Field>(place)) {
      const StructField* member = find_field(type_of(f->form.base), f->form.name);
      begin += member->offset;
      return to_.make(Field{rebased(f->form.base, begin, size, end), f->form.name}, f->loc, f->type);
    }
    if (const auto* index = as<Index>(place)) {
      const auto* constant = as<Int>(index->form.index);
      Type array = type_of(index->form.base);
      // An element that is chosen at run time may be any of them: all must be there.
      if (constant) begin += static_cast<uint64_t>(constant->form.value.value) * size_of(index->type);
      else size = size_of(array);
      return to_.make(Index{rebased(index->form.base, begin, size, end), index->form.index}, index->loc, index->type);
    }
    const auto& deref = *as<Deref>(place);
    Expr pointer = checked(deref.form.pointer);
    if (!as<Local>(pointer)) {
      const Name name = to_.fresh("at");
      to_.emit(Let{name, type_of(pointer), pointer}, deref.loc);
      pointer = to_.make(Local{name}, deref.loc, type_of(pointer));
    }
    end = begin + size;
    Type boolean = to_.context.types.boolean();
    const Loc loc = to_.context.locations.derived(deref.loc, "bounds check");
    const Expr inside = to_.make(InPacket{pointer, context(), end}, loc, boolean);
    const Body leave{to_.context.span<Stmt>({to_.make(Leave{LeaveReason::Bounds}, loc)})};
    to_.emit(If{to_.context.span<Branch>({{to_.make(Not{inside}, loc, boolean), leave}}), {}}, loc);
    return to_.make(Deref{pointer}, deref.loc, deref.type);
  }
  /// The context of the function at work: packet pointers come from it alone.
  Expr context() {
    for (const Parameter& p : to_.function()->parameters)
      if (is(p.type, TypeKind::Pointer) && p.type->space == Space::Context) return to_.make(Local{p.name}, Loc{}, p.type);
    return to_.make(Null{}, Loc{}, to_.context.types.null());
  }

  Out& to_;
};

}  // namespace

Ir<lang::AccessesChecked> check_packet_accesses(const Ir<lang::NoMapEntry>& in, Context& context) {
  const auto check = [](Out& to) { return AccessChecker(to); };
  return rewrite<lang::NoMapEntry, lang::AccessesChecked>(
      in, context,
      on<Let>([&](const Node<Let>& n, Out& to) { to.emit(Let{n->name, n->type, check(to).checked(n->value)}, n.loc); }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const Expr value = check(to).checked(n->value);
        to.emit(Assign{check(to).checked(n->place), value}, n.loc);
      }),
      on<AtomicUpdate>([&](const Node<AtomicUpdate>& n, Out& to) { to.emit(n.form, n.loc); }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) { to.emit(Evaluate{check(to).checked(n->value)}, n.loc); }),
      on<Return>([&](const Node<Return>& n, Out& to) { to.emit(Return{check(to).checked(n->value)}, n.loc); }),
      on<If>([&](const Node<If>& n, Out& to) {
        // Conditions hold no packet access any more but the first: order_operands named the others.
        std::vector<Branch> branches;
        for (const Branch& b : n->branches) branches.push_back({check(to).checked(b.condition), to(b.body)});
        to.emit(If{to.context.span(branches), to(n->otherwise)}, n.loc);
      }),
      on<Switch>([&](const Node<Switch>& n, Out& to) {
        const Expr value = check(to).checked(n->value);
        std::vector<SwitchCase> cases;
        for (const SwitchCase& c : n->cases) cases.push_back({c.values, to(c.body)});
        to.emit(Switch{value, to.context.span(cases)}, n.loc);
      }),
      on<MapStore>([&](const Node<MapStore>& n, Out& to) {
        const Expr key = check(to).checked(n->key);
        to.emit(MapStore{n->map, key, check(to).checked(n->value)}, n.loc);
      }),
      on<MapDelete>([&](const Node<MapDelete>& n, Out& to) { to.emit(MapDelete{n->map, check(to).checked(n->key)}, n.loc); }),
      on<Print>([&](const Node<Print>& n, Out& to) { to.emit(Print{n->format, check(to).checked(n->arguments)}, n.loc); }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// x = p->a[i]   =>   x = 0; at = (p + what is before a[i]); if (i < N && in_packet(at, 1)) { x = *at }, where p points
/// into the packet
#include "ir/places.h"
#include "ir/rewrite.h"
#include "ir/support_calls.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PacketElementsPointed>;

/// What the verifier knows by itself: the counter of the innermost loop, if that is short and plain. Its last value.
using Counters = NameMap<__int128>;

/// How many statements and expressions there are.
__int128 size_of_all(const auto& whole) {
  __int128 count = 1;
  each_child_of(
      whole, [&](const Expr& e) { count += size_of_all(e); }, [&](const Stmt& s) { count += size_of_all(s); });
  return count;
}

Counters counters_in(const CountedLoop& loop) {
  // Far below what makes a loop a function, whatever its statements cost.
  constexpr __int128 most = 1000;
  constexpr FormSet not_plain = form_set_of<Call, HelperCall, MapCall, CountedLoop, MapLoop>();
  const auto *low = as<Int>(loop.low), *high = as<Int>(loop.high);
  if (!low || !high || low->form.value.value < 0) return {};
  const __int128 last = high->form.value.value - (loop.inclusive ? 0 : 1);
  __int128 size = 0;
  for (const Stmt& s : loop.body.statements) {
    if (!(header(s).contains & not_plain).empty()) return {};
    size += size_of_all(s);
  }
  if ((last + 1 - low->form.value.value) * size > most) return {};
  return {{loop.name, last}};
}

/// A constant in range; one that is not is tested as any other index.
bool is_constant(const Index& index) {
  const auto* number = as<Int>(index.index);
  return number && number->form.value.value >= 0 &&
         number->form.value.value < static_cast<__int128>(type_of(index.base)->count);
}

bool is_known(const Index& index, const Counters& counters) {
  if (is_constant(index)) return true;
  const Expr* at = &index.index;
  while (const auto* converted = as<Convert>(*at)) at = &converted->form.value;
  const auto* local = as<Local>(*at);
  const auto found = local ? counters.find(local->form.name) : counters.end();
  return found != counters.end() && found->second < static_cast<__int128>(type_of(index.base)->count);
}

/// Whether the place is in the packet, at an index that is not known.
bool is_chosen(const Expr& place, const Counters& counters) {
  if (!(as<Index>(place) || as<Field>(place)) || !is_in_packet(place)) return false;
  for (const Expr* e = &place;;) {
    if (const auto* index = as<Index>(*e)) {
      if (!is_known(index->form, counters)) return true;
      e = &index->form.base;
    } else if (const auto* field = as<Field>(*e)) {
      e = &field->form.base;
    } else {
      return false;
    }
  }
}

class Pointing {
 public:
  Pointing(Out& to, const Counters& counters) : to_(to), types_(to.context.types), counters_(counters) {}

  /// The expression with such reads in variables.
  Expr read(const Expr& e) {
    if (!header(e).contains.has(Kind::Index)) return e;
    if (is_chosen(e, counters_)) return value_of(e);
    if (const auto* address = as<AddressOf>(e); address && is_chosen(address->form.place, counters_))
      return to_.make(AddressOf{value_of(address->form.place)}, address->loc, address->type);
    return map_children(to_.context, e, [&](const Expr& child) { return read(child); });
  }
  /// Runs `use` on the same place behind a pointer to the element, where there is one.
  template <class Use>
  void where_it_is(const Expr& place, Use use) {
    Option<Expr> test;
    const Expr pointed = behind_pointer(place, test);
    const Body body = to_.collect([&] { use(pointed); });
    to_.emit(If{to_.context.span<Branch>({{*test, body}}), {}}, loc_of(place));
  }

 private:
  Expr value_of(const Expr& place) {
    const Loc loc = loc_of(place);
    const Type type = type_of(place);
    const Name name = to_.fresh("element");
    const Expr value = to_.make(Local{name}, loc, type);
    const auto address = [&](const Expr& of) {
      return Expr(to_.make(AddressOf{of}, loc, types_.pointer(type, Space::Stack, false)));
    };
    to_.emit(Let{name, type, to_.make(Zero{}, loc, type)}, loc);
    where_it_is(place, [&](const Expr& pointed) {
      if (!is(type, TypeKind::Array)) return to_.emit(Assign{value, pointed}, loc);
      const Expr size = to_.make(Int{{static_cast<__int128>(size_of(type))}, {}}, loc, types_.u64());
      to_.emit(Evaluate{to_.make(RuntimeCall{to_.context.name("__builtin_memcpy"),
                                             to_.context.span<Expr>({address(value), address(pointed), size})},
                                 loc, types_.void_type())},
               loc);
    });
    return value;
  }
  void restrict(Option<Expr>& test, const Expr& also, Loc loc) {
    test = test ? Expr(to_.make(And{*test, also}, loc, types_.boolean())) : also;
  }
  Expr number(uint64_t value, Loc loc) { return to_.make(Int{{static_cast<__int128>(value)}, {}}, loc, types_.u32()); }
  Expr sum(const Expr& left, const Expr& right, Loc loc) {
    const auto* none = as<Int>(left);
    return none && none->form.value.value == 0 ? right
                                               : Expr(to_.make(Binary{BinaryOp::Add, left, right}, loc, types_.u32()));
  }
  /// How many bytes the place lies behind `pointer`, as a u32, and in `test` whether its indexes are in range.
  Expr distance(const Expr& place, Expr& pointer, Option<Expr>& test) {
    const Loc loc = loc_of(place);
    if (const auto* deref = as<Deref>(place)) {
      pointer = deref->form.pointer;
      return number(0, loc);
    }
    if (const auto* field = as<Field>(place)) {
      const Expr before = distance(field->form.base, pointer, test);
      const uint64_t offset = find_field(type_of(field->form.base), field->form.name)->offset;
      return offset ? sum(before, number(offset, loc), loc) : before;
    }
    const auto& index = *as<Index>(place);
    const Expr before = distance(index.form.base, pointer, test);
    const uint64_t size = size_of(type_of(place));
    if (const auto* constant = as<Int>(index.form.index); constant && is_constant(index.form))
      return sum(before, number(static_cast<uint64_t>(constant->form.value.value) * size, loc), loc);
    const Expr element = element_at(index, test);
    const Expr bytes =
        size == 1 ? element : Expr(to_.make(Binary{BinaryOp::Multiply, element, number(size, loc)}, loc, types_.u32()));
    return sum(before, bytes, loc);
  }
  /// What is tested must be what is used: C compilers would compute it again.
  void hide(const Expr& value, Loc loc) {
    to_.emit(Evaluate{to_.make(RuntimeCall{to_.context.name("barrier_var"), to_.context.span<Expr>({value})}, loc,
                               types_.void_type())},
             loc);
  }
  /// The index as a number that is in range in any case: the pointer is computed before the test.
  Expr element_at(const Node<Index>& n, Option<Expr>& test) {
    const Name name = to_.fresh("index"), element = to_.fresh("element");
    const Type type = type_of(n->index);
    to_.emit(Let{name, type, n->index}, n.loc);
    const Expr at = to_.make(Local{name}, n.loc, type);
    hide(at, n.loc);
    const Expr limit = to_.make(Int{{static_cast<__int128>(type_of(n->base)->count)}, {}}, n.loc, type);
    const Expr is_inside = to_.make(Compare{CompareOp::Less, at, limit}, n.loc, types_.boolean());
    restrict(test, is_inside, n.loc);
    const Expr none = to_.make(Int{{0}, {}}, n.loc, type);
    to_.emit(Let{element, type, to_.make(Conditional{is_inside, at, none}, n.loc, type)}, n.loc);
    const Expr chosen = to_.make(Local{element}, n.loc, type);
    hide(chosen, n.loc);
    // Not before: the verifier would know nothing of the lower half by itself.
    return to_.make(Convert{chosen}, n.loc, types_.u32());
  }
  /// The place behind a variable that points at its last element which is chosen.
  Expr behind_pointer(const Expr& place, Option<Expr>& test) {
    if (const auto* field = as<Field>(place); field && is_chosen(field->form.base, counters_))
      return to_.make(Field{behind_pointer(field->form.base, test), field->form.name}, field->loc, field->type);
    if (const auto* index = as<Index>(place); index && is_constant(index->form))
      return to_.make(Index{behind_pointer(index->form.base, test), index->form.index}, index->loc, index->type);
    const Loc loc = loc_of(place);
    const Name name = to_.fresh("at");
    Expr pointer;
    const Expr bytes = to_.make(Convert{distance(place, pointer, test)}, loc, types_.u64());
    const Type byte_pointer = types_.pointer(types_.u8(), Space::Packet, false);
    const Type type = types_.pointer(type_of(place), Space::Packet, false);
    const auto as_type = [&](const Expr& e, Type wanted) {
      return type_of(e) == wanted ? e : Expr(to_.make(Convert{e}, loc, wanted));
    };
    const Expr at = to_.make(PointerAdd{as_type(pointer, byte_pointer), bytes}, loc, byte_pointer);
    to_.emit(Let{name, type, as_type(at, type)}, loc);
    const Expr local = to_.make(Local{name}, loc, type);
    // All elements are in the packet; but the verifier knows that of no pointer to one of them.
    restrict(test, to_.make(InPacket{local, context(loc), size_of(type_of(place))}, loc, types_.boolean()), loc);
    return to_.make(Deref{local}, loc, type_of(place));
  }
  Expr context(Loc loc) {
    for (const Parameter& p : to_.function()->parameters)
      if (is(p.type, TypeKind::Pointer) && p.type->space == Space::Context) return to_.make(Local{p.name}, loc, p.type);
    return to_.make(Null{}, loc, types_.null());
  }

  Out& to_;
  Types& types_;
  const Counters& counters_;
};

}  // namespace

Ir<lang::PacketElementsPointed> point_at_packet_elements(const Ir<lang::ArgumentsPacked>& in, Context& context) {
  Counters counters;
  const auto operands = [&](const auto& n, Out& to) {
    Pointing pointing(to, counters);
    to.emit_mapped(n, [&](const Expr& e) { return pointing.read(e); });
  };
  return rewrite<lang::ArgumentsPacked, lang::PacketElementsPointed>(
      in, context, on<Let>(operands), on<Return>(operands), on<If>(operands), on<Switch>(operands),
      on<MapStore>(operands), on<MapDelete>(operands), on<Print>(operands),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        if (!is_chosen(n->place, counters)) return operands(n, to);
        Pointing pointing(to, counters);
        const Expr value = pointing.read(n->value);
        pointing.where_it_is(n->place, [&](const Expr& place) { to.emit(Assign{place, value}, n.loc); });
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        const Counters outer = std::exchange(counters, counters_in(n.form));
        CountedLoop form = n.form;
        form.body = to(n->body);
        counters = outer;
        to.emit(form, n.loc);
      }),
      on<MapLoop>([&](const Node<MapLoop>& n, Out& to) {
        const Counters outer = std::exchange(counters, {});
        to.emit_statement(to.rebuild(n));
        counters = outer;
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        const auto* call = as<RuntimeCall>(n->value);
        const auto* written = call && !call->form.arguments.empty() ? as<AddressOf>(call->form.arguments[0]) : nullptr;
        if (!written || !is_chosen(written->form.place, counters)) return operands(n, to);
        Pointing pointing(to, counters);
        std::vector<Expr> arguments;
        for (const Expr& argument : call->form.arguments)
          arguments.push_back(arguments.empty() ? argument : pointing.read(argument));
        pointing.where_it_is(written->form.place, [&](const Expr& place) {
          arguments[0] = to.make(AddressOf{place}, written->loc, written->type);
          to.emit(
              Evaluate{to.make(RuntimeCall{call->form.function, to.context.span(arguments)}, call->loc, call->type)},
              n.loc);
        });
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// memcpy(&a[i], &b[j], n)   =>   if (i < N && j < M) { memcpy(&a[i], &b[j], n) }, else zeros or nothing, unless the
/// indexes are constants
#include "ir/support_calls.h"
#include "passes/index_guard.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ElementAddressesGuarded>;

bool is_kept_in_memory(Type type) { return is_aggregate(type) || is(type, TypeKind::Str); }

class AddressGuard {
 public:
  AddressGuard(Out& to, bool unlinks)
      : to_(to), types_(to.context.types), guard_(to, ranges_, unlinks, [this](const Expr& e) { return read(e); }) {}

  /// The expression with what it reads behind addresses there, or zero.
  Expr read(const Expr& e) {
    if (!header(e).contains.has(Kind::Index)) return e;
    if (const auto* address = as<AddressOf>(e)) {
      const std::optional<Expr> copied = copy_of_element(address->form.place);
      return copied ? Expr(to_.make(AddressOf{*copied}, address->loc, address->type)) : e;
    }
    if (is_support_call(e, "ks_differ")) return difference(*as<RuntimeCall>(e));
    if (as<MapLookup>(e) || as<MapSlot>(e) || as<MapCall>(e))
      return map_children(to_.context, e, [&](const Expr& child) { return given(child); });
    return map_children(to_.context, e, [&](const Expr& child) { return read(child); });
  }
  /// The same of what helpers of the kernel are given by its address.
  Expr given(const Expr& e) {
    // A text that is given where there is more room.
    if (const auto* converted = as<Convert>(e); converted && is_kept_in_memory(converted->type))
      return to_.make(Convert{given(converted->form.value)}, converted->loc, converted->type);
    if (is_kept_in_memory(type_of(e)))
      if (const std::optional<Expr> copied = copy_of_element(e)) return *copied;
    return read(e);
  }
  /// An element that is changed at once, or nothing.
  void update(const Node<AtomicUpdate>& n) {
    const auto* address = as<AddressOf>(n->pointer);
    if (!address) return to_.emit(AtomicUpdate{n->op, n->pointer, read(n->value)}, n.loc);
    const Expr value = read(n->value);
    Option<Expr> there;
    const Expr place = element(address->form.place, there);
    const Stmt update =
        to_.make(AtomicUpdate{n->op, to_.make(AddressOf{place}, address->loc, address->type), value}, n.loc);
    if (!there) return to_.emit_statement(update);
    to_.emit(If{branch(*there, {to_.context.span<Stmt>({update})}), {}}, n.loc);
  }
  /// A copy or a fill, of which both sides may not be there.
  void move(const Node<RuntimeCall>& call, Loc loc) {
    const auto* address = as<AddressOf>(call->arguments[0]);
    Option<Expr> there, readable;
    const Expr place = address ? element(address->form.place, there) : Expr();
    const Expr to = address ? Expr(to_.make(AddressOf{place}, address->loc, address->type)) : read(call->arguments[0]);
    Expr from = call->arguments[1];
    if (const auto* source = as<AddressOf>(from))
      from = to_.make(AddressOf{element(source->form.place, readable)}, source->loc, source->type);
    const Stmt moved = statement(call->function, {to, from, call->arguments[2]}, loc);
    const Stmt zeroed = statement(to_.context.name("__builtin_memset"), {to, number(0, loc), call->arguments[2]}, loc);
    const auto chosen = [&] {
      if (!readable) return to_.emit_statement(moved);
      to_.emit(If{branch(*readable, {to_.context.span<Stmt>({moved})}), {to_.context.span<Stmt>({zeroed})}}, loc);
      keep_apart(loc);
    };
    if (!there) return chosen();
    const Body inside = to_.collect(chosen);
    to_.emit(If{branch(*there, inside), {}}, loc);
  }

 private:
  Expr number(uint64_t value, Loc loc) { return to_.make(Int{{static_cast<__int128>(value)}, {}}, loc, types_.u64()); }
  Span<Branch> branch(const Expr& condition, const Body& body) { return to_.context.span<Branch>({{condition, body}}); }
  Stmt statement(Name function, std::initializer_list<Expr> arguments, Loc loc) {
    return to_.make(
        Evaluate{to_.make(RuntimeCall{function, to_.context.span<Expr>(arguments)}, loc, types_.void_type())}, loc);
  }
  Expr element(const Expr& place, Option<Expr>& test) {
    return header(place).contains.has(Kind::Index) ? guard_.guarded(place, test) : place;
  }
  /// A variable with what is in an element, or zeros, or with what a choice between such gives; the element itself if
  /// it is known to be there, nothing if it is none.
  std::optional<Expr> copy_of_element(const Expr& e) {
    if (as<Conditional>(e) && header(e).contains.has(Kind::Index)) {
      const Expr copy = variable("element", e, {});
      fill(copy, e);
      return copy;
    }
    if (!as<Index>(e) && !as<Field>(e)) return {};
    Option<Expr> test;
    const Expr place = element(e, test);
    if (!test) return place;
    const Expr copy = variable("element", e, {});
    move_if(test, copy, place);
    return copy;
  }
  /// clang would copy once behind several branches, through a pointer that it computes with `|` [L153].
  void keep_apart(Loc loc) { to_.emit_statement(statement(to_.context.name("barrier"), {}, loc)); }
  /// A new variable of the type of an expression; without a value it holds zeros.
  Expr variable(std::string_view hint, const Expr& like, Option<Expr> value) {
    const Name name = to_.fresh(hint);
    to_.emit(Let{name, type_of(like), value}, loc_of(like));
    return to_.make(Local{name}, loc_of(like), type_of(like));
  }
  /// Gives a variable what each branch of a choice gives: what is behind one may be there on no other.
  void fill(const Expr& copy, const Expr& e) {
    if (const auto* choice = as<Conditional>(e)) {
      const Expr condition = read(choice->form.condition);
      const Body then = to_.collect([&] { fill(copy, choice->form.then); });
      const Body otherwise = to_.collect([&] { fill(copy, choice->form.otherwise); });
      return to_.emit(If{branch(condition, then), otherwise}, choice->loc);
    }
    Option<Expr> test;
    const bool is_place = as<Index>(e) || as<Field>(e) || as<Local>(e) || as<Global>(e) || as<Deref>(e);
    const Expr from = is_place ? element(e, test) : variable("value", e, Option<Expr>(read(e)));
    move_if(test, copy, from);
    if (test) keep_apart(loc_of(e));
  }
  /// Copies to a variable from a place, if what is tested holds.
  void move_if(const Option<Expr>& test, const Expr& copy, const Expr& from) {
    const Loc loc = loc_of(from);
    const auto address = [&](const Expr& of) {
      return Expr(to_.make(AddressOf{of}, loc, types_.pointer(type_of(copy), Space::Stack, false)));
    };
    const Stmt moved = statement(to_.context.name("__builtin_memcpy"),
                                 {address(copy), address(from), number(size_of(type_of(copy)), loc)}, loc);
    if (!test) return to_.emit_statement(moved);
    to_.emit(If{branch(*test, {to_.context.span<Stmt>({moved})}), {}}, loc);
  }
  /// A string that is not there is empty. The comparison may stand where it does not always run: nothing is copied.
  Expr difference(const Node<RuntimeCall>& n) {
    Expr sides[2] = {n->arguments[0], n->arguments[1]};
    Option<Expr> tests[2];
    for (int i = 0; i < 2; ++i)
      if (const auto* address = as<AddressOf>(sides[i]))
        sides[i] = to_.make(AddressOf{element(address->form.place, tests[i])}, address->loc, address->type);
    const Expr empty = to_.make(StringValue{to_.context.name("")}, n.loc, types_.str(1));
    const auto compared = [&](const Expr& left, const Expr& right, const Expr& size) {
      return to_.make(RuntimeCall{n->function, to_.context.span<Expr>({left, right, size})}, n.loc, n.type);
    };
    const auto chosen = [&](const Option<Expr>& test, const Expr& there, const Expr& absent) {
      return test ? Expr(to_.make(Conditional{*test, there, absent}, n.loc, n.type)) : there;
    };
    const Expr one = number(1, n.loc), both = compared(sides[0], sides[1], n->arguments[2]);
    const Expr none = to_.make(Int{{0}, {}}, n.loc, n.type);
    return chosen(tests[0], chosen(tests[1], both, compared(sides[0], empty, one)),
                  chosen(tests[1], compared(empty, sides[1], one), none));
  }

  Out& to_;
  Types& types_;
  const CounterRanges ranges_;  // none: a loop may become a function, to which its counter is just a number
  IndexGuard<lang::ElementAddressesGuarded> guard_;
};

}  // namespace

Ir<lang::ElementAddressesGuarded> guard_element_addresses(const Ir<lang::PacketElementsPointed>& in, Context& context) {
  const bool unlinks = adds_large_constants(in.declarations);
  const auto operands = [&](const auto& n, Out& to) {
    AddressGuard guard(to, unlinks);
    to.emit_mapped(n, [&](const Expr& e) { return guard.read(e); });
  };
  return rewrite<lang::PacketElementsPointed, lang::ElementAddressesGuarded>(
      in, context, on<Let>(operands), on<Return>(operands), on<If>(operands), on<Switch>(operands),
      on<Assign>(operands), on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        const auto* call = as<RuntimeCall>(n->value);
        const bool moves =
            call && (call->form.function == "__builtin_memcpy" || call->form.function == "__builtin_memset");
        if (!moves) return operands(n, to);
        AddressGuard(to, unlinks).move(*call, n.loc);
      }),
      on<AtomicUpdate>([&](const Node<AtomicUpdate>& n, Out& to) { AddressGuard(to, unlinks).update(n); }),
      on<MapStore>([&](const Node<MapStore>& n, Out& to) {
        AddressGuard guard(to, unlinks);
        const Expr key = guard.given(n->key);
        to.emit(MapStore{n->map, key, guard.given(n->value)}, n.loc);
      }),
      on<MapDelete>([&](const Node<MapDelete>& n, Out& to) {
        to.emit(MapDelete{n->map, AddressGuard(to, unlinks).given(n->key)}, n.loc);
      }),
      on<Print>([&](const Node<Print>& n, Out& to) {
        AddressGuard guard(to, unlinks);
        std::vector<Expr> arguments;
        for (const Expr& argument : n->arguments) arguments.push_back(guard.given(argument));
        to.emit(Print{n->format, to.context.span(arguments)}, n.loc);
      }));
}

}  // namespace ksc

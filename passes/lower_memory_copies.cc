// SPDX-License-Identifier: Apache-2.0
/// memory_copy(p, &a, n)   =>   try { for (i in 0..min(n, sizeof(a))) { a[i] = p[i] } } catch bounds {}
#include <algorithm>

#include "ir/copied_bytes.h"
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::CopiesLooped>;

bool is_byte(Type type) { return is_integral(type) && !is(type, TypeKind::Bool) && width_of(type) == 8; }

/// Whether looking where a pointer leads gives the same in each turn, and does nothing else.
bool is_settled(const Expr& pointer) {
  if (as<Local>(pointer)) return true;
  const auto* address = as<AddressOf>(pointer);
  if (!address) return false;
  const Expr root = root_of(address->form.place);
  const auto* behind = as<Deref>(root);
  return as<Local>(root) || as<Global>(root) || (behind && as<Local>(behind->form.pointer));
}

class CopyLowering {
 public:
  CopyLowering(Loc loc, Out& to) : to_(to), t_(to.context.types), loc_(loc) {}

  void emit(const CopyBytes& n) {
    Expr source = settled(to_(n.source), "source"), destination = settled(to_(n.destination), "destination");
    const Expr size = to_(n.size);
    // Of what `new` has given in eBPF the verifier follows no position that varies.
    if (points_into(type_of(source), Space::Object)) source = address(named(value_at(source), "values"));
    if (!points_into(type_of(destination), Space::Object)) return copy(source, destination, size);
    const Expr values = named(value_at(destination), "values");
    copy(source, address(values), size);
    to_.emit(Assign{value_at(destination), values}, loc_);
  }

 private:
  void copy(const Expr& source, const Expr& destination, const Expr& size) {
    const Expr end = last(size, std::min(most_bytes(type_of(source)), most_bytes(type_of(destination))));
    const Name position = to_.fresh("position");
    const Expr at = to_.make(Local{position}, loc_, t_.u64());
    const Body turn = to_.collect([&] {
      const Expr into = byte(destination, at);
      const Expr given = byte(source, at);
      to_.emit(
          Assign{into, type_of(given) == type_of(into) ? given : Expr(to_.make(Convert{given}, loc_, type_of(into)))},
          loc_);
    });
    const auto copy = [&] { to_.emit(For{{position, loc_}, number(0), end, false, turn}, loc_); };
    if (!points_into(type_of(source), Space::Packet) && !points_into(type_of(destination), Space::Packet))
      return copy();
    CatchClause at_the_end{};
    at_the_end.bounds = true;
    to_.emit(Try{to_.collect(copy), to_.context.span<CatchClause>({at_the_end})}, loc_);
  }
  Expr value_at(const Expr& pointer) { return to_.make(Deref{pointer}, loc_of(pointer), type_of(pointer)->element); }
  Expr address(const Expr& place) {
    return to_.make(AddressOf{place}, loc_of(place), t_.pointer(type_of(place), Space::Stack, false));
  }
  Expr number(uint64_t value) { return to_.make(Int{{static_cast<__int128>(value)}, {}}, loc_, t_.u64()); }
  Expr named(const Expr& value, std::string_view hint) {
    const Name name = to_.fresh(hint);
    to_.emit(Let{name, type_of(value), value}, loc_of(value));
    return to_.make(Local{name}, loc_of(value), type_of(value));
  }
  Expr settled(const Expr& pointer, std::string_view hint) {
    return is_settled(pointer) ? pointer : named(pointer, hint);
  }
  /// Behind which byte the copy ends.
  Expr last(const Expr& size, uint64_t most) {
    if (const auto* known = as<Int>(size))
      return static_cast<uint64_t>(known->form.value.value) <= most ? size : number(most);
    const Expr wanted = named(size, "size");
    const Expr fits = to_.make(Compare{CompareOp::Less, wanted, number(most)}, loc_, t_.boolean());
    return to_.make(Conditional{fits, wanted, number(most)}, loc_, t_.u64());
  }
  /// The byte at a position behind where the pointer leads.
  Expr byte(const Expr& pointer, const Expr& position) {
    const Loc loc = loc_of(pointer);
    Type type = type_of(pointer);
    if (ends_at_run_time(type)) {
      const Expr bytes = type->element == t_.u8() ? pointer : converted(pointer, t_.u8());
      const Expr count = to_.make(Convert{position}, loc, t_.i64());
      return to_.make(Deref{to_.make(PointerAdd{bytes, count}, loc, type_of(bytes))}, loc, t_.u8());
    }
    Type whole = type->element;
    if (is(whole, TypeKind::Array) && is_byte(whole->element)) {
      const auto* address = as<AddressOf>(pointer);
      const Expr bytes = address ? address->form.place : Expr(to_.make(Deref{pointer}, loc, whole));
      return to_.make(Index{bytes, position}, loc, whole->element);
    }
    Type bytes = t_.array(t_.u8(), size_of(whole));
    return to_.make(Index{to_.make(Deref{converted(pointer, bytes)}, loc, bytes), position}, loc, t_.u8());
  }
  Expr converted(const Expr& pointer, Type element) {
    return to_.make(Convert{pointer}, loc_of(pointer),
                    t_.pointer(element, type_of(pointer)->space, type_of(pointer)->nullable));
  }

  Out& to_;
  Types& t_;
  const Loc loc_;
};

}  // namespace

Ir<lang::CopiesLooped> lower_memory_copies(const Ir<lang::PointersSplit>& in, Context& context) {
  return rewrite<lang::PointersSplit, lang::CopiesLooped>(
      in, context, on<CopyBytes>([](const Node<CopyBytes>& n, Out& to) { CopyLowering(n.loc, to).emit(n.form); }));
}

}  // namespace ksc

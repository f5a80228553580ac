// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <vector>

#include "ir/places.h"
#include "ir/rewrite.h"

namespace ksc {

/// Completes the kernel's `struct bpf_dynptr`, of which programs see nothing but its size.
inline Type dynptr_type(Context& c) {
  Type type = c.types.structure(c.name("bpf_dynptr"));
  if (type->body->complete) return type;
  StructField opaque;
  opaque.name = c.name("__opaque");
  opaque.type = c.types.array(c.types.u64(), 2);
  c.types.complete_struct(type, {opaque}, "linux/bpf.h");
  return type;
}

/// Whether something in the expression is read behind a pointer into that memory.
inline bool reads_behind(const Expr& e, Space space) {
  if (!header(e).contains.has(Kind::Deref)) return false;
  const auto* deref = as<Deref>(e);
  bool found = deref && points_into(type_of(deref->form.pointer), space);
  each_child_of(
      e, [&](const Expr& child) { found = found || reads_behind(child, space); }, [](const Stmt&) {});
  return found;
}

/// Reads and writes of memory behind a dynptr: pointers into it are numbers, how far they lead behind its begin, and
/// each access is a call of the kernel's helpers.
template <class Out>
class DynptrAccesses {
 public:
  /// A pointer into the memory: which variable is the dynptr, and how far behind its begin.
  struct Position {
    Name dynptr;
    Expr offset;  // u64
  };

 protected:
  /// `space`: of the pointers that are meant.
  DynptrAccesses(Out& to, Space space)
      : to_(to), c_(to.context), t_(c_.types), dynptr_(dynptr_type(c_)), space_(space) {}
  ~DynptrAccesses() = default;

  virtual Position position(const Expr& pointer) = 0;
  /// The offset as the helpers take it, who look at 32 bits.
  virtual Expr reach(const Expr& offset) { return offset; }

  /// A place in the memory, and what must hold for an element of it to be there.
  struct MemoryPlace {
    Position at;
    std::vector<Expr> in_range{};
  };

  bool is_in_memory(const Expr& e) const {
    const auto* deref = as<Deref>(root_of(e));
    return deref && points_into(type_of(deref->form.pointer), space_);
  }
  /// What stands at the place, zero where that is not wholly there.
  Expr read(const Expr& e) { return read(place(e), type_of(e), loc_of(e)); }
  Expr read(const MemoryPlace& from, Type type, Loc loc) {
    const Expr value = variable(type, loc);
    where_in_range(from, loc, [&] { call_read(from.at, value, loc); });
    return value;
  }
  /// A new one, of zeros.
  Expr variable(Type type, Loc loc) {
    const Name name = to_.fresh("value");
    to_.emit(Let{name, type, {}}, loc);
    return to_.make(Local{name}, loc, type);
  }
  void write(const Expr& to, const Expr& given, Loc loc) {
    const MemoryPlace into = place(to);
    const Name name = to_.fresh("value");
    to_.emit(Let{name, type_of(to), given}, loc);
    write(into, to_.make(Local{name}, loc, type_of(to)), loc);
  }
  void write(const MemoryPlace& into, const Expr& variable, Loc loc) {
    where_in_range(into, loc, [&] { call_write(into.at, variable, loc); });
  }

  Expr number(uint64_t value, Loc loc) { return to_.make(Int{{value}, {}}, loc, t_.u64()); }
  Expr dynptr(Name name, Loc loc) { return address(to_.make(Local{name}, loc, dynptr_)); }
  Expr address(const Expr& place) {
    return to_.make(AddressOf{place}, loc_of(place), t_.pointer(type_of(place), Space::Stack, false));
  }
  Expr sum(const Expr& left, const Expr& right) {
    const auto* first = as<Int>(left);
    const auto* second = as<Int>(right);
    if (first && second)
      return number(static_cast<uint64_t>(first->form.value.value) + static_cast<uint64_t>(second->form.value.value),
                    loc_of(left));
    if (first && first->form.value.value == 0) return right;
    if (second && second->form.value.value == 0) return left;
    return to_.make(Binary{BinaryOp::Add, left, right}, loc_of(left), t_.u64());
  }
  Expr scaled(const Expr& count, uint64_t size, Loc loc) {
    if (const auto* known = as<Int>(count)) return number(static_cast<uint64_t>(known->form.value.value) * size, loc);
    const Expr wide = type_of(count) == t_.u64() ? count : Expr(to_.make(Convert{count}, loc, t_.u64()));
    return size == 1 ? wide : Expr(to_.make(Binary{BinaryOp::Multiply, wide, number(size, loc)}, loc, t_.u64()));
  }
  void call(std::string_view helper, std::vector<Expr> arguments, Loc loc) {
    to_.emit(Evaluate{to_.make(HelperCall{c_.name(helper), c_.span(arguments)}, loc, t_.i64())}, loc);
  }
  void call_read(const Position& from, const Expr& value, Loc loc) {
    call("bpf_dynptr_read",
         {address(value), number(size_of(type_of(value)), loc), dynptr(from.dynptr, loc), reach(from.offset),
          number(0, loc)},
         loc);
  }
  void call_write(const Position& to, const Expr& value, Loc loc) {
    call("bpf_dynptr_write",
         {dynptr(to.dynptr, loc), reach(to.offset), address(value), number(size_of(type_of(value)), loc),
          number(0, loc)},
         loc);
  }
  MemoryPlace place(const Expr& e) {
    const Loc loc = loc_of(e);
    if (const auto* deref = as<Deref>(e)) return {position(deref->form.pointer)};
    if (const auto* field = as<Field>(e)) {
      MemoryPlace of = place(field->form.base);
      of.at.offset = sum(of.at.offset, number(find_field(type_of(field->form.base), field->form.name)->offset, loc));
      return of;
    }
    const auto* element = as<Index>(e);
    MemoryPlace of = place(element->form.base);
    Expr index = to_(element->form.index);
    const auto* known = as<Int>(index);
    const auto elements = static_cast<__int128>(type_of(element->form.base)->count);
    if (known && (known->form.value.value < 0 || known->form.value.value >= elements))
      of.in_range.push_back(to_.make(Int{{0}, {}}, loc, t_.boolean()));  // there is no such element
    if (!known) {
      // What is tested must be what is chosen, also where it is a global that others write.
      if (!as<Local>(index)) {
        const Name name = to_.fresh("index");
        to_.emit(Let{name, type_of(index), index}, loc);
        index = to_.make(Local{name}, loc, type_of(index));
      }
      const Expr count = number(type_of(element->form.base)->count, loc);
      of.in_range.push_back(to_.make(Compare{CompareOp::Less, index, count}, loc, t_.boolean()));
    }
    of.at.offset = sum(of.at.offset, scaled(index, size_of(type_of(e)), loc));
    return of;
  }
  template <class Emit>
  void where_in_range(const MemoryPlace& place, Loc loc, Emit emit) {
    if (place.in_range.empty()) return emit();
    if (std::any_of(place.in_range.begin(), place.in_range.end(), [](const Expr& e) { return as<Int>(e); })) return;
    Expr all = place.in_range[0];
    for (size_t i = 1; i < place.in_range.size(); ++i) all = to_.make(And{all, place.in_range[i]}, loc, t_.boolean());
    to_.emit(If{c_.span<Branch>({{all, to_.collect([&] { emit(); })}}), {}}, loc);
  }

  Out& to_;
  Context& c_;
  Types& t_;
  Type dynptr_;
  Space space_;
};

}  // namespace ksc

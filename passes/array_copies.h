// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "ir/rewrite.h"

namespace ksc {

/// Values that C neither assigns nor returns.
inline bool is_array_in_c(Type type) { return is(type, TypeKind::Array) || is(type, TypeKind::Str); }

/// Whether a function of that domain cannot be given such a value, nor give it, but by its address: C passes no arrays,
/// and eBPF has only registers for what is passed.
inline bool goes_by_address(Type type, Domain domain) {
  return is_array_in_c(type) || (is(type, TypeKind::Struct) && domain == Domain::Shared);
}

/// Whether C initialises an array with the value.
inline bool initialises_array(const Expr& e) {
  const Kind kind = kind_of(e);
  return kind == Kind::ArrayValue || kind == Kind::StringValue || kind == Kind::Zero;
}

/// Whether a value is one of two, or a part of one that is.
inline bool is_choice_of_parts(const Expr& e) {
  if (const auto* field = as<Field>(e)) return is_choice_of_parts(field->form.base);
  if (const auto* index = as<Index>(e)) return is_choice_of_parts(index->form.base);
  return as<Conditional>(e) != nullptr;
}

/// (c ? a : b).f   =>   c ? a.f : b.f, and so for elements: what is chosen has an address, a choice has none.
template <Lang Out>
Expr choice_of_parts(const Expr& e, To<Out>& to) {
  const auto* field = as<Field>(e);
  const auto* index = as<Index>(e);
  if (!(field || index) || !is_choice_of_parts(e)) return e;
  const Expr base = choice_of_parts(field ? field->form.base : index->form.base, to);
  const auto part = [&](Expr of) -> Expr {
    if (as<Zero>(of)) {
      // An index out of range ends userspace there also where the array is not [L54]; a string has zeros behind its
      // end.
      const auto* number = index ? as<Int>(index->form.index) : nullptr;
      const bool is_there = number && number->form.value.value >= 0 &&
                            number->form.value.value < static_cast<__int128>(type_of(of)->count);
      const bool may_end = index && is(type_of(of), TypeKind::Array) && !is_there && to.function() &&
                           to.function()->domain == Domain::User;
      if (!may_end) return to.make(Zero{}, loc_of(e), type_of(e));
      const Name zeros = to.fresh("zeros");
      to.emit(Let{zeros, type_of(of), of}, loc_of(e));
      of = to.make(Local{zeros}, loc_of(e), type_of(of));
    }
    if (field) return choice_of_parts<Out>(to.make(Field{of, field->form.name}, loc_of(e), type_of(e)), to);
    return choice_of_parts<Out>(to.make(Index{of, index->form.index}, loc_of(e), type_of(e)), to);
  };
  const auto* choice = as<Conditional>(base);
  const Expr then = part(choice->form.then), otherwise = part(choice->form.otherwise);
  return to.make(Conditional{choice->form.condition, then, otherwise}, loc_of(e), type_of(e));
}

/// memset(&place, 0, size)
template <Lang Out>
void emit_zero(const Expr& place, Loc loc, To<Out>& to) {
  Types& types = to.context.types;
  const auto number = [&](uint64_t value) {
    return to.make(Int{{static_cast<__int128>(value)}, {}}, loc, types.u64());
  };
  const Expr at = to.make(AddressOf{place}, loc, types.pointer(type_of(place), Space::Stack, false));
  to.emit(
      Evaluate{to.make(RuntimeCall{to.context.name("__builtin_memset"),
                                   to.context.template span<Expr>({at, number(0), number(size_of(type_of(place)))})},
                       loc, types.void_type())},
      loc);
}

/// memcpy(&place, &source, size) for arrays and strings; a string of another size is cut off, or followed by zeros, as
/// it always is [L21]. Of a choice, what is chosen is copied. `most`: the bytes that are left of it.
template <Lang Out>
void emit_array_copy(const Expr& place, const Expr& source, Loc loc, To<Out>& to, uint64_t most = UINT64_MAX) {
  Types& types = to.context.types;
  Expr from = choice_of_parts(source, to);
  while (const auto* converted = as<Convert>(from)) {  // str(M) as str(N)
    most = std::min(most, size_of(converted->type));
    from = choice_of_parts(converted->form.value, to);
  }
  if (const auto* choice = as<Conditional>(from)) {
    const Body then = to.collect([&] { emit_array_copy(place, choice->form.then, loc, to, most); });
    const Body otherwise = to.collect([&] { emit_array_copy(place, choice->form.otherwise, loc, to, most); });
    return to.emit(If{to.context.template span<Branch>({{choice->form.condition, then}}), otherwise}, loc);
  }
  if (as<Zero>(from)) return emit_zero(place, loc, to);
  if (initialises_array(from)) {
    const Name name = to.fresh(is(type_of(from), TypeKind::Str) ? "text" : "values");
    to.emit(Let{name, type_of(from), from}, loc);
    from = to.make(Local{name}, loc, type_of(from));
  }
  const uint64_t size = std::min({size_of(type_of(place)), size_of(type_of(from)), most});
  const auto address = [&](const Expr& e) {
    return to.make(AddressOf{e}, loc, types.pointer(type_of(e), Space::Stack, false));
  };
  const auto number = [&](uint64_t value) {
    return to.make(Int{{static_cast<__int128>(value)}, {}}, loc, types.u64());
  };
  const auto call = [&](std::string_view function, const Expr& at, const Expr& what, uint64_t bytes) {
    to.emit(Evaluate{to.make(RuntimeCall{to.context.name(function),
                                         to.context.template span<Expr>({address(at), what, number(bytes)})},
                             loc, types.void_type())},
            loc);
  };
  call("__builtin_memcpy", place, address(from), size);
  Type type = type_of(place);
  if (!is(type, TypeKind::Str)) return;
  if (size_of(type_of(from)) > size) {
    const Expr last = to.make(Index{place, number(size - 1)}, loc, types.character());
    to.emit(Assign{last, to.make(Int{{0}, {}}, loc, types.character())}, loc);
  }
  if (size < type->count) {
    const Expr rest = to.make(Index{place, number(size)}, loc, types.character());
    call("__builtin_memset", rest, number(0), type->count - size);
  }
}

/// place = value, whatever the type; for passes behind lower_array_copies.
template <Lang Out>
void emit_assignment(const Expr& place, const Expr& value, Loc loc, To<Out>& to) {
  if (is_array_in_c(type_of(place))) return emit_array_copy(place, value, loc, to);
  to.emit(Assign{place, value}, loc);
}

/// var name = value, whatever the type; for passes behind lower_array_copies.
template <Lang Out>
void emit_declaration(Name name, const Expr& value, Loc loc, To<Out>& to) {
  Type type = type_of(value);
  if (!is_array_in_c(type) || initialises_array(value)) return to.emit(Let{name, type, value}, loc);
  to.emit(Let{name, type, {}}, loc);
  emit_array_copy(to.make(Local{name}, loc, type), value, loc, to);
}

/// place = value, member by member and element by element, each given through `converted`; the place holds zeros so
/// far.
template <Lang Out, class Converted>
void emit_parts(const Expr& place, const Expr& value, To<Out>& to, const Converted& converted) {
  const Loc loc = loc_of(value);
  if (const auto* structure = as<StructValue>(value)) {
    for (const FieldValue& v : structure->form.values)
      emit_parts(to.make(Field{place, v.name}, loc, find_field(structure->type, v.name)->type), v.value, to, converted);
  } else if (const auto* array = as<ArrayValue>(value)) {
    __int128 position = 0;
    for (const Expr& v : array->form.values) {
      const Expr at = to.make(Int{{position++}, {}}, loc, to.context.types.u64());
      emit_parts(to.make(Index{place, at}, loc, type_of(v)), v, to, converted);
    }
  } else if (const auto* number = as<Int>(value)) {
    if (number->form.value.value != 0) to.emit(Assign{place, value}, loc);
  } else if (!as<Zero>(value)) {
    emit_assignment(place, converted(value), loc, to);
  }
}

/// Where an array or a string lies; what is a choice or a conversion lies nowhere, and gets a variable.
template <Lang Out>
Expr emit_place(const Expr& given, std::string_view hint, To<Out>& to) {
  const Expr value = choice_of_parts(given, to);
  if (!as<Conditional>(value) && !as<Convert>(value)) return value;
  const Name name = to.fresh(hint);
  emit_declaration(name, value, loc_of(value), to);
  return to.make(Local{name}, loc_of(value), type_of(value));
}

}  // namespace ksc

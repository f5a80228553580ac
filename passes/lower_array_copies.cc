// SPDX-License-Identifier: Apache-2.0
/// a = b of arrays or strings   =>   memcpy(&a, &b, size), since C does not assign arrays
/// (c ? a : b)[i]           =>   c ? a[i] : b[i], since what C chooses from are addresses, of a or b as a whole
/// f(c ? a : b) of arrays      =>   T given; the copy of what is chosen; f(given)
/// S { f: b } with such a b     =>   S value = S {}; memcpy(&value.f, &b, size); value
#include "ir/rewrite.h"
#include "passes/array_copies.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NoArrayCopy>;

/// Whether the value is one of two, or a part or a conversion of such a one.
bool is_converted_choice(const Expr& e) {
  const auto* converted = as<Convert>(e);
  return converted ? is_converted_choice(converted->form.value) : is_choice_of_parts(e);
}

/// Does the value hold an array or a string that C cannot write into an initialiser?
bool holds_array(const Expr& e) {
  const auto is_copy = [](const Expr& part) {
    return (is_array_in_c(type_of(part)) && !initialises_array(part)) || holds_array(part);
  };
  if (const auto* structure = as<StructValue>(e))
    return std::any_of(structure->form.values.begin(), structure->form.values.end(),
                       [&](const FieldValue& v) { return is_copy(v.value); });
  const auto* array = as<ArrayValue>(e);
  return array && std::any_of(array->form.values.begin(), array->form.values.end(), is_copy);
}

struct Copy {
  Expr place, source;
};

/// The value, which is to stand at `place`, with zero for what is copied into it afterwards: that is added to `copies`.
Expr leave_room(const Expr& e, const Expr& place, std::vector<Copy>& copies, Out& to) {
  const Loc loc = loc_of(e);
  if (const auto* structure = as<StructValue>(e)) {
    std::vector<FieldValue> values;
    for (const FieldValue& v : structure->form.values)
      values.push_back(
          {v.name, leave_room(v.value, to.make(Field{place, v.name}, loc, find_field(structure->type, v.name)->type),
                              copies, to)});
    return to.make(StructValue{to.context.span(values)}, loc, structure->type);
  }
  if (const auto* array = as<ArrayValue>(e)) {
    std::vector<Expr> values;
    for (const Expr& v : array->form.values) {
      const Expr position = to.make(Int{{static_cast<__int128>(values.size())}, {}}, loc, to.context.types.u64());
      values.push_back(leave_room(v, to.make(Index{place, position}, loc, type_of(v)), copies, to));
    }
    return to.make(ArrayValue{to.context.span(values)}, loc, array->type);
  }
  if (!is_array_in_c(type_of(e)) || initialises_array(e)) return to(e);
  copies.push_back({place, to(e)});
  return to.make(Zero{}, loc, type_of(place));
}

/// Declares a variable with a value that holds copies.
void emit_variable(Name name, Type type, const Expr& value, Loc loc, Out& to) {
  std::vector<Copy> copies;
  const Expr rest = leave_room(value, to.make(Local{name}, loc, type), copies, to);
  to.emit(Let{name, type, rest}, loc);
  for (const Copy& copy : copies) emit_array_copy(copy.place, copy.source, loc, to);
}

template <class F>
Expr in_variable(const Node<F>& n, Out& to) {
  const Expr value = Ref<F>{&n};
  if (!holds_array(value)) return to.rebuild(n);
  const Name name = to.fresh("value");
  emit_variable(name, n.type, value, n.loc, to);
  return to.make(Local{name}, n.loc, n.type);
}

}  // namespace

Ir<lang::NoArrayCopy> lower_array_copies(const Ir<lang::PaddingDropped>& in, Context& context) {
  return rewrite<lang::PaddingDropped, lang::NoArrayCopy>(
      in, context, on<Assign>([](const Node<Assign>& n, Out& to) {
        const Expr place = to(n->place), value = to(n->value);
        if (!is_array_in_c(type_of(place))) return to.emit(Assign{place, value}, n.loc);
        emit_array_copy(place, value, n.loc, to);
      }),
      on<Let>([](const Node<Let>& n, Out& to) {
        if (n->value && holds_array(*n->value)) return emit_variable(n->name, n->type, *n->value, n.loc, to);
        if (!is_array_in_c(n->type) || !n->value || initialises_array(*n->value))
          return to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
        const Expr value = to(*n->value);
        to.emit(Let{n->name, n->type, {}}, n.loc);
        emit_array_copy(to.make(Local{n->name}, n.loc, n->type), value, n.loc, to);
      }),
      on<Call>([](const Node<Call>& n, Out& to) -> Expr {
        // Who gives an array gives its address; a choice of two has none.
        std::vector<Expr> arguments;
        for (const Expr& argument : to(n->arguments))
          arguments.push_back(is_array_in_c(type_of(argument)) && is_converted_choice(argument)
                                  ? emit_place(argument, "given", to)
                                  : argument);
        return to.make(Call{n->function, to.context.span(arguments)}, n.loc, n.type);
      }),
      on<Field>([](const Node<Field>& n, Out& to) { return choice_of_parts<lang::NoArrayCopy>(to.rebuild(n), to); }),
      on<Index>([](const Node<Index>& n, Out& to) { return choice_of_parts<lang::NoArrayCopy>(to.rebuild(n), to); }),
      on<StructValue>([](const Node<StructValue>& n, Out& to) { return in_variable(n, to); }),
      on<ArrayValue>([](const Node<ArrayValue>& n, Out& to) { return in_variable(n, to); }));
}

}  // namespace ksc

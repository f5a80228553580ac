// SPDX-License-Identifier: Apache-2.0
/// fn f(s: str(8)) A … f("x")   =>   fn f(s_given: *char) { var s = what s_given points to; A } … var s = "x"; f(&s)
/// fn f(s: S) A … f(v)          =>   fn f(s_given: *S) { var s = *s_given; A } … f(&v), in eBPF
#include "ir/places.h"
#include "passes/array_copies.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ArgumentsCopied>;

/// What the address is: of the first element, or of the struct.
Type passed_pointer(Type type, Types& types) {
  Type element = is(type, TypeKind::Str) ? types.character() : is(type, TypeKind::Array) ? type->element : type;
  return types.pointer(element, Space::ReadOnly, false);
}

Expr address_of(const Expr& place, Out& to) {
  return to.make(AddressOf{place}, loc_of(place), to.context.types.pointer(type_of(place), Space::Stack, false));
}

void copy(const Expr& place, const Expr& from, uint64_t size, Out& to) {
  Types& types = to.context.types;
  const Loc loc = loc_of(from);
  const Expr bytes = to.make(Int{{static_cast<__int128>(size)}, {}}, loc, types.u64());
  to.emit(Evaluate{to.make(RuntimeCall{to.context.name("__builtin_memcpy"),
                                       to.context.span<Expr>({address_of(place, to), from, bytes})},
                           loc, types.void_type())},
          loc);
}

bool lies_in_memory(const Expr& e) {
  const Expr root = root_of(e);
  return as<Local>(root) || as<Global>(root) || as<Deref>(root);
}

/// The place of a value; what has none gets one.
Expr place_of(const Expr& value, Out& to) {
  Type type = type_of(value);
  const Loc loc = loc_of(value);
  const auto* converted = as<Convert>(value);
  if (lies_in_memory(value)) return value;
  const Name name = to.fresh(is(type, TypeKind::Str) ? "text" : is(type, TypeKind::Array) ? "values" : "value");
  const Expr place = to.make(Local{name}, loc, type);
  to.emit(Let{name, type, converted ? Option<Expr>() : Option<Expr>(value)}, loc);
  if (!converted) return place;
  // A string of another size: cut off, or followed by zeros, as it always is [L21].
  const Expr from = place_of(converted->form.value, to);
  const uint64_t size = std::min(size_of(type), size_of(type_of(from)));
  copy(place, address_of(from, to), size, to);
  Types& types = to.context.types;
  if (size < size_of(type_of(from)))
    to.emit(Assign{to.make(Index{place, to.make(Int{{static_cast<__int128>(size - 1)}, {}}, loc, types.u64())}, loc,
                           types.character()),
                   to.make(Int{{0}, {}}, loc, types.character())},
            loc);
  return place;
}

Expr address(const Expr& value, Out& to) {
  const Expr place = place_of(value, to);
  Type pointer = passed_pointer(type_of(value), to.context.types);
  if (is(type_of(value), TypeKind::Struct)) return to.make(AddressOf{place}, loc_of(value), pointer);
  return to.make(Convert{address_of(place, to)}, loc_of(value), pointer);
}

/// Declares the parameter as a variable: a copy of what is behind the address that the function is given.
void take_copy(const Parameter& p, const Parameter& given, Loc loc, Out& to) {
  const Expr from = to.make(Local{given.name}, loc, given.type);
  if (is(p.type, TypeKind::Struct)) return to.emit(Let{p.name, p.type, Expr(to.make(Deref{from}, loc, p.type))}, loc);
  to.emit(Let{p.name, p.type, {}}, loc);
  copy(to.make(Local{p.name}, loc, p.type), from, size_of(p.type), to);
}

}  // namespace

// To C an array as a parameter is a pointer to the caller's, and eBPF has room for five numbers; KernelScript passes
// values.
Ir<lang::ArgumentsCopied> copy_aggregate_arguments(const Ir<lang::NoArrayCopy>& in, Context& context) {
  std::map<Name, Domain, ByText> domains;
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d)) domains[function->form.name] = function->form.domain;
  return rewrite<lang::NoArrayCopy, lang::ArgumentsCopied>(
      in, context, on<FunctionDef>([](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        std::vector<Parameter> parameters(form.parameters.begin(), form.parameters.end());
        form.body = to.collect([&] {
          for (Parameter& p : parameters) {
            if (!goes_by_address(p.type, form.domain)) continue;
            const Parameter given{to.fresh(std::string(p.name.spelling()) + "_given"),
                                  passed_pointer(p.type, to.context.types)};
            take_copy(p, given, n.loc, to);
            p = given;
          }
          to.emit(to(n->body));
        });
        form.parameters = to.context.span(parameters);
        to.declare(form, n.loc);
      }),
      on<Call>([&](const Node<Call>& n, Out& to) -> Expr {
        std::vector<Expr> arguments;
        for (const Expr& argument : n->arguments) {
          const Expr value = to(argument);
          arguments.push_back(goes_by_address(type_of(value), domains.at(n->function)) ? address(value, to) : value);
        }
        return to.make(Call{n->function, to.context.span(arguments)}, n.loc, n.type);
      }));
}

}  // namespace ksc

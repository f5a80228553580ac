// SPDX-License-Identifier: Apache-2.0
/// fn f(s: str(8)) A … f("x")   =>   fn f(s_given: *char) { var s = what s_given points to; A } … var s = "x"; f(&s)
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ArgumentsCopied>;

bool is_copied(Type type) { return is(type, TypeKind::Str) || is(type, TypeKind::Array); }

Type element_pointer(Type type, Types& types) {
  return types.pointer(is(type, TypeKind::Str) ? types.character() : type->element, Space::Stack, false);
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

/// The place of a value; what has none gets one.
Expr place_of(const Expr& value, Out& to) {
  Type type = type_of(value);
  const Loc loc = loc_of(value);
  const auto* converted = as<Convert>(value);
  if (!converted && !as<StringValue>(value) && !as<ArrayValue>(value) && !as<Zero>(value)) return value;
  const Name name = to.fresh(is(type, TypeKind::Str) ? "text" : "values");
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

/// The address of the first element.
Expr address(const Expr& value, Out& to) {
  return to.make(Convert{address_of(place_of(value, to), to)}, loc_of(value),
                 element_pointer(type_of(value), to.context.types));
}

}  // namespace

// To C an array as a parameter is a pointer to the caller's; KernelScript passes values.
Ir<lang::ArgumentsCopied> copy_array_arguments(const Ir<lang::User>& in, Context& context) {
  return rewrite<lang::User, lang::ArgumentsCopied>(
      in, context, on<FunctionDef>([](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        if (form.domain != Domain::User) return to.declare(form, n.loc);
        Types& types = to.context.types;
        std::vector<Parameter> parameters(form.parameters.begin(), form.parameters.end());
        form.body = to.collect([&] {
          for (Parameter& p : parameters) {
            if (!is_copied(p.type)) continue;
            const Parameter given{to.fresh(std::string(p.name.spelling()) + "_given"), element_pointer(p.type, types)};
            to.emit(Let{p.name, p.type, {}}, n.loc);
            copy(to.make(Local{p.name}, n.loc, p.type), to.make(Local{given.name}, n.loc, given.type), size_of(p.type),
                 to);
            p = given;
          }
          to.emit(to(n->body));
        });
        form.parameters = to.context.span(parameters);
        to.declare(form, n.loc);
      }),
      on<Call>([](const Node<Call>& n, Out& to) -> Expr {
        std::vector<Expr> arguments;
        for (const Expr& argument : n->arguments) {
          const Expr value = to(argument);
          arguments.push_back(is_copied(type_of(value)) ? address(value, to) : value);
        }
        return to.make(Call{n->function, to.context.span(arguments)}, n.loc, n.type);
      }));
}

}  // namespace ksc

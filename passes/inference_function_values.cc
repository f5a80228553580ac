// SPDX-License-Identifier: Apache-2.0
// Functions as values [L64]: their types, what is one, and calls of them.
#include <fmt/format.h>

#include "passes/inference.h"

namespace ksc {
namespace {

/// Whether parameters and results of function values are of such a type: nothing of it is a pointer into some memory.
bool is_passed_in_values(Type type) {
  return !is(type, TypeKind::Pointer) && !is(type, TypeKind::Maybe) && !is(type, TypeKind::Handle);
}

}  // namespace

/// The names of parameters and of the result say nothing [L182].
Type Inference::function_type(const Node<FunctionType>& n) {
  bool is_whole = true;
  const auto passed = [&](const TypeExpr& type, std::string_view what) {
    Type found = resolve(type);
    if (is(found, TypeKind::Maybe) || is(found, TypeKind::Handle) || is(found, TypeKind::Pointer))
      found = type_of(unsupported(loc_of(type), fmt::format("`{}` as {} of a function type", spell(found), what)));
    is_whole = is_whole && !is(found, TypeKind::Invalid);
    return found;
  };
  std::vector<Type> parameters;
  for (const TypeExpr& p : n->parameters) {
    parameters.push_back(passed(p, "a parameter"));
    if (!is(parameters.back(), TypeKind::Void)) continue;
    c.diagnostics.report(loc_of(p), diag::void_value);
    is_whole = false;
  }
  Type result = n->result ? passed(*n->result, "the result") : t.void_type();
  return is_whole ? t.function_value(t.function(parameters, result, false)) : t.invalid();
}

/// A function that is called nowhere here: it is called where the value gets to [L64].
Expr Inference::function_value(Name name, Expected expected, Loc loc) {
  if (is_function_value(expected))
    for (const Name other : overloads(name)) {
      Entity& same = *find_entity(other);
      complete(same);
      if (is(same.type, TypeKind::Function) && t.function_value(same.type) == expected) name = other;
    }
  const Entity& entity = *find_entity(name);
  const bool in_kernel = entity.domain == Domain::Shared;
  if (!in_kernel && entity.domain != Domain::User) return unsupported(loc, "this function as a value");
  if (name == "main") return unsupported(loc, "`main` as a value");
  if (!at_file_level_ && in_kernel != in_ebpf()) return refuse_side(entity, name, loc);
  Type signature = entity.type;
  bool fits = is_passed_in_values(signature->element);
  for (Type parameter : signature->parameters) fits = fits && is_passed_in_values(parameter);
  if (is(signature->element, TypeKind::Invalid)) return invalid(loc);
  if (!fits) return unsupported(loc, fmt::format("a function of type `{}` as a value", spell(signature)));
  return c.make(FunctionValue{name}, loc, t.function_value(signature));
}

Expr Inference::call_indirectly(const Expr& function, Span<Expr> arguments, Loc loc) {
  if (at_file_level_) return report_not_constant(loc), invalid(loc);
  Type signature = type_of(function)->body->signature;
  const std::optional<std::vector<Expr>> values = passed(spell(signature), *signature, arguments, loc);
  if (!values) return invalid(loc);
  return c.make(IndirectCall{function, c.span(*values)}, loc, signature->element);
}

}  // namespace ksc

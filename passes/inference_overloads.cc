// SPDX-License-Identifier: Apache-2.0
// Which function a name stands for where several have it: overloads and methods [L172].
#include <fmt/format.h>

#include "passes/inference.h"
#include "passes/library_files.h"

namespace ksc {
namespace {

/// Whether a parameter of type `wanted` is just what the value is: pointers to one type are, wherever they point.
bool is_of_type(Type wanted, Type value) {
  if (is(value, TypeKind::Maybe)) value = value->element;
  if (!is(wanted, TypeKind::Pointer)) return wanted == (is(value, TypeKind::EntryRef) ? value->element : value);
  const bool points = is(value, TypeKind::Pointer) || is(value, TypeKind::EntryRef);
  return wanted->element == (points ? value->element : value);
}

/// Whether a function may be called as one of a value's, from its own file or from others.
bool is_method(const Entity& entity, bool is_own) {
  const auto* declaration = as<FunctionDecl>(entity.declaration);
  const bool is_seen = is_own || (declaration && declaration->form.visibility != Visibility::Private);
  return entity.kind == Entity::Kind::Function && !entity.program_type && is_seen;
}

}  // namespace

const std::vector<Name>& Inference::overloads(Name function) {
  return functions_[function_key(function, loc_of(find_entity(function)->declaration))];
}

Name Inference::chosen_overload(const std::vector<Name>& functions, const Expr& value) {
  Name found;
  for (const Name function : functions) {
    Entity& entity = *find_entity(function);
    complete(entity);
    if (!is(entity.type, TypeKind::Function) || entity.type->parameters.empty()) continue;
    Type first = entity.type->parameters[0];
    if (is_of_type(first, type_of(value))) return function;
    if (!found && !is(first, TypeKind::Invalid) && converts(value, first)) found = function;
  }
  return found;
}

Expr Inference::report_no_overload(const std::vector<Name>& functions, const Expr& value, Loc loc) {
  Diagnostic& message = c.diagnostics.report(loc_of(value), diag::no_overload, std::string(functions[0].spelling()),
                                             spell(type_of(value)));
  for (const Name function : functions)
    if (Type type = find_entity(function)->type; is(type, TypeKind::Function) && !type->parameters.empty())
      message.note(as<FunctionDecl>(find_entity(function)->declaration)->form.name.loc,
                   fmt::format("this one takes `{}`", spell(type->parameters[0])));
  return invalid(loc);
}

Expr Inference::call_overloaded(const std::vector<Name>& functions, Span<Expr> arguments, Loc loc) {
  if (arguments.empty()) {
    // Nothing tells which of them is meant: that an argument is missing is so for each.
    Entity& entity = *find_entity(functions[0]);
    complete(entity);
    return call_function(entity, functions[0], arguments, loc);
  }
  const Receiver first{infer(arguments[0]), arguments[0]};
  const auto rest = c.span(std::vector<Expr>(arguments.begin() + 1, arguments.end()));
  if (const Name chosen = is_invalid(first.value) ? Name() : chosen_overload(functions, first.value))
    return call_function(*find_entity(chosen), chosen, rest, loc, &first);
  for (const Expr& argument : rest) infer(argument);
  return is_invalid(first.value) ? invalid(loc) : report_no_overload(functions, first.value, loc);
}

std::vector<uint32_t> Inference::files_with_methods(Type type, uint32_t own_file) {
  std::vector<uint32_t> files{own_file};
  if (is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef)) type = type->element;
  if (!(is(type, TypeKind::Struct) || is_enumeration(type))) return files;
  const Entity* declared = type->name ? find_entity(type->name) : nullptr;
  // What the kernel declares, and the view of a packet, have methods in each file of the library.
  std::vector<uint32_t> others = c.library_files;
  if (declared && !is_of_library(declared->declaration)) others = {c.locations[loc_of(declared->declaration)].file};
  std::copy_if(others.begin(), others.end(), std::back_inserter(files),
               [&](uint32_t file) { return file != own_file; });
  return files;
}

std::vector<Name> Inference::methods(const Ident& method, Type type, Loc loc) {
  const uint32_t own_file = c.locations[loc].file;
  std::vector<Name> found;
  for (const uint32_t file : files_with_methods(type, own_file)) {
    const auto all = functions_.find({file, method.name.spelling()});
    if (all == functions_.end()) continue;
    for (const Name function : all->second)
      if (is_method(*find_entity(function), file == own_file)) found.push_back(function);
  }
  return found;
}

std::vector<std::string_view> Inference::names_of_methods(Type type, bool as_members, Loc loc) {
  const uint32_t own_file = c.locations[loc].file;
  std::vector<std::string_view> names;
  for (const uint32_t file : files_with_methods(type, own_file))
    for (const auto& [key, functions] : functions_) {
      if (key.first != file) continue;
      const bool has = std::any_of(functions.begin(), functions.end(), [&](Name function) {
        Entity& entity = *find_entity(function);
        if (!is_method(entity, file == own_file) || (as_members && !is_of_library(entity.declaration))) return false;
        complete(entity);
        return is(entity.type, TypeKind::Function) && !entity.type->parameters.empty() &&
               is_of_type(entity.type->parameters[0], type);
      });
      if (has) names.push_back(key.second);
    }
  return names;
}

bool Inference::is_of_library(const Decl& d) const { return ksc::is_of_library(c, loc_of(d)); }

/// x.f(a) is f(x, a), or f(&x, a).
Expr Inference::call_method(const std::vector<Name>& functions, Receiver receiver, Span<Expr> arguments, Loc loc) {
  Name chosen = chosen_overload(functions, receiver.value);
  if (!chosen && functions.size() > 1) {
    for (const Expr& argument : arguments) infer(argument);
    return report_no_overload(functions, receiver.value, loc);
  }
  if (!chosen) chosen = functions[0];
  Entity& function = *find_entity(chosen);
  complete(function);
  const Span<Type> parameters = function.type->parameters;
  if (!parameters.empty() && is(parameters[0], TypeKind::Pointer) && !is(type_of(receiver.value), TypeKind::Pointer) &&
      !is(type_of(receiver.value), TypeKind::EntryRef))
    receiver.value = infer(c.make(AddressOf{receiver.written}, loc_of(receiver.written)));
  return call_function(function, chosen, arguments, loc, &receiver);
}

}  // namespace ksc

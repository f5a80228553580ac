// SPDX-License-Identifier: Apache-2.0
// memory_copy(source, destination, size) [L36].
#include <fmt/format.h>

#include <algorithm>

#include "ir/copied_bytes.h"
#include "ir/places.h"
#include "passes/inference.h"

namespace ksc {
namespace {

/// Whether each byte of it means something, and every byte may be written there.
bool is_made_of_numbers(Type type) {
  if (is(type, TypeKind::Array)) return is_made_of_numbers(type->element);
  if (is(type, TypeKind::Struct))
    return !has_padding(type) && std::all_of(type->body->fields.begin(), type->body->fields.end(),
                                             [](const StructField& f) { return is_made_of_numbers(f.type); });
  return is_integral(type) && !is(type, TypeKind::Bool);
}

/// The words of a call that name its two sides the other way round.
bool names_a_source(std::string_view name) { return name == "source" || name == "src" || name == "from"; }
bool names_a_destination(std::string_view name) {
  return name == "destination" || name == "dest" || name == "dst" || name == "to" || name == "out";
}
std::string_view name_of(Expr e) {
  while (const auto* address = as<AddressOf>(e)) e = address->form.place;
  if (const auto* local = as<Local>(e)) return local->form.name.spelling();
  const auto* global = as<GlobalName>(e);
  return global ? global->form.name.spelling() : std::string_view();
}

}  // namespace

Expr Inference::address_of_copy(const Expr& value) {
  const Loc loc = loc_of(value);
  const Name name = c.names.fresh("values");
  emit(Let{name, type_of(value), value}, loc);
  return c.make(AddressOf{c.make(Local{name}, loc, type_of(value))}, loc,
                t.pointer(type_of(value), Space::Stack, false));
}

/// &a[2], of an array of five, leads to the three that begin there.
Expr Inference::rest_of_array(const Expr& pointer) {
  const auto* address = as<AddressOf>(pointer);
  const auto* element = address ? as<Index>(address->form.place) : nullptr;
  const auto* first = element ? as<Int>(element->form.index) : nullptr;
  if (!first || !is(type_of(element->form.base), TypeKind::Array)) return pointer;
  Type whole = type_of(element->form.base);
  const auto before = static_cast<uint64_t>(first->form.value.value);
  if (first->form.value.value < 0 || before >= whole->count) return pointer;
  Type rest = t.array(whole->element, whole->count - before);
  Type type = t.pointer(rest, address->type->space, address->type->nullable);
  if (before == 0) return c.make(AddressOf{element->form.base}, address->loc, type);
  return c.make(Convert{pointer}, address->loc, type);
}

std::optional<Expr> Inference::copied_memory(const Expr& e, bool is_written) {
  const Loc loc = loc_of(e);
  const Expr given = resting(infer(e));
  if (is_invalid(given)) return {};
  Type type = type_of(given);
  // What is computed, looked up or constant lies nowhere.
  const Expr root = root_of(given);
  const auto* global = as<Global>(root);
  const bool is_variable = as<Local>(root) || as<Deref>(root) || (global && !is_constant(global->form.name));
  std::optional<Expr> pointer;
  if (is(type, TypeKind::EntryRef) && in_ebpf())
    pointer = c.make(AddressOf{c.make(Deref{given}, loc, type->element)}, loc,
                     t.pointer(type->element, Space::MapValue, false));
  else if (is(type, TypeKind::EntryRef))
    return unsupported(loc, "copying to or from a map entry in userspace"), std::nullopt;
  else if (is(type, TypeKind::Pointer) && !can_follow(given, loc))
    return {};
  else if (is(type, TypeKind::Pointer) && type->space != Space::Context)
    pointer = ends_at_run_time(type) ? given : rest_of_array(given);
  else if (is(type, TypeKind::Array) && (is_written || is_variable))
    pointer = infer_address_of(*c.make(AddressOf{e}, loc));
  else if (is(type, TypeKind::Array))
    pointer = address_of_copy(given);
  if (pointer && is_invalid(*pointer)) return {};
  if (pointer && is_written && points_into(type_of(*pointer), Space::ReadOnly)) {
    c.diagnostics.report(loc, diag::not_assignable, "a constant does not change");
    return {};
  }
  if (!pointer || (!ends_at_run_time(type_of(*pointer)) && !is_made_of_numbers(type_of(*pointer)->element))) {
    c.diagnostics.report(loc, diag::not_copyable, spell(type));
    return {};
  }
  return pointer;
}

void Inference::memory_copy_statement(const Node<Apply>& n) {
  const Span<Expr> arguments = n->arguments;
  const auto refuse = [&] { emit(InvalidStmt{}, n.loc); };
  if (!argument_count("memory_copy", arguments.size(), 3, n.loc)) {
    for (const Expr& argument : arguments) infer(argument);
    return refuse();
  }
  if (names_a_destination(name_of(arguments[0])) || names_a_source(name_of(arguments[1])))
    c.diagnostics.report(n.loc, diag::swapped_copy, std::string(name_of(arguments[0])),
                         std::string(name_of(arguments[1])));
  const auto source = copied_memory(arguments[0], false), destination = copied_memory(arguments[1], true);
  const Expr given = value_of_maybe(infer(arguments[2], t.u64()));
  const Expr size = constant(given) || !is_integer(type_of(given)) ? coerce(given, t.u64()) : convert(given, t.u64());
  if (!source || !destination || is_invalid(size)) return refuse();
  emit(CopyBytes{*source, *destination, size}, n.loc);
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
// Which memory a pointer leads into [L166], where a declaration does not say: what is given to the variable, or
// returned, says it, and the function is looked at once more.
#include <fmt/format.h>

#include <optional>

#include "passes/implicit_test.h"
#include "passes/inference.h"

namespace ksc {

Type Inference::remembered(Name local, Type declared) const {
  const auto known = memories_.find(local);
  return is_open(declared) && known != memories_.end() ? known->second : declared;
}

Type Inference::nullable(Type pointer) {
  return is(pointer, TypeKind::EntryRef) ? t.entry_ref(pointer->element, pointer->name, true)
                                         : t.pointer_with_null(pointer, true);
}

Type Inference::common_memory(Type known, Type given) {
  if (!known || known == given) return given;
  const bool is_nullable = known->nullable || given->nullable;
  const bool are_references = is(known, TypeKind::EntryRef) && is(given, TypeKind::EntryRef);
  if (known->element != given->element) return nullptr;
  if (are_references && known->name == given->name) return t.entry_ref(known->element, known->name, is_nullable);
  if (is(known, TypeKind::Pointer) && is(given, TypeKind::Pointer) && known->space == given->space &&
      known->count == given->count)
    return t.pointer_with_null(known, is_nullable);
  return nullptr;
}

void Inference::learn_memory(const Local& local, const Expr& given) {
  Type type = type_of(given);
  const bool says_it = is(type, TypeKind::EntryRef) || (is(type, TypeKind::Pointer) && !is_open(type));
  if (!in_ebpf() || !says_it || !is_open(locals_[local.name]) || type->element != locals_[local.name]->element) return;
  // What stands before it may say something else, once that is known.
  if (!wanted_.empty()) return;
  Type& known = memories_[local.name];
  if (known) return;
  // It is null until it is given something.
  known = nullable(type);
  is_learning_ = true;
}

void Inference::learn_result(const Expr& given) {
  Type type = type_of(given);
  const Loc loc = loc_of(given);
  if (is(type, TypeKind::Null) || as<Null>(given)) {
    gives_null_ = true;
    return;
  }
  const bool says_it = is(type, TypeKind::EntryRef) || (is(type, TypeKind::Pointer) && !is_open(type));
  if (!says_it || type->element != result_->element) return void(coerce(given, result_));
  if (is(given_memory_, TypeKind::Invalid)) return;
  if (const Type both = common_memory(given_memory_, type)) {
    given_memory_ = both;
  } else {
    c.diagnostics.report(loc, diag::two_memories, memory_of(type), memory_of(given_memory_))
        .note(given_loc_, "what is given here leads there");
    given_memory_ = t.invalid();
  }
  given_loc_ = loc;
}

Expr Inference::there(const Expr& pointer) {
  Type type = type_of(pointer);
  const auto* local = as<Local>(pointer);
  const bool is_given = from_library_.count(&header(pointer)) || (local && held_from_library_.count(local->form.name));
  if (!is_given || !is_in_packet(type) || !type->nullable || in_deferred_) return pointer;
  const Loc loc = loc_of(pointer);
  const Name name = local ? local->form.name : c.names.fresh("given");
  const Expr held = local ? pointer : Expr(c.make(Local{name}, loc, type));
  const Body before = collect_statements([&] {
    if (!local) emit(Let{name, type, held_pointer(name, pointer)}, loc);
    const Expr absent = c.make(Not{c.make(Present{held}, loc, t.boolean())}, loc, t.boolean());
    const Loc test = c.locations.derived(loc, implicit_test);
    const Body leaves = collect_statements([&] { emit(Leave{LeaveReason::Bounds}, test); });
    emit(If{c.span<Branch>({{absent, leaves}}), {}}, test);
  });
  const Expr pointed = c.make(Convert{held}, loc, t.pointer(type->element, Space::Packet, false));
  return c.make(BlockValue{before, pointed}, loc, type_of(pointed));
}

std::optional<Expr> Inference::library_member(const Expr& object, const Node<Member>& n) {
  Type type = type_of(object);
  if (!is_in_packet(type) || !is(type->element, TypeKind::Struct) || find_field(type->element, n->name.name))
    return std::nullopt;
  const std::vector<Name> functions = methods(n->name, type, n.loc);
  if (functions.empty() || !is_of_library(find_entity(functions[0])->declaration)) return std::nullopt;
  return call_method(functions, {there(object), n->object}, {}, n.loc);
}

}  // namespace ksc

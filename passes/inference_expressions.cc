// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ir/effects.h"
#include "passes/inference.h"

namespace ksc {

Expr Inference::infer(const Expr& e, Expected expected) {
  const Loc loc = loc_of(e);
  return visit<lang::LastValuesReturned>(
      e, on<InvalidExpr>([&](const auto&) { return invalid(loc); }),
      on<GlobalName>([&](const Node<GlobalName>& n) -> Expr {
        // Where a type was refused, what would have had it is no second mistake.
        const Entity* entity = is(expected, TypeKind::Invalid) ? find_entity(n->name) : nullptr;
        return entity && entity->kind == Entity::Kind::Function ? invalid(loc) : infer_global(n, expected);
      }),
      on<Local>([&](const Node<Local>& n) -> Expr {
        if (auto found = keys_only_.find(n->name); found != keys_only_.end())
          return c.diagnostics.report(loc, diag::value_for_each_cpu, map_text(found->second)), invalid(loc);
        Type type = locals_[n->name];
        return type ? Expr(c.make(n.form, loc, type)) : invalid(loc);
      }),
      on<IntLiteral>([&](const Node<IntLiteral>& n) -> Expr {
        return integer(n->value, t.constant(), loc, is_hexadecimal(n->spelling) ? n->spelling : Name());
      }),
      on<FloatLiteral>([&](const Node<FloatLiteral>& n) { return float_value_of(n, expected); }),
      on<CharLiteral>([&](const Node<CharLiteral>& n) -> Expr { return integer({n->value}, t.character(), loc); }),
      on<BoolLiteral>([&](const Node<BoolLiteral>& n) -> Expr { return integer({n->value}, t.boolean(), loc); }),
      on<NullLiteral>([&](const auto&) -> Expr { return c.make(Null{}, loc, t.null()); }),
      on<StringValue>([&](const Node<StringValue>& n) -> Expr {
        uint64_t size = n->text.text().size() + 1;
        if (is(expected, TypeKind::Str)) {
          if (size > expected->count)
            c.diagnostics.report(loc, diag::string_too_long, size - 1, expected->count, expected->count - 1)
                .fix(after(loc), fmt::format(" as {}", spell(expected)), "cut it off");
          size = expected->count;
        }
        return c.make(n.form, loc, t.str(size));
      }),
      on<Chain>([&](const auto& n) { return infer_chain(n, expected); }),
      on<Member>([&](const auto& n) { return infer_member(n); }),
      on<Apply>([&](const auto& n) { return infer_apply(n, expected); }),
      on<Subscript>([&](const auto& n) { return infer_subscript(n); }),
      on<Cast>([&](const auto& n) { return infer_cast(n); }),
      on<StructLiteral>([&](const auto& n) { return infer_struct_literal(n); }),
      on<ArrayLiteral>([&](const Node<ArrayLiteral>& n) { return infer_array_literal(n->values, expected, loc); }),
      on<ArrayRepeat>([&](const Node<ArrayRepeat>& n) -> Expr {
        const uint64_t count = size_constant(n->count, 4096);
        if (count == 0) return invalid(loc);
        Type element = is(expected, TypeKind::Array) ? expected->element : nullptr;
        const Expr value = settle(infer(n->value, element));
        if (is_invalid(value)) return value;
        if (const auto* number = as<Int>(value); number && number->form.value.value == 0)
          return c.make(Zero{}, loc,
                        t.array(element ? element : type_of(settle(value)),
                                is(expected, TypeKind::Array) ? expected->count : count));
        if (!has_effect(value)) return infer_array_literal(c.span(std::vector<Expr>(count, n->value)), expected, loc);
        return repeat_named(value, count, expected, loc);
      }),
      on<New>([&](const auto& n) { return infer_new(n); }), on<NewValue>([&](const Node<NewValue>& n) -> Expr {
        Type type = resolve(n->target);
        if (is(type, TypeKind::Invalid)) return invalid(loc);
        if (is_aggregate(type) || is_integral(type) || is(type, TypeKind::Str)) return c.make(Zero{}, loc, type);
        c.diagnostics.report(loc, diag::operand_type, "::new()", spell(type));
        return invalid(loc);
      }),
      on<SizeOf>([&](const Node<SizeOf>& n) -> Expr {
        Type type = resolve(n->target);
        if (is(type, TypeKind::Invalid)) return invalid(loc);
        if (is(type, TypeKind::Void)) return c.diagnostics.report(loc, diag::void_value), invalid(loc);
        if (is(type, TypeKind::Struct) && !type->body->complete)
          return c.diagnostics.report(loc, diag::type_cycle, spell(type)), invalid(loc);
        return integer({static_cast<__int128>(size_of(type))}, t.constant(), loc);
      }),
      on<OffsetOf>([&](const Node<OffsetOf>& n) -> Expr {
        Type type = resolve(n->target);
        if (is(type, TypeKind::Invalid)) return invalid(loc);
        const StructField* field = is(type, TypeKind::Struct) ? find_field(type, n->field.name) : nullptr;
        if (field) return integer({field->offset}, t.constant(), loc);
        c.diagnostics.report(n->field.loc, diag::no_member, spell(type), std::string(n->field.name.spelling()));
        return invalid(loc);
      }),
      on<Propagate>([&](const auto& n) { return infer_propagate(n, expected); }),
      on<Operation>([&](const auto& n) { return infer_operation(n, expected); }),
      on<And>([&](const Node<And>& n) -> Expr {
        const Expr left = condition(n->left), right = condition(n->right);
        if (is_invalid(left) || is_invalid(right)) return invalid(loc);
        return c.make(And{left, right}, loc, t.boolean());
      }),
      on<Or>([&](const Node<Or>& n) -> Expr {
        const Expr left = condition(n->left), right = condition(n->right);
        if (is_invalid(left) || is_invalid(right)) return invalid(loc);
        return c.make(Or{left, right}, loc, t.boolean());
      }),
      on<Not>([&](const Node<Not>& n) -> Expr {
        const Expr value = condition(n->value);
        return is_invalid(value) ? value : Expr(c.make(Not{value}, loc, t.boolean()));
      }),
      on<Conditional>([&](const Node<Conditional>& n) -> Expr {
        const Expr test = condition(n->condition), then = infer(n->then, expected),
                   otherwise = infer(n->otherwise, expected);
        Type type = join({then, otherwise}, expected);
        if (is_invalid(test) || !type) return invalid(loc);
        return c.make(Conditional{test, coerce(then, type), coerce(otherwise, type)}, loc, type);
      }),
      on<Match>([&](const auto& n) { return infer_match(n, expected, true); }),
      on<IfValue>([&](const auto& n) { return infer_if_value(n, expected); }),
      on<BlockValue>([&](const auto& n) { return infer_block_value(n, expected); }),
      on<AddressOf>([&](const auto& n) { return infer_address_of(n); }), on<Deref>([&](const Node<Deref>& n) -> Expr {
        const Expr pointer = infer(n->pointer);
        Type type = type_of(pointer);
        if (is(type, TypeKind::Invalid)) return pointer;
        if (!can_follow(pointer, loc)) return invalid(loc);
        if (is(type, TypeKind::Pointer) && type->space == Space::Context)
          return unsupported(loc, "the context as a value");
        if (is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef))
          return c.make(Deref{pointer}, loc, type->element);
        const auto* local = as<Local>(pointer);
        if (!local || no_pointers_.insert(local->form.name).second)  // one mistake, however often it is followed
          c.diagnostics.report(loc, diag::not_a_pointer, spell(type));
        return invalid(loc);
      }));
}

Expr Inference::used_at(Loc loc, const Expr& value) {
  if (const auto* text = as<StringValue>(value)) return c.make(text->form, loc, text->type);
  if (const auto* array = as<ArrayValue>(value)) return c.make(array->form, loc, array->type);
  if (const auto* structure = as<StructValue>(value)) return c.make(structure->form, loc, structure->type);
  if (const auto* converted = as<Convert>(value))
    return c.make(Convert{used_at(loc, converted->form.value)}, loc, converted->type);
  return as<Zero>(value) ? Expr(c.make(Zero{}, loc, type_of(value))) : value;
}

Expr Inference::infer_global(const Node<GlobalName>& n, Expected expected) {
  const std::string_view text = n->name.spelling();
  if (Entity* entity = find_entity(n->name)) {
    complete(*entity);
    switch (entity->kind) {
      case Entity::Kind::Constant:
        if (!entity->type || is(entity->type, TypeKind::Invalid)) return invalid(n.loc);
        if (in_ebpf() && !at_file_level_ && refuse_floats(entity->type, n.loc)) return invalid(n.loc);
        // What stands at file level begins with the value; a place is not known before the program runs.
        if (entity->storage == Storage::Constant)
          return at_file_level_ ? used_at(n.loc, *entity->initial) : Expr(c.make(Global{n->name}, n.loc, entity->type));
        return integer(entity->value, entity->type, n.loc, n->name);
      case Entity::Kind::Variable:
      case Entity::Kind::Config:
        if (entity->storage == Storage::EbpfOnly && !in_ebpf()) {
          c.diagnostics.report(n.loc, diag::local_in_userspace, std::string(text));
          return invalid(n.loc);
        }
        return is(entity->type, TypeKind::Invalid) ? invalid(n.loc)
                                                   : Expr(c.make(Global{n->name}, n.loc, entity->type));
      case Entity::Kind::Map:
        return is(entity->type, TypeKind::Invalid) ? invalid(n.loc)
                                                   : Expr(c.make(MapName{n->name}, n.loc, entity->type));
      case Entity::Kind::Function:
        if (entity->runs_nowhere) return invalid(n.loc);
        if (entity->domain == Domain::Program) return c.make(FunctionName{n->name}, n.loc, t.program(n->name));
        return function_value(n->name, expected, n.loc);
      case Entity::Kind::Alias:
      case Entity::Kind::Struct:
      case Entity::Kind::Enum:
        return c.diagnostics.report(n.loc, diag::type_as_value, std::string(text)), invalid(n.loc);
      case Entity::Kind::Unknown: break;  // its declaration has been reported
    }
    return invalid(n.loc);
  }
  if (const KernelConstant* known = c.kernel_types->find_constant(text)) {
    if (!known->enum_name.empty())
      if (const KernelEnum* description = c.kernel_types->find_enum(known->enum_name))
        return integer({known->value}, kernel_enum(*description), n.loc, n->name);
    return integer({known->value}, t.constant(), n.loc, n->name);
  }
  return unsupported(n.loc, fmt::format("`{}` as a value", text));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ir/foreign_types.h"
#include "passes/inference.h"

namespace ksc {
namespace {

/// What a value may take: more than any kernel gives a map's value.
constexpr uint64_t largest_type = 1 << 24;

/// Whether the kernel keeps a state of its own in the struct, so that the verifier lets nothing else read or write it.
bool is_kernel_object(Type type) {
  for (std::string_view name : {"bpf_spin_lock", "bpf_res_spin_lock", "bpf_timer", "bpf_wq", "bpf_list_head",
                                "bpf_list_node", "bpf_rb_root", "bpf_rb_node", "bpf_refcount", "bpf_task_work"})
    if (type->name == name && !type->body->header.empty()) return true;
  return false;
}

/// The built-in type of a name, or null.
Type builtin_type(Types& t, std::string_view name) {
  static const std::map<std::string_view, int> integers = {{"u8", 8},    {"u16", 16},  {"u32", 32},
                                                           {"u64", 64},  {"i8", -8},   {"i16", -16},
                                                           {"i32", -32}, {"i64", -64}, {"size_t", 64}};
  if (auto found = integers.find(name); found != integers.end())
    return t.integer(std::abs(found->second), found->second < 0);
  if (name == "bool") return t.boolean();
  if (name == "char") return t.character();
  if (name == "void") return t.void_type();
  if (name == "f32") return t.floating(32);
  if (name == "f64") return t.floating(64);
  if (name == "ProgramHandle") return t.handle();
  return nullptr;
}

}  // namespace

Type Inference::resolve(const TypeExpr& type) {
  return visit<lang::LastValuesReturned>(
      type, on<InvalidType>([&](const Node<InvalidType>&) { return t.invalid(); }),
      on<NamedType>([&](const Node<NamedType>& n) { return named_type(n->module, n->name, n.loc); }),
      on<PointerType>([&](const Node<PointerType>& n) {
        Type element = resolve(n->element);
        if (is(element, TypeKind::Invalid)) return element;
        if (is(element, TypeKind::Struct))
          for (const ProgramType* program : all_program_types())
            if (program->context == element->name.text()) return t.pointer(element, Space::Context, false);
        return t.pointer(is(element, TypeKind::Void) ? t.u8() : element, Space::Any, true);
      }),
      on<ArrayType>([&](const Node<ArrayType>& n) {
        Type element = resolve(n->element);
        const uint64_t count = size_constant(n->count, 1 << 24);
        if (is(element, TypeKind::Void)) {
          c.diagnostics.report(loc_of(n->element), diag::void_value);
          return t.invalid();
        }
        if (is(element, TypeKind::Invalid) || count == 0) return t.invalid();
        if (is(element, TypeKind::Struct) && !element->body->complete)
          return t.array(element, count);  // its struct sees to that
        if (const uint64_t size = size_of(element); size > largest_type / count) {
          c.diagnostics.report(n.loc, diag::too_large, "this array", size * count, largest_type);
          return t.invalid();
        }
        return t.array(element, count);
      }),
      on<StrType>([&](const Node<StrType>& n) {
        const uint64_t size = size_constant(n->size, largest_string);
        return size == 0 ? t.invalid() : t.str(size);
      }),
      on<FunctionType>([&](const Node<FunctionType>& n) { return function_type(n); }),
      on<OptionType>([&](const Node<OptionType>& n) {
        Type element = resolve(n->element);
        if (is_integral(element) || is_aggregate(element) || is(element, TypeKind::Str)) return t.maybe(element);
        if (!is(element, TypeKind::Invalid))
          c.diagnostics.report(n.loc, diag::not_supported_yet, "`option` of this type");
        return t.invalid();
      }));
}

Type Inference::stored_type(const TypeExpr& type, std::string_view what) {
  Type found = resolve(type);
  const auto later = [&](std::string_view kind) {
    unsupported(loc_of(type), fmt::format("{} in {}", kind, what));
    return t.invalid();
  };
  Type element = found;
  while (is(element, TypeKind::Array)) element = element->element;
  switch (element->kind) {
    case TypeKind::Void: c.diagnostics.report(loc_of(type), diag::void_value); return t.invalid();
    case TypeKind::Pointer: return later("pointers");
    case TypeKind::Maybe: return later("`option`");
    case TypeKind::Handle: return later("`ProgramHandle`");
    case TypeKind::Struct: return is_kernel_object(element) ? later(fmt::format("`{}`", spell(element))) : found;
    default: return found;
  }
}

Type Inference::named_type(Name module, const Ident& name, Loc loc) {
  if (module) {
    c.diagnostics.report(loc, diag::unknown_name, std::string(module.spelling()));
    return t.invalid();
  }
  for (std::string_view later : {"FunctionRef", "perf_options", "XdpTestContext"})
    if (name.name == later && !find_entity(name.name))
      return unsupported(name.loc, fmt::format("`{}`", later)), t.invalid();
  const auto usable = [&](Type type) {
    return in_ebpf() && !at_file_level_ && refuse_floats(type, name.loc) ? t.invalid() : type;
  };
  if (Type builtin = builtin_type(t, name.name.text())) return usable(builtin);
  if (Entity* entity = find_entity(name.name)) {
    if (entity->kind == Entity::Kind::Unknown) return t.invalid();
    if (entity->kind == Entity::Kind::Alias || entity->kind == Entity::Kind::Struct ||
        entity->kind == Entity::Kind::Enum) {
      complete(*entity);
      return usable(entity->type);
    }
  }
  if (const KernelStruct* description = c.kernel_types->find_struct(name.name.text()))
    return kernel_struct(*description);
  if (const KernelEnum* description = c.kernel_types->find_enum(name.name.text())) return kernel_enum(*description);
  if (name.name == "int") return t.i32();
  // One name that is not declared is one mistake, wherever it stands; a declaration without a name may have been its.
  if (declares_anything_ || !unknown_types_.insert(name.name).second) return t.invalid();
  std::vector<std::string_view> known = {"u8",  "u16", "u32",  "u64",  "i8",   "i16",
                                         "i32", "i64", "bool", "char", "void", "ProgramHandle"};
  for (const auto& [entity_name, entity] : entities_)
    if (entity.kind == Entity::Kind::Alias || entity.kind == Entity::Kind::Struct || entity.kind == Entity::Kind::Enum)
      known.push_back(entity_name.text());
  for (const KernelStruct& s : c.kernel_types->structs()) known.push_back(s.name);
  Diagnostic& message = c.diagnostics.report(name.loc, diag::unknown_type, std::string(name.name.spelling()));
  for (std::string_view text : {"str", "String"})
    if (name.name == text)
      return message.note("`str(N)` is a string of N bytes, with the zero that ends it"), t.invalid();
  const std::string_view foreign = type_of_other_languages(name.name.text());
  if (const std::string_view near = foreign.empty() ? closest_word(name.name.text(), known) : foreign; !near.empty())
    message.fix(name.loc, std::string(near), fmt::format("did you mean `{}`?", near));
  return t.invalid();
}

Type Inference::kernel_struct(const KernelStruct& description) {
  Type type = t.structure(c.name(description.name));
  if (type->body->complete) return type;
  type->body->complete = true;  // a struct may point to itself
  std::vector<StructField> fields;
  for (const KernelField& field : description.fields) {
    StructField f;
    f.name = c.name(field.name);
    f.type = kernel_notation(field.type);
    f.offset = field.offset;
    if (field.bits) {
      f.bit_offset = static_cast<uint8_t>(field.bits->offset - 8 * field.offset);
      f.bit_size = static_cast<uint8_t>(field.bits->size);
    }
    if (!is(f.type, TypeKind::Invalid)) fields.push_back(f);
  }
  t.complete_struct(type, fields, c.name(description.header).text(), description.size);
  return type;
}

Type Inference::kernel_enum(const KernelEnum& description) {
  Type type = t.enumeration(c.name(description.name));
  if (type->body->complete) return type;
  std::vector<EnumItem> items;
  for (const KernelEnumerator& value : description.values)
    items.push_back({c.name(value.name), static_cast<int64_t>(value.value)});
  t.complete_enum(type, items, c.name(description.header).text());
  return type;
}

Type Inference::kernel_notation(std::string_view notation) {
  if (notation.starts_with("*")) {
    Type element = kernel_notation(notation.substr(1));
    return t.pointer(is(element, TypeKind::Invalid) || is(element, TypeKind::Void) ? t.u8() : element, Space::Kernel,
                     true);
  }
  if (notation.ends_with("]")) {
    const size_t bracket = notation.rfind('[');
    Type element = kernel_notation(notation.substr(0, bracket));
    const uint64_t count = std::stoull(std::string(notation.substr(bracket + 1)));
    return is(element, TypeKind::Invalid) || count == 0 ? t.invalid() : t.array(element, count);
  }
  if (notation.starts_with("struct:")) {
    const KernelStruct* description = c.kernel_types->find_struct(notation.substr(7));
    return description ? kernel_struct(*description) : t.invalid();
  }
  if (notation.starts_with("enum:")) {
    const KernelEnum* description = c.kernel_types->find_enum(notation.substr(5));
    return description ? kernel_enum(*description) : t.invalid();
  }
  Type builtin = builtin_type(t, notation);
  return builtin ? builtin : t.invalid();
}

uint64_t Inference::size_constant(const Expr& e, uint64_t limit) {
  const auto value = constant_value(e);
  if (!value) return 0;
  if (value->value < 1 || value->value > static_cast<__int128>(limit)) {
    c.diagnostics.report(loc_of(e), diag::bad_size, limit);
    return 0;
  }
  return static_cast<uint64_t>(value->value);
}

std::optional<Integer> Inference::constant_value(const Expr& e) {
  const Expr typed = computed(infer(e));
  if (is_invalid(typed)) return std::nullopt;
  if (const auto* number = as<Int>(typed)) return number->form.value;
  c.diagnostics.report(loc_of(e), diag::not_constant);
  return std::nullopt;
}

}  // namespace ksc

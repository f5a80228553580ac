// SPDX-License-Identifier: Apache-2.0
#include "ir/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace ksc {

bool is_integral(Type type) {
  return is(type, TypeKind::Int) || is(type, TypeKind::Bool) || is(type, TypeKind::Char) || is(type, TypeKind::Enum);
}
bool is_integer(Type type) { return is(type, TypeKind::Int); }
bool is_aggregate(Type type) {
  return is(type, TypeKind::Struct) || is(type, TypeKind::Array) || is(type, TypeKind::Str);
}
bool is_scalar(Type type) {
  return is_integral(type) || is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef) || is(type, TypeKind::Null) ||
         is(type, TypeKind::Float);
}

bool holds_float(Type type) {
  switch (type->kind) {
    case TypeKind::Float: return true;
    case TypeKind::Array:
    case TypeKind::Maybe: return holds_float(type->element);
    case TypeKind::Struct:
      return std::any_of(type->body->fields.begin(), type->body->fields.end(),
                         [](const StructField& field) { return holds_float(field.type); });
    default: return false;
  }
}

uint8_t width_of(Type type) {
  switch (type->kind) {
    case TypeKind::Int: return type->bits;
    case TypeKind::Bool:
    case TypeKind::Char: return 8;
    case TypeKind::Enum: return type->body->underlying ? type->body->underlying->bits : 32;
    default: return 64;
  }
}

bool is_signed(Type type) {
  if (is(type, TypeKind::Enum)) return !type->body->underlying || type->body->underlying->is_signed;
  return is(type, TypeKind::Int) && type->is_signed;
}

uint64_t size_of(Type type) {
  switch (type->kind) {
    case TypeKind::Bool:
    case TypeKind::Char: return 1;
    case TypeKind::Int:
    case TypeKind::Float: return type->bits / 8;
    case TypeKind::Enum: return width_of(type) / 8;
    case TypeKind::Str: return type->count;
    case TypeKind::Array: return type->count * size_of(type->element);
    case TypeKind::Pointer:
    case TypeKind::EntryRef:
    case TypeKind::Null:
    case TypeKind::Handle:
    case TypeKind::Function: return 8;
    case TypeKind::Struct: return type->body->size;
    default: return 0;
  }
}

uint32_t align_of(Type type) {
  switch (type->kind) {
    case TypeKind::Array: return align_of(type->element);
    case TypeKind::Struct: return type->body->align;
    case TypeKind::Str: return 1;
    default: return std::max<uint64_t>(1, size_of(type));
  }
}

bool has_padding(Type type) {
  if (is(type, TypeKind::Array)) return has_padding(type->element);
  if (!is(type, TypeKind::Struct) || !type->body->header.empty()) return false;
  uint64_t end = 0;
  for (const StructField& field : type->body->fields) {
    if (field.offset != end || has_padding(field.type)) return true;
    end = field.offset + size_of(field.type);
  }
  return end != type->body->size;
}

const StructField* find_field(Type type, Name name) {
  if (!is(type, TypeKind::Struct)) return nullptr;
  for (const StructField& field : type->body->fields)
    if (field.name == name) return &field;
  return nullptr;
}

std::string spell(Type type) {
  if (!type) return "?";
  switch (type->kind) {
    case TypeKind::Invalid: return "<error>";
    case TypeKind::Void: return "void";
    case TypeKind::Bool: return "bool";
    case TypeKind::Char: return "char";
    case TypeKind::Null: return "null";
    case TypeKind::Constant: return "integer constant";
    case TypeKind::Handle: return "ProgramHandle";
    case TypeKind::Program: return "FunctionRef";
    case TypeKind::Module: return "module";
    case TypeKind::Int: return fmt::format("{}{}", type->is_signed ? 'i' : 'u', type->bits);
    case TypeKind::Float: return fmt::format("f{}", type->bits);
    case TypeKind::Str: return fmt::format("str({})", type->count);
    case TypeKind::Array: {
      // As it is written: the outermost size comes first.
      std::string sizes;
      for (; is(type, TypeKind::Array); type = type->element) sizes += fmt::format("[{}]", type->count);
      return spell(type) + sizes;
    }
    case TypeKind::Pointer: return "*" + spell(type->element);
    case TypeKind::EntryRef: return spell(type->element);  // nobody has written a pointer
    case TypeKind::Maybe: return "option " + spell(type->element);
    case TypeKind::Struct: return std::string(type->name.spelling());
    case TypeKind::Enum:
      return type->body->signature ? spell(type->body->signature) : std::string(type->name.spelling());
    case TypeKind::Function: {
      std::string text = "fn(";
      for (size_t i = 0; i < type->parameters.size(); ++i) text += (i ? ", " : "") + spell(type->parameters[i]);
      return text + ") -> " + spell(type->element);
    }
    case TypeKind::Map: {
      const std::string key = type->key ? spell(type->key) + ", " : "";
      return fmt::format("{}<{}{}>({})", type->name.text(), key, spell(type->element), type->count);
    }
  }
  return "?";
}

Type Types::intern(const TypeData& data) {
  std::vector<const void*> parameters(data.parameters.begin(), data.parameters.end());
  const Key key{int(data.kind), data.bits, data.is_signed, data.nullable,      data.throws,          int(data.space),
                data.element,   data.key,  data.count,     data.name.record(), std::move(parameters)};
  auto [place, is_new] = interned_.try_emplace(key, nullptr);
  if (is_new) place->second = arena_.make<TypeData>(data);
  return place->second;
}

Type Types::simple(TypeKind kind) { return intern({.kind = kind}); }
Type Types::integer(int bits, bool is_signed) {
  return intern({.kind = TypeKind::Int, .bits = static_cast<uint8_t>(bits), .is_signed = is_signed});
}
Type Types::floating(int bits) { return intern({.kind = TypeKind::Float, .bits = static_cast<uint8_t>(bits)}); }
Type Types::str(uint64_t size) { return intern({.kind = TypeKind::Str, .count = size}); }
Type Types::array(Type element, uint64_t count) {
  return intern({.kind = TypeKind::Array, .element = element, .count = count});
}
Type Types::pointer(Type element, Space space, bool nullable) {
  return intern({.kind = TypeKind::Pointer, .nullable = nullable, .space = space, .element = element});
}
Type Types::element_pointer(Type element, Space space, bool nullable, uint64_t count) {
  return intern({.kind = TypeKind::Pointer, .nullable = nullable, .space = space, .element = element, .count = count});
}
Type Types::pointer_with_null(Type pointer, bool nullable) {
  return element_pointer(pointer->element, pointer->space, nullable, pointer->count);
}
Type Types::entry_ref(Type element, Name map, bool nullable) {
  return intern({.kind = TypeKind::EntryRef, .nullable = nullable, .element = element, .name = map});
}
Type Types::maybe(Type element) { return intern({.kind = TypeKind::Maybe, .element = element}); }
Type Types::function(std::vector<Type> parameters, Type result, bool throws) {
  return intern(
      {.kind = TypeKind::Function, .throws = throws, .element = result, .parameters = arena_.span(parameters)});
}
Type Types::function_value(Type signature) {
  for (Type known : function_values_)
    if (known->body->signature == signature) return known;
  std::string word;
  for (char one : spell(signature))
    if (std::isalnum(static_cast<unsigned char>(one)))
      word += one;
    else if (!word.empty() && word.back() != '_')
      word += '_';
  Type type = enumeration(names_.unused(word));
  complete_enum(type, {});
  set_signature(type, signature);
  return type;
}
void Types::set_signature(Type enumeration, Type signature) {
  enumeration->body->signature = signature;
  function_values_.push_back(enumeration);
}
Type Types::map(Name kind, Type key, Type value, uint64_t max_entries) {
  return intern({.kind = TypeKind::Map, .element = value, .key = key, .count = max_entries, .name = kind});
}
Type Types::program(Name name) { return intern({.kind = TypeKind::Program, .name = name}); }
Type Types::module(Name name) { return intern({.kind = TypeKind::Module, .name = name}); }

Type Types::structure(Name name) {
  Type type = intern({.kind = TypeKind::Struct, .name = name});
  // The body is the one part of a type that comes later: a struct may name itself before it is complete.
  if (!type->body) const_cast<TypeData*>(type)->body = arena_.make<TypeBody>();
  return type;
}
Type Types::enumeration(Name name) {
  Type type = intern({.kind = TypeKind::Enum, .name = name});
  if (!type->body) const_cast<TypeData*>(type)->body = arena_.make<TypeBody>();
  return type;
}

void Types::complete_struct(Type type, std::vector<StructField> fields, std::string_view header, uint64_t size) {
  TypeBody& body = *type->body;
  uint64_t end = 0;
  uint32_t align = 1;
  for (StructField& field : fields) {
    const uint32_t field_align = align_of(field.type);
    align = std::max(align, field_align);
    if (size == 0) field.offset = static_cast<uint32_t>((end + field_align - 1) / field_align * field_align);
    end = field.offset + size_of(field.type);
  }
  body.fields = arena_.span(fields);
  body.align = align;
  body.size = size ? size : (end + align - 1) / align * align;
  body.header = header;
  body.complete = true;
}

void Types::complete_enum(Type type, std::vector<EnumItem> items, std::string_view header) {
  TypeBody& body = *type->body;
  int64_t low = 0, high = 0;
  for (const EnumItem& item : items) {
    low = std::min(low, item.value);
    high = std::max(high, item.value);
  }
  // [L142] an enum is an i32 unless a value needs u32 or 64 bits
  if (low >= INT32_MIN && high <= INT32_MAX)
    body.underlying = i32();
  else if (low >= 0 && high <= UINT32_MAX)
    body.underlying = u32();
  else
    body.underlying = i64();
  body.items = arena_.span(items);
  body.header = header;
  body.complete = true;
}

}  // namespace ksc

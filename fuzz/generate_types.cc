// SPDX-License-Identifier: Apache-2.0
// Random types, globals and maps.
#include <fmt/format.h>

#include <algorithm>

#include "fuzz/generator.h"

namespace ksc::fuzz {

void Generator::declare_types(Tree& out) {
  out.parts.push_back(declaration(fmt::format("type {} = u16", global_name("Port"))));
  count("alias");
  for (size_t i = 0; i < 1 + random_.below(2); ++i) {
    Enumeration e{global_name(fmt::format("Color{}", i)), {}};
    std::string text = fmt::format("enum {} {{", e.name);
    int64_t next = 0;
    for (size_t k = 0; k < 2 + random_.below(3); ++k) {
      const std::string name = global_name(fmt::format("C{}_{}", i, k));
      text += k ? ", " : " ";
      text += name;
      if (random_.once_in(3)) text += fmt::format(" = {}", next += 1 + static_cast<int64_t>(random_.below(9)));
      e.items.push_back({name, next++});
    }
    out.parts.push_back(declaration(text + " }"));
    enums_.push_back(e);
    count("enum");
  }
  declare_structs(out);
  for (size_t i = 0; i < 2; ++i) {
    const T type = any_integer();
    const std::string name = global_name(fmt::format("LIMIT{}", i));
    out.parts.push_back(declaration(fmt::format("const {}: {} = {}", name, type.spelled(), literal(type))));
    constants_.push_back({name, type});
    count("const");
  }
}

/// How many structs lie in one another, itself counted; 0 of what is no struct.
int Generator::height(const T& type) const {
  if (type.kind != T::Kind::Struct) return 0;
  int inside = 0;
  for (const StructMember& m : find_struct(type).members) inside = std::max(inside, height(m.type));
  return 1 + inside;
}

/// How many bytes there are, but for padding.
uint64_t Generator::bytes(const T& type) const {
  switch (type.kind) {
    case T::Kind::Struct: {
      uint64_t sum = 0;
      for (const StructMember& m : find_struct(type).members) sum += bytes(m.type);
      return sum;
    }
    case T::Kind::Array: return type.count * bytes(type.element[0]);
    case T::Kind::Str: return type.count;
    default: return static_cast<uint64_t>(type.bits) / 8;
  }
}

/// Whether every pattern of bytes is a value, so that a packet may hold one.
bool Generator::is_any_bytes(const T& type) const {
  if (type.kind == T::Kind::Array) return is_any_bytes(type.element[0]);
  if (type.kind != T::Kind::Struct) return type.kind == T::Kind::Int;
  const std::vector<StructMember>& members = find_struct(type).members;
  return std::all_of(members.begin(), members.end(), [&](const StructMember& m) { return is_any_bytes(m.type); });
}

/// Of a member: also arrays, strings, and structs that have been declared before.
T Generator::member_type() {
  switch (random_.below(8)) {
    case 0: return count("member array"), array_of_integers();
    case 1: return count("member string"), string(random_.pick(std::vector<uint64_t>{4, 5, 7, 8, 12}));
    case 2:
    case 3: {
      // The kernel's stack holds 512 bytes, and a function holds a few keys and values in it: they are not moved
      // elsewhere yet [L60].
      std::vector<const Struct*> fitting;
      for (const Struct& s : structs_)
        if (height(struct_type(s)) < 3 && bytes(struct_type(s)) <= 96) fitting.push_back(&s);
      if (fitting.empty()) break;
      const T type = struct_type(*random_.pick(fitting));
      return count(height(type) == 1 ? "member struct" : "member struct with structs"), type;
    }
    default: break;
  }
  return scalar();
}

void Generator::declare_structs(Tree& out) {
  for (size_t i = 0, n = 1 + random_.below(3); i < n; ++i) {
    Struct s{global_name(fmt::format("S{}", i)), {}};
    std::string text = fmt::format("struct {} {{", s.name);
    const bool of_numbers = i == 0 && random_.once_in(2);  // so that it may lie in a packet
    for (size_t k = 0; k < 2 + random_.below(3); ++k) {
      const StructMember member{fmt::format("f{}", k), of_numbers ? any_integer() : member_type()};
      text += fmt::format("{} {}: {}", k ? "," : "", member.name, member.type.spelled());
      s.members.push_back(member);
    }
    out.parts.push_back(declaration(text + " }"));
    structs_.push_back(s);
    count("struct");
  }
}

std::string Generator::constant_text(const T& type) {
  if (type.kind == T::Kind::Str) return any_text();
  if (type.kind == T::Kind::Option) return "null";
  std::string text;
  if (type.kind == T::Kind::Array) {
    for (uint64_t i = 0; i < type.count; ++i) text += (i ? ", " : "") + constant_text(type.element[0]);
    return "[" + text + "]";
  }
  if (type.kind != T::Kind::Struct) return literal(type);
  for (const StructMember& m : find_struct(type).members)
    text += fmt::format("{}{}: {}", text.empty() ? " " : ", ", m.name, constant_text(m.type));
  return type.name + " {" + text + " }";
}

void Generator::declare_constants(Tree& out) {
  for (uint64_t i = 0, n = random_.below(3); i < n; ++i) {
    const std::string name = global_name(fmt::format("TABLE{}", i));
    T type = array_of_integers();
    const uint64_t shape = random_.below(3);
    if (shape == 1) type = string(4 + 4 * random_.below(2));
    if (shape == 2) type = struct_type(random_.pick(structs_));
    count(shape == 0 ? "const array" : shape == 1 ? "const string" : "const struct");
    out.parts.push_back(declaration(fmt::format("const {}: {} = {}", name, type.spelled(), constant_text(type))));
    globals_.push_back({name, type, true});
  }
}

void Generator::declare_globals(Tree& out) {
  const size_t n = 3 + random_.below(4);
  for (size_t i = 0; i < n; ++i) {
    const std::string name = global_name(fmt::format("g{}", i));
    T type = scalar();
    const uint64_t shape = random_.below(8);
    if (shape == 0) type = array_of_integers(), count("global array");
    if (shape == 1) type = struct_type(random_.pick(structs_)), count("global struct");
    if (shape == 2) type = string(4 + 4 * random_.below(4));
    std::string how;
    if (random_.once_in(5))
      how = "pin ", count(type.kind == T::Kind::Struct ? "global pinned struct" : "global pin");
    else if (random_.once_in(5))
      how = "local ", local_globals_.insert(name), count("global local");
    std::string text = fmt::format("{}var {}: {}", how, name, type.spelled());
    const bool simple = type.kind == T::Kind::Int || type.kind == T::Kind::Bool || type.kind == T::Kind::Char;
    if (simple && !random_.once_in(3)) text += " = " + literal(type);
    out.parts.push_back(declaration(text));
    globals_.push_back({name, type});
    count("global");
  }
  if (random_.once_in(2)) {
    const std::string name = global_name("settings");
    const T type = any_integer();
    out.parts.push_back(declaration(
        fmt::format("config {} {{ limit: {} = {}, enabled: bool = true }}", name, type.spelled(), literal(type))));
    globals_.push_back({name + ".limit", type});
    globals_.push_back({name + ".enabled", boolean});
    count("config");
  }
}

T Generator::key_type() {
  switch (random_.below(10)) {
    case 0:
    case 1: return count("map with struct keys"), struct_type(random_.pick(structs_));
    case 2: return count("map with enum keys"), enum_type(random_.pick(enums_));
    case 3: return count("map with string keys"), string(random_.pick(std::vector<uint64_t>{4, 7, 8}));
    case 4: return count("map with array keys"), array_of_integers();
    default: return any_integer();
  }
}

void Generator::declare_maps(Tree& out) {
  static const Texts kinds = {"hash", "hash", "array", "percpu_hash", "percpu_array", "lru_hash"};
  const size_t n = 2 + random_.below(3);
  for (size_t i = 0; i < n; ++i) {
    Map map;
    map.name = global_name(fmt::format("m{}", i));
    map.kind = random_.pick(kinds);
    count("map " + map.kind);
    map.key = integer(32);
    if (!map.is_array()) map.key = key_type();
    map.value = random_.once_in(3) ? struct_type(random_.pick(structs_)) : any_integer();
    if (map.value.kind == T::Kind::Struct) count("map with struct values");
    const uint64_t entries = map.kind == "lru_hash" ? 1024 : 2 + random_.below(6);
    out.parts.push_back(declaration(
        fmt::format("var {} : {}<{}, {}>({})", map.name, map.kind, map.key.spelled(), map.value.spelled(), entries)));
    maps_.push_back(map);
  }
}

}  // namespace ksc::fuzz

// SPDX-License-Identifier: Apache-2.0
// Random types, globals and maps.
#include <fmt/format.h>

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
  for (size_t i = 0; i < 1 + random_.below(2); ++i) {
    Struct s{global_name(fmt::format("S{}", i)), {}};
    std::string text = fmt::format("struct {} {{", s.name);
    for (size_t k = 0; k < 2 + random_.below(3); ++k) {
      Member member{fmt::format("f{}", k), scalar()};
      text += fmt::format("{} {}: {}", k ? "," : "", member.name, member.type.spelled());
      s.members.push_back(member);
    }
    out.parts.push_back(declaration(text + " }"));
    structs_.push_back(s);
    count("struct");
  }
  for (size_t i = 0; i < 2; ++i) {
    const T type = any_integer();
    const std::string name = global_name(fmt::format("LIMIT{}", i));
    out.parts.push_back(declaration(fmt::format("const {}: {} = {}", name, type.spelled(), literal(type))));
    constants_.push_back({name, type});
    count("const");
  }
}

void Generator::declare_globals(Tree& out) {
  const size_t n = 3 + random_.below(4);
  for (size_t i = 0; i < n; ++i) {
    const std::string name = global_name(fmt::format("g{}", i));
    T type = scalar();
    const uint64_t shape = random_.below(8);
    if (shape == 0) type = {T::Kind::Array, 0, false, {}, 2 + random_.below(5), {any_integer()}}, count("global array");
    if (shape == 1) type = struct_type(random_.pick(structs_)), count("global struct");
    if (shape == 2) type = {T::Kind::Str, 0, false, {}, 4 + 4 * random_.below(4), {}};
    std::string how;
    if (random_.once_in(5))
      how = "pin ", count("global pin");
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

void Generator::declare_maps(Tree& out) {
  static const Names kinds = {"hash", "hash", "array", "percpu_hash", "percpu_array", "lru_hash"};
  const size_t n = 2 + random_.below(3);
  for (size_t i = 0; i < n; ++i) {
    Map map;
    map.name = global_name(fmt::format("m{}", i));
    map.kind = random_.pick(kinds);
    count("map " + map.kind);
    map.key = integer(32);
    if (!map.is_array()) {
      if (random_.once_in(5))
        map.key = struct_type(random_.pick(structs_)), count("map with struct keys");
      else if (random_.once_in(5))
        map.key = enum_type(random_.pick(enums_)), count("map with enum keys");
      else
        map.key = any_integer();
    }
    map.value = random_.once_in(3) ? struct_type(random_.pick(structs_)) : any_integer();
    if (map.value.kind == T::Kind::Struct) count("map with struct values");
    const uint64_t entries = map.kind == "lru_hash" ? 1024 : 2 + random_.below(6);
    out.parts.push_back(declaration(
        fmt::format("var {} : {}<{}, {}>({})", map.name, map.kind, map.key.spelled(), map.value.spelled(), entries)));
    maps_.push_back(map);
  }
}

}  // namespace ksc::fuzz

// SPDX-License-Identifier: Apache-2.0
// Expressions without parts: numbers, what may be read or written where they stand, literals of structs and arrays.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

std::string Generator::literal(const T& type) {
  switch (type.kind) {
    case T::Kind::Bool: return random_.once_in(2) ? "true" : "false";
    case T::Kind::Char: {
      static const Names characters = {"'a'", "'z'", "'0'", "'\\n'", "'\\xff'", "'\\x80'", "'~'", "' '"};
      return random_.pick(characters);
    }
    case T::Kind::Enum: return random_.pick(find_enum(type).items).first;
    default: break;
  }
  count("literal");
  const int bits = type.bits;
  const uint64_t all = bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  uint64_t number = random_.below(20);
  if (random_.once_in(3)) {
    count("literal at an edge");
    const std::vector<uint64_t> edges = {0, 1, all, all >> 1, (all >> 1) + 1, all - 1, 0x80, 0xff, 0x100 & all, 0x7f};
    number = random_.pick(edges);
    if (bits == 64 && random_.once_in(2))
      number = random_.once_in(2) ? uint64_t(1) << (32 + random_.below(31)) : 0x123456789abcdef0;
  } else if (random_.once_in(3)) {
    number = random_.bits() & all;
  }
  if (!type.is_signed) {
    if (number > UINT32_MAX) count("literal beyond 32 bits");
    return random_.once_in(3) ? fmt::format("{:#x}", number) : fmt::format("{}", number);
  }
  const int64_t signed_number = static_cast<int64_t>(number << (64 - bits)) >> (64 - bits);
  if (signed_number > INT32_MAX || signed_number < INT32_MIN) count("literal beyond 32 bits");
  return signed_number < 0 ? fmt::format("({})", signed_number) : fmt::format("{}", signed_number);
}

std::string Generator::zero(const T& type) {
  switch (type.kind) {
    case T::Kind::Int: return fmt::format("(0 as {})", type.spelled());
    case T::Kind::Bool: return "false";
    case T::Kind::Char: return "'\\0'";
    case T::Kind::Enum: return find_enum(type).items[0].first;
    default: return {};
  }
}

/// The texts of everything of that type that may be read (or written) here.
std::vector<std::string> Generator::places_of(const T& type, bool writable) {
  std::vector<std::string> found;
  std::set<std::string> seen;
  const auto look = [&](const Variable& v, const char* what) {
    if (v.type == type && !(writable && v.is_const)) found.push_back(v.name);
    if (v.type.kind == T::Kind::Struct && !(writable && v.is_const))
      for (const Member& m : find_struct(v.type).members)
        if (m.type == type) found.push_back(v.name + "." + m.name);
    if (v.type.kind == T::Kind::Array && v.type.element[0] == type)
      found.push_back(fmt::format("{}[{}]", v.name, random_.below(v.type.count)));
    if (v.type.kind == T::Kind::Packet)
      for (const Header& h : headers())
        if (h.name == v.type.name)
          for (const Member& m : h.fields)
            if (m.type == type) found.push_back(v.name + "->" + m.name);
    (void)what;
  };
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
    for (auto v = scope->rbegin(); v != scope->rend(); ++v)
      if (seen.insert(v->name).second) look(*v, "variable");
  for (const Variable& v : globals_)
    if (!seen.count(v.name.substr(0, v.name.find('.')))) look(v, "global use");
  return found;
}

Tree Generator::leaf(const T& type) {
  const auto places = places_of(type, false);
  if (!places.empty() && !random_.once_in(5)) {
    const std::string& place = random_.pick(places);
    if (place.find("->") != std::string::npos) {
      count("packet read");
      for (const Header& h : headers())
        for (const std::string& b : h.bit_fields)
          if (place.ends_with("->" + b)) count("bit-field");
    } else if (place.find('[') != std::string::npos) {
      count("element");
    } else if (place.find("settings.") != std::string::npos) {
      count("config use");
    } else if (place.find('.') != std::string::npos) {
      count("field");
    } else {
      bool is_global = false;
      for (const Variable& v : globals_) is_global |= v.name == place;
      count(is_global && !visible(place) ? "global use" : "variable");
    }
    return expression(place, type);
  }
  for (const auto& [name, constant_type] : constants_)
    if (constant_type == type && random_.once_in(3))
      return count("const use"), expression(fmt::format("({} as {})", name, type.spelled()), type);
  if (type.kind == T::Kind::Int && !random_.once_in(3)) {
    // Something of another type that is there, rather than a number
    for (int attempt = 0; attempt < 6; ++attempt) {
      const auto others = places_of(attempt < 4 ? any_integer() : scalar(), false);
      if (!others.empty())
        return count("cast"), expression(fmt::format("({} as {})", random_.pick(others), type.spelled()), type);
    }
  }
  if (type.kind == T::Kind::Int) return expression(fmt::format("({} as {})", literal(type), type.spelled()), type);
  if (type.kind == T::Kind::Struct) {
    const Struct& s = find_struct(type);
    Tree out;
    out.before = type.name + " { ";
    out.between = ", ";
    out.after = " }";
    for (const Member& m : s.members) {
      if (random_.once_in(5)) continue;  // what is left out is zero
      Tree member = join(m.name + ": ", value(m.type, 0));
      member.may_drop = true;
      out.parts.push_back(std::move(member));
    }
    if (out.parts.empty()) out.parts.push_back(join(s.members[0].name + ": ", value(s.members[0].type, 0)));
    return out;
  }
  if (type.kind == T::Kind::Array) {
    Tree out;
    out.before = "[";
    out.between = ", ";
    out.after = "]";
    for (uint64_t i = 0; i < 1 + random_.below(type.count); ++i) out.parts.push_back(value(type.element[0], 0));
    return out;
  }
  if (type.kind == T::Kind::Str) {
    static const Names texts = {"\"\"", "\"ab\"", "\"xyz\""};
    return Tree(random_.pick(texts));
  }
  return expression(literal(type), type);
}

Tree Generator::value(const T& type, int depth) {
  const bool plain = type.kind == T::Kind::Int || type.kind == T::Kind::Bool || type.kind == T::Kind::Char ||
                     type.kind == T::Kind::Enum;
  if (plain && random_.once_in(3)) return expression(literal(type), type);
  return solid(type, depth);
}

Tree Generator::key(const Map& map, int depth) {
  if (map.key.kind == T::Kind::Int) {
    if (random_.once_in(2)) return Tree(fmt::format("{}", map.is_array() ? random_.below(2) : random_.below(5)));
    return join("(", solid(map.key, depth), " & 3)");
  }
  return map.key.kind == T::Kind::Struct ? leaf(map.key) : value(map.key, depth);
}

}  // namespace ksc::fuzz

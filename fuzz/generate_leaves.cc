// SPDX-License-Identifier: Apache-2.0
// Expressions without parts: numbers, what may be read or written where they stand, literals of structs and arrays.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

std::string Generator::literal(const T& type) {
  switch (type.kind) {
    case T::Kind::Bool: return random_.once_in(2) ? "true" : "false";
    case T::Kind::Char: {
      static const Texts characters = {"'a'", "'z'", "'0'", "'\\n'", "'\\xff'", "'\\x80'", "'~'", "' '"};
      return random_.pick(characters);
    }
    case T::Kind::Enum: return random_.pick(find_enum(type).items).first;
    case T::Kind::Float: return float_literal();
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
    case T::Kind::Float: return fmt::format("(0.0 as {})", type.spelled());
    case T::Kind::Bool: return "false";
    case T::Kind::Char: return "'\\0'";
    case T::Kind::Enum: return find_enum(type).items[0].first;
    default: return {};
  }
}

/// What is of such a type among something and its parts: members, elements at a random index, and theirs.
void Generator::add_parts(const std::string& text, const T& type, const Wanted& wanted, std::vector<Place>& found) {
  if (wanted(type)) found.push_back({text, type});
  if (type.kind == T::Kind::Struct)
    for (const StructMember& m : find_struct(type).members) add_parts(text + "." + m.name, m.type, wanted, found);
  if (type.kind == T::Kind::Array) {
    std::string index = fmt::format("{}", random_.below(type.count));
    if (!unknown_index_.empty() && random_.once_in(3)) {
      count("part at a variable index");
      index = unknown_index_;
    }
    add_parts(fmt::format("{}[{}]", text, index), type.element[0], wanted, found);
  }
  if (type.kind == T::Kind::Pointer) {
    std::vector<Place> parts;
    add_parts("", type.element[0], wanted, parts);
    for (const Place& part : parts)
      if (!part.text.empty()) found.push_back({text + part.text, part.type});
  }
  if (type.kind == T::Kind::Packet)
    for (const Header& h : headers())
      if (h.name == type.name)
        for (const StructMember& m : h.fields) add_parts(text + "->" + m.name, m.type, wanted, found);
}

/// The parts of something of that type, as texts to be put behind it.
std::vector<Place> Generator::parts_where(const T& type, const Wanted& wanted) {
  std::vector<Place> found;
  add_parts("", type, wanted, found);
  std::erase_if(found, [](const Place& p) { return p.text.empty(); });
  return found;
}

/// Everything of such a type that may be read (or written) here.
std::vector<Place> Generator::places_where(const Wanted& wanted, bool writable) {
  std::vector<Place> found;
  std::set<std::string> seen;
  // A small number that is in sight: often in range, and known to nobody.
  unknown_index_.clear();
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
    for (auto v = scope->rbegin(); v != scope->rend(); ++v)
      if (seen.insert(v->name).second && (v->type == integer(8) || v->type == integer(32)))
        unknown_index_ = random_.once_in(2) ? v->name : fmt::format("{} & 3", v->name);
  seen.clear();
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
    for (auto v = scope->rbegin(); v != scope->rend(); ++v)
      if (seen.insert(v->name).second && !(writable && v->is_const)) add_parts(v->name, v->type, wanted, found);
  for (const Variable& v : globals_)
    if (!seen.count(v.name.substr(0, v.name.find('.'))) && !(writable && v.is_const))
      add_parts(v.name, v.type, wanted, found);
  unknown_index_.clear();
  return found;
}

/// The texts of everything of that type that may be read (or written) here.
std::vector<std::string> Generator::places_of(const T& type, bool writable) {
  std::vector<std::string> found;
  for (Place& p : places_where([&](const T& t) { return t == type; }, writable)) found.push_back(std::move(p.text));
  return found;
}

Texts Generator::strings_in_sight() {
  Texts found;
  for (Place& p : places_where([](const T& t) { return t.kind == T::Kind::Str; }, false))
    found.push_back(std::move(p.text));
  return found;
}

/// Several texts one behind the other; those of arrays of bytes too. Empty if there is no string to begin with.
Tree Generator::concatenation(int depth) {
  Tree first = any_string(0);
  if (first.text().empty()) return first;
  Tree out;
  out.before = "(";
  out.between = " + ";
  out.after = ")";
  out.parts.push_back(std::move(first));
  const auto arrays =
      places_where([](const T& t) { return t.kind == T::Kind::Array && t.element[0] == integer(8); }, false);
  for (uint64_t i = 0; i <= random_.below(3); ++i) {
    if (!arrays.empty() && random_.once_in(3)) {
      count("bytes as a string");
      out.parts.push_back(Tree(fmt::format("({} as str({}))", random_.pick(arrays).text, 1 + random_.below(9))));
    } else {
      Tree next = random_.once_in(2) ? any_string(depth - 1) : Tree();
      out.parts.push_back(next.text().empty() ? Tree(any_text()) : std::move(next));
    }
  }
  count("concatenation");
  return out;
}

Tree Generator::any_string(int depth) {
  const auto strings = strings_in_sight();
  if (depth > 1 && random_.once_in(5)) return concatenation(depth - 1);
  if (!maps_.empty() && random_.once_in(3)) {
    const Map& map = random_.pick(maps_);
    const auto parts = parts_where(map.value, [](const T& t) { return t.kind == T::Kind::Str; });
    if (!parts.empty()) {
      count("string of an entry");
      return join(map.name + "[", key(map, depth - 1), "]" + random_.pick(parts).text);
    }
  }
  return strings.empty() ? Tree() : Tree(random_.pick(strings));
}

std::string Generator::any_text() { return random_.pick(Texts{"\"\"", "\"ab\"", "\"xyz\""}); }

/// Counts how deep in a struct a place lies.
void Generator::count_place(const std::string& place) {
  if (place.find("settings.") != std::string::npos || place.find("->") != std::string::npos) return;
  const auto dots = std::count(place.begin(), place.end(), '.');
  if (dots > 2) count("member three deep");
  if (dots > 1) count("member of a member");
  if (dots > 0 && place.ends_with(']')) count("element of a member");
}

Tree Generator::element_of(const std::string& array, int depth) {
  return join(array + "[",
              random_.once_in(2) ? unknown(any_integer()) : join("(", solid(integer(32), depth - 1), " & 7)"), "]");
}

Tree Generator::any_part(const std::string& of, T& type, int depth) {
  const Place part = random_.pick(parts_where(type, [](const T&) { return true; }));
  type = part.type;
  count_place("x" + part.text);
  if (type.kind != T::Kind::Array || random_.once_in(2)) return Tree(of + part.text);
  type = T(type.element[0]);
  count("element of a member at a variable index");
  return element_of(of + part.text, depth);
}

Tree Generator::struct_literal(const T& type) {
  const Struct& s = find_struct(type);
  Tree out;
  out.before = type.name + " { ";
  out.between = ", ";
  out.after = " }";
  for (const StructMember& m : s.members) {
    if (random_.once_in(5)) continue;  // what is left out is zero
    Tree member = join(m.name + ": ", value(m.type, 0));
    member.may_drop = true;
    out.parts.push_back(std::move(member));
  }
  if (out.parts.empty()) out.parts.push_back(join(s.members[0].name + ": ", value(s.members[0].type, 0)));
  return out;
}

Tree Generator::leaf(const T& type) {
  const auto places = places_of(type, false);
  if (!places.empty() && !random_.once_in(5)) {
    const std::string& place = random_.pick(places);
    count_place(place);
    if (place.find("->") != std::string::npos) {
      count("packet read");
      if (const size_t at = place.find("h_dest["); at != std::string::npos && !isdigit(place[at + 7]))
        count("element of the packet at a variable index");
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
  if (type.kind == T::Kind::Int || type.kind == T::Kind::Float)
    return expression(fmt::format("({} as {})", literal(type), type.spelled()), type);
  if (type.kind == T::Kind::Struct) return struct_literal(type);
  if (type.kind == T::Kind::Array && random_.once_in(3)) {
    count("repeated element");
    return join("[", value(type.element[0], 2), fmt::format("; {}]", 1 + random_.below(type.count)));
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
    Tree texts = random_.once_in(3) ? concatenation(1) : Tree();
    return texts.text().empty() ? Tree(any_text()) : texts;
  }
  return expression(literal(type), type);
}

Tree Generator::value(const T& type, int depth) {
  if (type.kind == T::Kind::Pointer || type.kind == T::Kind::Packet) return Tree(random_.pick(pointers_to(type)));
  if (type.kind == T::Kind::Option) return option_value(type, depth);
  const bool plain = type.kind == T::Kind::Int || type.kind == T::Kind::Bool || type.kind == T::Kind::Char ||
                     type.kind == T::Kind::Enum || type.kind == T::Kind::Float;
  if (plain && random_.once_in(3)) return expression(literal(type), type);
  return solid(type, depth);
}

Tree Generator::key(const Map& map, int depth) {
  if (map.key.kind == T::Kind::Int) {
    if (random_.once_in(2)) return Tree(fmt::format("{}", map.is_array() ? random_.below(2) : random_.below(5)));
    return join("(", solid(map.key, depth), " & 3)");
  }
  const bool is_whole = map.key.kind == T::Kind::Struct || map.key.kind == T::Kind::Array;
  return is_whole ? leaf(map.key) : value(map.key, depth);
}

}  // namespace ksc::fuzz

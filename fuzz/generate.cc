// SPDX-License-Identifier: Apache-2.0
#include "fuzz/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "fuzz/random.h"

namespace ksc::fuzz {

const std::vector<std::string>& counted_forms() {
  static const std::vector<std::string> forms = {
      "alias",
      "const",
      "enum",
      "struct",
      "global",
      "global pin",
      "global local",
      "global array",
      "global struct",
      "config",
      "helper",
      "helper with context",
      "program xdp",
      "program tc",
      "map hash",
      "map array",
      "map percpu_hash",
      "map percpu_array",
      "map lru_hash",
      "map with struct values",
      "map with struct keys",
      "map with enum keys",
      "literal",
      "literal at an edge",
      "literal beyond 32 bits",
      "variable",
      "global use",
      "config use",
      "const use",
      "field",
      "element",
      "element at a variable index",
      "character of a string",
      "map read",
      "map field read",
      "+",
      "-",
      "*",
      "/",
      "%",
      "&",
      "|",
      "^",
      "<<",
      ">>",
      "negate",
      "complement",
      "cast",
      "conditional",
      "call",
      "call with context",
      "min",
      "max",
      "abs",
      "byte order",
      "compare",
      "&&",
      "||",
      "!",
      "contains_key",
      "presence",
      "compare strings",
      "match string",
      "effect on the right",
      "match value",
      "match statement",
      "match returned",
      "match range",
      "match or-pattern",
      "match enum",
      "match char",
      "match bool",
      "match block arm",
      "var in arm",
      "var",
      "var without value",
      "var shadows",
      "var with a C name",
      "var named like a global",
      "assign",
      "compound assign",
      "assign element",
      "assign field",
      "assign array",
      "assign struct",
      "map write",
      "map compound assign",
      "map field write",
      "map field compound assign",
      "map looked up again",
      "map delete",
      "insert",
      "insert_new",
      "if",
      "else if",
      "else",
      "if var",
      "entry reference",
      "entry reference taken anew",
      "entry reference given a value",
      "address of an entry",
      "for",
      "for inclusive",
      "for over variables",
      "for negative",
      "for to the type's end",
      "map loop",
      "map loop over entries",
      "map loop that deletes",
      "map loop that searches",
      "map loop that returns",
      "map loop in a loop",
      "while",
      "loop",
      "break",
      "continue",
      "block",
      "print",
      "print string",
      "print all at once",
      "packet read",
      "packet write",
      "packet at an offset",
      "packet check",
      "packet byte",
      "packet byte backwards",
      "packet pointer moves",
      "context field",
      "context write",
      "return early",
      "tail call",
      "on fault",
      "str",
      "bit-field",
      "time",
      "random number",
      "userspace main",
      "userspace function",
      "array argument",
      "len",
  };
  return forms;
}

namespace {

using Names = std::vector<std::string>;

/// A type, as far as the generator tells types apart.
struct T {
  enum class Kind { Int, Bool, Char, Enum, Struct, Array, Str, Packet } kind = Kind::Int;
  int bits = 32;
  bool is_signed = false;
  std::string name;        // Enum, Struct; Packet: the header
  uint64_t count = 0;      // Array, Str
  std::vector<T> element;  // Array: one
  bool operator==(const T& o) const {
    return kind == o.kind && name == o.name && count == o.count && element == o.element &&
           (kind != Kind::Int || (bits == o.bits && is_signed == o.is_signed));
  }
  std::string spelled() const {
    switch (kind) {
      case Kind::Int: return fmt::format("{}{}", is_signed ? 'i' : 'u', bits);
      case Kind::Bool: return "bool";
      case Kind::Char: return "char";
      case Kind::Enum:
      case Kind::Struct: return name;
      case Kind::Array: return fmt::format("{}[{}]", element[0].spelled(), count);
      case Kind::Str: return fmt::format("str({})", count);
      case Kind::Packet: return "*" + name;
    }
    return {};
  }
};
T integer(int bits, bool is_signed = false) { return {T::Kind::Int, bits, is_signed, {}, 0, {}}; }
const T boolean{T::Kind::Bool, 8, false, {}, 0, {}}, character{T::Kind::Char, 8, false, {}, 0, {}};

struct Member {
  std::string name;
  T type;
};
struct Struct {
  std::string name;
  std::vector<Member> members;
};
struct Enumeration {
  std::string name;
  std::vector<std::pair<std::string, int64_t>> items;
};
struct Variable {
  std::string name;
  T type;
  bool is_const = false;  // a loop counter that keeps a loop finite
};
struct Map {
  std::string name, kind;
  T key, value;
  bool is_array() const { return kind == "array" || kind == "percpu_array"; }
};
struct Helper {
  std::string name;
  std::vector<T> parameters;
  T result;
  bool with_context = false;
};

struct Header {
  const char* name;
  int offset;
  std::vector<Member> fields;
  Names bit_fields;
};
const std::vector<Header>& headers() {
  static const std::vector<Header> all = {
      {"ethhdr", 0, {{"h_proto", integer(16)}}, {}},
      {"iphdr",
       14,
       {{"ihl", integer(8)},
        {"version", integer(8)},
        {"tos", integer(8)},
        {"tot_len", integer(16)},
        {"ttl", integer(8)},
        {"protocol", integer(8)},
        {"saddr", integer(32)},
        {"daddr", integer(32)}},
       {"ihl", "version"}},
      {"tcphdr",
       34,
       {{"source", integer(16)},
        {"dest", integer(16)},
        {"seq", integer(32)},
        {"syn", integer(16)},
        {"doff", integer(16)},
        {"window", integer(16)}},
       {"syn", "doff"}},
      {"udphdr", 34, {{"source", integer(16)}, {"dest", integer(16)}, {"len", integer(16)}}, {}},
  };
  return all;
}

class Generator {
 public:
  Generator(uint64_t seed, const GeneratorOptions& options, Statistics& statistics)
      : random_(seed), options_(options), statistics_(statistics) {
    is_xdp_ = options.attribute.empty() ? random_.once_in(2) : options.attribute == "xdp";
  }
  Tree program();

 private:
  void count(const std::string& form) { ++statistics_[form]; }
  std::string global_name(const std::string& name) const { return options_.prefix + name; }

  // ---- types and declarations
  T any_integer() { return integer(8 << random_.below(4), random_.once_in(3)); }
  T scalar() {
    switch (random_.below(8)) {
      case 0: return boolean;
      case 1: return character;
      case 2: return enum_type(random_.pick(enums_));
      default: return any_integer();
    }
  }
  T enum_type(const Enumeration& e) const { return {T::Kind::Enum, 32, true, e.name, 0, {}}; }
  T struct_type(const Struct& s) const { return {T::Kind::Struct, 0, false, s.name, 0, {}}; }
  const Struct& find_struct(const T& type) const {
    return *std::find_if(structs_.begin(), structs_.end(), [&](const Struct& s) { return s.name == type.name; });
  }
  const Enumeration& find_enum(const T& type) const {
    return *std::find_if(enums_.begin(), enums_.end(), [&](const Enumeration& e) { return e.name == type.name; });
  }
  Tree declaration(std::string text) {
    Tree tree(std::move(text));
    tree.may_drop = true;
    tree.after = "\n";
    return tree;
  }
  void declare_types(Tree& out);
  void declare_globals(Tree& out);
  void declare_maps(Tree& out);
  Tree helper(size_t index);
  /// A function that others may call from then on.
  Tree function(Helper helper, const std::string& attribute);
  void userspace(Tree& out);
  Tree entry(size_t index, size_t total);

  // ---- expressions
  std::string literal(const T& type);
  std::string zero(const T& type);
  std::vector<std::string> places_of(const T& type, bool writable);
  /// An expression of exactly that type, not a bare number.
  Tree solid(const T& type, int depth);
  /// The same, or a number that takes the type from where it stands.
  Tree value(const T& type, int depth);
  Tree leaf(const T& type);
  /// What the compiler does not take for a constant.
  Tree unknown(const T& type) {
    const auto places = places_of(type, false);
    if (places.empty() || random_.once_in(4)) return binary("+", leaf(type), leaf(type), type);
    return Tree(random_.pick(places));
  }
  Tree integer_expression(const T& type, int depth);
  Tree condition(int depth);
  /// The strings that hold at least three characters.
  Names strings_in_sight() const {
    Names found;
    for (const auto& scope : scopes_)
      for (const Variable& v : scope)
        if (v.type.kind == T::Kind::Str &&
            std::count_if(scopes_.begin(), scopes_.end(), [&](const auto& s) { return declares(s, v.name); }) == 1)
          found.push_back(v.name);
    for (const Variable& v : globals_)
      if (v.type.kind == T::Kind::Str && !visible(v.name)) found.push_back(v.name);
    return found;
  }
  static bool declares(const std::vector<Variable>& scope, const std::string& name) {
    return std::any_of(scope.begin(), scope.end(), [&](const Variable& v) { return v.name == name; });
  }
  Tree key(const Map& map, int depth);
  Tree call(const Helper& helper, int depth);
  Tree match_value(const T& type, int depth);
  Tree match(int depth, const std::function<Tree(int)>& arm);
  Tree binary(const std::string& op, Tree left, Tree right, const T& type, bool swap_hoist = true);
  Tree expression(Tree tree, const T& type) {
    if (type.kind != T::Kind::Struct && type.kind != T::Kind::Array && type.kind != T::Kind::Str)
      tree.simpler = zero(type);
    return tree;
  }

  // ---- statements
  Tree block(int depth, int statements, const std::vector<Variable>& with = {});
  Tree statement(int depth);
  Tree simple_statement(int depth);
  Tree var_statement(int depth);
  Tree assignment(int depth);
  Tree map_statement(int depth);
  Tree if_statement(int depth);
  Tree loop_statement(int depth);
  /// A loop over a map. In which order it goes is open: what its turns do commutes, and nothing else sees them.
  Tree map_loop(int depth);
  Tree map_loop_turn(const Map& map, const std::string& entry, const std::vector<std::pair<std::string, T>>& totals,
                     int depth);
  Tree packet_statement(int depth);
  Tree print_statement(int depth);
  Tree entry_reference(int depth);
  Tree rebound_reference(int depth);
  Tree repeated_lookup(int depth);
  Tree returned(int depth);
  std::string verdict();
  Tree line(Tree tree) {
    Tree out;
    out.before = std::string(2 * static_cast<size_t>(indent_), ' ');
    out.parts.push_back(std::move(tree));
    out.after = "\n";
    out.may_drop = true;
    return out;
  }
  std::string fresh_local(bool& shadows);
  bool visible(const std::string& name) const {
    for (const auto& scope : scopes_)
      for (const Variable& v : scope)
        if (v.name == name) return true;
    return false;
  }

  Random random_;
  const GeneratorOptions& options_;
  Statistics& statistics_;
  bool is_xdp_ = true;
  std::vector<Struct> structs_;
  std::vector<Enumeration> enums_;
  std::vector<Variable> globals_;  // config fields under `block.field`
  std::vector<std::pair<std::string, T>> constants_;
  std::vector<Map> maps_;
  std::vector<Helper> helpers_;       // those that may be called from here
  std::vector<std::string> targets_;  // programs that may take over from here
  std::vector<std::vector<Variable>> scopes_;
  std::set<std::string> frozen_;  // maps into which a reference is held
  bool has_context_ = false, in_entry_ = false, in_user_ = false;
  std::set<std::string> local_globals_;
  bool commutes_ = false;  // in a body whose turns come in any order
  T result_;
  int loops_ = 0, indent_ = 0, temporaries_ = 0, nested_loops_ = 0;
};

// ---- declarations -------------------------------------------------------------------------------

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

// ---- expressions --------------------------------------------------------------------------------

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

Tree Generator::binary(const std::string& op, Tree left, Tree right, const T& type, bool both) {
  count(op);
  Tree out = join("(", std::move(left), " " + op + " ", std::move(right), ")");
  out.substitutes = both ? std::vector<size_t>{1, 3} : std::vector<size_t>{1};
  return expression(std::move(out), type);
}

Tree Generator::key(const Map& map, int depth) {
  if (map.key.kind == T::Kind::Int) {
    if (random_.once_in(2)) return Tree(fmt::format("{}", map.is_array() ? random_.below(2) : random_.below(5)));
    return join("(", solid(map.key, depth), " & 3)");
  }
  return map.key.kind == T::Kind::Struct ? leaf(map.key) : value(map.key, depth);
}

Tree Generator::call(const Helper& helper, int depth) {
  Tree out;
  out.before = helper.name + "(";
  out.between = ", ";
  out.after = ")";
  if (helper.with_context) out.parts.push_back(Tree("ctx")), count("call with context");
  for (const T& parameter : helper.parameters) out.parts.push_back(value(parameter, depth - 1));
  count("call");
  return expression(std::move(out), helper.result);
}

Tree Generator::integer_expression(const T& type, int depth) {
  switch (random_.below(22)) {
    case 0: return binary("+", solid(type, depth - 1), value(type, depth - 1), type);
    case 1: return binary("-", value(type, depth - 1), solid(type, depth - 1), type);
    case 2: return binary("*", solid(type, depth - 1), value(type, depth - 1), type);
    case 3: return binary("&", solid(type, depth - 1), value(type, depth - 1), type);
    case 4: return binary(random_.once_in(2) ? "|" : "^", solid(type, depth - 1), value(type, depth - 1), type);
    case 5:
    case 6: {
      // Zero as a divisor comes from variables; a constant one is an error.
      const std::string op = random_.once_in(2) ? "/" : "%";
      const auto places = places_of(type, false);
      Tree divisor = places.empty() ? join("(", leaf(type), " | ", leaf(type), ")") : Tree(random_.pick(places));
      if (random_.once_in(2))
        divisor = Tree(type.is_signed && random_.once_in(3) ? "(-1)" : fmt::format("{}", 1 + random_.below(9)));
      return binary(op, solid(type, depth - 1), std::move(divisor), type, false);
    }
    case 7:
    case 8: {
      const std::string op = random_.once_in(2) ? "<<" : ">>";
      const T count_type = any_integer();
      const auto places = places_of(count_type, false);
      Tree by = places.empty() || random_.once_in(2)
                    ? Tree(fmt::format("{}", random_.below(static_cast<uint64_t>(type.bits))))
                    : Tree(random_.pick(places));
      return binary(op, solid(type, depth - 1), std::move(by), type, false);
    }
    case 9: {
      const bool negate = random_.once_in(2);
      count(negate ? "negate" : "complement");
      // A cast number would stay an exact constant.
      Tree out = join(negate ? "(-" : "(~", unknown(type), ")");
      out.substitutes = {1};
      return expression(std::move(out), type);
    }
    case 10:
    case 11: {
      T from = scalar();
      if (from == type) from = boolean;
      count("cast");
      return expression(join("(", solid(from, depth - 1), fmt::format(" as {})", type.spelled())), type);
    }
    case 12: {
      count("conditional");
      Tree out = join("(", condition(depth - 1), " ? ", solid(type, depth - 1), " : ", value(type, depth - 1), ")");
      out.substitutes = {3, 5};
      return expression(std::move(out), type);
    }
    case 13: {
      if (random_.once_in(3)) {
        count("abs");
        return expression(join("abs(", solid(type, depth - 1), ")"), type);
      }
      const std::string name = random_.once_in(2) ? "min" : "max";
      count(name);
      return expression(join(name + "(", solid(type, depth - 1), ", ", value(type, depth - 1), ")"), type);
    }
    case 14: {
      if (type.is_signed || type.bits == 8) break;
      const std::string name = type.bits == 16   ? random_.pick(Names{"bswap16", "htons", "ntohs"})
                               : type.bits == 32 ? random_.pick(Names{"bswap32", "htonl", "ntohl"})
                                                 : "bswap64";
      count("byte order");
      return expression(join(name + "(", solid(type, depth - 1), ")"), type);
    }
    case 15:
    case 16: {
      std::vector<const Helper*> fitting;
      for (const Helper& helper : helpers_)
        if (helper.result == type && frozen_.empty() && (!helper.with_context || has_context_))
          fitting.push_back(&helper);
      if (fitting.empty()) break;
      return call(*random_.pick(fitting), depth);
    }
    case 17:
    case 18: {
      if (in_user_ && !commutes_ && type == integer(64) && !maps_.empty() && random_.once_in(2))
        return count("len"), expression(Tree(random_.pick(maps_).name + ".len()"), type);
      std::vector<const Map*> fitting;
      for (const Map& map : maps_)
        if (map.value == type) fitting.push_back(&map);
      if (!fitting.empty()) {
        const Map& map = *random_.pick(fitting);
        count("map read");
        return expression(join(map.name + "[", key(map, depth - 1), "]"), type);
      }
      for (const Map& map : maps_)
        if (map.value.kind == T::Kind::Struct)
          for (const Member& m : find_struct(map.value).members)
            if (m.type == type)
              return count("map field read"),
                     expression(join(map.name + "[", key(map, depth - 1), "]." + m.name), type);
      break;
    }
    case 19: {
      std::vector<Variable> arrays;
      for (const auto& scope : scopes_)
        for (const Variable& v : scope)
          if (v.type.kind == T::Kind::Array && v.type.element[0] == type) arrays.push_back(v);
      for (const Variable& v : globals_)
        if (v.type.kind == T::Kind::Array && v.type.element[0] == type && !visible(v.name)) arrays.push_back(v);
      if (arrays.empty()) break;
      count("element at a variable index");
      Tree index = random_.once_in(2) ? unknown(any_integer()) : join("(", solid(integer(32), depth - 1), " & 7)");
      return expression(join(random_.pick(arrays).name + "[", std::move(index), "]"), type);
    }
    case 20: {
      if (options_.environment && !in_user_ && !commutes_ && type == integer(64) && random_.once_in(2))
        return count("time"), expression(Tree("bpf_ktime_get_ns()"), type);
      if (options_.environment && !in_user_ && !commutes_ && type == integer(32) && random_.once_in(2))
        return count("random number"), expression(Tree("bpf_get_prandom_u32()"), type);
      if (type == integer(32) && has_context_ && in_entry_) {
        count("context field");
        return expression(Tree(is_xdp_ ? "ctx->rx_queue_index" : random_.once_in(2) ? "ctx->len" : "ctx->mark"), type);
      }
      if (type == integer(8) && has_context_ && in_entry_) {
        if (random_.once_in(3)) {
          count("packet byte backwards");
          Tree base = random_.once_in(2) ? Tree(fmt::format("(ctx->data + {})", 8 + random_.below(20)))
                                         : join("(ctx->data + 8 + (",
                                                solid(integer(random_.once_in(2) ? 32 : 64), depth - 1), " & 15))");
          if (random_.once_in(2))
            return expression(join(std::move(base), "[(", solid(integer(32, true), depth - 1), " & 15) - 8]"), type);
          return expression(join("(*(", std::move(base), " - (", solid(any_integer(), depth - 1),
                                 random_.once_in(3) ? " & 31)))" : " & 7)))"),
                            type);
        }
        count("packet byte");
        if (random_.once_in(2)) return expression(Tree(fmt::format("(*(ctx->data + {}))", random_.below(60))), type);
        return expression(join("(*(ctx->data + (", solid(integer(64), depth - 1), " & 63)))"), type);
      }
      break;
    }
    case 21:
      if (depth >= 2) return match_value(type, depth);
      break;
  }
  return leaf(type);
}

Tree Generator::solid(const T& type, int depth) {
  if (depth <= 0) return leaf(type);
  switch (type.kind) {
    case T::Kind::Int: return integer_expression(type, depth);
    case T::Kind::Bool: return condition(depth);
    case T::Kind::Char:
      if (random_.once_in(3))
        return count("cast"), expression(join("(", solid(integer(8), depth - 1), " as char)"), type);
      if (random_.once_in(3))
        for (const Variable& v : globals_)
          if (v.type.kind == T::Kind::Str && !visible(v.name)) {
            count("character of a string");
            return expression(join(v.name + "[", join("(", unknown(integer(8)), " & 15)"), "]"), type);
          }
      return leaf(type);
    case T::Kind::Enum:
      if (random_.once_in(3)) {
        count("conditional");
        return expression(
            join("(", condition(depth - 1), " ? ", solid(type, depth - 1), " : ", value(type, depth - 1), ")"), type);
      }
      if (depth >= 2 && random_.once_in(4)) return match_value(type, depth);
      return leaf(type);
    default: return leaf(type);
  }
}

Tree Generator::condition(int depth) {
  if (depth <= 0) return leaf(boolean);
  switch (random_.below(10)) {
    case 9: {
      const auto strings = strings_in_sight();
      if (strings.empty()) break;
      count("compare strings");
      const std::string other =
          random_.once_in(2) ? random_.pick(Names{"\"\"", "\"ab\"", "\"xyz\""}) : random_.pick(strings);
      return expression(Tree(fmt::format("({} {} {})", random_.pick(strings), random_.once_in(2) ? "==" : "!=", other)),
                        boolean);
    }
    case 0:
    case 1:
    case 2: {
      const T type = scalar();
      static const Names all = {"==", "!=", "<", "<=", ">", ">="}, equality = {"==", "!="};
      const std::string op = random_.pick(type == boolean ? equality : all);
      count("compare");
      return expression(join("(", solid(type, depth - 1), " " + op + " ", value(type, depth - 1), ")"), boolean);
    }
    case 3:
    case 4: {
      const std::string op = random_.once_in(2) ? "&&" : "||";
      Tree right = condition(depth - 1);
      std::vector<const Helper*> effects;
      for (const Helper& helper : helpers_)
        if (helper.result == boolean && frozen_.empty() && (!helper.with_context || has_context_))
          effects.push_back(&helper);
      if (!effects.empty() && random_.once_in(2))
        right = call(*random_.pick(effects), depth), count("effect on the right");
      return binary(op, condition(depth - 1), std::move(right), boolean);
    }
    case 5: {
      count("!");
      Tree out = join("(!", condition(depth - 1), ")");
      out.substitutes = {1};
      return expression(std::move(out), boolean);
    }
    case 6: {
      if (maps_.empty()) break;
      const Map& map = random_.pick(maps_);
      if (random_.once_in(2) || map.is_array())
        return count("contains_key"), expression(join(map.name + ".contains_key(", key(map, depth - 1), ")"), boolean);
      count("presence");
      return expression(
          join("(" + map.name + "[", key(map, depth - 1), random_.once_in(2) ? "] != null)" : "] == null)"), boolean);
    }
    case 7:
      return binary(random_.pick(Names{"&", "|", "^"}), solid(boolean, depth - 1), solid(boolean, depth - 1), boolean);
    default: break;
  }
  return leaf(boolean);
}

/// match (…) { arms }, each made by `arm`.
Tree Generator::match(int depth, const std::function<Tree(int)>& arm) {
  Tree out;
  const auto strings = strings_in_sight();
  if (!strings.empty() && random_.once_in(4)) {
    count("match string");
    out.parts.push_back(Tree(fmt::format("match ({}) {{\n", random_.pick(strings))));
    ++indent_;
    const std::string margin(2 * static_cast<size_t>(indent_), ' ');
    for (const char* pattern : {"\"ab\" | \"b\"", "\"\"", "\"xyz\"", "default"}) {
      Tree one = join(margin + pattern + ": ", arm(depth - 1), ",\n");
      one.may_drop = pattern[0] == '"';
      if (!one.may_drop || random_.once_in(2)) out.parts.push_back(std::move(one));
    }
    --indent_;
    out.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
    return out;
  }
  const T type = random_.once_in(3)   ? enum_type(random_.pick(enums_))
                 : random_.once_in(6) ? character
                 : random_.once_in(8) ? boolean
                                      : any_integer();
  out.parts.push_back(
      join("match (", value(type, 0).text() == "" ? solid(type, depth - 1) : solid(type, depth - 1), ") {\n"));
  ++indent_;
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  const auto add = [&](const std::string& pattern, bool may_drop) {
    Tree one = join(margin + pattern + ": ", arm(depth - 1), ",\n");
    one.may_drop = may_drop;
    out.parts.push_back(std::move(one));
  };
  if (type.kind == T::Kind::Enum) {
    count("match enum");
    const auto& items = find_enum(type).items;
    const bool with_default = random_.once_in(2);
    for (size_t i = 0; i < items.size(); ++i) {
      if (with_default && i + 1 == items.size()) break;
      if (i + 2 < items.size() && random_.once_in(3)) {
        add(items[i].first + " | " + items[i + 1].first, with_default);
        ++i;
        count("match or-pattern");
      } else {
        add(items[i].first, with_default);
      }
    }
    if (with_default) add("default", false);
  } else if (type.kind == T::Kind::Bool) {
    count("match bool");
    add("true", false);
    if (random_.once_in(2))
      add("false", false);
    else
      add("default", false);
  } else if (type.kind == T::Kind::Char) {
    count("match char");
    add("'a' | 'b'", true);
    if (random_.once_in(2)) add("'\\x80'..='\\xff'", true), count("match range");
    add("default", false);
  } else {
    // Patterns from small numbers up, so that none overlaps another.
    int64_t at = type.is_signed ? -3 : 0;
    for (size_t i = 0; i < 1 + random_.below(4); ++i) {
      at += static_cast<int64_t>(random_.below(3));
      switch (random_.below(4)) {
        case 0:
          add(fmt::format("{} | {}", at, at + 2), true);
          count("match or-pattern");
          at += 3;
          break;
        case 1:
          add(fmt::format("{}..{}", at, at + 3), true);
          count("match range");
          at += 3;
          break;
        case 2:
          add(fmt::format("{}..={}", at, at + 3), true);
          count("match range");
          at += 4;
          break;
        default: add(fmt::format("{}", at++), true);
      }
    }
    if (random_.once_in(3)) {
      const int64_t top = type.is_signed ? (type.bits == 64 ? INT64_MAX : (int64_t(1) << (type.bits - 1)) - 1)
                                         : (int64_t(1) << std::min(type.bits, 62)) - 1;
      add(fmt::format("{}..={}", top - 20, top), true);
      count("match range");
    }
    add("default", false);
  }
  --indent_;
  out.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
  return out;
}

Tree Generator::match_value(const T& type, int depth) {
  count("match value");
  Tree out = match(depth, [&](int d) -> Tree {
    if (!random_.once_in(3) || d <= 0) return value(type, d - 1);
    count("match block arm");
    count("var in arm");
    scopes_.emplace_back();
    ++indent_;
    Tree body;
    body.before = "{\n";
    const std::string name = fmt::format("in_arm{}", temporaries_++);
    const std::string margin(2 * static_cast<size_t>(indent_), ' ');
    body.parts.push_back(join(fmt::format("{}var {}: {} = ", margin, name, type.spelled()), value(type, d - 1), "\n"));
    scopes_.back().push_back({name, type});
    if (!commutes_ && random_.once_in(2))
      body.parts.push_back(line(simple_statement(d - 1)));  // what turns do in any order is said by map_loop
    body.parts.push_back(join(margin, solid(type, d - 1), "\n"));
    --indent_;
    body.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
    scopes_.pop_back();
    return body;
  });
  // Arms may all be numbers, which have no type of their own.
  Tree wrapped = join("(", std::move(out), fmt::format(" as {})", type.spelled()));
  return expression(std::move(wrapped), type);
}

// ---- statements ---------------------------------------------------------------------------------

Tree Generator::block(int depth, int statements, const std::vector<Variable>& with) {
  Tree out;
  out.before = "{\n";
  scopes_.push_back(with);
  ++indent_;
  for (int i = 0; i < statements; ++i) out.parts.push_back(line(statement(depth)));
  --indent_;
  scopes_.pop_back();
  out.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
  return out;
}

std::string Generator::fresh_local(bool& shadows) {
  static const Names pool = {"x",        "y",   "count", "register", "errno",  "main_",   "bpf_printk",
                             "volatile", "key", "value", "entry",    "switch", "printf",  "typedef",
                             "result",   "at",  "slot",  "status",   "NULL",   "unsigned"};
  shadows = false;
  for (int attempt = 0; attempt < 4; ++attempt) {
    std::string name = random_.pick(pool);
    const bool like_global = random_.once_in(8) && !globals_.empty();
    if (like_global) name = globals_[random_.below(globals_.size())].name;
    if (name.find('.') != std::string::npos) continue;
    bool in_scope = false;
    for (const Variable& v : scopes_.back()) in_scope |= v.name == name;
    // What is fixed in an outer scope keeps a loop finite: it is not hidden, so that it can be counted down.
    for (const auto& scope : scopes_)
      for (const Variable& v : scope) in_scope |= v.name == name && v.is_const;
    if (in_scope) continue;
    if (like_global) count("var named like a global");
    shadows = visible(name);
    static const std::set<std::string> c_names = {"register", "volatile",   "errno", "switch",  "typedef",
                                                  "printf",   "bpf_printk", "NULL",  "unsigned"};
    if (c_names.count(name)) count("var with a C name");
    return name;
  }
  return fmt::format("v{}", temporaries_++);
}

Tree Generator::var_statement(int depth) {
  T type = scalar();
  const uint64_t shape = random_.below(10);
  if (shape == 0) type = {T::Kind::Array, 0, false, {}, 2 + random_.below(4), {any_integer()}};
  if (shape == 1) type = struct_type(random_.pick(structs_));
  if (shape == 2) type = {T::Kind::Str, 0, false, {}, 8, {}}, count("str");
  bool shadows = false;
  Tree initial = random_.once_in(6) ? Tree() : value(type, depth);
  const bool has_initial = !initial.text().empty();
  const std::string name = fresh_local(shadows);
  if (shadows) count("var shadows");
  scopes_.back().push_back({name, type});
  count("var");
  if (!has_initial) return count("var without value"), Tree(fmt::format("var {}: {}", name, type.spelled()));
  return join(fmt::format("var {}: {} = ", name, type.spelled()), std::move(initial));
}

Tree Generator::assignment(int depth) {
  // Arrays and structs as wholes
  if (random_.once_in(6)) {
    for (const auto& scope : scopes_)
      for (const Variable& v : scope)
        if ((v.type.kind == T::Kind::Array || v.type.kind == T::Kind::Struct) && random_.once_in(2)) {
          bool hidden = false;
          for (auto later = &scope + 1; later != scopes_.data() + scopes_.size(); ++later)
            for (const Variable& w : *later) hidden |= w.name == v.name;
          if (hidden) continue;
          count(v.type.kind == T::Kind::Array ? "assign array" : "assign struct");
          return join(v.name + " = ", leaf(v.type));
        }
  }
  for (int attempt = 0; attempt < 6; ++attempt) {
    const T type = scalar();
    // An element at a variable index
    if (type.kind == T::Kind::Int && random_.once_in(4)) {
      for (const Variable& v : globals_)
        if (v.type.kind == T::Kind::Array && v.type.element[0].kind == T::Kind::Int && !visible(v.name)) {
          count("assign element");
          const bool compound = random_.once_in(2);
          return join(v.name + "[",
                      random_.once_in(2) ? unknown(any_integer()) : join("(", unknown(integer(32)), " & 7)"),
                      compound ? "] += " : "] = ", value(v.type.element[0], depth));
        }
    }
    auto places = places_of(type, true);
    std::erase_if(places, [&](const std::string& p) { return p.find("settings.") != std::string::npos; });
    if (places.empty()) continue;
    const std::string place = random_.pick(places);
    if (place.find("->") != std::string::npos)
      count("packet write");
    else if (place.find('.') != std::string::npos)
      count("assign field");
    else if (place.find('[') != std::string::npos)
      count("assign element");
    if (type.kind == T::Kind::Int && random_.once_in(2)) {
      count("compound assign");
      const std::string op = random_.pick(Names{"+", "-", "*", "&", "|", "^", "/", "%", "<<", ">>"});
      if (op == "/" || op == "%") {
        const auto divisors = places_of(type, false);
        return join(place + " " + op + "= ",
                    random_.once_in(2) ? Tree(fmt::format("{}", 1 + random_.below(7))) : Tree(random_.pick(divisors)));
      }
      if (op == "<<" || op == ">>")
        return Tree(fmt::format("{} {}= {}", place, op, random_.below(static_cast<uint64_t>(type.bits))));
      return join(place + " " + op + "= ", value(type, depth));
    }
    count("assign");
    return join(place + " = ", value(type, depth));
  }
  return var_statement(depth);
}

Tree Generator::map_statement(int depth) {
  const Map& map = random_.pick(maps_);
  const bool frozen = frozen_.count(map.name) != 0;
  const bool is_struct = map.value.kind == T::Kind::Struct;
  Tree at = key(map, depth - 1);
  if (is_struct && random_.once_in(2)) {
    std::vector<Member> fields = find_struct(map.value).members;
    const Member& m = random_.pick(fields);
    if (m.type.kind == T::Kind::Int && random_.once_in(2)) {
      count("map field compound assign");
      return join(map.name + "[", std::move(at), "]." + m.name + " " + random_.pick(Names{"+", "-", "|", "*"}) + "= ",
                  value(m.type, depth));
    }
    count("map field write");
    return join(map.name + "[", std::move(at), "]." + m.name + " = ", value(m.type, depth));
  }
  switch (random_.below(5)) {
    case 0:
      if (map.is_array() || frozen) break;
      count("map delete");
      return join("delete " + map.name + "[", std::move(at), "]");
    case 1: {
      if (frozen) break;
      const std::string method = random_.once_in(2) && !map.is_array() ? "insert_new" : "insert";
      count(method);
      Tree arguments = join(map.name + "." + method + "(", std::move(at), ", ",
                            is_struct ? leaf(map.value) : value(map.value, depth), ")");
      const auto places = places_of(integer(32, true), true);
      if (places.empty() || random_.once_in(2)) return arguments;
      return join(random_.pick(places) + " = ", std::move(arguments));
    }
    case 2:
    case 3:
      if (is_struct) break;
      count("map compound assign");
      return join(map.name + "[", std::move(at), "] " + random_.pick(Names{"+", "-", "|", "&", "^", "*"}) + "= ",
                  value(map.value, depth));
    default: break;
  }
  if (frozen) return print_statement(depth);
  count("map write");
  return join(map.name + "[", std::move(at), "] = ", is_struct ? leaf(map.value) : value(map.value, depth));
}

Tree Generator::if_statement(int depth) {
  count("if");
  Tree out = join("if (", condition(depth), ") ", block(depth - 1, 1 + static_cast<int>(random_.below(2))));
  if (random_.once_in(3)) {
    count("else if");
    Tree other = join(" else if (", condition(depth - 1), ") ", block(depth - 1, 1));
    other.may_drop = true;
    out.parts.push_back(std::move(other));
  }
  if (random_.once_in(2)) {
    count("else");
    Tree other = join(" else ", block(depth - 1, 1));
    other.may_drop = true;
    out.parts.push_back(std::move(other));
  }
  return out;
}

/// Something that holds what `m[k]` gives, and what is done with it.
Tree Generator::entry_reference(int depth) {
  const Map& map = random_.pick(maps_);
  Tree at = key(map, depth - 1);
  const std::string name = fmt::format("found{}", temporaries_++);
  Tree head;
  if (map.value.kind != T::Kind::Struct && !in_user_ && random_.once_in(3)) {
    count("address of an entry");
    const bool was_frozen = !frozen_.insert(map.name).second;
    head = join(fmt::format("if (var {} = &{}[", name, map.name), std::move(at), "]) ");
    scopes_.emplace_back();
    ++indent_;
    Tree body;
    body.before = "{\n";
    const auto places = places_of(map.value, true);
    if (!places.empty()) body.parts.push_back(line(Tree(random_.pick(places) + " = *" + name)));
    body.parts.push_back(line(join("*" + name + (random_.once_in(2) ? " += " : " = "), value(map.value, depth - 1))));
    --indent_;
    body.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
    scopes_.pop_back();
    if (!was_frozen) frozen_.erase(map.name);
    head.parts.push_back(std::move(body));
  } else if (map.value.kind != T::Kind::Struct) {
    count("if var");
    head = join(fmt::format("if (var {} = {}[", name, map.name), std::move(at), "]) ");
    // The variable holds an option, which converts where a value is wanted; it is given an ordinary one here.
    scopes_.emplace_back();
    ++indent_;
    const std::string margin(2 * static_cast<size_t>(indent_), ' ');
    const std::string copy = fmt::format("held{}", temporaries_++);
    Tree body;
    body.before = "{\n";
    body.parts.push_back(Tree(fmt::format("{}var {}: {} = {}\n", margin, copy, map.value.spelled(), name)));
    scopes_.back().push_back({copy, map.value});
    for (uint64_t i = 0; i < 1 + random_.below(2); ++i) body.parts.push_back(line(statement(depth - 1)));
    --indent_;
    body.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
    scopes_.pop_back();
    head.parts.push_back(std::move(body));
  } else {
    count("entry reference");
    count("if var");
    const bool was_frozen = in_user_ || !frozen_.insert(map.name).second;  // references in userspace do not die [L52]
    head = join(fmt::format("if (var {} = {}[", name, map.name), std::move(at), "]) ");
    scopes_.emplace_back();
    ++indent_;
    Tree body;
    body.before = "{\n";
    for (uint64_t i = 0; i < 1 + random_.below(3); ++i) {
      const Member& m = random_.pick(find_struct(map.value).members);
      const auto places = places_of(m.type, true);
      if (!places.empty() && random_.once_in(2))
        body.parts.push_back(line(join(random_.pick(places) + " = ", name + "." + m.name)));
      else if (m.type.kind == T::Kind::Int && random_.once_in(2))
        body.parts.push_back(line(join(name + "." + m.name + " += ", value(m.type, depth - 1))));
      else
        body.parts.push_back(line(join(name + "." + m.name + " = ", value(m.type, depth - 1))));
    }
    --indent_;
    body.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
    scopes_.pop_back();
    if (!was_frozen) frozen_.erase(map.name);
    head.parts.push_back(std::move(body));
  }
  if (random_.once_in(2)) {
    count("else");
    Tree other = join(" else ", block(depth - 1, 1));
    other.may_drop = true;
    head.parts.push_back(std::move(other));
  }
  return head;
}

/// A variable that refers to one entry, then to another.
Tree Generator::rebound_reference(int depth) {
  std::vector<const Map*> fitting;
  for (const Map& map : maps_)
    if (map.value.kind == T::Kind::Struct) fitting.push_back(&map);
  if (fitting.empty()) return simple_statement(depth);
  count("entry reference taken anew");
  const Map& map = *random_.pick(fitting);
  const std::string name = fmt::format("ref{}", temporaries_++), margin(2 * static_cast<size_t>(indent_), ' ');
  const bool was_frozen = in_user_ || !frozen_.insert(map.name).second;
  const auto use = [&] {
    const Member& m = random_.pick(find_struct(map.value).members);
    const auto places = places_of(m.type, true);
    Tree what = !places.empty() && random_.once_in(2)
                    ? Tree(fmt::format("{} = {}.{}", random_.pick(places), name, m.name))
                    : join(fmt::format("{}.{} {}= ", name, m.name,
                                       m.type.kind == T::Kind::Int && random_.once_in(2) ? "+" : ""),
                           value(m.type, depth - 1));
    return join(fmt::format("\n{}if ({} != null) {{ ", margin, name), std::move(what), " }");
  };
  Tree first = use();
  std::string where = random_.once_in(4) ? "null" : fmt::format("{}[{}]", map.name, key(map, 0).text());
  if (random_.once_in(3)) count("entry reference given a value"), where = leaf(map.value).text();
  Tree second = use();
  if (!was_frozen) frozen_.erase(map.name);
  return join(join("var " + name + " = " + map.name + "[", key(map, 0), "]"), std::move(first),
              fmt::format("\n{}{} = {}", margin, name, where), std::move(second));
}

/// One key of a map several times, with or without something between that may change the map.
Tree Generator::repeated_lookup(int depth) {
  std::vector<const Map*> fitting;
  for (const Map& map : maps_)
    if (map.value.kind == T::Kind::Int && !frozen_.count(map.name)) fitting.push_back(&map);
  if (fitting.empty()) return simple_statement(depth);
  count("map looked up again");
  const Map& map = *random_.pick(fitting);
  const std::string where = key(map, random_.once_in(3) ? 1 : 0).text(), at = fmt::format("{}[{}]", map.name, where);
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  Tree out;
  switch (random_.below(4)) {
    case 0:
      if (!map.is_array()) {
        out.parts.push_back(Tree(fmt::format("if ({} == null) ", at)));
        break;
      }
      [[fallthrough]];
    case 1:
      out.parts.push_back(
          Tree(fmt::format("if ({}{}.contains_key({})) ", random_.once_in(2) ? "!" : "", map.name, where)));
      break;
    case 2: {
      const std::string name = fmt::format("seen{}", temporaries_++);
      out.parts.push_back(
          Tree(fmt::format("var {}: {} = {}\n{}if ({} > 1) ", name, map.value.spelled(), at, margin, name)));
      scopes_.back().push_back({name, map.value});
      break;
    }
    default: out.parts.push_back(Tree(fmt::format("{} += 1\n{}if ({} < 9) ", at, margin, at)));
  }
  const std::string op = random_.pick(Names{"+", "-", "|", "*"});
  // What runs in some worlds only is kept short, so that mistakes in it still show.
  const auto branch = [&](Tree last) {
    Tree body = block(0, 0);  // no declarations: they could hide what the key names
    if (random_.once_in(3)) body.parts.push_back(line(map_statement(1)));
    body.parts.push_back(line(join("  " + at + " ", std::move(last))));
    return body;
  };
  Tree first = branch(join(op + "= ", value(map.value, depth - 1))),
       second = branch(join(random_.once_in(2) ? "= " : "+= ", value(map.value, depth - 1)));
  out.parts.push_back(std::move(first));
  out.parts.push_back(Tree(" else "));
  out.parts.push_back(std::move(second));
  if (random_.once_in(2)) {
    const auto places = places_of(map.value, true);
    if (!places.empty()) out.parts.push_back(Tree(fmt::format("\n{}{} = {}", margin, random_.pick(places), at)));
  }
  return out;
}

Tree Generator::loop_statement(int depth) {
  if (nested_loops_ >= 2) return if_statement(depth);
  ++nested_loops_;
  ++loops_;
  Tree out;
  const std::string name = fmt::format("i{}", temporaries_++);
  const int statements = 1 + static_cast<int>(random_.below(3));
  switch (random_.below(options_.unbounded_loops ? 8 : 4)) {
    case 0:
    case 1: {
      const uint64_t low = random_.below(4), high = low + random_.below(6);
      const bool inclusive = random_.once_in(2);
      count(inclusive ? "for inclusive" : "for");
      out = join(fmt::format("for ({} in {}{}{}) ", name, low, inclusive ? "..=" : "..", high),
                 block(depth - 1, statements, {{name, integer(32)}}));
      break;
    }
    case 2:
      count("for negative");
      out = join(fmt::format("for ({} in -{}..{}) ", name, 1 + random_.below(3), random_.below(3)),
                 block(depth - 1, statements));
      break;
    case 3: {
      count("for to the type's end");
      const std::string top = fmt::format("u8_top{}", temporaries_++);
      scopes_.back().push_back({top, integer(8), true});
      // The variables' type decides the counter's; 255 is the last there is.
      out = join(fmt::format("var {}: u8 = 250\n{}for ({} in {}..=255) ", top,
                             std::string(2 * static_cast<size_t>(indent_), ' '), name, top),
                 block(depth - 1, statements, {{name, integer(8)}}));
      break;
    }
    case 4:
    case 5: {
      count("for over variables");
      const T type = random_.once_in(2) ? integer(32) : integer(8);
      out =
          join(fmt::format("for ({} in (", name), solid(type, depth - 1), random_.once_in(2) ? " & 3)..(" : " & 3)..=(",
               solid(type, depth - 1), " & 7)) ", block(depth - 1, statements, {{name, type}}));
      break;
    }
    case 6: {
      count("while");
      const std::string left = fmt::format("left{}", temporaries_++);
      const std::string margin(2 * static_cast<size_t>(indent_), ' ');
      Tree initial = solid(integer(32), depth - 1);
      scopes_.back().push_back({left, integer(32), true});
      Tree body = block(depth - 1, statements);
      body.before = fmt::format("{{\n{}  {} -= 1\n", margin, left);
      out = join(fmt::format("var {}: u32 = ", left), std::move(initial),
                 fmt::format(" & 7\n{}while ({} > 0{}", margin, left, random_.once_in(2) ? "" : " && "), Tree(), ") ",
                 std::move(body));
      if (out.parts[2].text().ends_with("&& ")) out.parts[3] = condition(depth - 1);
      break;
    }
    default: {
      count("loop");
      count("break");
      const std::string turns = fmt::format("turns{}", temporaries_++);
      const std::string margin(2 * static_cast<size_t>(indent_), ' ');
      scopes_.back().push_back({turns, integer(32), true});
      Tree body = block(depth - 1, statements);
      body.before = fmt::format("{{\n{}  {} += 1\n{}  if ({} > {}) {{ break }}\n", margin, turns, margin, turns,
                                random_.below(6));
      out = join(fmt::format("var {}: u32 = 0\n{}loop ", turns, margin), std::move(body));
    }
  }
  --nested_loops_;
  --loops_;
  return out;
}

Tree Generator::map_loop_turn(const Map& map, const std::string& entry,
                              const std::vector<std::pair<std::string, T>>& totals, int depth) {
  static const Names operators = {"+", "^", "|", "&"};
  switch (random_.below(depth > 0 ? 5 : 3)) {
    case 0:
      // Through the reference to the entry at hand.
      if (map.value.kind == T::Kind::Struct) {
        const Member& m = random_.pick(find_struct(map.value).members);
        return join(entry + "." + m.name + (m.type.kind == T::Kind::Int && random_.once_in(2) ? " += " : " = "),
                    value(m.type, 1));
      }
      break;
    case 3: return join("if (", condition(1), ") { ", map_loop_turn(map, entry, totals, depth - 1), " }");
    case 4: {
      count("for");
      const std::string name = fmt::format("i{}", temporaries_++);
      return join(fmt::format("for ({} in 0..{}) {{ ", name, 1 + random_.below(3)),
                  map_loop_turn(map, entry, totals, 0), " }");
    }
    default: break;
  }
  // One operator for each total, so that the turns commute.
  const size_t which = random_.below(totals.size());
  return join(fmt::format("{} {}= ", totals[which].first, operators[which % operators.size()]),
              value(totals[which].second, 1));
}

Tree Generator::map_loop(int depth) {
  const Map& map = random_.pick(maps_);
  if (frozen_.count(map.name)) return assignment(depth);
  count("map loop");
  if (loops_ > 0) count("map loop in a loop");
  const bool refers = map.value.kind == T::Kind::Struct;
  if (refers) count("map loop over entries");
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  const std::string key = fmt::format("k{}", temporaries_++), entry = fmt::format("v{}", temporaries_++);
  std::vector<std::pair<std::string, T>> totals;
  Tree head;
  for (uint64_t i = 0; i < 1 + random_.below(3); ++i) {
    const T type = any_integer();
    totals.push_back({fmt::format("total{}", temporaries_++), type});
    head.parts.push_back(
        join(fmt::format("var {}: {} = ", totals.back().first, type.spelled()), value(type, depth - 1), "\n" + margin));
  }
  const bool is_search = random_.once_in(4), returns = is_search && random_.once_in(2);
  Tree leaving;
  if (is_search) leaving = returns ? returned(0) : Tree(totals[0].first + " = 7\n" + margin + "    break");
  if (is_search) count(returns ? "map loop that returns" : "map loop that searches");

  // The body sees the key, the value and constants: nothing that another turn may have changed.
  const auto scopes = std::exchange(scopes_, {{}});
  const auto globals = std::exchange(globals_, {});
  const auto maps = std::exchange(maps_, {});
  const auto helpers = std::exchange(helpers_, {});
  const bool had_context = std::exchange(has_context_, false);
  commutes_ = true;
  scopes_.back().push_back({key, map.key});
  if (!refers) scopes_.back().push_back({entry, map.value});
  if (refers)
    for (const Member& m : find_struct(map.value).members)
      scopes_.back().push_back({entry + "." + m.name, m.type, true});
  ++indent_;
  std::vector<Tree> turns;
  if (is_search) {
    // Whether any entry will do is the same in every order.
    turns.push_back(
        join("if (", condition(depth), ") {\n" + margin + "    ", std::move(leaving), "\n" + margin + "  }"));
  } else {
    if (random_.once_in(4)) {
      count("continue");
      turns.push_back(join("if (", condition(1), ") { continue }"));
    }
    for (uint64_t i = 0; i < 1 + random_.below(3); ++i) turns.push_back(map_loop_turn(map, entry, totals, depth));
    if (!map.is_array() && random_.once_in(3)) {
      count("map loop that deletes");
      turns.push_back(join("if (", condition(1), fmt::format(") {{ delete {}[{}] }}", map.name, key)));
    }
  }
  Tree body;
  body.before = "{\n";
  for (Tree& turn : turns) body.parts.push_back(line(std::move(turn)));
  --indent_;
  body.after = margin + "}";
  scopes_ = scopes;
  globals_ = globals;
  maps_ = maps;
  helpers_ = helpers;
  has_context_ = had_context;
  commutes_ = false;

  for (const auto& [name, type] : totals) scopes_.back().push_back({name, type});
  static const Names forms = {"for ({}, {} in {}) ", "for (({}, {}) in {}) ", "for ({}, {}) in {} "};
  head.parts.push_back(join(fmt::format(fmt::runtime(random_.pick(forms)), key, entry, map.name), std::move(body)));
  return head;
}

Tree Generator::packet_statement(int depth) {
  const Header& header = random_.pick(headers());
  const std::string name = fmt::format("{}{}", std::string(header.name).substr(0, 2), temporaries_++);
  const T pointer{T::Kind::Packet, 0, false, header.name, 0, {}};
  if (random_.once_in(5)) {
    count("packet pointer moves");
    const std::string margin(2 * static_cast<size_t>(indent_), ' '), at = fmt::format("at{}", temporaries_++),
                                                                     byte = fmt::format("byte{}", temporaries_++);
    Tree moves = join(fmt::format("var {0} = ctx->data + {1}\n{2}for (i{0} in 0..{3}) {{ {0} = {0} + 1 + (", at,
                                  14 + random_.below(10), margin, 1 + random_.below(3)),
                      solid(integer(8), depth - 1), fmt::format(" & 7) }}\n{}{} -= (", margin, at),
                      solid(any_integer(), depth - 1),
                      fmt::format(" & {})\n{}var {}: u8 = {}[{}]", random_.once_in(3) ? 31 : 7, margin, byte, at,
                                  random_.once_in(2) ? "-1" : "1"));
    scopes_.back().push_back({byte, integer(8)});
    return moves;
  }
  Tree out;
  if (random_.once_in(3)) {
    count("packet check");
    out.parts.push_back(
        Tree(fmt::format("if (ctx->data + {} > ctx->data_end) {{ return {} }}\n{}",
                         header.offset + static_cast<int>(random_.pick(std::vector<int>{8, 14, 20, 40})),
                         in_entry_ ? verdict() : zero(result_), std::string(2 * static_cast<size_t>(indent_), ' '))));
  }
  if (header.offset == 0) {
    out.parts.push_back(Tree(fmt::format("var {} = ctx->data as *{}", name, header.name)));
  } else if (random_.once_in(3)) {
    count("packet at an offset");
    out.parts.push_back(join(fmt::format("var {} = (ctx->data + {} + ((", name, header.offset),
                             solid(integer(32), depth - 1), fmt::format(" & 15) as u64)) as *{}", header.name)));
  } else {
    count("packet at an offset");
    out.parts.push_back(Tree(fmt::format("var {} = (ctx->data + {}) as *{}", name, header.offset, header.name)));
  }
  scopes_.back().push_back({name, pointer});
  return out;
}

Tree Generator::print_statement(int depth) {
  count("print");
  if (random_.once_in(3)) {
    count("print all at once");
    return join("print(\"value\", ", solid(scalar(), depth - 1), ")");
  }
  const T type = scalar();
  const std::string verb = type == character ? "%c" : random_.pick(Names{"%d", "%u", "%x"});
  if (random_.once_in(4)) {
    for (const auto& scope : scopes_)
      for (const Variable& v : scope)
        if (v.type.kind == T::Kind::Str && &scope == &scopes_.back())
          return count("print string"), Tree(fmt::format("print(\"%s|\", {})", v.name));
    for (const Variable& v : globals_)
      if (v.type.kind == T::Kind::Str && !visible(v.name))
        return count("print string"), Tree(fmt::format("print(\"%s|\", {})", v.name));
  }
  if (type == character)
    return join("print(\"a ", verb + " b %d\", ", solid(type, depth - 1), ", ", solid(any_integer(), depth - 1), ")");
  return join("print(\"a " + verb + " b %d\", ", solid(type, depth - 1), ", ", solid(any_integer(), depth - 1), ")");
}

std::string Generator::verdict() {
  static const Names xdp = {"XDP_PASS", "XDP_DROP", "XDP_TX", "XDP_ABORTED"},
                     tc = {"TC_ACT_OK", "TC_ACT_SHOT", "TC_ACT_PIPE", "3"};
  return random_.pick(is_xdp_ ? xdp : tc);
}

/// `return …` as a function ends with it.
Tree Generator::returned(int depth) {
  if (!in_entry_) return join("return ", value(result_, depth));
  if (!targets_.empty() && random_.once_in(3))
    return count("tail call"), Tree(fmt::format("return {}(ctx)", random_.pick(targets_)));
  if (random_.once_in(3)) {
    count("match returned");
    return join(
        "return ", match(depth, [&](int d) -> Tree {
          if (!targets_.empty() && random_.once_in(3))
            return count("tail call"), Tree(random_.pick(targets_) + "(ctx)");
          if (random_.once_in(3) && d > 0) {
            count("match block arm");
            Tree body = block(d - 1, 1);
            body.parts.push_back(Tree(std::string(2 * static_cast<size_t>(indent_ + 1), ' ') + verdict() + "\n"));
            return body;
          }
          return Tree(verdict());
        }));
  }
  if (random_.once_in(4)) {
    count("conditional");
    return join("return ", condition(depth), " ? " + verdict() + " : " + verdict());
  }
  return Tree("return " + verdict());
}

Tree Generator::simple_statement(int depth) {
  switch (random_.below(8)) {
    case 0: return print_statement(depth);
    case 1:
    case 2: return frozen_.empty() ? map_statement(depth) : print_statement(depth);
    default: return assignment(depth);
  }
}

Tree Generator::statement(int depth) {
  if (depth <= 0) return simple_statement(1);
  switch (random_.below(27)) {
    case 26: return map_loop(depth);
    case 0:
    case 1:
    case 2:
    case 3: return var_statement(depth);
    case 4:
    case 5:
    case 6: return map_statement(depth);
    case 7:
    case 8:
    case 9: return if_statement(depth);
    case 10:
    case 11: return entry_reference(depth);
    case 22:
    case 23: return random_.once_in(3) ? rebound_reference(depth) : repeated_lookup(depth);
    case 12:
    case 13: return loop_statement(depth);
    case 14:
    case 15:
      if (has_context_) return packet_statement(depth);
      break;
    case 16: {
      count("match statement");
      return match(depth, [&](int d) {
        count("match block arm");
        return block(d - 1, 1);
      });
    }
    case 17: return count("block"), block(depth - 1, 2);
    case 18:
      if (loops_ > 0) {
        const bool leaves = random_.once_in(2);
        count(leaves ? "break" : "continue");
        return join("if (", condition(depth - 1), leaves ? ") { break }" : ") { continue }");
      }
      break;
    case 19:
      if (random_.once_in(2)) {
        count("return early");
        return join("if (", condition(depth - 1), ") { ", returned(0), " }");
      }
      break;
    case 20:
      if (in_entry_ && !is_xdp_) return count("context write"), join("ctx->mark = ", value(integer(32), depth));
      break;
    case 21:
      if (!helpers_.empty() && frozen_.empty()) {
        const Helper& helper = random_.pick(helpers_);
        if (!helper.with_context || has_context_) return call(helper, depth);
      }
      break;
    default: break;
  }
  return simple_statement(depth);
}

// ---- functions ----------------------------------------------------------------------------------

Tree Generator::helper(size_t index) {
  Helper helper;
  helper.name = global_name(fmt::format("help{}", index));
  helper.result = index == 0 ? boolean : index == 1 ? integer(32) : scalar();
  helper.with_context = random_.once_in(3);
  if (helper.with_context) count("helper with context");
  count("helper");
  return function(helper, "@helper ");
}

Tree Generator::function(Helper helper, const std::string& attribute) {
  std::string parameters = helper.with_context ? fmt::format("ctx: *{}", is_xdp_ ? "xdp_md" : "__sk_buff") : "";
  scopes_ = {{}};
  for (size_t i = 0; i < 1 + random_.below(3); ++i) {
    T type = scalar();
    if (in_user_ && random_.once_in(4)) {
      count("array argument");
      type = random_.once_in(2) ? T{T::Kind::Str, 0, false, {}, 8, {}}
                                : T{T::Kind::Array, 0, false, {}, 3, {any_integer()}};
    }
    const std::string name = fmt::format("p{}", i);
    parameters += fmt::format("{}{}: {}", parameters.empty() ? "" : ", ", name, type.spelled());
    helper.parameters.push_back(type);
    scopes_.back().push_back({name, type});
  }
  has_context_ = helper.with_context;
  in_entry_ = false;
  result_ = helper.result;
  Tree out;
  out.before = fmt::format("{}fn {}({}) -> {} {{\n", attribute, helper.name, parameters, helper.result.spelled());
  indent_ = 1;
  for (uint64_t i = 0; i < 1 + random_.below(4); ++i) out.parts.push_back(line(statement(2)));
  Tree last = line(returned(2));
  last.may_drop = false;
  out.parts.push_back(std::move(last));
  out.after = "}\n\n";
  out.may_drop = true;
  helpers_.push_back(helper);
  return out;
}

void Generator::userspace(Tree& out) {
  in_user_ = true;
  helpers_.clear();
  std::erase_if(globals_, [&](const Variable& v) { return local_globals_.count(v.name) != 0; });
  // Of structs each CPU has its own, and which is meant must be said there [L51].
  std::erase_if(maps_, [](const Map& m) { return m.kind.starts_with("percpu") && m.value.kind == T::Kind::Struct; });
  if (maps_.empty()) {
    maps_.push_back({global_name("counts"), "hash", integer(32), integer(64)});
    out.parts.push_back(declaration(fmt::format("var {} : hash<u32, u64>(4)", maps_[0].name)));
  }
  for (uint64_t i = 0; i < 1 + random_.below(2); ++i) {
    count("userspace function");
    out.parts.push_back(function({global_name(fmt::format("user{}", i)), {}, i == 0 ? boolean : scalar(), false}, ""));
  }
  count("userspace main");
  scopes_ = {{}};
  result_ = integer(32, true);
  Tree body;
  body.before = "fn main() -> i32 {\n";
  indent_ = 1;
  body.parts.push_back(Tree(fmt::format("  load({})\n", global_name("prog0"))));
  for (int i = 0; i < options_.size; ++i) body.parts.push_back(line(statement(3)));
  Tree last = line(join("return ", join("(", solid(result_, 2), " & 127)")));
  last.may_drop = false;
  body.parts.push_back(std::move(last));
  body.after = "}\n";
  body.may_drop = true;
  out.parts.push_back(std::move(body));
}

Tree Generator::entry(size_t index, size_t total) {
  scopes_ = {{}};
  has_context_ = in_entry_ = true;
  // A program takes over from one with a smaller number; rarely from any, and the limit ends the chain.
  targets_.clear();
  for (size_t i = 0; i < total; ++i)
    if (i > index || (i == index && random_.once_in(12))) targets_.push_back(global_name(fmt::format("prog{}", i)));
  Tree out;
  if (random_.once_in(3)) out.before = fmt::format("@on_fault({}) ", verdict()), count("on fault");
  out.before +=
      is_xdp_ ? fmt::format("@xdp fn {}(ctx: *xdp_md) -> xdp_action {{\n", global_name(fmt::format("prog{}", index)))
              : fmt::format("@tc(\"ingress\") fn {}(ctx: *__sk_buff) -> i32 {{\n",
                            global_name(fmt::format("prog{}", index)));
  indent_ = 1;
  for (int i = 0; i < options_.size / 2 + static_cast<int>(random_.below(static_cast<uint64_t>(options_.size))); ++i)
    out.parts.push_back(line(statement(3)));
  Tree last = line(returned(3));
  last.may_drop = false;
  out.parts.push_back(std::move(last));
  out.after = "}\n\n";
  out.may_drop = index != 0;
  count(is_xdp_ ? "program xdp" : "program tc");
  return out;
}

Tree Generator::program() {
  Tree out;
  declare_types(out);
  declare_globals(out);
  declare_maps(out);
  const size_t helpers = 1 + random_.below(3);
  for (size_t i = 0; i < helpers; ++i) out.parts.push_back(helper(i));
  const size_t programs = 1 + random_.below(3);
  for (size_t i = 0; i < programs; ++i) out.parts.push_back(entry(i, programs));
  if (options_.userspace) userspace(out);
  return out;
}

}  // namespace

Tree generate_program(uint64_t seed, const GeneratorOptions& options, Statistics& statistics) {
  for (const std::string& form : counted_forms()) statistics[form];
  return Generator(seed, options, statistics).program();
}

}  // namespace ksc::fuzz

// SPDX-License-Identifier: Apache-2.0
#include "ir/sexpr.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "ir/mentions.h"
#include "ir/visit.h"

namespace ksc {
namespace {

// ---- writing ------------------------------------------------------------------------------------

std::string integer_text(__int128 value) {
  if (value == 0) return "0";
  const bool negative = value < 0;
  unsigned __int128 rest = negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string text;
  for (; rest != 0; rest /= 10) text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  return negative ? "-" + text : text;
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text)
    if (!(std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '/' || c == '+' || c == '#'))
      return false;
  return !std::isdigit(static_cast<unsigned char>(text[0]));
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", static_cast<char>(c));
    else if (c < 32 || c > 126)
      out += fmt::format("\\x{:02x}", c);
    else
      out += static_cast<char>(c);
  }
  return out + "\"";
}

std::string name_text(Name name) { return is_plain(name.text()) ? std::string(name.text()) : quoted(name.text()); }

/// What begins the list of places behind a program; a line end stands in no string of a dump.
constexpr std::string_view places_mark = "\n(locations ";

struct Printer {
  std::string out;
  std::vector<Loc>* places = nullptr;  // where each node stands, in the order in which they are printed
  size_t depth = 0;

  void line() { out += "\n" + std::string(2 * depth, ' '); }
  void type(Type t) { out += print(t); }

  template <class T>
  void field(const T& value) {
    if constexpr (std::same_as<T, Expr> || std::same_as<T, TypeExpr>) {
      node(value);
    } else if constexpr (std::same_as<T, Stmt> || std::same_as<T, Decl>) {
      line();
      node(value);
    } else if constexpr (std::same_as<T, Body>) {
      if (value.statements.empty()) {
        out += "()";
        return;
      }
      out += "(";
      depth += 2;
      for (const Stmt& s : value.statements) field(s);
      depth -= 2;
      out += ")";
    } else if constexpr (is_span<T>) {
      out += "(";
      bool first = true;
      for (const auto& v : value) {
        if (!std::exchange(first, false)) out += " ";
        field(v);
      }
      out += ")";
    } else if constexpr (is_option<T>) {
      if (value)
        field(*value);
      else
        out += "-";
    } else if constexpr (Record<T>) {
      out += "(";
      bool first = true;
      value.with_fields([&](const auto&... f) { ((out += std::exchange(first, false) ? "" : " ", field(f)), ...); });
      out += ")";
    } else if constexpr (std::same_as<T, Name>) {
      out += value ? name_text(value) : "-";
    } else if constexpr (std::same_as<T, Ident>) {
      out += value.name ? name_text(value.name) : "-";
    } else if constexpr (std::same_as<T, Type>) {
      out += value ? print(value) : "-";
    } else if constexpr (std::same_as<T, Integer>) {
      out += integer_text(value.value);
    } else if constexpr (Enumeration<T>) {
      out += enum_text(value);
    } else if constexpr (std::same_as<T, bool>) {
      out += value ? "true" : "false";
    } else {
      out += fmt::format("{}", value);
    }
  }

  template <class Sum>
  void node(const Sum& sum) {
    boost::variant2::visit([&](const auto& ref) { form(*ref); }, sum);
  }
  template <class F>
  void form(const Node<F>& n) {
    if (places) places->push_back(n.loc);
    out += fmt::format("({}", kind_names[int(F::kind)]);
    if (n.type) {
      out += ":";
      type(n.type);
    }
    n.form.with_fields([&](const auto&... f) { ((out += " ", field(f)), ...); });
    out += ")";
  }
};

// ---- reading ------------------------------------------------------------------------------------

class Reader {
 public:
  Reader(Context& context, std::string_view text, const FileOf& file_of)
      : context_(context), text_(text), file_of_(file_of) {}
  struct Failure {
    ReadError error;
  };

  Program program() {
    std::vector<Decl> declarations;
    skip();
    if (text_.substr(at_).starts_with("(types")) {
      at_ += std::string_view("(types").size();
      while (!accept(')')) type();
    }
    read_places();
    for (skip(); at_ < text_.size(); skip()) declarations.push_back(node<Decl>());
    return context_.span(declarations);
  }

 private:
  /// What stands behind the declarations about where they stand in the source.
  void read_places() {
    const size_t places = text_.rfind(places_mark);
    if (places == text_.npos) return;
    const size_t declarations = std::exchange(at_, places + places_mark.size());
    struct Source {
      std::optional<uint32_t> file;
      size_t size = 0;
    };
    std::vector<Source> sources;
    while (sources.empty() || peek() == '"') {
      const std::string path = string();
      const auto size = static_cast<size_t>(integer());
      sources.push_back({file_of_(path, size), size});
    }
    size_t current = 0;
    while (!accept(')')) {
      if (accept('@')) {
        current = static_cast<size_t>(integer());
        if (current >= sources.size()) fail("there is no source of this number");
      }
      const auto& [file, size] = sources[current];
      const auto begin = static_cast<uint32_t>(integer());
      const auto end = static_cast<uint32_t>(integer());
      if (begin > end || end > size) fail("this is no range of the source");
      const bool is_nowhere = !file || (begin == 0 && end == 0);
      places_.push_back(is_nowhere ? Loc{} : context_.locations.add({*file, begin, end, {}, {}}));
    }
    at_ = declarations;
    text_ = text_.substr(0, places);
  }

  [[noreturn]] void fail(std::string message) { throw Failure{{at_, std::move(message)}}; }
  void skip() {
    while (at_ < text_.size()) {
      if (std::isspace(static_cast<unsigned char>(text_[at_])))
        ++at_;
      else if (text_[at_] == ';')
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      else
        break;
    }
  }
  char peek() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(fmt::format("found `{}`, expected `{}`", peek() ? std::string(1, peek()) : "the end", c));
  }
  std::string_view word() {
    skip();
    const size_t begin = at_;
    while (at_ < text_.size() && !std::isspace(static_cast<unsigned char>(text_[at_])) && text_[at_] != '(' &&
           text_[at_] != ')' && text_[at_] != ':' && text_[at_] != '"')
      ++at_;
    if (begin == at_) fail("expected a word");
    return text_.substr(begin, at_ - begin);
  }
  std::string string() {
    expect('"');
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] != '\\') {
        out += text_[at_++];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == 'x' && at_ + 3 < text_.size()) {
        const auto digit = [&](char c) {
          return std::isdigit(static_cast<unsigned char>(c)) ? c - '0' : (c | 32) - 'a' + 10;
        };
        if (!std::isxdigit(static_cast<unsigned char>(text_[at_ + 2])) ||
            !std::isxdigit(static_cast<unsigned char>(text_[at_ + 3])))
          fail("expected two hexadecimal digits");
        out += static_cast<char>(digit(text_[at_ + 2]) * 16 + digit(text_[at_ + 3]));
        at_ += 4;
      } else if (at_ + 1 < text_.size()) {
        out += text_[at_ + 1];
        at_ += 2;
      } else {
        break;
      }
    }
    if (at_ >= text_.size()) fail("a string does not end");
    ++at_;
    return out;
  }
  bool absent() {
    if (peek() != '-' || (at_ + 1 < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_ + 1]))))
      return false;
    ++at_;
    return true;
  }
  Name name() {
    if (absent()) return {};
    return context_.name(peek() == '"' ? string() : std::string(word()));
  }
  __int128 integer() {
    const std::string_view text = word();
    const bool negative = text[0] == '-';
    __int128 value = 0;
    if (text.size() == size_t(negative)) fail("expected an integer");
    for (char c : text.substr(negative)) {
      if (!std::isdigit(static_cast<unsigned char>(c))) fail("expected an integer");
      const int digit = negative ? '0' - c : c - '0';
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
        fail("an integer is out of range");
    }
    return value;
  }

  Type type() {
    Types& types = context_.types;
    Enter enter(*this);
    if (!accept('(')) {
      if (peek() == '"') fail("expected a type");
      const std::string_view text = word();
      static const std::map<std::string_view, int> integers = {{"u8", 8},  {"u16", 16},  {"u32", 32},  {"u64", 64},
                                                               {"i8", -8}, {"i16", -16}, {"i32", -32}, {"i64", -64}};
      if (auto found = integers.find(text); found != integers.end())
        return types.integer(std::abs(found->second), found->second < 0);
      if (text == "void") return types.void_type();
      if (text == "bool") return types.boolean();
      if (text == "char") return types.character();
      if (text == "null") return types.null();
      if (text == "handle") return types.handle();
      if (text == "constant") return types.constant();
      if (text == "invalid") return types.invalid();
      if (text == "f32") return types.floating(32);
      if (text == "f64") return types.floating(64);
      fail(fmt::format("`{}` is no type", text));
    }
    const std::string_view kind = word();
    Type result = nullptr;
    if (kind == "str") {
      result = types.str(size());
    } else if (kind == "array") {
      Type element = type();
      result = types.array(element, size());
    } else if (kind == "ptr" || kind == "nullable") {
      Type element = type();
      const auto space = enum_value<Space>(word());
      if (!space) fail("expected a memory space");
      const uint64_t count = peek() == ')' ? 0 : size();
      result = types.element_pointer(element, *space, kind == "nullable", count);
    } else if (kind == "entry" || kind == "nullable-entry") {
      Type element = type();
      result = types.entry_ref(element, name(), kind == "nullable-entry");
    } else if (kind == "maybe") {
      result = types.maybe(type());
    } else if (kind == "struct") {
      result = struct_type();
    } else if (kind == "enum") {
      result = enum_type();
    } else if (kind == "map") {
      Name map_kind = name();
      Type key = absent() ? nullptr : type();
      Type value = absent() ? nullptr : type();
      result = types.map(map_kind, key, value, size());
    } else if (kind == "program") {
      result = types.program(name());
    } else if (kind == "module") {
      result = types.module(name());
    } else if (kind == "fn" || kind == "throwing-fn") {
      std::vector<Type> parameters;
      expect('(');
      while (!accept(')')) parameters.push_back(type());
      result = types.function(parameters, type(), kind == "throwing-fn");
    } else {
      fail(fmt::format("`{}` is no kind of type", kind));
    }
    expect(')');
    return result;
  }
  uint64_t size() {
    const __int128 value = integer();
    if (value < 0 || value > UINT32_MAX) fail("a size is out of range");
    return static_cast<uint64_t>(value);
  }
  /// (struct S) or, where it is first met, (struct S size (header) (field type offset bit_offset bit_size) …).
  Type struct_type() {
    Type type_read = context_.types.structure(name());
    if (peek() == ')') return type_read;
    const uint64_t bytes = size();
    const std::string header = peek() == '"' ? string() : "";
    std::vector<StructField> fields;
    while (accept('(')) {
      StructField f;
      f.name = name();
      f.type = type();
      f.offset = static_cast<uint32_t>(size());
      f.bit_offset = static_cast<uint8_t>(size());
      f.bit_size = static_cast<uint8_t>(size());
      fields.push_back(f);
      expect(')');
    }
    const Name kept = context_.name(header);
    context_.types.complete_struct(type_read, fields, kept.text(), bytes);
    return type_read;
  }
  /// (enum E) or, where it is first met, (enum E [of signature] [header] (item value) …).
  Type enum_type() {
    Type type_read = context_.types.enumeration(name());
    if (peek() == ')') return type_read;
    Type signature = nullptr;
    if (peek() == 'o') {
      if (word() != "of") fail("expected `of`, a header or an item");
      signature = type();
    }
    const Name kept = context_.name(peek() == '"' ? string() : "");
    std::vector<EnumItem> items;
    while (accept('(')) {
      EnumItem item;
      item.name = name();
      item.value = static_cast<int64_t>(integer());
      items.push_back(item);
      expect(')');
    }
    context_.types.complete_enum(type_read, items, kept.text());
    if (signature) context_.types.set_signature(type_read, signature);
    return type_read;
  }

  template <class T>
  T field() {
    if constexpr (SumField<T>) {
      return node<T>();
    } else if constexpr (std::same_as<T, Body>) {
      std::vector<Stmt> statements;
      expect('(');
      while (!accept(')')) statements.push_back(node<Stmt>());
      return {context_.span(statements)};
    } else if constexpr (is_span<T>) {
      using Value = std::remove_cvref_t<decltype(std::declval<T>()[0])>;
      std::vector<Value> values;
      expect('(');
      while (!accept(')')) values.push_back(field<Value>());
      return context_.span(values);
    } else if constexpr (is_option<T>) {
      if (absent()) return {};
      return T(field<std::remove_cvref_t<decltype(*std::declval<T>())>>());
    } else if constexpr (Record<T>) {
      expect('(');
      T record = fields_of<T>();
      expect(')');
      return record;
    } else if constexpr (std::same_as<T, Name>) {
      return name();
    } else if constexpr (std::same_as<T, Ident>) {
      return {name(), {}};
    } else if constexpr (std::same_as<T, Type>) {
      return absent() ? nullptr : type();
    } else if constexpr (std::same_as<T, Integer>) {
      return {integer()};
    } else if constexpr (Enumeration<T>) {
      const std::string_view text = word();
      const auto value = enum_value<T>(text);
      if (!value) fail(fmt::format("`{}` is none of the names expected here", text));
      return *value;
    } else if constexpr (std::same_as<T, bool>) {
      const std::string_view text = word();
      if (text != "true" && text != "false") fail("expected true or false");
      return text == "true";
    } else {
      return static_cast<T>(integer());
    }
  }
  template <class F>
  F fields_of() {
    return F{}.with_fields([&]<class... T>(const T&...) { return F{field<T>()...}; });
  }

  struct Enter {
    Reader& reader;
    explicit Enter(Reader& r) : reader(r) {
      if (++reader.depth_ > 2000) reader.fail("nested too deeply");
    }
    ~Enter() { --reader.depth_; }
  };

  template <class Sum>
  Sum node() {
    Enter enter(*this);
    expect('(');
    // Places are listed in the order in which nodes begin.
    const Loc loc = next_place_ < places_.size() ? places_[next_place_] : Loc{};
    ++next_place_;
    const std::string_view text = word();
    Type node_type = nullptr;
    if (at_ < text_.size() && text_[at_] == ':') {
      ++at_;
      node_type = type();
    }
    Sum out;
    if (!read_form<Sum>(text, node_type, loc, out)) fail(fmt::format("`{}` is no form that can stand here", text));
    expect(')');
    return out;
  }
  template <class Sum>
  bool read_form(std::string_view text, Type node_type, Loc loc, Sum& out) {
    const auto attempt = [&]<class F>(Ref<F>) {
      if (text != kind_names[int(F::kind)]) return false;
      out = context_.make(fields_of<F>(), loc, node_type);
      return true;
    };
    return
        [&]<class... F>(boost::variant2::variant<F...>*) { return (attempt(F{}) || ...); }(static_cast<Sum*>(nullptr));
  }

  Context& context_;
  std::string_view text_;
  const FileOf& file_of_;
  std::vector<Loc> places_;
  size_t at_ = 0, next_place_ = 0;
  int depth_ = 0;
};

std::string described(Type type) {
  std::string out = fmt::format("({} {}", is(type, TypeKind::Struct) ? "struct" : "enum", name_text(type->name));
  if (is(type, TypeKind::Struct)) out += fmt::format(" {}", type->body->size);
  if (type->body->signature) out += " of " + print(type->body->signature);
  if (!type->body->header.empty()) out += " " + quoted(type->body->header);
  for (const StructField& f : type->body->fields)
    out += fmt::format(" ({} {} {} {} {})", name_text(f.name), print(f.type), f.offset, f.bit_offset, f.bit_size);
  for (const EnumItem& item : type->body->items) out += fmt::format(" ({} {})", name_text(item.name), item.value);
  return out + ")";
}

}  // namespace

std::string print(Type t) {
  switch (t->kind) {
    case TypeKind::Invalid: return "invalid";
    case TypeKind::Constant: return "constant";
    case TypeKind::Handle: return "handle";
    case TypeKind::Str: return fmt::format("(str {})", t->count);
    case TypeKind::Array: return fmt::format("(array {} {})", print(t->element), t->count);
    case TypeKind::Pointer:
      return fmt::format("({} {} {}{})", t->nullable ? "nullable" : "ptr", print(t->element), enum_text(t->space),
                         is_element_pointer(t) ? fmt::format(" {}", t->count) : "");
    case TypeKind::EntryRef:
      return fmt::format("({} {} {})", t->nullable ? "nullable-entry" : "entry", print(t->element), name_text(t->name));
    case TypeKind::Maybe: return fmt::format("(maybe {})", print(t->element));
    case TypeKind::Struct: return fmt::format("(struct {})", name_text(t->name));
    case TypeKind::Enum: return fmt::format("(enum {})", name_text(t->name));
    case TypeKind::Program: return fmt::format("(program {})", t->name ? name_text(t->name) : "-");
    case TypeKind::Module: return fmt::format("(module {})", name_text(t->name));
    case TypeKind::Map:
      return fmt::format("(map {} {} {} {})", name_text(t->name), t->key ? print(t->key) : "-",
                         t->element ? print(t->element) : "-", t->count);
    case TypeKind::Function: {
      std::string text = t->throws ? "(throwing-fn (" : "(fn (";
      for (size_t i = 0; i < t->parameters.size(); ++i) text += (i ? " " : "") + print(t->parameters[i]);
      return text + ") " + print(t->element) + ")";
    }
    default: return spell(t);
  }
}

std::string print(const Expr& e) {
  Printer printer;
  printer.node(e);
  return printer.out;
}
std::string print(const Stmt& s) {
  Printer printer;
  printer.node(s);
  return printer.out;
}

namespace {

std::string print(const Program& program, std::vector<Loc>* places) {
  std::string out;
  Mentions mentioned;
  for (const Decl& d : program) mentioned.add(d);
  // Kernel structs and the developer's alike: a dump that is read back must not need the types' source.
  if (!mentioned.types().empty()) {
    out += "(types";
    for (Type type : mentioned.types()) out += "\n  " + described(type);
    out += ")\n";
  }
  for (const Decl& d : program) {
    Printer printer;
    printer.places = places;
    printer.node(d);
    out += printer.out + "\n";
  }
  return out;
}

}  // namespace

std::string print(const Program& program) { return print(program, nullptr); }

std::string print(const Program& program, const Locations& locations, const SourceOf& source_of) {
  std::vector<Loc> places;
  std::string out = print(program, &places);
  std::vector<uint32_t> files;
  const auto number_of = [&](uint32_t file) -> size_t {
    const auto found = std::find(files.begin(), files.end(), file);
    if (found == files.end()) return files.push_back(file), files.size() - 1;
    return static_cast<size_t>(found - files.begin());
  };
  std::string ranges;
  size_t current = 0;
  constexpr size_t in_a_line = 12;
  for (size_t i = 0; i < places.size(); ++i) {
    const LocationRecord& place = locations[places[i]];
    ranges += i % in_a_line == 0 ? "\n  " : "  ";
    // What has no place stands in every file.
    const size_t number = places[i] ? number_of(place.file) : current;
    if (number != current) ranges += fmt::format("@{} ", current = number);
    ranges += fmt::format("{} {}", place.begin, place.end);
  }
  if (files.empty()) files.push_back(0);
  out += places_mark;
  for (uint32_t file : files) {
    const SourceText source = source_of(file);
    out += fmt::format("{}{} {}", file == files[0] ? "" : " ", quoted(source.path), source.text.size());
  }
  return out + ranges + ")\n";
}

std::optional<Program> read_program(Context& context, std::string_view text, ReadError& error, const FileOf& file_of) {
  try {
    return Reader(context, text, file_of).program();
  } catch (const Reader::Failure& failure) {
    error = failure.error;
    return std::nullopt;
  }
}

bool equal(const Program& a, const Program& b) { return print(a) == print(b); }

}  // namespace ksc

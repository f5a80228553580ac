// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "passes/inference.h"

namespace ksc {

namespace {

/// What `print` shows a value of this type with; nothing for one that it does not show as a whole.
std::string_view verb_for(Type type) {
  if (is(type, TypeKind::Char)) return "%c";
  if (is(type, TypeKind::Str)) return "%s";
  if (is(type, TypeKind::Pointer)) return "%p";
  if (is(type, TypeKind::Float)) return "%f";
  return is_integral(type) && !is_function_value(type) ? "%d" : "";
}

/// Whether `print` shows values of this type; `shows_parts`: also structs and arrays.
bool is_printable(Type type, bool shows_parts) {
  if (shows_parts && is(type, TypeKind::Array)) return is_printable(type->element, true);
  if (!shows_parts || !is(type, TypeKind::Struct)) return !verb_for(type).empty();
  return std::all_of(type->body->fields.begin(), type->body->fields.end(),
                     [](const StructField& field) { return is_printable(field.type, true); });
}

/// So many values one part of a line has at most.
constexpr uint64_t most_values = 64;

/// How many values a struct or an array holds; more than one part has are not counted.
uint64_t count_values(Type type) {
  if (is(type, TypeKind::Array))
    return std::min(type->count, most_values + 1) * std::min(count_values(type->element), most_values + 1);
  if (!is(type, TypeKind::Struct)) return 1;
  uint64_t count = 0;
  for (const StructField& field : type->body->fields)
    if (count <= most_values) count += count_values(field.type);
  return count;
}

/// Whether it is a literal or a variable's place, which it takes nothing to compute.
bool is_at_hand(const Expr& e) {
  if (const auto* member = as<Field>(e)) return is_at_hand(member->form.base);
  return as<Int>(e) || as<StringValue>(e) || as<Local>(e) || as<Global>(e);
}

}  // namespace

/// Where a part of a literal's text stands in the source; the whole literal where its escapes leave that open.
Loc Inference::part_of_literal(const Node<StringValue>& literal, size_t from, size_t count) {
  const LocationRecord record = c.locations[literal.loc];
  const auto written = [](std::string_view text) {
    size_t size = text.size();
    for (char ch : text) size += std::string_view("\n\t\r\\\"\0", 6).find(ch) != std::string_view::npos;
    return static_cast<uint32_t>(size);
  };
  const std::string_view text = literal->text.text();
  if (record.end - record.begin != written(text) + 2) return literal.loc;
  const uint32_t begin = record.begin + 1 + written(text.substr(0, from));
  return c.locations.add({record.file, begin, begin + written(text.substr(from, count)), {}, {}});
}

/// In userspace structs print as `{f: v}`, and arrays as `[a, b]` [L75]: all that they hold become values of one line.
void Inference::print_piece(const Expr& value, std::string& piece, std::vector<Expr>& values) {
  Type type = type_of(value);
  const Loc loc = loc_of(value);
  if (is(type, TypeKind::Struct)) {
    piece += "{";
    for (const StructField& field : type->body->fields) {
      piece += fmt::format("{}{}: ", &field == type->body->fields.begin() ? "" : ", ", field.name.text());
      print_piece(c.make(Field{value, field.name}, loc, field.type), piece, values);
    }
    piece += "}";
  } else if (is(type, TypeKind::Array)) {
    piece += "[";
    for (uint64_t i = 0; i < type->count; ++i) {
      if (i > 0) piece += ", ";
      const Expr at = integer({static_cast<__int128>(i)}, t.u64(), loc);
      print_piece(c.make(Index{value, at}, loc, type->element), piece, values);
    }
    piece += "]";
  } else {
    piece += verb_for(type);
    values.push_back(value);
  }
}

/// Adds to a line more than one part of it holds: what stands before that is such a part, and so is each element of a
/// long array.
void Inference::print_parts(const Expr& value, std::string& piece, std::vector<Expr>& values) {
  Type type = type_of(value);
  const Loc loc = loc_of(value);
  const auto end_part = [&] {
    if (piece.empty()) return;
    emit(PrintPart{c.name(std::exchange(piece, {})), c.span(std::exchange(values, {}))}, loc);
  };
  const uint64_t count = count_values(type);
  if (count <= most_values) {
    if (values.size() + count > most_values) end_part();
    return print_piece(value, piece, values);
  }
  if (is(type, TypeKind::Struct)) {
    piece += "{";
    for (const StructField& field : type->body->fields) {
      piece += fmt::format("{}{}: ", &field == type->body->fields.begin() ? "" : ", ", field.name.text());
      print_parts(c.make(Field{value, field.name}, loc, field.type), piece, values);
    }
    piece += "}";
    return;
  }
  piece += "[";
  end_part();
  const Name turn = c.names.fresh("element");
  const Expr at = c.make(Local{turn}, loc, t.u64());
  const auto number = [&](uint64_t n) { return integer({static_cast<__int128>(n)}, t.u64(), loc); };
  const Body turns = collect_statements([&] {
    const Expr follows = c.make(Compare{CompareOp::NotEqual, at, number(0)}, loc, t.boolean());
    const Body comma = collect_statements([&] { emit(PrintPart{c.name(", "), {}}, loc); });
    emit(If{c.span<Branch>({{follows, comma}}), {}}, loc);
    print_parts(c.make(Index{value, at}, loc, type->element), piece, values);
    end_part();
  });
  emit(For{{turn, loc}, number(0), number(type->count), false, turns}, loc);
  piece += "]";
}

Expr Inference::held(const Expr& e) {
  const Name name = c.names.fresh("printed");
  emit(Let{name, type_of(e), e}, loc_of(e));
  return c.make(Local{name}, loc_of(e), type_of(e));
}

/// A struct or an array that is printed, as a place that is read member by member; what is computed is computed once,
/// after what is printed before it.
Expr Inference::printed_place(const Expr& value, std::vector<Expr>& earlier) {
  if (is(type_of(value), TypeKind::EntryRef)) return c.make(Deref{value}, loc_of(value), type_of(value)->element);
  if (is_at_hand(value)) return value;
  for (Expr& e : earlier)
    if (!as<Int>(e) && !as<StringValue>(e)) e = held(e);
  return held(value);
}

/// A string in a map entry as a place, which is zero where the entry is absent [L50]; other values themselves.
Expr Inference::text_of_entry(const Expr& value, std::vector<Expr>& earlier) {
  Type type = type_of(value);
  if (!is(type, TypeKind::EntryRef) || !is(type->element, TypeKind::Str)) return value;
  const Expr text = entry_value(value);
  return as<BlockValue>(text) ? printed_place(text, earlier) : text;
}

/// An array of characters as a string: a copy, since no NUL need end the array.
Expr Inference::text_of_array(const Expr& array, std::vector<Expr>& earlier) {
  const Expr from = printed_place(entry_value(array), earlier);
  return c.make(Concatenate{c.span<Expr>({from})}, loc_of(array), t.str(type_of(from)->count + 1));
}

/// What `print` shows of an argument: a place where that has members or elements.
Expr Inference::printed_argument(const Expr& argument, std::vector<Expr>& earlier) {
  const bool is_entry = is(type_of(argument), TypeKind::EntryRef);
  Type type = is_entry ? type_of(argument)->element : type_of(argument);
  const bool has_parts = (is(type, TypeKind::Struct) || is(type, TypeKind::Array)) && !in_ebpf();
  if (!has_parts) return text_of_entry(argument, earlier);
  // An entry that is read in place is zero where it is absent [L50].
  return printed_place(is_entry && !as<Local>(argument) ? entry_copy(argument) : argument, earlier);
}

/// What is printed one after another; false if something of it cannot be.
bool Inference::print_all(const std::vector<Expr>& arguments, std::string& format, std::vector<Expr>& values) {
  std::vector<Expr> shown;
  uint64_t count = 0;
  for (const Expr& argument : arguments) {
    shown.push_back(printed_argument(argument, shown));
    Type type = type_of(shown.back());
    if (!is_printable(type, !in_ebpf())) {
      if (is(type, TypeKind::EntryRef)) type = type->element;
      c.diagnostics.report(loc_of(argument), diag::print_verb, "print", spell(type));
      return false;
    }
    count += count_values(type);
  }
  const bool in_parts = count > most_values && !in_ebpf();
  // Between two parts nothing is computed.
  if (in_parts && (in_deferred_call_ || !std::all_of(shown.begin(), shown.end(), is_at_hand)))
    for (Expr& e : shown)
      if (!as<StringValue>(e)) e = held(e);
  char last = ' ';
  for (const Expr& e : shown) {
    std::string piece;
    const auto* text = as<StringValue>(e);
    for (char ch : text ? text->form.text.text() : std::string_view()) piece += ch == '%' ? "%%" : std::string(1, ch);
    if (text && piece.empty()) continue;
    if (last != ' ' && !piece.starts_with(' ')) format += ' ';
    format += piece;
    last = text ? piece.back() : '%';
    if (!text) in_parts ? print_parts(e, format, values) : print_piece(e, format, values);
  }
  return true;
}

void Inference::report_verb(const Node<StringValue>& literal, size_t from, size_t end) {
  const std::string_view text = literal->text.text();
  // `%5u` and `%-8s` are verbs of C with a width.
  size_t verb = end;
  while (verb < text.size() && std::string_view("0123456789+-#.*lhzjt").find(text[verb]) != std::string_view::npos)
    ++verb;
  const bool has_width =
      verb > end && verb < text.size() && std::string_view("diuxcspf").find(text[verb]) != std::string_view::npos;
  const size_t size = (has_width ? verb : end) - from + 1;
  const Loc loc = part_of_literal(literal, from, size);
  Diagnostic& message = c.diagnostics.report(loc, diag::unknown_verb, std::string(text.substr(from, size)));
  if (has_width)
    message.fix(loc, fmt::format("%{}", text[verb]), "verbs have no width or size");
  else if (verb < text.size() && std::string_view("aAeEfFgG").find(text[verb]) != std::string_view::npos)
    message.fix(loc, "%f", "floating-point numbers are shown by `%f`");
  else if (loc != literal.loc)
    message.fix(part_of_literal(literal, from, 1), "%%", "a `%` is written twice");
}

void Inference::print_statement(const Node<Apply>& n) {
  std::vector<Expr> arguments;
  for (const Expr& argument : n->arguments) arguments.push_back(resting(settle(value_of_maybe(infer(argument)))));
  for (const Expr& argument : arguments)
    if (is_invalid(argument)) return emit(InvalidStmt{}, n.loc);
  std::string format;
  const auto* literal = arguments.empty() ? nullptr : as<StringValue>(arguments[0]);
  const bool formats = literal && literal->form.text.text().find('%') != std::string_view::npos;
  const auto accepts = [&](char verb, Type type) {
    if (verb == 's')
      return is(is(type, TypeKind::EntryRef) ? type->element : type, TypeKind::Str) || is_text_array(type);
    if (verb == 'c') return is(type, TypeKind::Char) || type == t.u8();
    if (verb == 'f') return is(type, TypeKind::Float);
    if (verb == 'p') return is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef);
    return is_integral(type) && !is_function_value(type);
  };
  std::vector<Expr> values;
  if (formats) {
    const std::string_view text = literal->form.text.text();
    size_t verbs = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        format += text[i];
        continue;
      }
      size_t end = i + 1;
      while (end < text.size() && text[end] == 'l') ++end;
      const char verb = end < text.size() ? text[end] : '\0';
      if (verb == '%') {
        format += "%%";
      } else if (std::string_view("diuxcspf").find(verb) == std::string_view::npos || verb == '\0') {
        report_verb(*literal, i, end);
        return emit(InvalidStmt{}, n.loc);
      } else {
        if (++verbs < arguments.size()) {
          if (!accepts(verb, type_of(arguments[verbs])))
            c.diagnostics.report(loc_of(n->arguments[verbs]), diag::print_verb,
                                 std::string(text.substr(i, end - i + 1)), spell(type_of(arguments[verbs])));
          const bool is_array = verb == 's' && is_text_array(type_of(arguments[verbs]));
          const Expr shown = is_array      ? text_of_array(arguments[verbs], values)
                             : verb == 's' ? text_of_entry(arguments[verbs], values)
                                           : arguments[verbs];
          values.push_back(shown);
        }
        format += '%';
        format += verb == 'i' ? 'd' : verb;
      }
      i = end;
    }
    if (verbs + 1 != arguments.size()) {
      c.diagnostics.report(n.loc, diag::print_arguments, verbs, arguments.size() - 1);
      return emit(InvalidStmt{}, n.loc);
    }
  } else if (!print_all(arguments, format, values)) {
    return emit(InvalidStmt{}, n.loc);
  }
  while (!format.empty() && format.back() == '\n') format.pop_back();  // a line end is added anyway
  emit(Print{c.name(format), c.span(values)}, n.loc);
}

}  // namespace ksc

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

/// How many values a struct or an array holds; more than `limit` are not counted.
uint64_t count_values(Type type, uint64_t limit) {
  if (is(type, TypeKind::Array))
    return type->count > limit ? limit + 1 : type->count * count_values(type->element, limit);
  if (!is(type, TypeKind::Struct)) return 1;
  uint64_t count = 0;
  for (const StructField& field : type->body->fields)
    if (count <= limit) count += count_values(field.type, limit);
  return count;
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
bool Inference::print_piece(const Expr& value, std::string& piece, std::vector<Expr>& values) {
  Type type = type_of(value);
  const Loc loc = loc_of(value);
  bool shown = true;
  if (!in_ebpf() && is(type, TypeKind::Struct)) {
    for (const StructField& field : type->body->fields) {
      piece += fmt::format("{}{}: ", &field == type->body->fields.begin() ? "{" : ", ", field.name.text());
      shown = print_piece(c.make(Field{value, field.name}, loc, field.type), piece, values) && shown;
    }
    piece += type->body->fields.size() == 0 ? "{}" : "}";
  } else if (!in_ebpf() && is(type, TypeKind::Array)) {
    for (uint64_t i = 0; i < type->count; ++i) {
      piece += i == 0 ? "[" : ", ";
      const Expr element = c.make(Index{value, integer({static_cast<__int128>(i)}, t.u64(), loc)}, loc, type->element);
      shown = print_piece(element, piece, values) && shown;
    }
    piece += "]";
  } else {
    piece += verb_for(type);
    values.push_back(value);
    shown = !verb_for(type).empty();
  }
  return shown;
}

/// A struct or an array that is printed, as a place that is read member by member; what is computed is computed once,
/// after what is printed before it.
Expr Inference::printed_place(const Expr& value, std::vector<Expr>& values) {
  Type type = type_of(value);
  const auto hold = [&](const Expr& e) -> Expr {
    const Name name = c.names.fresh("printed");
    emit(Let{name, type_of(e), e}, loc_of(e));
    return c.make(Local{name}, loc_of(e), type_of(e));
  };
  if (is(type, TypeKind::EntryRef)) return c.make(Deref{value}, loc_of(value), type->element);
  const Expr* root = &value;
  while (const auto* member = as<Field>(*root)) root = &member->form.base;
  if (as<Local>(*root) || as<Global>(*root)) return value;
  for (Expr& earlier : values)
    if (!as<Int>(earlier) && !as<StringValue>(earlier)) earlier = hold(earlier);
  return hold(value);
}

/// A string in a map entry as a place, which is zero where the entry is absent [L50]; other values themselves.
Expr Inference::text_of_entry(const Expr& value, std::vector<Expr>& values) {
  Type type = type_of(value);
  if (!is(type, TypeKind::EntryRef) || !is(type->element, TypeKind::Str)) return value;
  const Expr text = entry_value(value);
  return as<BlockValue>(text) ? printed_place(text, values) : text;
}

/// An array of characters as a string: a copy, since no NUL need end the array.
Expr Inference::text_of_array(const Expr& array, std::vector<Expr>& values) {
  constexpr uint64_t most = 64;
  const Loc loc = loc_of(array);
  const Expr from = printed_place(entry_value(array), values);
  Type type = type_of(from), text = t.str(type->count + 1);
  if (type->count > most)
    return unsupported(loc, fmt::format("printing an array of more than {} characters with `%s`", most));
  const Name name = c.names.fresh("text");
  emit(Let{name, text, c.make(Zero{}, loc, text)}, loc);
  const Expr copy = c.make(Local{name}, loc, text);
  for (uint64_t i = 0; i < type->count; ++i) {
    const Expr at = integer({static_cast<__int128>(i)}, t.u64(), loc);
    emit(Assign{c.make(Index{copy, at}, loc, t.character()),
                convert(c.make(Index{from, at}, loc, type->element), t.character())},
         loc);
  }
  return copy;
}

bool Inference::print_argument(const Expr& argument, std::string& piece, std::vector<Expr>& values) {
  constexpr uint64_t most = 64;  // values in one line
  Type type = type_of(argument);
  const bool is_entry = is(type, TypeKind::EntryRef);
  if (is_entry) type = type->element;
  const bool has_parts = (is(type, TypeKind::Struct) || is(type, TypeKind::Array)) && !in_ebpf();
  if (has_parts && count_values(type, most) > most)
    return unsupported(loc_of(argument), fmt::format("printing more than {} values at once", most)), false;
  // An entry that is read in place is zero where it is absent [L50].
  const Expr whole = has_parts && is_entry && !as<Local>(argument) ? entry_copy(argument) : argument;
  const Expr shown = has_parts ? printed_place(whole, values) : text_of_entry(argument, values);
  if (print_piece(shown, piece, values)) return true;
  c.diagnostics.report(loc_of(argument), diag::print_verb, "print", spell(type));
  return false;
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
  for (const Expr& argument : n->arguments) arguments.push_back(settle(value_of_maybe(infer(argument))));
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
  } else {
    for (const Expr& argument : arguments) {
      std::string piece;
      if (const auto* text = as<StringValue>(argument)) {
        for (char ch : text->form.text.text()) piece += ch == '%' ? "%%" : std::string(1, ch);
      } else if (!print_argument(argument, piece, values)) {
        return emit(InvalidStmt{}, n.loc);
      }
      const bool spaced = format.empty() || piece.empty() || format.back() == ' ' || piece.front() == ' ';
      format += (spaced ? "" : " ") + piece;
    }
  }
  while (!format.empty() && format.back() == '\n') format.pop_back();  // a line end is added anyway
  emit(Print{c.name(format), c.span(values)}, n.loc);
}

}  // namespace ksc

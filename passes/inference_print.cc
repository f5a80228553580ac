// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "passes/inference.h"

namespace ksc {

void Inference::print_statement(const Node<Apply>& n) {
  std::vector<Expr> arguments;
  for (const Expr& argument : n->arguments) arguments.push_back(settle(value_of_maybe(infer(argument))));
  for (const Expr& argument : arguments)
    if (is_invalid(argument)) return emit(InvalidStmt{}, n.loc);
  std::string format;
  const auto* literal = arguments.empty() ? nullptr : as<StringValue>(arguments[0]);
  const bool formats = literal && literal->form.text.text().find('%') != std::string_view::npos;
  const auto verb_for = [&](Type type) -> std::string_view {
    if (is(type, TypeKind::Char)) return "%c";
    if (is(type, TypeKind::Str)) return "%s";
    if (is(type, TypeKind::Pointer)) return "%p";
    return is_integral(type) ? "%d" : "";
  };
  const auto accepts = [&](char verb, Type type) {
    if (verb == 's') return is(type, TypeKind::Str);
    if (verb == 'c') return is(type, TypeKind::Char) || type == t.u8();
    if (verb == 'p') return is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef);
    return is_integral(type);
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
      } else if (std::string_view("diuxcsp").find(verb) == std::string_view::npos || verb == '\0') {
        c.diagnostics.report(loc_of(n->arguments[0]), diag::unknown_verb, std::string(text.substr(i, end - i + 1)));
        return emit(InvalidStmt{}, n.loc);
      } else {
        if (++verbs < arguments.size()) {
          if (!accepts(verb, type_of(arguments[verbs])))
            c.diagnostics.report(loc_of(n->arguments[verbs]), diag::print_verb,
                                 std::string(text.substr(i, end - i + 1)), spell(type_of(arguments[verbs])));
          values.push_back(arguments[verbs]);
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
      } else if (verb_for(type_of(argument)).empty()) {
        c.diagnostics.report(loc_of(argument), diag::print_verb, "print", spell(type_of(argument)));
        return emit(InvalidStmt{}, n.loc);
      } else {
        piece = verb_for(type_of(argument));
        values.push_back(argument);
      }
      const bool spaced = format.empty() || piece.empty() || format.back() == ' ' || piece.front() == ' ';
      format += (spaced ? "" : " ") + piece;
    }
  }
  while (!format.empty() && format.back() == '\n') format.pop_back();  // a line end is added anyway
  emit(Print{c.name(format), c.span(values)}, n.loc);
}

}  // namespace ksc

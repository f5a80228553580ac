// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "frontend/parser.h"
#include "frontend/source.h"
#include "ir/sexpr.h"

namespace ksc::test {

/// A text that was parsed, with what was said about it.
struct ParsedText {
  Context context;
  MemorySources sources;
  Program program;

  explicit ParsedText(std::string text) {
    const uint32_t file = sources.add("t.ks", std::move(text));
    program = parse(context, file, sources.text(file));
  }

  /// Each message as "line:column-end_column CODE", in the order of its place.
  std::vector<std::string> messages() const {
    std::vector<std::pair<uint32_t, std::string>> found;
    for (const Diagnostic& d : context.diagnostics.all()) {
      const LocationRecord& at = context.locations[d.loc];
      const Position from = sources.position(at.file, at.begin), to = sources.position(at.file, at.end);
      found.emplace_back(at.begin, fmt::format("{}:{}-{} {}", from.line, from.column, to.column, d.code));
    }
    std::stable_sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.first < b.first; });
    std::vector<std::string> texts;
    for (auto& [offset, text] : found) texts.push_back(text);
    return texts;
  }
};

/// Runs of blanks as one blank, none beside parentheses: how a tree is laid out does not matter.
inline std::string squeezed(const std::string& text) {
  std::string result;
  for (char c : text) {
    const bool blank = c == ' ' || c == '\n';
    if (blank && (result.empty() || result.back() == ' ' || result.back() == '(')) continue;
    if (c == ')' && !result.empty() && result.back() == ' ') result.pop_back();
    result += blank ? ' ' : c;
  }
  while (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

/// The tree of a program without errors; else its messages.
inline std::string tree(const std::string& text) {
  const ParsedText parsed(text);
  if (!parsed.messages().empty()) return "messages: " + fmt::format("{}", fmt::join(parsed.messages(), ", "));
  return squeezed(print(parsed.program));
}

/// The tree of statements in a function.
inline std::string statements(const std::string& text) {
  const std::string whole = tree("fn f() {\n" + text + "\n}");
  const std::string head = "(FunctionDecl () Default f () - - (";
  if (whole.substr(0, head.size()) != head) return whole;
  return whole.substr(head.size(), whole.size() - head.size() - 2);
}

/// The tree of one expression.
inline std::string expression(const std::string& text) {
  const std::string whole = statements("x = " + text);
  const std::string head = "(AssignStmt None (NameUse x) ";
  if (whole.substr(0, head.size()) != head) return whole;
  return whole.substr(head.size(), whole.size() - head.size() - 1);
}

/// The same with `(NameUse a)` as `a` and numbers bare, to be readable.
inline std::string brief(std::string text) {
  const std::string name = "(NameUse ";
  for (size_t at = text.find(name); at != text.npos; at = text.find(name, at)) {
    text.erase(text.find(')', at), 1);
    text.erase(at, name.size());
  }
  const std::string number = "(IntLiteral ";
  for (size_t at = text.find(number); at != text.npos; at = text.find(number, at)) {
    const size_t blank = text.find(' ', at + number.size());
    text.erase(blank, text.find(')', blank) + 1 - blank);
    text.erase(at, number.size());
  }
  return text;
}

}  // namespace ksc::test

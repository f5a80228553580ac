// SPDX-License-Identifier: Apache-2.0
#include "frontend/explanations.h"

#include <algorithm>

namespace ksc {

namespace {

/// The text of a message with `…` for each hole, and without the doubling of other braces.
std::string without_holes(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_brace = text[i] == '{' || text[i] == '}';
    if (is_brace && i + 1 < text.size() && text[i + 1] == text[i]) {
      result += text[i++];
    } else if (text[i] == '{') {
      result += "…";
      i = text.find('}', i);
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

const std::vector<MessageKind>& message_kinds() {
  static const std::vector<MessageKind> kinds = [] {
    std::vector<MessageKind> all = {
#define KSC_DIAG(id, severity, code, text, ...) {code, Severity::severity, without_holes(text)},
#include "frontend/diagnostics.def"
    };
    std::sort(all.begin(), all.end(), [](const MessageKind& a, const MessageKind& b) { return a.code < b.code; });
    return all;
  }();
  return kinds;
}

std::string page_as_text(std::string_view page) {
  std::string text;
  bool is_program = false;
  while (!page.empty()) {
    std::string_view line = page.substr(0, page.find('\n'));
    page.remove_prefix(std::min(page.size(), line.size() + 1));
    if (line.starts_with("```")) {
      is_program = !is_program;
      continue;
    }
    if (line.starts_with("# ")) line.remove_prefix(2);
    if (is_program && !line.empty()) text += "    ";
    text += line;
    text += '\n';
  }
  return text;
}

}  // namespace ksc

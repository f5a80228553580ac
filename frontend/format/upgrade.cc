// SPDX-License-Identifier: Apache-2.0
#include "frontend/format/upgrade.h"

#include <algorithm>
#include <vector>

#include "frontend/lexer.h"
#include "frontend/parser.h"
#include "ir/forms.h"

namespace ksc {

namespace {

/// A change of the text.
struct Change {
  uint32_t begin = 0, end = 0;
  std::string replacement;
};

/// Whether a message is about a spelling that has become another one.
bool is_about_spelling(diag::Id id) {
  switch (id) {
    case diag::Id::old_program:
    case diag::Id::old_map:
    case diag::Id::old_type:
    case diag::Id::old_pointer:
    case diag::Id::old_kernel_function:
    case diag::Id::old_global_maps:
    case diag::Id::old_int:
    case diag::Id::c_style_cast: return true;
    default: return false;
  }
}

std::vector<std::string> comments_of(std::string_view text) {
  Context context;
  std::vector<std::string> comments;
  for (const Trivia& trivia : lex(context, 0, text).trivia)
    if (trivia.kind != Trivia::Kind::BlankLine)
      comments.emplace_back(text.substr(trivia.begin, trivia.end - trivia.begin));
  return comments;
}

/// The comments of the old text that the new one lacks, a line each.
std::string lost_comments(std::string_view before, const std::string& after) {
  std::vector<std::string> kept = comments_of(after);
  std::string lost;
  for (const std::string& comment : comments_of(before)) {
    const auto found = std::find(kept.begin(), kept.end(), comment);
    if (found == kept.end())
      lost += comment + "\n";
    else
      kept.erase(found);
  }
  return lost;
}

/// `@tc` alone means `@tc("ingress")`.
void add_directions(const Program& program, const Locations& locations, std::string_view text,
                    std::vector<Change>& changes) {
  for (const Decl& declaration : program) {
    const auto* function = as<FunctionDecl>(declaration);
    if (!function) continue;
    for (const Attribute& attribute : function->form.attributes) {
      const uint32_t end = locations[attribute.name.loc].end;
      if (attribute.name.name == "tc" && text.substr(end, 1) != "(") changes.push_back({end, end, "(\"ingress\")"});
    }
  }
}

std::vector<Change> changes_of(std::string_view text) {
  Context context;
  const Program program = parse(context, 0, text);
  std::vector<Change> changes;
  for (const Diagnostic& message : context.diagnostics.all()) {
    if (!is_about_spelling(message.id)) continue;
    for (const Fix& fix : message.fixes) {
      const LocationRecord& place = context.locations[fix.loc];
      changes.push_back({place.begin, place.end, fix.replacement});
    }
  }
  add_directions(program, context.locations, text, changes);
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.begin < b.begin; });
  return changes;
}

}  // namespace

std::string upgrade(std::string_view text) {
  std::string result(text);
  // What was rewritten may have old spellings inside; each round leaves fewer.
  const int most_rounds = 100;
  for (int round = 0; round < most_rounds; ++round) {
    const std::vector<Change> changes = changes_of(result);
    std::string next;
    uint32_t at = 0;
    for (const Change& change : changes) {
      if (change.begin < at) continue;  // within another one: in the next round
      const std::string_view before = std::string_view(result).substr(change.begin, change.end - change.begin);
      next += result.substr(at, change.begin - at);
      next += lost_comments(before, change.replacement) + change.replacement;
      at = change.end;
    }
    if (changes.empty()) break;
    next += result.substr(at);
    result = std::move(next);
  }
  return result;
}

}  // namespace ksc

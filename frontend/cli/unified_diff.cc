// SPDX-License-Identifier: Apache-2.0
#include "frontend/cli/unified_diff.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ksc::cli {

namespace {

using TextLines = std::vector<std::string_view>;

TextLines lines_of(std::string_view text) {
  TextLines lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

/// A line of one text or of both.
struct Edit {
  char sign;  // ' ', '-' or '+'
  std::string_view line;
};

/// The lines of both texts in order, with as many in common as possible.
std::vector<Edit> edits(const TextLines& before, const TextLines& after) {
  size_t prefix = 0, suffix = 0;
  const size_t shorter = std::min(before.size(), after.size());
  while (prefix < shorter && before[prefix] == after[prefix]) ++prefix;
  while (suffix < shorter - prefix && before[before.size() - suffix - 1] == after[after.size() - suffix - 1]) ++suffix;
  const size_t rows = before.size() - prefix - suffix, columns = after.size() - prefix - suffix;
  // How many lines the rests have in common. Of very long texts everything in the middle counts as changed.
  const size_t most_cells = size_t(1) << 24;
  const bool compares = (rows + 1) * (columns + 1) <= most_cells;
  std::vector<uint32_t> common(compares ? (rows + 1) * (columns + 1) : 0);
  const auto cell = [&](size_t row, size_t column) -> uint32_t& { return common[row * (columns + 1) + column]; };
  for (size_t i = compares ? rows : 0; i-- > 0;)
    for (size_t k = columns; k-- > 0;)
      cell(i, k) =
          before[prefix + i] == after[prefix + k] ? cell(i + 1, k + 1) + 1 : std::max(cell(i + 1, k), cell(i, k + 1));
  std::vector<Edit> all;
  for (size_t i = 0; i < prefix; ++i) all.push_back({' ', before[i]});
  size_t i = 0, k = 0;
  while (i < rows || k < columns) {
    const bool both = compares && i < rows && k < columns && before[prefix + i] == after[prefix + k];
    if (both)
      all.push_back({' ', before[prefix + i]}), ++i, ++k;
    else if (i < rows && (k == columns || !compares || cell(i + 1, k) >= cell(i, k + 1)))
      all.push_back({'-', before[prefix + i]}), ++i;
    else
      all.push_back({'+', after[prefix + k]}), ++k;
  }
  for (size_t end = before.size() - suffix; end < before.size(); ++end) all.push_back({' ', before[end]});
  return all;
}

}  // namespace

std::string unified_diff(const std::string& name, std::string_view before, std::string_view after) {
  if (before == after) return {};
  const size_t around = 3;
  const std::vector<Edit> all = edits(lines_of(before), lines_of(after));
  std::string text = fmt::format("--- {}\n+++ {}\n", name, name);
  size_t before_line = 1, after_line = 1;
  for (size_t at = 0; at < all.size();) {
    size_t from = at;
    while (from < all.size() && all[from].sign == ' ') ++from;
    if (from == all.size()) break;
    // Changes that are near each other are shown together.
    size_t to = from;
    for (size_t i = from; i < all.size() && i <= to + 2 * around; ++i)
      if (all[i].sign != ' ') to = i;
    from = from > at + around ? from - around : at;
    const size_t end = std::min(all.size(), to + around + 1);
    before_line += from - at, after_line += from - at;
    size_t removed = 0, added = 0;
    std::string lines;
    for (size_t i = from; i < end; ++i) {
      removed += all[i].sign != '+';
      added += all[i].sign != '-';
      lines += all[i].sign;
      lines += all[i].line;
      if (!all[i].line.ends_with('\n')) lines += "\n\\ No newline at end of file\n";
    }
    text += fmt::format("@@ -{},{} +{},{} @@\n{}", removed ? before_line : before_line - 1, removed,
                        added ? after_line : after_line - 1, added, lines);
    before_line += removed, after_line += added;
    at = end;
  }
  return text;
}

}  // namespace ksc::cli

// SPDX-License-Identifier: Apache-2.0
#include "frontend/format/lines.h"

#include <algorithm>

namespace ksc {

namespace {

size_t indentation_of(const std::string& line) { return std::min(line.find_first_not_of(' '), line.size()); }

}  // namespace

size_t characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void Lines::begin(size_t indentation, bool blank_before) {
  lines_.push_back({std::string(indentation, ' '), {}, blank_before && !lines_.empty()});
  column_ = indentation;
}

void Lines::append(std::string_view text) {
  lines_.back().code += text;
  column_ += characters(text);
}

void Lines::append(const Comment& comment) {
  const bool has_code = lines_.back().code.find_first_not_of(' ') != std::string::npos;
  if (comment.is_line && has_code) {
    lines_.back().comment = comment.lines[0];
    return;
  }
  const size_t indentation = indentation_of(lines_.back().code);
  append(comment.lines[0]);
  for (size_t i = 1; i < comment.lines.size(); ++i) {
    begin(comment.lines[i].empty() ? 0 : indentation, false);
    append(comment.lines[i]);
  }
}

void Lines::append_below(const Comment& comment) { lines_.push_back({{}, comment.lines[0], false}); }

void Lines::align_comments() {
  const auto follows = [&](size_t i) {
    const Line &line = lines_[i], &before = lines_[i - 1];
    if (line.comment.empty() || line.blank_before) return false;
    return line.code.empty() || before.code.empty() || indentation_of(line.code) == indentation_of(before.code);
  };
  for (size_t from = 0, to; from < lines_.size(); from = to) {
    to = from + 1;
    if (lines_[from].comment.empty()) continue;
    while (to < lines_.size() && follows(to)) ++to;
    size_t column = 0;
    for (size_t i = from; i < to; ++i) column = std::max(column, characters(lines_[i].code) + 1);
    for (size_t i = from; i < to; ++i) {
      Line& line = lines_[i];
      line.code += std::string(column - characters(line.code), ' ') + line.comment;
    }
  }
}

std::string Lines::text() {
  align_comments();
  std::string text;
  for (const Line& line : lines_) {
    if (line.blank_before) text += '\n';
    text += line.code;
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace ksc

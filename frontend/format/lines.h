// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "frontend/format/pieces.h"

namespace ksc {

/// How many characters a text in UTF-8 has.
size_t characters(std::string_view text);

/// The lines of the output while they are written. Comments behind code in lines below each other begin in one column.
class Lines {
 public:
  bool empty() const { return lines_.empty(); }
  /// The column behind what stands on the last line.
  size_t column() const { return column_; }
  /// Whether the last line ends in a comment that goes on to its end.
  bool ends_in_comment() const { return !lines_.empty() && !lines_.back().comment.empty(); }

  void begin(size_t indentation, bool blank_before);
  void append(std::string_view text);
  /// A comment, behind what stands on the last line or as the first on it.
  void append(const Comment& comment);
  /// A comment that goes on with the one behind the code of the line before.
  void append_below(const Comment& comment);

  std::string text();

 private:
  struct Line {
    std::string code;     // with its indentation
    std::string comment;  // behind it, to the end of the line
    bool blank_before = false;
  };
  void align_comments();
  std::vector<Line> lines_;
  size_t column_ = 0;
};

}  // namespace ksc

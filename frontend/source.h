// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ksc {

/// A line and a column as people count them: from 1, columns in characters.
struct Position {
  uint32_t line = 1;
  uint32_t column = 1;
  bool operator==(const Position&) const = default;
};

/// The texts of one compilation, and the only way by which the compiler reads files.
class Sources {
 public:
  /// A file's index, or why it could not be read ("No such file or directory").
  struct Opened {
    uint32_t file = 0;
    std::string error;
    explicit operator bool() const { return error.empty(); }
  };

  virtual ~Sources() = default;

  /// The file at that path, read the first time.
  Opened open(const std::string& path);
  /// A text from memory, under the path which messages call it by.
  uint32_t add(std::string path, std::string text);

  size_t size() const { return files_.size(); }
  const std::string& path(uint32_t file) const { return files_[file].path; }
  std::string_view text(uint32_t file) const { return files_[file].text; }
  Position position(uint32_t file, uint32_t offset) const;
  /// The line alone: it does not count the characters before it.
  uint32_t line_number(uint32_t file, uint32_t offset) const;
  /// A line of a text, counted from 1, without its line end.
  std::string_view line(uint32_t file, uint32_t line) const;
  /// The offset at which a line begins.
  uint32_t line_begin(uint32_t file, uint32_t line) const { return files_[file].line_begins[line - 1]; }

 protected:
  /// Reads the file at `path` into `text`; returns why it cannot, or nothing.
  virtual std::string read(const std::string& path, std::string& text) = 0;

 private:
  struct File {
    std::string path, text;
    std::vector<uint32_t> line_begins;
  };
  std::deque<File> files_;  // a text stays where it is when others are added
  std::map<std::string, uint32_t> by_path_;
};

/// Sources that have only what was put in with `add`.
class MemorySources : public Sources {
 protected:
  std::string read(const std::string& path, std::string& text) override;
};

/// Sources from the file system.
class DiskSources : public Sources {
 protected:
  std::string read(const std::string& path, std::string& text) override;
};

}  // namespace ksc

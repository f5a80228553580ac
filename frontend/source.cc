// SPDX-License-Identifier: Apache-2.0
#include "frontend/source.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace ksc {

Sources::Opened Sources::open(const std::string& path) {
  if (auto found = by_path_.find(path); found != by_path_.end()) return {found->second, {}};
  std::string text;
  std::string error = read(path, text);
  if (!error.empty()) return {0, std::move(error)};
  return {add(path, std::move(text)), {}};
}

uint32_t Sources::add(std::string path, std::string text) {
  const uint32_t file = static_cast<uint32_t>(files_.size());
  by_path_[path] = file;
  File& added = files_.emplace_back(File{std::move(path), std::move(text), {0}});
  for (size_t i = 0; i < added.text.size(); ++i)
    if (added.text[i] == '\n') added.line_begins.push_back(static_cast<uint32_t>(i + 1));
  return file;
}

uint32_t Sources::line_number(uint32_t file, uint32_t offset) const {
  const File& source = files_[file];
  const auto next = std::upper_bound(source.line_begins.begin(), source.line_begins.end(), offset);
  return static_cast<uint32_t>(next - source.line_begins.begin());
}

Position Sources::position(uint32_t file, uint32_t offset) const {
  const File& source = files_[file];
  const uint32_t line = line_number(file, offset);
  uint32_t column = 1;
  for (size_t i = source.line_begins[line - 1]; i < offset && i < source.text.size(); ++i)
    column +=
        (static_cast<unsigned char>(source.text[i]) & 0xc0) != 0x80;  // continuation bytes belong to one character
  return {line, column};
}

std::string_view Sources::line(uint32_t file, uint32_t line) const {
  const File& source = files_[file];
  const size_t begin = source.line_begins[line - 1];
  size_t end = line < source.line_begins.size() ? source.line_begins[line] - 1 : source.text.size();
  if (end > begin && source.text[end - 1] == '\r') --end;
  return std::string_view(source.text).substr(begin, end - begin);
}

std::string MemorySources::read(const std::string&, std::string&) { return std::strerror(ENOENT); }

std::string DiskSources::read(const std::string& path, std::string& text) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) return std::strerror(errno);
  struct stat status {};
  if (fstat(fileno(file.get()), &status) == 0 && S_ISDIR(status.st_mode)) return std::strerror(EISDIR);
  char buffer[1 << 16];
  size_t count;
  while ((count = std::fread(buffer, 1, sizeof buffer, file.get())) > 0) {
    text.append(buffer, count);
    if (text.size() > UINT32_MAX / 2) return std::strerror(EFBIG);  // offsets have 32 bits
  }
  return std::ferror(file.get()) ? std::strerror(errno) : std::string();
}

}  // namespace ksc

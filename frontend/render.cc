// SPDX-License-Identifier: Apache-2.0
#include "frontend/render.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

namespace ksc {
namespace {

/// A location with its lines and columns.
struct Range {
  uint32_t file = 0, begin = 0, end = 0;
  Position from, to;
};

Range range_of(Loc loc, const Locations& locations, const Sources& sources) {
  const LocationRecord& record = locations[loc];
  const uint32_t size = static_cast<uint32_t>(sources.text(record.file).size());
  const uint32_t begin = std::min(record.begin, size), end = std::clamp(record.end, begin, size);
  return {record.file, begin, end, sources.position(record.file, begin), sources.position(record.file, end)};
}

/// In order of position; one code at one range once, even when it was reported at two equal locations.
std::vector<const Diagnostic*> sorted(const Diagnostics& diagnostics, const Locations& locations) {
  std::vector<const Diagnostic*> all;
  for (const Diagnostic& diagnostic : diagnostics.all()) all.push_back(&diagnostic);
  const auto place = [&](const Diagnostic* d) {
    const LocationRecord& record = locations[d->loc];
    return std::tuple(bool(d->loc), record.file, record.begin, record.end, d->code);
  };
  std::stable_sort(all.begin(), all.end(), [&](auto* a, auto* b) { return place(a) < place(b); });
  const auto same = [&](auto* a, auto* b) { return a->loc && b->loc && place(a) == place(b); };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  return all;
}

size_t length_of_character(std::string_view text) {
  const unsigned char first = text[0];
  const size_t length = first < 0x80   ? 1
                        : first < 0xc0 ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf8 ? 4
                                       : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  return length;
}

/// How many columns of a terminal a character takes, which is whole.
size_t width_of_character(std::string_view text) {
  constexpr unsigned char bits_of_first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  uint32_t code = static_cast<unsigned char>(text[0]) & bits_of_first[text.size()];
  for (char ch : text.substr(1)) code = code << 6 | (static_cast<unsigned char>(ch) & 0x3f);
  struct Characters {
    uint32_t first, last;
    size_t width;
  };
  // What is written over the character before it, and East Asian characters and pictures, which are two columns wide.
  constexpr Characters others[] = {
      {0x300, 0x36f, 0},     {0x1100, 0x115f, 2},  {0x200b, 0x200f, 0}, {0x20d0, 0x20ff, 0},   {0x2e80, 0x303e, 2},
      {0x3041, 0xa4cf, 2},   {0xa960, 0xa97f, 2},  {0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},
      {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},  {0xffe0, 0xffe6, 2}, {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2},
      {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2}};
  for (const Characters& range : others)
    if (code >= range.first && code <= range.last) return range.width;
  return 1;
}

/// A source line made safe to print, and the width of what stands before each byte offset of interest.
class PrintableLine {
 public:
  /// Only a window around `focus` is shown of a long line.
  PrintableLine(std::string_view line, size_t focus) {
    const size_t window = 160;
    size_t begin = 0, end = line.size();
    if (line.size() > window) {
      begin = focus > window / 2 ? std::min(focus - window / 2, line.size()) : 0;
      end = std::min(line.size(), begin + window);
      while (begin > 0 && begin < line.size() && (static_cast<unsigned char>(line[begin]) & 0xc0) == 0x80) --begin;
    }
    begin_ = begin;
    if (begin > 0) append("…", 1);
    for (size_t i = begin; i < end;) {
      const size_t length = length_of_character(line.substr(i));
      const bool control = length == 1 && (static_cast<unsigned char>(line[i]) < 0x20 || line[i] == 0x7f);
      columns_.resize(i - begin, width_);
      columns_.push_back(width_);
      if (line[i] == '\t')
        append(std::string(tab_width - width_ % tab_width, ' '), tab_width - width_ % tab_width);
      else if (length == 0 || control)
        append("\uFFFD", 1);
      else
        append(line.substr(i, length), width_of_character(line.substr(i, length)));
      i += std::max<size_t>(length, 1);
    }
    columns_.resize(end - begin, width_);
    if (end < line.size()) append("…", 1);
  }

  const std::string& text() const { return text_; }
  /// How many columns stand before the byte at `offset` of the line.
  size_t column(size_t offset) const {
    if (offset < begin_) return 0;
    return offset - begin_ < columns_.size() ? columns_[offset - begin_] : width_;
  }

 private:
  void append(std::string_view text, size_t width) {
    text_ += text;
    width_ += width;
  }
  static constexpr size_t tab_width = 4;
  std::string text_;
  size_t width_ = 0, begin_ = 0;
  std::vector<size_t> columns_;
};

class TextRenderer {
 public:
  TextRenderer(const Locations& locations, const Sources& sources, const RenderOptions& options)
      : locations_(locations), sources_(sources), options_(options) {}

  void diagnostic(const Diagnostic& d) {
    headline(d.loc, std::string(enum_text(d.severity)), d.code, d.severity, d.text);
    if (d.loc) excerpt(d.loc, {}, d.severity);
    for (const LocatedText& label : d.labels)
      if (label.loc) excerpt(label.loc, label.text, Severity::note);
    for (const LocatedText& note : d.notes) {
      if (note.loc) {
        headline(note.loc, "note", {}, Severity::note, note.text);
        excerpt(note.loc, {}, Severity::note);
      } else {
        out_ += fmt::format("  = note: {}\n", note.text);
      }
    }
    for (const Fix& fix : d.fixes) {
      // The same change in other places is told once.
      const Fix& first = d.fixes.front();
      if (&fix == &first || !fix.description.empty() || fix.replacement != first.replacement)
        out_ += fmt::format("  = fix: {}\n", words(fix));
    }
  }

  void line(std::string_view text) { (out_ += text) += '\n'; }
  std::string take() { return std::move(out_); }

 private:
  std::string_view colour(Severity severity) const {
    switch (severity) {
      case Severity::error: return "\x1b[1;31m";
      case Severity::warning: return "\x1b[1;35m";
      case Severity::note: return "\x1b[1;36m";
      case Severity::remark: return "\x1b[1;34m";
    }
    return "";
  }
  std::string painted(std::string_view text, std::string_view colour) const {
    return options_.colour ? fmt::format("{}{}\x1b[0m", colour, text) : std::string(text);
  }

  void headline(Loc loc, std::string severity, std::string_view code, Severity kind, std::string_view text) {
    std::string where = "ksc";
    if (loc) {
      const Range range = range_of(loc, locations_, sources_);
      where = fmt::format("{}:{}:{}", sources_.path(range.file), range.from.line, range.from.column);
    }
    if (!code.empty()) severity += fmt::format("[{}]", code);
    out_ += fmt::format("{}: {}: {}\n", painted(where, "\x1b[1m"), painted(severity, colour(kind)),
                        painted(text, "\x1b[1m"));
  }

  /// The first line of a range, with carets under it and words behind them.
  void excerpt(Loc loc, std::string_view words, Severity severity) {
    const Range range = range_of(loc, locations_, sources_);
    const std::string_view line = sources_.line(range.file, range.from.line);
    const size_t offset = range.begin - sources_.line_begin(range.file, range.from.line);
    const PrintableLine printable(line, offset);
    const size_t from = printable.column(std::min(offset, line.size()));
    const size_t to = range.to.line == range.from.line ? printable.column(offset + (range.end - range.begin))
                                                       : printable.column(line.size());
    const std::string number = std::to_string(range.from.line);
    const std::string carets(to > from ? to - from : 1, '^');
    out_ += fmt::format("{:>5} | {}\n", number, printable.text());
    out_ += fmt::format("{:>5} | {}{}", "", std::string(from, ' '), painted(carets, colour(severity)));
    if (!words.empty()) out_ += fmt::format(" {}", painted(words, colour(severity)));
    out_ += '\n';
  }

  /// A fix in words: its description, or what would be replaced, inserted or removed.
  std::string words(const Fix& fix) const {
    if (!fix.description.empty() && (fix.replacement.empty() || !fix.loc)) return fix.description;
    const std::string prefix = fix.description.empty() ? std::string() : fix.description + ": ";
    if (!fix.loc) return fmt::format("{}`{}`", prefix, fix.replacement);
    const Range range = range_of(fix.loc, locations_, sources_);
    const std::string_view old = sources_.text(range.file).substr(range.begin, range.end - range.begin);
    const size_t readable = 60;
    if (old.empty()) return fmt::format("{}insert `{}`", prefix, fix.replacement);
    if (fix.replacement.empty()) return fmt::format("{}remove `{}`", prefix, old.substr(0, readable));
    if (old.size() > readable || old.find('\n') != old.npos)
      return fmt::format("{}write `{}`", prefix, fix.replacement);
    return fmt::format("{}replace `{}` with `{}`", prefix, old, fix.replacement);
  }

  const Locations& locations_;
  const Sources& sources_;
  const RenderOptions& options_;
  std::string out_;
};

}  // namespace

std::string render_text(const Diagnostics& diagnostics, const Locations& locations, const Sources& sources,
                        const RenderOptions& options) {
  TextRenderer renderer(locations, sources, options);
  const std::vector<const Diagnostic*> all = sorted(diagnostics, locations);
  for (size_t i = 0; i < all.size() && i < options.limit; ++i) renderer.diagnostic(*all[i]);
  if (all.size() > options.limit)
    renderer.line(fmt::format("ksc: {} more messages are not shown", all.size() - options.limit));
  return renderer.take();
}

std::string render_json(const Diagnostics& diagnostics, const Locations& locations, const Sources& sources) {
  using Json = nlohmann::ordered_json;
  const auto place = [&](Json& json, Loc loc) {
    if (!loc) return;
    const Range range = range_of(loc, locations, sources);
    json["file"] = sources.path(range.file);
    json["line"] = range.from.line;
    json["column"] = range.from.column;
    json["end_line"] = range.to.line;
    json["end_column"] = range.to.column;
    json["begin"] = range.begin;
    json["end"] = range.end;
  };
  const auto texts = [&](const std::vector<LocatedText>& all) {
    Json list = Json::array();
    for (const LocatedText& text : all) {
      Json item = Json::object();
      place(item, text.loc);
      item["message"] = text.text;
      list.push_back(std::move(item));
    }
    return list;
  };
  Json list = Json::array();
  for (const Diagnostic* d : sorted(diagnostics, locations)) {
    Json item = Json::object();
    item["severity"] = enum_text(d->severity);
    item["code"] = d->code;
    if (!d->loc)
      for (const char* key : {"file", "line", "column", "end_line", "end_column", "begin", "end"}) item[key] = nullptr;
    place(item, d->loc);
    item["message"] = d->text;
    item["labels"] = texts(d->labels);
    item["notes"] = texts(d->notes);
    item["fixes"] = Json::array();
    for (const Fix& fix : d->fixes) {
      Json change = Json::object();
      place(change, fix.loc);
      change["replacement"] = fix.replacement;
      change["message"] = fix.description;
      item["fixes"].push_back(std::move(change));
    }
    list.push_back(std::move(item));
  }
  Json document = Json::object();
  document["diagnostics"] = std::move(list);
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ksc

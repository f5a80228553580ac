// SPDX-License-Identifier: Apache-2.0
// What comments say of a struct's members: those of `main`'s become the help of the program's options [L70].
#include <algorithm>

#include "frontend/parsing.h"

namespace ksc {

using enum TokenKind;

namespace {

/// A line of a comment without the marks that begin it: `///`, and the `*` in front of each line of a long one.
std::string_view without_marks(std::string_view line, char mark) {
  const size_t first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  line.remove_prefix(first);
  while (line.starts_with(mark)) line.remove_prefix(1);
  return line;
}

/// Adds the words of a line, each behind one blank. A line of signs alone only draws something.
void add_words(std::string& text, std::string_view line) {
  const auto is_word = [](unsigned char c) { return c > 127 || std::isalnum(c); };
  if (std::none_of(line.begin(), line.end(), is_word)) return;
  bool blank = true;
  for (char c : line) {
    const bool is_blank = blanks.find(c) != std::string_view::npos;
    if (!is_blank && blank && !text.empty()) text += ' ';
    if (!is_blank) text += c;
    blank = is_blank;
  }
}

/// Adds the words of a comment, of several lines too.
void add_comment(std::string& text, std::string_view comment, Trivia::Kind kind) {
  const bool is_block = kind == Trivia::Kind::BlockComment;
  const char mark = is_block ? '*' : '/';
  comment.remove_prefix(is_block ? 1 : 0);
  if (is_block && comment.ends_with("*/")) comment.remove_suffix(2);
  while (!comment.empty()) {
    const std::string_view line = comment.substr(0, comment.find('\n'));
    add_words(text, without_marks(line, mark));
    comment.remove_prefix(std::min(comment.size(), line.size() + 1));
  }
}

}  // namespace

bool Parser::on_one_line(uint32_t from, uint32_t to) const {
  return text_.substr(from, to - from).find('\n') == std::string_view::npos;
}

size_t Parser::comments_from(size_t token) const {
  const auto found = std::lower_bound(tokens_.trivia.begin(), tokens_.trivia.end(), token,
                                      [](const Trivia& one, size_t sought) { return one.before_token < sought; });
  return static_cast<size_t>(found - tokens_.trivia.begin());
}

/// Whether a comment goes on with the one before it: in the next line, in the same column.
bool Parser::goes_on(const Trivia& comment, const Trivia& before) const {
  const auto column = [this](const Trivia& one) { return one.begin - (text_.rfind('\n', one.begin) + 1); };
  return comment.kind == Trivia::Kind::LineComment && before.kind == Trivia::Kind::LineComment &&
         comment.before_token == before.before_token && column(comment) == column(before);
}

std::string Parser::comment_behind(size_t token, size_t& used) const {
  const std::vector<Trivia>& all = tokens_.trivia;
  const auto kind_of = [this](size_t at) { return at < tokens_.tokens.size() ? tokens_.tokens[at].kind : End; };
  const bool separated = kind_of(token + 1) == Comma || kind_of(token + 1) == Semicolon;
  const size_t next = token + (separated ? 2 : 1);
  const bool line_ends = kind_of(next) == End || kind_of(next) == RightBrace || tokens_.tokens[next].new_line;
  std::string text;
  size_t at = std::max(used, comments_from(token + 1));
  const size_t first = at;
  uint32_t end = tokens_.tokens[token].end;  // of what the next comment may stand behind
  for (; at < all.size() && all[at].before_token <= next; ++at) {
    const bool is_behind_separator = separated && all[at].before_token == next;
    if (all[at].kind == Trivia::Kind::BlankLine && separated && !is_behind_separator) continue;
    if (all[at].kind == Trivia::Kind::BlankLine) break;
    if (all[at].before_token == next && !line_ends) break;  // it stands in front of the next member
    const bool is_here = on_one_line(end, all[at].begin) ||
                         (is_behind_separator && on_one_line(tokens_.tokens[token + 1].end, all[at].begin));
    if (!is_here && (at == first || !goes_on(all[at], all[at - 1]))) break;
    add_comment(text, text_.substr(all[at].begin, all[at].end - all[at].begin), all[at].kind);
    end = all[at].end;
  }
  used = at;
  return text;
}

std::string Parser::comment_above(size_t token, size_t used) const {
  const std::vector<Trivia>& all = tokens_.trivia;
  const size_t end = comments_from(token + 1);
  size_t begin = end;
  const TokenKind before = token == 0 ? End : tokens_.tokens[token - 1].kind;
  const size_t from = before == Comma || before == Semicolon ? token - 1 : token;  // a separator parts no comment
  while (begin > used && all[begin - 1].before_token >= from && all[begin - 1].kind != Trivia::Kind::BlankLine) --begin;
  std::string text;
  for (; begin < end; ++begin)
    add_comment(text, text_.substr(all[begin].begin, all[begin].end - all[begin].begin), all[begin].kind);
  return text;
}

}  // namespace ksc

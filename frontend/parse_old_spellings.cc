// SPDX-License-Identifier: Apache-2.0
// Spellings of older versions of the language, read as what they became [L130].
#include <algorithm>
#include <cctype>

#include "frontend/parsing.h"

namespace ksc {

using enum TokenKind;

namespace {

/// What a word became that is the name of a type.
std::string_view upgraded_word(std::string_view word) {
  if (word == "XdpContext") return "*xdp_md";
  if (word == "TcContext") return "*__sk_buff";
  if (word == "XdpAction") return "xdp_action";
  if (word == "TcAction") return "i32";
  return word;
}

/// A text as if it stood further to the left: each line loses so many blanks, if it begins with them.
std::string shifted_left(const std::string& text, size_t blanks) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const size_t first = std::min(text.find_first_not_of(" \t", at), end - 1);
    result += text.substr(std::min(at + blanks, first), end - std::min(at + blanks, first));
    at = end;
  }
  return result;
}

}  // namespace

/// What stands between two tokens.
std::string_view Parser::gap_before(size_t token) const {
  const uint32_t from = tokens_.tokens[token - 1].end;
  return text_.substr(from, tokens_.tokens[token].begin - from);
}

/// The text of some tokens with old names replaced.
std::string Parser::upgraded(size_t from, size_t to) {
  std::string text;
  for (size_t i = from; i < to; ++i) {
    if (i > from) text += gap_before(i);
    text += upgraded_word(text_of(tokens_.tokens[i]));
  }
  return text;
}

/// What the block of an old program holds, as it stands at file level: `main` is the program, the other functions are
/// its helpers, and all else stays.
std::string Parser::upgraded_program(size_t open, std::string_view name, std::string_view attribute) {
  std::string text;
  size_t depth = 0;
  for (size_t i = open + 1; i + 1 < position_; ++i) {
    const Token& token = tokens_.tokens[i];
    if (token.kind == LeftBrace) ++depth;
    if (token.kind == RightBrace && depth > 0) --depth;
    text += gap_before(i);
    const bool is_function = token.kind == KeywordFn && depth == 0 && tokens_.tokens[i + 1].kind == Identifier;
    if (!is_function) {
      text += upgraded_word(text_of(token));
      continue;
    }
    const bool is_entry = text_of(tokens_.tokens[++i]) == "main";
    text += is_entry ? fmt::format("@{}\nfn {}", attribute, name)
                     : fmt::format("@helper\nfn {}", text_of(tokens_.tokens[i]));
  }
  text += gap_before(position_ - 1);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  const size_t line = first == 0 ? 0 : text.rfind('\n', first) + 1;
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return shifted_left(text.substr(line), first - line);
}

/// program name : type { fn main(…) … }
Decl Parser::old_program() {
  const Token first = take();
  const Token name = take();
  take();  // :
  std::string attribute = at_member_name() ? std::string(text_of(take())) : "xdp";
  if (attribute == "tc") attribute = "tc(\"ingress\")";
  while (!at(LeftBrace) && !at_end() && !peek().new_line) take();
  const Loc header = since(first);
  if (!at(LeftBrace)) {
    error(header, diag::old_program);
    return make(InvalidDecl{}, header);
  }
  const size_t begin = position_;
  skip_balanced();
  const std::string text = upgraded_program(begin, text_of(name), attribute);
  const bool was_silent = silent_;
  silent_ = false;
  Diagnostic& reported = error(header, diag::old_program);
  silent_ = was_silent;
  if (&reported != &ignored_ && !text.empty()) reported.fix(since(first), text);
  // Its name is known, and nothing else of it: what uses it is not wrong.
  return make(
      VarDecl{ident(name), Option<TypeExpr>(make(InvalidType{}, header)), {}, Storage::Shared, Visibility::Default},
      header);
}

/// Passes over `<K, V>`; whether it ends on this line.
bool Parser::skip_map_types() {
  size_t depth = 0;
  do {
    if (at(Less)) ++depth;
    if (at(Greater)) --depth;
    if (at(ShiftRight)) depth -= std::min<size_t>(depth, 2);
    take();
  } while (depth > 0 && !at_end() && !peek().new_line);
  return depth == 0;
}

/// map<K, V> name : HashMap(n) { pinned: "…" };
Decl Parser::old_map() {
  const Token first = take();
  const size_t types_begin = position_ + 1;
  skip_map_types();
  const std::string types = upgraded(types_begin, std::max(types_begin, position_ - 1));
  const bool named = at(Identifier) && peek(1).kind == Colon && peek(2).kind == Identifier;
  const Loc header = since(first);
  if (!named) {
    error(header, diag::old_map);
    panicking_ = true;
    return make(InvalidDecl{}, header);
  }
  const Token name = take();
  take();
  const std::string_view old_kind = text_of(take());
  // HashMap becomes hash, PerCpuHash becomes percpu_hash.
  std::string kind;
  for (size_t i = 0; i < old_kind.size(); ++i) {
    const char c = old_kind[i];
    if (std::isupper(static_cast<unsigned char>(c)) && i > 0) kind += '_';
    kind += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  for (std::string_view ending : {"_map"})
    if (kind.size() > ending.size() && kind.ends_with(ending)) kind.resize(kind.size() - ending.size());
  if (kind.starts_with("per_cpu")) kind.replace(0, 7, "percpu");
  if (kind == "ring_buffer" || kind == "ring_buf") kind = "ringbuf";
  std::string size;
  if (at(LeftParen)) {
    const size_t open = position_;
    skip_balanced();
    size = upgraded(open, position_);
  }
  bool pinned = false;
  if (at(LeftBrace)) {
    const size_t open = position_;
    skip_balanced();
    for (size_t i = open; i < position_; ++i) pinned |= text_of(tokens_.tokens[i]) == "pinned";
  }
  accept(Semicolon);
  const bool was_silent = silent_;
  silent_ = false;
  Diagnostic& reported = error(header, diag::old_map);
  silent_ = was_silent;
  if (&reported != &ignored_)
    reported.fix(since(first),
                 fmt::format("{}var {} : {}<{}>{}", pinned ? "pin " : "", text_of(name), kind, types, size));
  // Its name is known, and nothing else of it: what uses it is not wrong.
  return make(
      VarDecl{ident(name), Option<TypeExpr>(make(InvalidType{}, header)), {}, Storage::Shared, Visibility::Default},
      header);
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
// Spellings of older versions of the language, read as what they became [L130].
#include <algorithm>
#include <cctype>

#include "frontend/parsing.h"

namespace ksc {

using enum TokenKind;

/// The text of some tokens with old names replaced.
std::string Parser::upgraded(size_t from, size_t to) {
  std::string text;
  for (size_t i = from; i < to; ++i) {
    const Token& token = tokens_.tokens[i];
    if (i > from) text += text_.substr(tokens_.tokens[i - 1].end, token.begin - tokens_.tokens[i - 1].end);
    std::string_view word = text_of(token);
    if (word == "XdpContext")
      word = "*xdp_md";
    else if (word == "TcContext")
      word = "*__sk_buff";
    else if (word == "XdpAction")
      word = "xdp_action";
    else if (word == "TcAction")
      word = "i32";
    text += word;
  }
  return text;
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
  // Each function of the block becomes one of the file: `main` the program, the others its helpers.
  std::string text;
  for (size_t i = begin + 1; i + 1 < position_;) {
    if (tokens_.tokens[i].kind != KeywordFn || tokens_.tokens[i + 1].kind != Identifier) {
      ++i;
      continue;
    }
    size_t end = i, depth = 0;
    for (; end + 1 < position_; ++end) {
      if (tokens_.tokens[end].kind == LeftBrace) ++depth;
      if (tokens_.tokens[end].kind == RightBrace && --depth == 0) break;
    }
    const bool entry = text_of(tokens_.tokens[i + 1]) == "main";
    if (!text.empty()) text += "\n\n";
    text += entry ? fmt::format("@{}\nfn {}", attribute, text_of(name))
                  : fmt::format("@helper\nfn {}", text_of(tokens_.tokens[i + 1]));
    text += upgraded(i + 2, end + 1);
    i = end + 1;
  }
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

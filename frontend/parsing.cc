// SPDX-License-Identifier: Apache-2.0
#include "frontend/parsing.h"

#include <algorithm>
#include <map>

namespace ksc {

using enum TokenKind;

Program parse(Context& context, uint32_t file, std::string_view text, Outline* outline) {
  return Parser(context, file, text, outline).program();
}

std::string Parser::describe(const Token& token) const {
  if (token.kind == End) return "the end of the file";
  std::string_view text = text_of(token);
  const size_t readable = 40;
  if (text.size() > readable) return fmt::format("`{}…`", text.substr(0, readable));
  return fmt::format("`{}`", text);
}

Diagnostic& Parser::expected(std::string_view what) { return expected(what, loc(peek())); }

Diagnostic& Parser::expected(std::string_view what, Loc at) {
  if (named_keywords_.count(peek().kind)) {
    // That this cannot be a name has been said where it was declared.
    panicking_ = true;
    return ignored_ = {};
  }
  Diagnostic& reported = error(at, diag::expected_token, describe(peek()), std::string(what));
  panicking_ = true;
  return reported;
}

void Parser::suggest(Diagnostic& message, const Token& word, const std::vector<std::string_view>& known) {
  static const std::map<std::string_view, std::string_view> foreign = {
      {"func", "fn"},     {"function", "fn"},  {"fun", "fn"},        {"def", "fn"},
      {"let", "var"},     {"elif", "else if"}, {"elsif", "else if"}, {"elseif", "else if"},
      {"foreach", "for"}, {"export", "pub"},   {"public", "pub"},    {"private", "priv"}};
  const std::string_view text = text_of(word);
  if (word.kind != Identifier || &message == &ignored_) return;
  const auto known_as = foreign.find(text);
  const std::string_view near = known_as != foreign.end() ? known_as->second : closest_word(text, known);
  if (!near.empty() && near != text && std::find(known.begin(), known.end(), near) != known.end())
    message.fix(loc(word), std::string(near), fmt::format("did you mean `{}`?", near));
}

void Parser::note_named_functions() {
  for (size_t i = 0; i + 2 < tokens_.tokens.size(); ++i) {
    const Token &word = tokens_.tokens[i + 1], &behind = tokens_.tokens[i + 2];
    if (tokens_.tokens[i].kind == KeywordFn && is_keyword(word.kind) && !word.new_line && behind.kind == LeftParen)
      named_keywords_.insert(word.kind);
  }
}

void Parser::note_swallowed() {
  const auto is_open = [&](const Token& token) {
    if (token.kind != String && token.kind != Char) return false;
    const std::string_view text = text_of(token);
    const bool is_ours = text.front() == '"' || text.front() == '\'';  // others were replaced, and closed
    return is_ours && (text.size() < 2 || text.front() != text.back());
  };
  bool open = false;
  for (size_t i = 0; i < tokens_.tokens.size(); ++i) {
    const Token& token = tokens_.tokens[i];
    const bool unindented = token.begin == 0 || text_[token.begin - 1] == '\n';
    if (open && unindented && begins_declaration(token, i)) open = false;
    if (open) swallowed_.back().second = i;
    if (!open && is_open(token)) open = true, swallowed_.push_back({i + 1, i + 1});
  }
}

bool Parser::is_swallowed() const {
  if (at_end() && tokens_.open_comment) return true;
  auto after = std::upper_bound(swallowed_.begin(), swallowed_.end(), position_,
                                [](size_t at, const auto& range) { return at < range.first; });
  return after != swallowed_.begin() && position_ <= (after - 1)->second;
}

bool Parser::is_lost() const {
  if (!panicking_.has_been || lost_at_ >= position_) return false;
  for (size_t i = lost_at_ + 1; i <= position_; ++i) {
    const Token& token = tokens_.tokens[i];
    const bool begins = token.kind == Comma || token.kind == Semicolon || token.kind == LeftBrace;
    if (token.new_line || (begins && i < position_)) return false;
  }
  return true;
}

std::vector<Name> Parser::names_declared(size_t from) const {
  const auto declares = [](TokenKind kind) {
    return kind == KeywordFn || kind == KeywordStruct || kind == KeywordEnum || kind == KeywordVar ||
           kind == KeywordConst || kind == KeywordConfig || kind == KeywordType;
  };
  std::vector<Name> names;
  bool declares_all = false;
  for (size_t i = from; i < position_; ++i) {
    const Token& token = tokens_.tokens[i];
    if (token.kind == LeftBrace && !declares_all && !names.empty()) break;  // what stands inside is declared there
    if (token.kind == Identifier) names.push_back(context_.name(text_of(token)));
    if (declares_all && is_keyword(token.kind)) names.push_back(context_.name(""));  // in the place of an enumerator
    if (!declares(token.kind) || i + 1 >= position_) continue;
    // Before the keyword stand attributes; of what follows an enum declares all.
    names.clear();
    if (token.kind == KeywordEnum) {
      declares_all = true;
      continue;
    }
    // A name that cannot be read may have been any.
    const bool is_named = tokens_.tokens[i + 1].kind == Identifier;
    names.push_back(context_.name(is_named ? text_of(tokens_.tokens[i + 1]) : ""));
    // What was skipped with it may have been declarations as well.
    for (size_t k = i + 2; k + 1 < position_ && tokens_.tokens[k].kind != LeftBrace; ++k)
      if (declares(tokens_.tokens[k].kind) && tokens_.tokens[k + 1].kind == Identifier)
        names.push_back(context_.name(text_of(tokens_.tokens[k + 1])));
    break;
  }
  return names;
}

Decl Parser::abandoned(const Decl& declaration, size_t from) {
  if (as<FunctionDecl>(declaration)) return declaration;  // its header was understood, and its body says what it is
  return make(InvalidDecl{span(names_declared(from))}, loc_of(declaration));
}

/// A statement at file level says that the function before it was closed too early. Variables between them, which are
/// indented, are statements as well.
void Parser::reopen_function(std::vector<Decl>& declarations) {
  const bool is_rest = peek().begin > 0 && text_[peek().begin - 1] != '\n';
  for (size_t i = declarations.size(); i-- > 0;) {
    Decl& d = declarations[i];
    const uint32_t begin = context_.locations[loc_of(d)].begin;
    const auto* variable = as<VarDecl>(d);
    const bool is_indented = begin > 0 && text_[begin - 1] != '\n';
    if (!variable || !is_indented) {
      d = with_broken_body(d, is_rest);
      return;
    }
    d = make(InvalidDecl{context_.span<Name>({variable->form.name.name})}, variable->loc);
  }
}

Decl Parser::with_broken_body(const Decl& declaration, bool as_a_whole) {
  const auto* function = as<FunctionDecl>(declaration);
  if (!function) return declaration;
  FunctionDecl form = function->form;
  std::vector<Stmt> statements(form.body.statements.begin(), form.body.statements.end());
  if (as_a_whole) statements.clear();
  statements.push_back(make(InvalidStmt{}, function->loc));
  form.body = {span(statements)};
  return make(form, function->loc);
}

bool Parser::expect(TokenKind kind) {
  if (accept(kind)) return true;
  // What a line lacks at its end is missing there, not where the next one begins.
  expected(fmt::format("`{}`", token_text(kind)), at_end() || peek().new_line ? after_previous() : loc(peek()));
  return false;
}

bool Parser::expect_close(TokenKind kind, const Token& open) {
  if (accept(kind)) return true;
  if (kind == RightBrace && broken_ && (at_end() || ends_members())) {
    // It may have been among what was skipped.
    ++unclosed_;
    panicking_ = true;
    return false;
  }
  const std::string text(token_text(kind));
  const Loc at = at_end() || peek().new_line ? after_previous() : loc(peek());
  Diagnostic& reported = error(at, diag::not_closed, describe(peek()), text);
  if (&reported != &ignored_) reported.note(loc(open), fmt::format("this `{}` is not closed", text_of(open)));
  if (kind == RightBrace) ++unclosed_;
  panicking_ = true;
  return false;
}

bool Parser::expect_greater() {
  if (accept(Greater)) return true;
  if (!at(ShiftRight)) return expect(Greater);
  Token& token = tokens_.tokens[position_];
  token.kind = Greater;
  ++token.begin;
  return true;
}

Ident Parser::expect_name(std::string_view what) {
  if (at(Identifier)) {
    const bool is_type = is_scalar_type_name(text_of(peek()));
    if (is_type) variables_named_like_types_.insert(text_of(peek()));
    mark(Role::Name);
    return ident(take());
  }
  if (is_keyword(peek().kind) && !peek().new_line) {
    const Token& token = take();
    const Loc at = loc(token);
    error(at, diag::keyword_as_name, std::string(text_of(token)), std::string(what))
        .fix(at, fmt::format("{}_", text_of(token)));
    named_keywords_.insert(token.kind);
    return {context_.names.unreadable(), at};
  }
  expected(fmt::format("a name for {}", what));
  return {context_.name(""), loc(peek())};
}

Ident Parser::expect_member_name() {
  if (at_member_name()) {
    mark(Role::Name);
    return ident(take());
  }
  expected("a name");
  return {context_.name(""), loc(peek())};
}

bool Parser::begins_declaration(const Token& token, size_t at) const {
  if (!token.new_line) return false;
  const bool unindented = token.begin == 0 || text_[token.begin - 1] == '\n';
  switch (token.kind) {
    case KeywordFn:
    case KeywordStruct:
    case KeywordEnum:
    case KeywordImpl:
      return unindented || (at + 1 < tokens_.tokens.size() && tokens_.tokens[at + 1].kind == Identifier);
    case KeywordImport:
    case KeywordInclude:
    case KeywordExtern:
    case KeywordPub:
    case KeywordPriv:
    case At: return true;
    case KeywordConfig:
    case KeywordType:
    case KeywordLocal:
    case KeywordPin: return unindented || (at + 1 < tokens_.tokens.size() && tokens_.tokens[at + 1].kind == Identifier);
    default: return false;
  }
}

namespace {

/// Whether a line that ends in this token goes on [L2].
bool goes_on_after(TokenKind kind) {
  switch (kind) {
    case Comma:
    case LeftParen:
    case LeftBracket:
    case LeftBrace:
    case Dot:
    case Arrow:
    case Equal:
    case Plus:
    case Minus:
    case Star:
    case Slash:
    case Percent:
    case Ampersand:
    case Pipe:
    case Caret:
    case ShiftLeft:
    case ShiftRight:
    case AndAnd:
    case OrOr:
    case EqualEqual:
    case NotEqual:
    case Less:
    case LessEqual:
    case Greater:
    case GreaterEqual: return true;
    default: return false;
  }
}

}  // namespace

bool begins_statement_only(TokenKind kind) {
  switch (kind) {
    case KeywordVar:
    case KeywordFor:
    case KeywordWhile:
    case KeywordLoop:
    case KeywordBreak:
    case KeywordContinue:
    case KeywordReturn:
    case KeywordTry:
    case KeywordThrow:
    case KeywordDefer:
    case KeywordDelete: return true;
    default: return false;
  }
}

bool Parser::is_closed() const {
  std::vector<TokenKind> open;
  for (size_t i = position_; i < tokens_.tokens.size(); ++i) {
    const TokenKind kind = tokens_.tokens[i].kind;
    if (opens(kind)) open.push_back(kind == LeftParen ? RightParen : kind == LeftBracket ? RightBracket : RightBrace);
    if (!closes(kind)) continue;
    if (kind != open.back()) return false;
    open.pop_back();
    if (open.empty()) return true;
  }
  return false;
}

void Parser::skip_balanced() {
  size_t depth = 0;
  do {
    if (opens(peek().kind)) ++depth;
    if (closes(peek().kind)) --depth;
    take();
  } while (depth > 0 && !at_end());
  if (depth > 0) silent_ = true;  // the end of the file would now be blamed for everything that is open
}

bool Parser::too_deep() {
  if (depth_ <= deepest_nesting) return false;
  report_nesting(loc(peek()));
  if (opens(peek().kind)) {
    skip_balanced();
    return true;
  }
  // Nesting without brackets: the rest of it is what stands up to the end of the line or the bracket around.
  while (!at_end() && !closes(peek().kind) && !at(Comma) && !at(Semicolon)) {
    if (opens(peek().kind))
      skip_balanced();
    else
      take();
    if (peek().new_line && !goes_on_after(previous().kind)) break;
  }
  panicking_ = true;
  return true;
}

/// Whether what stands here has something behind it in its line that goes on with what is before.
bool Parser::is_amid_line() const {
  if (peek().new_line || peek(1).new_line) return false;
  switch (peek(1).kind) {
    case Comma:
    case Colon:
    case Dot:
    case Arrow:
    case Equal:
    case RightParen:
    case LeftParen:
    case RightBracket:
    case LeftBracket: return true;
    default: return false;
  }
}

void Parser::synchronize_statement(size_t from) {
  panicking_ = false;
  broken_ = true;
  // Brackets that were taken since the statement began and are still open.
  size_t round = 0, braces = 0;
  for (size_t i = from; i < position_; ++i) {
    const TokenKind kind = tokens_.tokens[i].kind;
    if (kind == LeftParen || kind == LeftBracket) ++round;
    if ((kind == RightParen || kind == RightBracket) && round > 0) --round;
    if (kind == LeftBrace) ++braces;
    if (kind == RightBrace && braces > 0) --braces;
  }
  bool first = position_ == from;
  for (; !at_end(); first = false) {
    const Token& token = peek();
    if (begins_declaration(token, position_)) return;
    if (token.kind == RightBrace) {
      if (braces == 0 && last_error_ == position_ && is_amid_line()) {
        take();
        continue;
      }
      if (braces == 0) return;
      --braces;
      take();
      round = 0;
      continue;
    }
    if (braces == 0 && !first) {
      if (token.kind == Semicolon && round == 0 && last_error_ != position_) {
        take();
        return;
      }
      const bool goes_on = goes_on_after(previous().kind) || token.kind == RightParen || token.kind == RightBracket ||
                           token.kind == Comma || token.kind == LeftBrace || goes_on_after(token.kind);
      if (token.new_line && (begins_statement_only(token.kind) || !goes_on)) {
        if (round == 0 || !goes_on) return;
      }
    }
    if (token.kind == LeftParen || token.kind == LeftBracket) ++round;
    if ((token.kind == RightParen || token.kind == RightBracket) && round > 0) --round;
    if (token.kind == LeftBrace) ++braces;
    take();
  }
}

void Parser::synchronize_item(size_t from) {
  panicking_ = false;
  broken_ = true;
  bool first = position_ == from;
  for (; !at_end(); first = false) {
    if (begins_declaration(peek(), position_) && !first) return;
    if (closes(peek().kind)) {
      if (at(RightBrace)) return;
      take();
      continue;
    }
    // A separator that was itself the error separates items only where one begins behind it.
    if ((at(Comma) || at(Semicolon)) &&
        (last_error_ != position_ || peek(1).new_line || (at_member_name(1) && peek(2).kind == Colon)))
      return;
    if (!first && peek().new_line) return;
    if (opens(peek().kind))
      skip_balanced();
    else
      take();
  }
}

void Parser::synchronize_declaration() {
  panicking_ = false;
  broken_ = true;
  size_t depth = 0;
  while (!at_end()) {
    const Token& token = peek();
    const bool unindented = token.begin == 0 || text_[token.begin - 1] == '\n';
    // Between functions a `var` without indentation is a declaration; elsewhere it may be a statement.
    const bool plain =
        depth == 0 && token.new_line && unindented && (token.kind == KeywordVar || token.kind == KeywordConst);
    if (plain || (begins_declaration(token, position_) && (depth == 0 || unindented))) return;
    if (opens(token.kind)) ++depth;
    if (closes(token.kind) && depth > 0) --depth;
    take();
    // An old-style declaration or a license begins with an ordinary word.
    if (depth == 0 && peek().new_line && (at_word("program") || at_word("license") || at_word("map")) &&
        (peek(1).kind == Identifier || peek(1).kind == String || peek(1).kind == Less))
      return;
  }
}

}  // namespace ksc

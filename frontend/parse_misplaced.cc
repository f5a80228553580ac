// SPDX-License-Identifier: Apache-2.0
// What stands in functions of other languages and not here: declarations, variables as C declares them, other words.
#include "frontend/parsing.h"
#include "ir/foreign_types.h"

namespace ksc {

using enum TokenKind;

/// Whether a declaration stands here that is indented more than the function around it, so that no `}` is missing
/// before it.
bool Parser::at_misplaced_declaration() const {
  return begins_declaration(peek(), position_) && indentation(peek()) > function_indentation_;
}

namespace {

/// What a declaration that begins with this word declares, in the plural.
std::string_view declared_by(TokenKind kind) {
  switch (kind) {
    case KeywordFn: return "functions";
    case KeywordStruct: return "structs";
    case KeywordEnum: return "enums";
    case KeywordConfig: return "config blocks";
    case KeywordType: return "names of types";
    case KeywordImpl: return "impls";
    case KeywordImport: return "imports";
    case KeywordInclude: return "includes";
    case KeywordExtern: return "functions of the kernel";
    case KeywordPin: return "pinned variables";
    case KeywordLocal: return "`local` variables";
    default: return "attributes and what they belong to";
  }
}

}  // namespace

Stmt Parser::other_statement() {
  const TokenKind next = peek(1).new_line ? End : peek(1).kind;
  bool declares = next == Identifier;
  switch (peek().kind) {
    case KeywordFn:
    case KeywordStruct:
    case KeywordEnum:
    case KeywordConfig:
    case KeywordType:
    case KeywordImpl:
    case At: break;
    case KeywordImport:
    case KeywordInclude: declares = declares || next == String || next == Less; break;
    case KeywordExtern:
    case KeywordPub:
    case KeywordPriv:
    case KeywordPin:
    case KeywordLocal: declares = declares || (is_keyword(next) && next != KeywordIn); break;
    default: declares = false;
  }
  return declares ? misplaced_declaration() : simple_statement();
}

/// A declaration within a function: it is reported and skipped, and what it declares is known, so that uses of it are
/// no mistakes.
Stmt Parser::misplaced_declaration() {
  const Token first = peek();
  const size_t from = position_;
  size_t word = 0;
  while (peek(word).kind == KeywordPub || peek(word).kind == KeywordPriv) ++word;
  const TokenKind kind = peek(word).kind;
  if (kind == At) {
    // Behind `@name` or `@name(…)`, of one line.
    size_t behind = 2;
    if (peek(behind).kind == LeftParen)
      while (peek(behind++).kind != RightParen && !peek(behind).new_line) continue;
    const bool is_function = peek(behind).kind == KeywordFn;
    error(loc(first), diag::misplaced_declaration, std::string(declared_by(is_function ? KeywordFn : kind)));
    Scoped silent(silent_, true);
    while (at(At)) attribute();
    panicking_ = false;
  } else {
    error(loc(peek(word)), diag::misplaced_declaration, std::string(declared_by(kind)));
    while (word-- > 0) take();
  }
  if (at(KeywordPin) || at(KeywordLocal)) take();
  if (at(KeywordVar) && kind != At) return variable_statement();
  if (at(KeywordFn)) return skipped_function();
  if (at(LeftBrace)) return make(Block{}, loc(first));  // a block of its own, behind an attribute
  while (!at_end() && !at(RightBrace) && !at(Semicolon) && (!peek().new_line || position_ == from || at(LeftBrace))) {
    const bool was_body = at(LeftBrace);
    opens(peek().kind) ? skip_balanced() : void(take());
    if (was_body) break;
  }
  misplaced_.push_back(make(InvalidDecl{span(names_declared(from))}, loc(first)));
  return make(Block{}, loc(first));
}

/// A function within a function, which has been reported: as a variable of which nothing is known, so that calls of it
/// are no mistakes.
Stmt Parser::skipped_function() {
  const Token first = take();
  if (!at(Identifier) || peek(1).kind != LeftParen) {
    panicking_ = true;
    return invalid_stmt(first);
  }
  const Ident name = ident(take());
  skip_balanced();
  while (!at(LeftBrace) && !at_end() && !peek().new_line) take();
  if (at(LeftBrace)) skip_balanced();
  return make(VarStmt{name, Option<TypeExpr>(make(InvalidType{}, loc(first))), {}}, since(first));
}

namespace {

/// The type that words of C mean; empty for other words.
std::string_view type_of_c(const std::vector<std::string_view>& words) {
  bool is_unsigned = false, is_char = false;
  int bits = 32;
  for (std::string_view word : words) {
    if (word == "unsigned")
      is_unsigned = true;
    else if (word == "char")
      is_char = true;
    else if (word == "short")
      bits = 16;
    else if (word == "long")
      bits = 64;
    else if (word != "int" && word != "signed")
      return "";
  }
  if (is_char) return is_unsigned ? "u8" : words.size() > 1 ? "i8" : "char";
  if (bits == 16) return is_unsigned ? "u16" : "i16";
  if (bits == 32) return is_unsigned ? "u32" : "i32";
  return is_unsigned ? "u64" : "i64";
}

/// The type that one word means in C or here; empty for other words.
std::string_view type_word(std::string_view word) {
  for (std::string_view own : {"u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "bool", "size_t"})
    if (word == own) return own;
  return type_of_other_languages(word);
}

}  // namespace

/// int x = 5
std::optional<Stmt> Parser::c_variable() {
  std::vector<std::string_view> words;
  size_t count = 0;
  for (; peek(count).kind == Identifier && (count == 0 || !peek(count).new_line); ++count)
    words.push_back(text_of(peek(count)));
  if (count < 2) return {};
  const TokenKind end = peek(count).kind;
  if (end != Equal && end != Semicolon && end != RightBrace && !peek(count).new_line) return {};
  words.pop_back();
  std::string_view meant = type_of_c(words);
  if (meant.empty() && words.size() == 1) meant = type_word(words[0]);
  if (meant.empty()) return {};
  const Token first = peek();
  while (--count > 0) take();
  const Loc written = since(first);
  const Ident name = ident(take());
  Diagnostic& message = error(written, diag::expected_token, fmt::format("`{}`", source(written)), "`var`");
  if (&message != &ignored_) {
    message.fix(written, "var", fmt::format("a variable is declared by `var {}: {}`", name.name.text(), meant));
    message.fix(after_previous(), fmt::format(": {}", meant));
  }
  Option<Expr> value;
  if (accept(Equal)) value = expression();
  const TypeExpr type_meant = make(NamedType{{}, {context_.name(meant), written}}, written);
  return make(VarStmt{name, Option<TypeExpr>(type_meant), value}, since(first));
}

/// struct S *p = x
std::optional<Stmt> Parser::c_pointer() {
  size_t stars = 0;
  while (peek(2 + stars).kind == Star) ++stars;
  const Token& end = peek(3 + stars);
  if (!at(KeywordStruct) || peek(1).kind != Identifier || peek(2 + stars).kind != Identifier ||
      peek(2 + stars).new_line || (end.kind != Equal && end.kind != Semicolon && !end.new_line))
    return {};
  const Token first = take();
  const Token named = take();
  const auto [meant, spelled] = pointer_of_c(named);
  const Loc written = since(first);
  const Ident name = ident(take());
  const Loc behind_name = after_previous();
  Diagnostic& message = error(written, diag::expected_token, fmt::format("`{}`", source(written)), "`var`");
  Option<TypeExpr> type_written(meant);
  Option<Expr> value;
  if (accept(Equal)) value = expression();
  if (&message == &ignored_ || panicking_) return make(VarStmt{name, type_written, value}, since(first));
  message.fix(loc(first.begin, context_.locations[name.loc].begin), "var ",
              fmt::format("a variable is declared by `var {}: {}`", name.name.text(), spelled));
  if (!value || stars == 0) {
    message.fix(behind_name, fmt::format(": {}", spelled));
    return make(VarStmt{name, type_written, value}, since(first));
  }
  // What a pointer in C is made from is hardly one of its type here.
  const Kind kind = kind_of(*value);
  if (kind == Kind::Cast) return make(VarStmt{name, {}, value}, since(first));
  const bool is_simple =
      kind == Kind::NameUse || kind == Kind::Member || kind == Kind::Subscript || kind == Kind::Apply;
  const LocationRecord& place = context_.locations[loc_of(*value)];
  if (!is_simple) message.fix(loc(place.begin, place.begin), "(");
  message.fix(loc(previous().end, previous().end), fmt::format("{} as {}", is_simple ? "" : ")", spelled));
  return make(VarStmt{name, {}, Option<Expr>(expression_node(Cast{*value, meant, false}, loc_of(*value)))},
              since(first));
}

/// do { … } while (c)
Stmt Parser::do_statement() {
  const Token first = take();
  error(loc(first), diag::expected_token, "`do`", "`while` or `loop`")
      .note("`loop { … if (!c) { break } }` asks at its end");
  const Body repeated = block();
  if (panicking_ || !at(KeywordWhile)) return invalid_stmt(first);
  take();
  bool parenthesised = false;
  const Expr held = condition(parenthesised);
  return make(While{held, repeated}, since(first));
}

/// if let x = …
void Parser::read_let_as_var() {
  const size_t open = peek(1).kind == LeftParen ? 2 : 1;
  const Token& let = peek(open);
  if (let.kind != Identifier || text_of(let) != "let" || peek(open + 1).kind != Identifier) return;
  if (peek(open + 2).kind != Equal && peek(open + 2).kind != Colon) return;
  error(loc(let), diag::expected_token, "`let`", "`var`").fix(loc(let), "var");
  tokens_.tokens[position_ + open].kind = KeywordVar;
}

/// The value `{ a: 1 }` of a variable whose type says which struct it is.
std::optional<Expr> Parser::nameless_literal(const TypeExpr& type) {
  const auto* named = as<NamedType>(type);
  if (!named || !at(LeftBrace) || peek().new_line) return {};
  const bool has_fields = at_member_name(1) && peek(2).kind == Colon;
  if (!has_fields && peek(1).kind != Dot && peek(1).kind != RightBrace) return {};
  const Token first = peek();
  error(loc(first), diag::expected_token, "`{`", "the struct's name before it")
      .fix(loc(first.begin, first.begin), fmt::format("{} ", source(named->loc)));
  return struct_literal(named->form.module, named->form.name, first);
}

/// What was meant by a word that begins a statement elsewhere.
void Parser::explain_foreign_statement(Diagnostic& message, size_t from) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"switch", "`match (value) { 1: …, 2 | 3: …, default: … }` chooses by a value"},
      {"goto", "there is no `goto`; `break`, `continue` and `return` leave loops and functions"},
      {"unless", "`if (!…) { … }` asks for the opposite"},
      {"until", "`while (!…) { … }` asks for the opposite"},
      {"raise", "`throw` throws a number"}};
  const std::string_view word = text_of(tokens_.tokens[from]);
  for (const auto& [foreign, note] : words)
    if (word == foreign) message.note(std::string(note));
}

/// print "hi"
std::optional<Stmt> Parser::print_without_parentheses() {
  const Token& next = peek(1);
  const bool is_value = next.kind == String || next.kind == Identifier || next.kind == Integer || next.kind == Char;
  const bool is_named = next.kind == Identifier && (peek(2).kind == Equal || peek(2).kind == Colon);  // a variable
  if (!at_word("print") || next.new_line || !is_value || is_named) return {};
  const Token first = take();
  const Loc gap = loc(first.end, peek().begin);
  Diagnostic& message = error(loc(peek()), diag::statement_end, describe(peek()));
  const bool is_told = &message != &ignored_;
  std::vector<Expr> values;
  do values.push_back(expression());
  while (!panicking_ && accept(Comma));
  if (is_told && !panicking_) {
    message.fix(gap, "(", "what is printed stands in parentheses");
    if (!at(RightParen)) message.fix(after_previous(), ")");
  }
  if (!panicking_) accept(RightParen);  // only the other one is missing
  const Expr call = make(Apply{make(NameUse{ident(first)}, loc(first)), span(values)}, since(first));
  return make(Evaluate{call}, since(first));
}

}  // namespace ksc

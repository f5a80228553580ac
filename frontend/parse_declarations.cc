// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <utility>

#include "frontend/parsing.h"

namespace ksc {

using enum TokenKind;

Program Parser::program() {
  std::vector<Decl> declarations;
  while (!at_end()) {
    if (accept(Semicolon)) continue;
    if (unclosed_ > 0 && accept(RightBrace)) {
      --unclosed_;
      continue;
    }
    const size_t from = position_;
    nesting_reported_ = false;
    follows_broken_ = std::exchange(broken_, false);
    mark(Begin::Declaration);
    const bool is_indented = peek().begin > 0 && text_[peek().begin - 1] != '\n';
    declaration(declarations);
    // What may belong to the broken one does not end it.
    if (follows_broken_ && is_indented) broken_ = true;
    if (!panicking_) end_declaration();
    if (panicking_) synchronize_declaration();
    if (position_ == from) take();
    if (broken_) declarations.back() = abandoned(declarations.back(), from);
  }
  declarations.insert(declarations.end(), misplaced_.begin(), misplaced_.end());
  return context_.arena.span(declarations.data(), declarations.size());
}

void Parser::end_declaration() {
  if (accept(Semicolon) || at_end() || peek().new_line || previous().kind == RightBrace) return;
  error(loc(peek()), diag::statement_end, describe(peek()));
  panicking_ = true;
}

Parser::Modifiers Parser::modifiers() {
  Modifiers found;
  const auto once = [&](std::optional<Token>& word) {
    if (word) error(loc(peek()), diag::written_twice, std::string(text_of(peek()))).fix(loc(peek()), "");
    word = take();
  };
  found.first = peek();
  ModifierList list;
  for (size_t from = position_; !panicking_; from = position_) {
    if (at(At)) {
      found.attributes.push_back(attribute());
    } else if (at(KeywordPub) || at(KeywordPriv)) {
      found.visibility = take().kind == KeywordPub ? Visibility::Public : Visibility::Private;
    } else if (at(KeywordPin)) {
      once(found.pin);
    } else if (at(KeywordLocal)) {
      once(found.local);
    } else if (at_word("kernel") && peek(1).kind == KeywordFn) {
      found.kernel = take();
    } else {
      break;
    }
    list.words.push_back({from, position_});
    if (outline_ && !at_end()) mark(Begin::Modifier);
  }
  if (outline_ && list.words.size() > 1) outline_->modifiers.push_back(std::move(list));
  return found;
}

Attribute Parser::attribute() {
  take();  // @
  const Ident name = expect_member_name();
  Span<Expr> given;
  if (!panicking_ && at(LeftParen) && !peek().new_line) {
    const Token open = take();
    given = arguments(open);
    if (panicking_) given = skipped_arguments();
  }
  return {name, given};
}

/// Goes to the end of arguments that were not understood, if it is on their line: what stands behind them belongs to
/// the same attribute's declaration all the same.
Span<Expr> Parser::skipped_arguments() {
  const Token first = peek();
  while (!at_end() && !at(RightParen) && !peek().new_line) take();
  if (at(RightParen) && !peek().new_line) {
    take();
    panicking_ = false;
  }
  return span(std::vector<Expr>{make(InvalidExpr{}, since(first))});
}

void Parser::reject_attributes(const Modifiers& found, std::string_view what) {
  for (const Attribute& attribute : found.attributes)
    error(attribute.name.loc, diag::misplaced_attribute, std::string(attribute.name.name.text()), std::string(what));
}

void Parser::reject_storage(const Modifiers& found, std::string_view what) {
  for (const auto& word : {found.pin, found.local, found.kernel})
    if (word)
      error(loc(*word), diag::misplaced_modifier, std::string(text_of(*word)), std::string(what)).fix(loc(*word), "");
}

void Parser::declaration(std::vector<Decl>& out) {
  Scoped depth(depth_, depth_ + 1);
  const Token first = peek();
  if (at_word("program") && peek(1).kind == Identifier && peek(2).kind == Colon) return out.push_back(old_program());
  if (at_word("map") && peek(1).kind == Less) return out.push_back(old_map());
  if (at_word("license") && peek(1).kind == String) return out.push_back(license());
  Modifiers found = modifiers();
  if (panicking_) return out.push_back(make(InvalidDecl{}, since(first)));
  const TokenKind kind = peek().kind;
  const auto plain = [&](std::string_view what) {
    reject_attributes(found, what);
    reject_storage(found, what);
  };
  Decl parsed = make(InvalidDecl{}, loc(first));
  switch (kind) {
    case KeywordFn: parsed = function(found); break;
    case KeywordVar: parsed = variable(found); break;
    case KeywordConst: plain("a constant"), parsed = constant(found); break;
    case KeywordConfig: plain("a config block"), parsed = configuration(found); break;
    case KeywordType: plain("a type"), parsed = alias(found); break;
    case KeywordStruct: plain("a struct"), parsed = structure(found); break;
    case KeywordEnum: plain("an enum"), parsed = enumeration(found); break;
    case KeywordImpl: reject_storage(found, "an impl"), parsed = implementation(found); break;
    case KeywordExtern: plain("an extern"), parsed = external(); break;
    case KeywordImport: plain("an import"), parsed = import(); break;
    case KeywordInclude: plain("an include"), parsed = include(); break;
    default: {
      const uint32_t begin = peek().begin;
      const bool is_indented = begin > 0 && text_[begin - 1] != '\n';
      if (follows_broken_ && is_indented && found.attributes.empty()) {
        // What the declaration before it was meant to be is not known, so this may belong to it.
        reopen_function(out);
        panicking_ = true;
        break;
      }
      const bool modified =
          !found.attributes.empty() || found.pin || found.local || found.visibility != Visibility::Default;
      if ((found.pin || found.local) && at(Identifier) && peek(1).kind == Colon) {
        expected("`var`").fix(loc(peek().begin, peek().begin), "var ");
      } else if (modified && !found.attributes.empty()) {
        error(loc(peek()), diag::dangling_attributes, describe(peek()));
      } else if (modified) {
        expected("a declaration");
      } else if (at(RightBrace) || at(RightParen) || at(RightBracket)) {
        reopen_function(out);
        error(loc(peek()), diag::unexpected_close, std::string(text_of(peek())));
        take();
        // What follows on the line closes too much as well.
        if (peek().new_line || at_end()) return out.push_back(parsed);
      } else if (begins_expression(peek()) || is_keyword(peek().kind) || at(LeftBrace)) {
        reopen_function(out);
        suggest(error(loc(peek()), diag::statement_at_file_level), peek(),
                {"fn", "var", "const", "config", "type", "struct", "enum", "impl", "import", "include", "extern", "pub",
                 "priv"});
      } else {
        expected("a declaration");
      }
      panicking_ = true;
    }
  }
  out.push_back(parsed);
}

Span<TypedName> Parser::parameters() {
  const Token open = peek();
  if (!expect(LeftParen)) return {};
  Scoped brackets(in_brackets_, true);
  std::vector<TypedName> all;
  while (!at(RightParen) && !at_end() && !panicking_) {
    const Ident name =
        is_keyword(peek().kind) && peek(1).kind == Colon ? expect_member_name() : expect_name("a parameter");
    if (!panicking_) expect(Colon);
    if (panicking_) break;
    all.push_back({name, type()});
    if (panicking_ || !accept(Comma)) break;
  }
  if (!panicking_) expect_close(RightParen, open);
  return span(all);
}

Decl Parser::function(Modifiers& found) {
  const Token first = peek();
  Scoped named_like_types(variables_named_like_types_, variables_named_like_types_);
  if (found.kernel) {
    const Loc at = loc(*found.kernel);
    error(at, diag::old_kernel_function).fix(at, "@helper");
    found.attributes.push_back({{context_.name("helper"), at}, {}});
  }
  for (const auto& word : {found.pin, found.local})
    if (word)
      error(loc(*word), diag::misplaced_modifier, std::string(text_of(*word)), "a function").fix(loc(*word), "");
  function_indentation_ = indentation(take());  // fn
  const Ident name = expect_name("a function");
  Span<TypedName> declared = panicking_ ? Span<TypedName>() : parameters();
  Ident result_name{};
  Option<TypeExpr> result;
  if (!panicking_ && at(Arrow)) {
    mark(Role::Result);
    take();
    if (at_member_name() && peek(1).kind == Colon) {
      result_name = expect_name("a result");
      take();
    }
    result = result_type();
  }
  const Loc at = since(first);
  expect_function_body(static_cast<bool>(result));
  if (panicking_) {
    broken_ = true;
    // The header is broken; its body can still be looked at, if it is on this line.
    const size_t line_end = position_;
    const bool is_on_line = !peek().new_line || this->at(LeftBrace);
    while (is_on_line && !at_end() && !this->at(LeftBrace) && !(peek().new_line && position_ != line_end)) take();
    if (!this->at(LeftBrace)) return make(InvalidDecl{}, at);
    panicking_ = false;
    block();
    return make(InvalidDecl{}, at);
  }
  Body statements = block();
  // What the rest of a broken body says may come from what is broken.
  if (broken_ || panicking_) statements = {context_.span<Stmt>({make(InvalidStmt{}, at)})};
  return make(FunctionDecl{span(found.attributes), found.visibility, name, declared, result_name, result, statements},
              at);
}

void Parser::expect_function_body(bool has_result) {
  if (panicking_ || at(LeftBrace)) return;
  Diagnostic& message = expected(has_result ? "`{`" : "`->` and the type of the result, or `{`");
  if (has_result || peek().new_line || &message == &ignored_) return;
  if (at(Colon)) message.fix(loc(peek()), " ->");
  if (at(Identifier) || at(Star)) message.fix(loc(peek().begin, peek().begin), "-> ");
}

Decl Parser::variable(const Modifiers& found) {
  const Token first = take();
  const Ident name = expect_name("a variable");
  if (found.kernel)
    error(loc(*found.kernel), diag::misplaced_modifier, "kernel", "a variable").fix(loc(*found.kernel), "");
  Option<TypeExpr> type_written;
  Option<Expr> value;
  if (!panicking_ && accept(Colon)) {
    if (at(Identifier) && peek(1).kind == Less) {
      mark(Role::MapKind, position_ - 1);
      return map(found, name, first);
    }
    type_written = type();
  }
  if (!panicking_ && accept(Equal)) value = expression();
  reject_attributes(found, "a variable");
  Storage storage = found.local ? Storage::EbpfOnly : found.pin ? Storage::Pinned : Storage::Shared;
  if (found.pin && found.local) error(loc(*found.pin), diag::pin_local).fix(loc(*found.pin), "");
  return make(VarDecl{name, type_written, value, storage, found.visibility}, since(first));
}

Decl Parser::map(const Modifiers& found, Ident name, const Token& first) {
  const Ident kind = ident(take());
  mark(Role::TypeList);
  take();  // <
  std::vector<TypeExpr> parameters;
  while (!at(Greater) && !at(ShiftRight) && !at_end() && !panicking_) {
    if (at(Identifier) && peek(1).kind == Less) {
      error(loc(peek()), diag::not_supported_yet, "maps of maps");
      panicking_ = true;
      break;
    }
    parameters.push_back(type());
    if (panicking_ || !accept(Comma)) break;
  }
  mark(Role::TypeList);
  if (!panicking_) expect_greater();
  Option<Expr> size;
  std::vector<NamedExpr> options;
  const Token open = peek();
  if (!panicking_ && expect(LeftParen)) {
    Scoped brackets(in_brackets_, true);
    while (!at(RightParen) && !at_end() && !panicking_) {
      if (at_member_name() && peek(1).kind == Equal) {
        const Ident option = expect_member_name();
        take();
        options.push_back({option, expression()});
      } else if (!size && options.empty()) {
        size = expression();
      } else {
        expected("an option as `name = value`");
      }
      if (panicking_ || !accept(Comma)) break;
    }
    if (!panicking_) expect_close(RightParen, open);
  }
  const Loc at_map = since(first);
  if (!panicking_ && at(Equal)) {
    error(loc(peek()), diag::map_initializer);
    panicking_ = true;
  }
  std::vector<Expr> flags;
  for (const Attribute& attribute : found.attributes) {
    if (attribute.name.name == "flags")
      flags.insert(flags.end(), attribute.arguments.begin(), attribute.arguments.end());
    else
      error(attribute.name.loc, diag::misplaced_attribute, std::string(attribute.name.name.text()), "a map");
  }
  for (const auto& word : {found.local, found.kernel})
    if (word) error(loc(*word), diag::misplaced_modifier, std::string(text_of(*word)), "a map").fix(loc(*word), "");
  return make(
      MapDecl{name, kind, span(parameters), size, span(options), span(flags), found.pin.has_value(), found.visibility},
      at_map);
}

Decl Parser::constant(const Modifiers& found) {
  const Token first = take();
  const Ident name = expect_name("a constant");
  Option<TypeExpr> type_written;
  if (!panicking_ && accept(Colon)) type_written = type();
  if (!panicking_) expect(Equal);
  if (panicking_) return make(InvalidDecl{}, since(first));
  const Expr value = expression();
  return make(ConstDecl{name, type_written, value, found.visibility}, since(first));
}

/// Between the items of a declaration stands a comma, a `;` or a line end.
bool Parser::item_separator() {
  if (accept(Comma) || accept(Semicolon)) return true;
  if (at(RightBrace) || at_end() || peek().new_line) return true;
  error(loc(peek()), diag::missing_comma, describe(peek())).fix(after_previous(), ",");
  panicking_ = true;
  return false;
}

/// Whether what stands here is a declaration after one whose `}` is missing. A keyword before `:` is a member's name.
bool Parser::ends_members() const {
  const Token& token = peek();
  const bool begins_global = (token.kind == KeywordVar || token.kind == KeywordConst) && token.new_line;
  return (begins_global || begins_declaration(token, position_)) && peek(1).kind != Colon;
}

void Parser::close_members(const Token& open) {
  // Before a declaration only the bracket is missing: the members are known.
  if (!expect_close(RightBrace, open) && !at_end() && ends_members()) panicking_ = false;
}

Decl Parser::without_members(const Ident& name, Loc at) {
  error(name.loc, diag::no_members, std::string(name.name.text()));
  return make(InvalidDecl{span(std::vector<Name>{name.name})}, at);
}

Decl Parser::configuration(const Modifiers& found) {
  const Token first = take();
  const Ident name = expect_name("a config block");
  const Loc at = since(first);
  const Token open = peek();
  std::vector<ConfigItem> items;
  mark(Role::Members);
  if (panicking_ || !expect(LeftBrace)) return make(InvalidDecl{}, at);
  if (accept(RightBrace)) return without_members(name, at);
  while (!this->at(RightBrace) && !at_end() && !ends_members()) {
    const size_t from = position_;
    mark(Begin::Item);
    const Ident field = expect_member_name();
    if (!panicking_) expect(Colon);
    if (!panicking_) {
      const TypeExpr type_written = type();
      Option<Expr> value;
      if (!panicking_ && accept(Equal)) value = expression();
      items.push_back({field, type_written, value});
    }
    if (!panicking_) item_separator();
    if (panicking_) synchronize_item(from), accept(Comma) || accept(Semicolon);
    if (position_ == from) take();
  }
  close_members(open);
  return make(ConfigDecl{name, span(items), found.visibility}, at);
}

Decl Parser::structure(const Modifiers& found) {
  const Token first = take();
  const Ident name = expect_name("a struct");
  const Loc at = since(first);
  const Token open = peek();
  std::vector<MemberDecl> members;
  const size_t brace = position_;
  mark(Role::Members);
  if (panicking_ || !expect(LeftBrace)) return make(InvalidDecl{}, at);
  if (accept(RightBrace)) return without_members(name, at);
  size_t used = 0;
  comment_behind(brace, used);  // it is about the struct
  while (!this->at(RightBrace) && !at_end() && !ends_members()) {
    const size_t from = position_;
    mark(Begin::Item);
    const Ident member = expect_member_name();
    if (!panicking_) expect(Colon);
    if (!panicking_) {
      const TypeExpr written = type();
      const std::string above = comment_above(from, used), behind = comment_behind(position_ - 1, used);
      const std::string& text = behind.empty() ? above : behind;
      members.push_back({member, written, text.empty() ? Name() : context_.name(text)});
    }
    if (!panicking_) item_separator();
    if (panicking_) synchronize_item(from), accept(Comma) || accept(Semicolon);
    if (position_ == from) take();
  }
  close_members(open);
  return make(StructDecl{name, span(members), found.visibility}, at);
}

Decl Parser::enumeration(const Modifiers& found) {
  const Token first = take();
  const Ident name = expect_name("an enum");
  const Loc at = since(first);
  const Token open = peek();
  std::vector<EnumerationItem> items;
  mark(Role::Members);
  if (panicking_ || !expect(LeftBrace)) return make(InvalidDecl{}, at);
  if (this->at(RightBrace)) {
    error(name.loc, diag::empty_enum, std::string(name.name.text()));
    take();
    return make(InvalidDecl{span(std::vector<Name>{name.name})}, at);
  }
  while (!this->at(RightBrace) && !at_end() && !ends_members()) {
    const size_t from = position_;
    mark(Begin::Item);
    const Ident item = expect_name("an enumerator");
    Option<Expr> value;
    if (!panicking_ && accept(Equal)) value = expression();
    items.push_back({panicking_ ? Ident{context_.names.unreadable(), item.loc} : item, value});
    if (!panicking_) item_separator();
    if (panicking_) synchronize_item(from), accept(Comma) || accept(Semicolon);
    if (position_ == from) take();
  }
  close_members(open);
  return make(EnumDecl{name, span(items), found.visibility}, at);
}

Decl Parser::alias(const Modifiers& found) {
  const Token first = take();
  const Ident name = expect_name("a type");
  if (!panicking_) expect(Equal);
  if (panicking_) return make(InvalidDecl{}, since(first));
  const TypeExpr target = type();
  return make(AliasDecl{name, target, found.visibility}, since(first));
}

Decl Parser::external() {
  const Token first = take();
  if (outline_ && at(KeywordFn)) outline_->superfluous.push_back(position_);
  accept(KeywordFn);
  const Ident name = expect_name("a kernel function");
  const Span<TypedName> declared = panicking_ ? Span<TypedName>() : parameters();
  const Option<TypeExpr> result = panicking_ ? Option<TypeExpr>() : optional_result();
  if (panicking_) return make(InvalidDecl{}, since(first));
  return make(ExternDecl{name, declared, result}, since(first));
}

Decl Parser::import() {
  const Token first = take();
  const Ident name = expect_name("an import");
  if (!panicking_ && !at_word("from")) expected("`from`");
  if (panicking_) return make(InvalidDecl{}, since(first));
  take();
  if (!at(String)) {
    expected("a path as a string");
    return make(InvalidDecl{}, since(first));
  }
  return make(Import{name, string_of(take())}, since(first));
}

Decl Parser::include() {
  const Token first = take();
  if (at(String)) {
    const Token path = take();
    return make(Include{string_of(path), false}, since(first));
  }
  if (at(Less) && !peek().new_line) {
    // The path is what the text has between < and >.
    mark(Role::Path);
    const Token open = take();
    while (!at(Greater) && !at_end() && !peek().new_line) take();
    if (at(Greater) && !peek().new_line) {
      const uint32_t end = take().begin;
      return make(Include{context_.name(text_.substr(open.end, end - open.end)), true}, since(first));
    }
    expect_close(Greater, open);
    return make(InvalidDecl{}, since(first));
  }
  expected("a path as a string");
  return make(InvalidDecl{}, since(first));
}

Decl Parser::license() {
  const Token first = take();
  const Token text = take();
  return make(License{string_of(text)}, since(first));
}

Decl Parser::implementation(const Modifiers& found) {
  const Token first = take();
  const Ident name = expect_name("an impl");
  const Loc at = since(first);
  const Token open = peek();
  std::vector<Decl> functions;
  std::vector<NamedExpr> values;
  mark(Role::Members);
  if (panicking_ || !expect(LeftBrace)) return make(InvalidDecl{}, at);
  while (!this->at(RightBrace) && !at_end()) {
    const size_t from = position_;
    if (accept(Comma) || accept(Semicolon)) continue;
    mark(Begin::Item);
    if (at_member_name() && peek(1).kind == Colon) {
      const Ident field = expect_member_name();
      take();
      values.push_back({field, expression()});
      if (!panicking_) item_separator();
      if (panicking_) synchronize_item(from);
    } else if (this->at(KeywordFn) || this->at(At) || this->at(KeywordPub) || this->at(KeywordPriv)) {
      mark(Begin::Statement);
      Modifiers inner = modifiers();
      if (!panicking_ && !this->at(KeywordFn)) expected("`fn`");
      if (!panicking_) functions.push_back(function(inner));
      if (panicking_) synchronize_statement(from);
    } else if (begins_declaration(peek(), position_)) {
      break;
    } else {
      expected("`fn` or `name: value`");
      synchronize_item(from);
    }
    if (position_ == from) take();
  }
  expect_close(RightBrace, open);
  return make(ImplDecl{span(found.attributes), name, span(functions), span(values)}, at);
}

}  // namespace ksc

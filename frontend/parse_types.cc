// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "frontend/parsing.h"

namespace ksc {

using enum TokenKind;

namespace {

/// Names that types had in older drafts [L130].
struct OldType {
  std::string_view name, replacement, explanation;
};
constexpr std::array old_types = {
    OldType{"XdpContext", "*xdp_md", "`*xdp_md`"},
    OldType{"TcContext", "*__sk_buff", "`*__sk_buff`"},
    OldType{"XdpAction", "xdp_action", "`xdp_action`"},
    OldType{"TcAction", "i32", "`i32`"},
    OldType{"ProgramRef", "FunctionRef", "`FunctionRef`"},
    OldType{"BpfProgram", "ProgramHandle", "`ProgramHandle`"},
    OldType{"string", "", "`str(N)`, with N bytes including the terminating NUL"},
    OldType{"LsmContext", "", "the hook's own parameters"},
};

}  // namespace

TypeExpr Parser::type() {
  Scoped depth(depth_, depth_ + 1);
  if (too_deep()) return invalid_type();
  const Token first = peek();
  const size_t from = position_;
  TokenRange count;
  TypeExpr element = type_without_dimensions(&count);
  const size_t behind_element = position_;
  // As in C, `u8[4][2]` has four elements of type `u8[2]`.
  std::vector<Expr> dimensions;
  while (at(LeftBracket) && (!peek().new_line || in_brackets_) && !panicking_) {
    const Token open = take();
    {
      Scoped brackets(in_brackets_, true);
      Scoped literals(struct_literals_, true);
      dimensions.push_back(expression());
    }
    expect_close(RightBracket, open);
    if (dimensions.size() > static_cast<size_t>(deepest_nesting)) {
      report_nesting(loc(open));
      panicking_ = true;
    }
  }
  if (outline_) outline_->types.push_back({{from, position_}, behind_element, count});
  for (size_t i = dimensions.size(); i > 0; --i) element = make(ArrayType{element, dimensions[i - 1]}, since(first));
  return element;
}

TypeExpr Parser::type_without_dimensions(TokenRange* count_written) {
  const Token first = peek();
  switch (first.kind) {
    case Star: {
      mark(Role::Prefix);
      take();
      if (at(LeftBracket)) {
        // *[T]
        const Token open = take();
        const TypeExpr element = type();
        expect_close(RightBracket, open);
        if (panicking_) return invalid_type();
        const Loc at = since(first);
        error(at, diag::old_pointer).fix(at, fmt::format("*{}", source(loc_of(element))));
        return make(PointerType{element}, at);
      }
      const TypeExpr element = type();
      return make(PointerType{element}, since(first));
    }
    case LeftParen: {
      take();
      const TypeExpr inner = type();
      expect_close(RightParen, first);
      return inner;
    }
    case LeftBracket: {
      // [T; N] or [T N]
      take();
      const TypeExpr element = type();
      accept(Semicolon);
      const size_t from = position_;
      Expr count;
      {
        Scoped brackets(in_brackets_, true);
        count = expression();
      }
      if (count_written) *count_written = {from, position_};
      expect_close(RightBracket, first);
      return make(ArrayType{element, count}, since(first));
    }
    case KeywordFn: return function_type();
    case KeywordStruct:
      if (peek(1).kind == Identifier) {
        size_t stars = 0;
        while (peek(2 + stars).kind == Star) ++stars;
        const Token& end = peek(2 + stars);
        const bool is_c_pointer = stars > 0 && (end.new_line || end.kind == RightParen || end.kind == Comma ||
                                                end.kind == Semicolon || end.kind == RightBrace || end.kind == Equal);
        const Loc at = loc(take());
        Diagnostic& message = error(at, diag::expected_token, "`struct`", "the struct's name alone");
        const bool is_told = &message != &ignored_;
        if (is_told) message.fix(loc(first.begin, peek().begin), is_c_pointer ? std::string(stars, '*') : "");
        TypeExpr pointed = named_type();
        if (!is_c_pointer) return pointed;
        // struct S *
        const uint32_t name_end = previous().end;
        while (accept(Star)) pointed = make(PointerType{pointed}, since(first));
        if (is_told) message.fix(loc(name_end, previous().end), "");
        return pointed;
      }
      break;
    case Identifier: return named_type();
    default: break;
  }
  expected("a type");
  return invalid_type();
}

TypeExpr Parser::named_type() {
  const Token first = take();
  const std::string_view text = text_of(first);
  const bool same_line = !peek().new_line;
  if (text == "str" && at(LeftParen) && same_line) {
    const Token open = take();
    Expr size;
    {
      Scoped brackets(in_brackets_, true);
      Scoped literals(struct_literals_, true);
      size = expression();
    }
    expect_close(RightParen, open);
    return make(StrType{size}, since(first));
  }
  if (text == "option" && same_line && (at(Identifier) || at(Star) || at(LeftParen) || at(KeywordFn))) {
    mark(Role::Word, position_ - 1);
    const TypeExpr element = type();
    return make(OptionType{element}, since(first));
  }
  for (const OldType& old : old_types) {
    if (text != old.name) continue;
    const Loc at = loc(first);
    Diagnostic& reported = error(at, diag::old_type, std::string(text), std::string(old.explanation));
    if (old.replacement.empty()) return make(InvalidType{}, at);
    if (&reported != &ignored_) reported.fix(at, std::string(old.replacement));
    // Not compiled yet, which the old name's reader need not be told as well.
    if (old.replacement == "FunctionRef") return make(InvalidType{}, at);
    const bool pointer = old.replacement[0] == '*';
    const TypeExpr named = make(NamedType{{}, {context_.name(old.replacement.substr(pointer)), at}}, at);
    return pointer ? TypeExpr(make(PointerType{named}, at)) : named;
  }
  if (text == "int") {
    const Loc at = loc(first);
    context_.diagnostics.report(at, diag::old_int).fix(at, "i32");
    return make(NamedType{{}, {context_.name("i32"), at}}, at);
  }
  if (accept(Dot)) {
    const Ident member = expect_member_name();
    return make(NamedType{name_of(first), member}, since(first));
  }
  if (at(Less) && same_line && !in_cast_) {
    // A map's type: only map declarations have one, and maps of maps inside theirs.
    error(loc(first), diag::misplaced_map);
    panicking_ = !skip_map_types();
    if (at(LeftParen) && !panicking_ && !peek().new_line) skip_balanced();
    return make(InvalidType{}, loc(first));
  }
  return make(NamedType{{}, ident(first)}, loc(first));
}

TypeExpr Parser::function_type() {
  const Token first = take();
  std::vector<TypeExpr> parameters;
  const Token open = peek();
  if (expect(LeftParen)) {
    Scoped brackets(in_brackets_, true);
    while (!at(RightParen) && !at_end() && !panicking_) {
      if (at_member_name() && peek(1).kind == Colon)
        expect_member_name(), take();  // a parameter's name says something to people only
      parameters.push_back(type());
      if (!accept(Comma)) break;
    }
    expect_close(RightParen, open);
  }
  Option<TypeExpr> result = panicking_ ? Option<TypeExpr>() : optional_result();
  return make(FunctionType{span(parameters), result}, since(first));
}

Option<TypeExpr> Parser::optional_result() {
  if (!at(Arrow)) return {};
  mark(Role::Result);
  take();
  if (at_member_name() && peek(1).kind == Colon) expect_member_name(), take();
  return result_type();
}

TypeExpr Parser::result_type() {
  if (!at(LeftBrace)) return type();
  // Only the type is missing: the body is read as if it stood there.
  error(loc(peek()), diag::expected_token, describe(peek()), "a type");
  return make(InvalidType{}, loc(peek()));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include "frontend/parsing.h"

namespace ksc {

using enum TokenKind;

namespace {

/// A binary operator and how tightly it binds [L30]; level 0: none.
struct BinaryOperator {
  int level = 0;
  Operator op = Operator::None;
};
constexpr int or_level = 1, and_level = 2, equality_level = 3, relation_level = 4;

BinaryOperator binary_operator(TokenKind kind) {
  switch (kind) {
    case OrOr: return {or_level, Operator::Or};
    case AndAnd: return {and_level, Operator::And};
    case EqualEqual: return {equality_level, Operator::Equal};
    case NotEqual: return {equality_level, Operator::NotEqual};
    case Less: return {relation_level, Operator::Less};
    case LessEqual: return {relation_level, Operator::LessEqual};
    case Greater: return {relation_level, Operator::Greater};
    case GreaterEqual: return {relation_level, Operator::GreaterEqual};
    case Pipe: return {5, Operator::BitOr};
    case Caret: return {6, Operator::BitXor};
    case Ampersand: return {7, Operator::BitAnd};
    case ShiftLeft: return {8, Operator::ShiftLeft};
    case ShiftRight: return {8, Operator::ShiftRight};
    case Plus: return {9, Operator::Add};
    case Minus: return {9, Operator::Subtract};
    case Star: return {10, Operator::Multiply};
    case Slash: return {10, Operator::Divide};
    case Percent: return {10, Operator::Remainder};
    default: return {};
  }
}

}  // namespace

bool is_scalar_type_name(std::string_view name) {
  for (std::string_view known :
       {"u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "bool", "char", "size_t", "f32", "f64"})
    if (name == known) return true;
  return false;
}

bool Parser::begins_expression(const Token& token) const {
  switch (token.kind) {
    case Identifier:
    case Integer:
    case Float:
    case Char:
    case String:
    case LeftParen:
    case LeftBracket:
    case Minus:
    case Star:
    case Ampersand:
    case Tilde:
    case Exclamation:
    case KeywordTrue:
    case KeywordFalse:
    case KeywordNull:
    case KeywordNone:
    case KeywordMatch:
    case KeywordIf:
    case KeywordSizeof: return true;
    default: return false;
  }
}

bool Parser::continues(const Token& op) const { return !op.new_line || in_brackets_ || !begins_expression(op); }

bool Parser::question_is_postfix() const {
  const Token& next = peek(1);
  return next.new_line || !begins_expression(next);
}

Expr Parser::expression() {
  Scoped depth(depth_, depth_ + 1);
  if (too_deep()) return invalid_expr();
  const Token first = peek();
  return conditional(binary(cast_operand(), first, or_level), first);
}

Expr Parser::expression_from(Expr left, const Token& first) {
  return conditional(binary(casts(postfix(left, first), first), first, or_level), first);
}

Expr Parser::conditional(Expr condition, const Token& first) {
  if (!at(Question) || panicking_) return condition;
  const Token question = take(), behind = peek();
  const Expr then = expression();
  mark(Role::Otherwise);
  if (!panicking_ && !accept(Colon)) {
    Diagnostic& reported = expected("`:`");
    if (&reported != &ignored_) {
      reported.note(loc(question), "for this conditional");
      if (behind.kind == Minus || behind.kind == Star || behind.kind == Ampersand)
        reported.note("what leaves where nothing is, and goes on with an operator, is written `(e?)`");
    }
  }
  if (panicking_) return invalid_expr();
  const Expr otherwise = expression();
  return expression_node(Conditional{condition, then, otherwise}, since(first));
}

Expr Parser::binary(Expr left, const Token& first, int loosest) {
  while (!panicking_) {
    read_word_as_operator();
    const int level = binary_operator(peek().kind).level;
    if (level == 0 || level < loosest || !continues(peek())) return left;
    // A run of operators that bind equally tightly.
    std::vector<ChainLink> links;
    for (; binary_operator(peek().kind).level == level && continues(peek()) && !panicking_; read_word_as_operator()) {
      const Token op = take();
      if (links.size() == 1 && (level == equality_level || level == relation_level))
        error(loc(op), diag::comparison_chain);
      const Token operand = peek();
      links.push_back({binary_operator(op.kind).op, binary(cast_operand(), operand, level + 1)});
    }
    if ((level == equality_level || level == relation_level) && links.size() > 1)
      left = make(InvalidExpr{}, since(first));
    else
      left = fold_run(level, left, links);
  }
  return left;
}

Expr Parser::fold_run(int level, Expr first, const std::vector<ChainLink>& links) {
  if (level == or_level || level == and_level) {
    std::vector<Expr> operands{first};
    for (const ChainLink& link : links) operands.push_back(link.operand);
    return balanced(level == or_level ? Operator::Or : Operator::And, operands, 0, operands.size());
  }
  if (links.size() >= longest_nested_run)
    return expression_node(Chain{first, span(links)},
                           context_.locations.join(loc_of(first), loc_of(links.back().operand)));
  for (const ChainLink& link : links)
    first = expression_node(Operation{link.op, context_.span({first, link.operand})},
                            context_.locations.join(loc_of(first), loc_of(link.operand)));
  return first;
}

/// `&&` and `||` associate: a short run nests to the left as written, a long one is a tree of little height.
Expr Parser::balanced(Operator op, const std::vector<Expr>& operands, size_t from, size_t to) {
  if (to - from == 1) return operands[from];
  const size_t middle = to - from > longest_nested_run ? from + (to - from) / 2 : to - 1;
  const Expr left = balanced(op, operands, from, middle), right = balanced(op, operands, middle, to);
  const Loc at = context_.locations.join(loc_of(left), loc_of(right));
  return op == Operator::Or ? expression_node(Or{left, right}, at) : expression_node(And{left, right}, at);
}

Expr Parser::cast_operand() {
  const Token first = peek();
  return casts(unary(), first);
}

Expr Parser::casts(Expr value, const Token& first) {
  while (at(KeywordAs) && !panicking_) {
    take();
    Scoped cast(in_cast_, true);
    const TypeExpr target = type();  // its end is the end of the whole
    value = expression_node(Cast{value, target, false}, since(first));
  }
  return value;
}

void Parser::read_word_as_operator() {
  Token& word = tokens_.tokens[position_];
  const bool is_and = at_word("and");
  if ((!is_and && !at_word("or")) || word.new_line || !begins_expression(peek(1)) || peek(1).new_line) return;
  const std::string_view meant = is_and ? "&&" : "||";
  error(loc(word), diag::expected_token, describe(word), fmt::format("`{}`", meant)).fix(loc(word), std::string(meant));
  word.kind = is_and ? AndAnd : OrOr;
}

Expr Parser::unary() {
  if (at_word("not") && !peek(1).new_line &&
      (peek(1).kind == Identifier || peek(1).kind == KeywordTrue || peek(1).kind == KeywordFalse)) {
    error(loc(peek()), diag::expected_token, "`not`", "`!`").fix(loc(peek().begin, peek(1).begin), "!");
    tokens_.tokens[position_].kind = Exclamation;
  }
  const Token first = peek();
  switch (first.kind) {
    case Exclamation:
    case Tilde:
    case Minus:
    case Star:
    case Ampersand: break;
    case PlusPlus:
    case MinusMinus:
      error(loc(first), diag::increment, std::string(text_of(first)), first.kind == PlusPlus ? "+=" : "-=");
      panicking_ = true;
      return invalid_expr();
    default: return postfix(primary(), first);
  }
  Scoped depth(depth_, depth_ + 1);
  if (too_deep()) return invalid_expr();
  mark(Role::Prefix);
  take();
  const Expr operand = unary();
  const Loc at = since(first);
  switch (first.kind) {
    case Exclamation: return expression_node(Not{operand}, at);
    case Star: return expression_node(Deref{operand}, at);
    case Ampersand: return expression_node(AddressOf{operand}, at);
    default:
      return expression_node(
          Operation{first.kind == Minus ? Operator::Negate : Operator::Complement, context_.span({operand})}, at);
  }
}

Expr Parser::postfix(Expr value, const Token& first) {
  while (!panicking_) {
    const Token token = peek();
    switch (token.kind) {
      case LeftParen:
        if (!continues(token)) return value;
        take();
        value = [&] {
          const Span<Expr> given = arguments(token);
          return expression_node(Apply{value, given}, since(first));
        }();
        break;
      case LeftBracket: {
        if (!continues(token)) return value;
        take();
        Expr index;
        {
          Scoped brackets(in_brackets_, true);
          Scoped literals(struct_literals_, true);
          index = expression();
        }
        expect_close(RightBracket, token);
        value = expression_node(Subscript{value, index}, since(first));
        break;
      }
      case Dot:
      case Arrow: {
        take();
        // `x-> as *T` lacks a name; `x->as` is a member.
        const TokenKind behind = peek(1).kind;
        if (at(KeywordAs) && peek().begin > token.end && (behind == Star || behind == Identifier)) expected("a name");
        const Ident member = panicking_ ? Ident{context_.name(""), loc(peek())} : expect_member_name();
        if (panicking_) return expression_node(Member{value, member, token.kind == Arrow}, since(first));
        const auto* module = as<NameUse>(value);
        value = expression_node(Member{value, member, token.kind == Arrow}, since(first));
        if (module && token.kind == Dot && at(LeftBrace) && struct_literals_ && !peek().new_line &&
            (peek(1).kind == RightBrace || (at_member_name(1) && (peek(2).kind == Colon || peek(2).kind == Comma))))
          value = struct_literal((*module)->name.name, member, first);
        else if (module && token.kind == Dot && at(ColonColon))
          value = scoped_name(value, (*module)->name.name, member, first);
        break;
      }
      case Question:
        if (!question_is_postfix()) return value;
        mark(Role::Propagate);
        take();
        value = expression_node(Propagate{value}, since(first));
        break;
      default: return value;
    }
  }
  return value;
}

Span<Expr> Parser::arguments(const Token& open) {
  Scoped brackets(in_brackets_, true);
  Scoped literals(struct_literals_, true);
  std::vector<Expr> values;
  while (!at(RightParen) && !at_end() && !panicking_) {
    values.push_back(expression());
    if (panicking_ || accept(Comma)) continue;
    if (at(RightParen)) break;
    if (begins_expression(peek()) && !peek().new_line && !at(KeywordIf)) {
      error(loc(peek()), diag::missing_comma, describe(peek())).fix(after_previous(), ",");
      panicking_ = true;
    }
    break;
  }
  if (!panicking_) expect_close(RightParen, open);
  return span(values);
}

bool Parser::at_c_cast() const {
  // (T*)x, (struct T*)x, (u32)x
  size_t i = 1;
  if (peek(i).kind == KeywordStruct) ++i;
  if (peek(i).kind != Identifier) return false;
  const bool scalar = is_scalar_type_name(text_of(peek(i))) && !variables_named_like_types_.count(text_of(peek(i)));
  size_t stars = 0;
  for (++i; peek(i).kind == Star; ++i) ++stars;
  if (peek(i).kind != RightParen || (stars == 0 && !scalar)) return false;
  const Token& next = peek(i + 1);
  if (next.new_line) return false;
  switch (next.kind) {
    case Identifier:
    case Integer:
    case Char:
    case LeftParen:
    case Star:
    case Ampersand:
    case Tilde:
    case Exclamation:
    case Minus:
    case KeywordNull:
    case KeywordNone:
    case KeywordTrue:
    case KeywordFalse: return true;
    default: return false;
  }
}

/// Behind the name of a type the stars of C: the type, and how it is written here.
std::pair<TypeExpr, std::string> Parser::pointer_of_c(const Token& named) {
  TypeExpr target = make(NamedType{{}, ident(named)}, loc(named));
  std::string spelling(text_of(named));
  while (accept(Star)) {
    mark(Role::Suffix, position_ - 1);
    target = make(PointerType{target}, since(named));
    spelling.insert(0, "*");
  }
  return {target, spelling};
}

Expr Parser::c_cast() {
  const Token first = take();
  accept(KeywordStruct);
  const Token named = take();
  const auto [target, spelling] = pointer_of_c(named);
  mark(Role::Prefix);
  expect(RightParen);
  const Token operand = peek();
  const Expr value = unary();
  const Loc at = since(first);
  if (panicking_) return make(InvalidExpr{}, at);
  std::string_view text = source(since(operand));
  const bool simple =
      kind_of(value) == Kind::NameUse || kind_of(value) == Kind::Member || kind_of(value) == Kind::IntLiteral;
  if (simple && text.size() > 2 && text.front() == '(' && text.back() == ')') text = text.substr(1, text.size() - 2);
  if (!silent_) context_.diagnostics.report(at, diag::c_style_cast).fix(at, fmt::format("({} as {})", text, spelling));
  return expression_node(Cast{value, target, true}, at);
}

/// (*T)x, in which C's cast and this language's types are mixed.
bool Parser::at_prefix_cast() const {
  size_t i = 1;
  while (peek(i).kind == Star) ++i;
  return i > 1 && peek(i).kind == Identifier && peek(i + 1).kind == RightParen && peek(i + 2).kind == Identifier &&
         !peek(i + 2).new_line;
}

Expr Parser::prefix_cast() {
  const Token open = take();
  const TypeExpr target = type();
  expect(RightParen);
  const Loc written = since(open);
  const std::string spelling(source(loc_of(target)));
  const Token operand = peek();
  const Expr value = unary();
  const Loc at = since(open);
  if (panicking_) return make(InvalidExpr{}, at);
  Diagnostic& message = error(written, diag::expected_token, fmt::format("`{}`", source(written)),
                              fmt::format("`as {}` behind the value", spelling));
  const bool goes_on = this->at(Dot) || this->at(Arrow) || this->at(LeftBracket);
  if (&message != &ignored_)
    message.fix(at,
                fmt::format("{}{} as {}{}", goes_on ? "(" : "", source(since(operand)), spelling, goes_on ? ")" : ""));
  return expression_node(Cast{value, target, true}, at);
}

Expr Parser::parenthesised() {
  const Token open = take();
  Expr value;
  {
    Scoped brackets(in_brackets_, true);
    Scoped literals(struct_literals_, true);
    value = expression();
    if (!panicking_ && assignment_operator(peek().kind) != Operator::Not) {
      const Token op = peek();
      Diagnostic& reported = error(loc(op), diag::assignment_as_value, std::string(text_of(op)));
      if (op.kind == Equal && &reported != &ignored_) reported.fix(loc(op), "==");
      take();
      expression();
      value = make(InvalidExpr{}, since(open));
      panicking_ = panicking_ || !at(RightParen);
    }
  }
  if (!panicking_) expect_close(RightParen, open);
  return value;
}

Expr Parser::array_literal() {
  const size_t bracket = position_;
  const Token open = take();
  Scoped brackets(in_brackets_, true);
  Scoped literals(struct_literals_, true);
  std::vector<Expr> values;
  while (!at(RightBracket) && !at_end() && !panicking_) {
    values.push_back(expression());
    if (values.size() == 1 && !panicking_ && accept(Semicolon)) {
      mark(Role::Repeat, position_ - 1);
      const Expr count = expression();
      if (!panicking_) expect_close(RightBracket, open);
      return expression_node(ArrayRepeat{values[0], count}, since(open));
    }
    if (!accept(Comma)) break;
  }
  mark(Role::Elements, bracket);
  if (!panicking_) expect_close(RightBracket, open);
  return expression_node(ArrayLiteral{span(values)}, since(open));
}

bool Parser::stands_for_name() const {
  if (!named_keywords_.count(peek().kind)) return false;
  switch (peek().kind) {
    case KeywordTrue:
    case KeywordFalse:
    case KeywordNull:
    case KeywordNone: return true;
    case KeywordIf:
    case KeywordSizeof: return !begins_expression(peek(1));
    case KeywordMatch: {
      if (peek(1).kind != LeftParen) return !begins_expression(peek(1));
      // Of the keyword a brace follows, behind the parentheses or, of a struct's value, within them.
      const auto ends = [](TokenKind kind) { return kind == LeftBrace || kind == RightBrace || kind == End; };
      size_t behind = 2;
      for (int open = 1; open > 0 && !ends(peek(behind).kind); ++behind)
        open += (peek(behind).kind == LeftParen) - (peek(behind).kind == RightParen);
      return peek(behind).kind != LeftBrace;
    }
    default: return false;
  }
}

Expr Parser::primary() {
  const Token first = peek();
  if (stands_for_name()) return take(), make(InvalidExpr{}, loc(first));
  switch (first.kind) {
    case LeftParen: return at_c_cast() ? c_cast() : at_prefix_cast() ? prefix_cast() : parenthesised();
    case LeftBracket: return array_literal();
    case KeywordMatch: return match_expression();
    case KeywordIf: return if_expression();
    default: return name_or_literal();
  }
}

Expr Parser::name_or_literal() {
  const Token first = peek();
  switch (first.kind) {
    case Integer:
      take();
      return make(IntLiteral{{static_cast<__int128>(tokens_.integers[first.value])}, name_of(first)}, loc(first));
    case Float: take(); return make(FloatLiteral{name_of(first)}, loc(first));
    case Char: take(); return make(CharLiteral{first.value}, loc(first));
    case String: take(); return make(StringValue{string_of(first)}, loc(first));
    case KeywordTrue:
    case KeywordFalse: take(); return make(BoolLiteral{first.kind == KeywordTrue}, loc(first));
    case KeywordNull:
    case KeywordNone: mark(Role::Null), take(); return make(NullLiteral{}, loc(first));
    case KeywordSizeof: {
      take();
      const Token open = peek();
      if (!expect(LeftParen)) return invalid_expr();
      const TypeExpr target = type();
      if (!panicking_) expect_close(RightParen, open);
      return make(SizeOf{target}, since(first));
    }
    case Identifier: break;
    default: {
      Diagnostic& message = expected("an expression");
      if (first.kind != LeftBrace || &message == &ignored_) return invalid_expr();
      const bool has_fields = peek(1).kind == Dot || (at_member_name(1) && peek(2).kind == Colon);
      const bool has_elements = begins_expression(peek(1)) && peek(2).kind == Comma;
      if (has_fields) message.note("the value of a struct begins with the struct's name: `S { a: 1 }`");
      if (has_elements) message.note("the value of an array is `[1, 2]`");
      if ((!has_fields && !has_elements) || !is_closed()) return invalid_expr();
      panicking_ = false;
      skip_balanced();
      return make(InvalidExpr{}, since(first));
    }
  }
  const Token& next = peek(1);
  const bool same_line = !next.new_line;
  if (text_of(first) == "new" && same_line && (next.kind == Identifier || next.kind == KeywordStruct))
    return new_expression();
  if (text_of(first) == "offsetof" && next.kind == LeftParen && same_line) {
    take();
    const Token open = take();
    const TypeExpr target = type();
    if (!panicking_) expect(Comma);
    if (panicking_) return invalid_expr();
    const Ident field = expect_member_name();
    if (!panicking_) expect_close(RightParen, open);
    return make(OffsetOf{target, field}, since(first));
  }
  if (next.kind == String && next.begin == first.end) {
    // f"…" of Python, L"…" of C.
    take(), take();
    const Loc written = since(first);
    panicking_ = false;
    error(written, diag::expected_token, fmt::format("`{}` before a string", text_of(first)), "a string alone")
        .note("`print(\"%d bytes\", x)` puts values into a text");
    return make(InvalidExpr{}, written);
  }
  take();
  if (at(ColonColon)) return scoped_name(make(NameUse{ident(first)}, loc(first)), {}, ident(first), first);
  if (at(LeftBrace) && struct_literals_ && (same_line || in_brackets_)) return struct_literal({}, ident(first), first);
  return make(NameUse{ident(first)}, loc(first));
}

Expr Parser::new_expression() {
  mark(Role::Word);
  const Token first = take();
  accept(KeywordStruct);
  const TypeExpr target = type_without_dimensions();
  Span<Expr> given;
  if (at(LeftParen) && !peek().new_line && !panicking_) {
    const Token open = take();
    given = arguments(open);
  } else if (!panicking_) {
    expected("`(`");
  }
  return make(New{target, given}, since(first));
}

/// S::new(); any other `::` is an old or a foreign spelling.
Expr Parser::scoped_name(const Expr& scope, Name module, Ident name, const Token& first) {
  const Token colons = take();
  if (at_word("new") && peek(1).kind == LeftParen && peek(2).kind == RightParen) {
    take(), take(), take();
    return make(NewValue{make(NamedType{module, name}, name.loc)}, since(first));
  }
  const Token word = peek();
  const Ident member = expect_member_name();
  if (panicking_) return invalid_expr();
  if (at(LeftParen) && peek(1).kind == RightParen && closest_word(text_of(word), {"new"}) == "new") {
    error(loc(word), diag::no_scope_operator).fix(loc(word), "new");
    take(), take();
    return make(NewValue{make(NamedType{module, name}, name.loc)}, since(first));
  }
  if (!module && name.name == "GlobalMaps") {
    if (at(LeftParen) && peek(1).kind == RightParen) take(), take();
    const Loc at = since(first);
    error(at, diag::old_global_maps).fix(at, std::string(member.name.text()));
    return make(NameUse{member}, at);
  }
  error(loc(colons), diag::no_scope_operator).fix(loc(colons), ".");
  return make(Member{scope, member, false}, since(first));
}

Expr Parser::struct_literal(Name module, Ident name, const Token& first) {
  mark(Role::Fields);
  const Token open = take();
  Scoped brackets(in_brackets_, true);
  Scoped literals(struct_literals_, true);
  std::vector<NamedExpr> values;
  bool is_broken = false;
  while (!at(RightBrace) && !at_end() && !panicking_) {
    bool is_designated = at(Dot) && at_member_name(1) && peek(2).kind == Equal;
    if (is_designated) {
      // .a = 1
      error(loc(peek().begin, peek(1).end), diag::expected_token, fmt::format("`.{}`", text_of(peek(1))),
            "a field's name")
          .fix(loc(peek()), "")
          .fix(loc(peek(1).end, peek(2).end), ":");
      take();
    }
    if (!at_member_name()) {
      expected("a field's name");
      break;
    }
    mark(Begin::Item);
    mark(Role::Name);
    const Token field = take();
    if (accept(Colon)) {
      values.push_back({ident(field), expression()});
    } else if (at(Equal)) {
      if (!is_designated) error(loc(peek()), diag::expected_token, "`=`", "`:`").fix(loc(peek()), ":");
      take();
      values.push_back({ident(field), expression()});
    } else {
      values.push_back({ident(field), make(NameUse{ident(field)}, loc(field))});
    }
    if (panicking_ || accept(Comma)) continue;
    if (at_member_name()) {
      error(loc(peek()), diag::missing_comma, describe(peek())).fix(after_previous(), ",");
      is_broken = true;
      const TokenKind next = peek(1).kind;
      panicking_ = next != Colon && next != Comma && next != Equal && next != RightBrace;
      continue;
    }
    break;
  }
  if (!panicking_) expect_close(RightBrace, open);
  if (is_broken) return make(InvalidExpr{}, since(first));
  return expression_node(StructLiteral{module, name, span(values)}, since(first));
}

}  // namespace ksc

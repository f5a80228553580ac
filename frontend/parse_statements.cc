// SPDX-License-Identifier: Apache-2.0
#include "frontend/parsing.h"

namespace ksc {

using enum TokenKind;

/// The operator of an assignment: None for `=`, the operator of `op=`; Not for a token that does not assign.
Operator Parser::assignment_operator(TokenKind kind) const {
  switch (kind) {
    case Equal: return Operator::None;
    case PlusEqual: return Operator::Add;
    case MinusEqual: return Operator::Subtract;
    case StarEqual: return Operator::Multiply;
    case SlashEqual: return Operator::Divide;
    case PercentEqual: return Operator::Remainder;
    case AmpersandEqual: return Operator::BitAnd;
    case PipeEqual: return Operator::BitOr;
    case CaretEqual: return Operator::BitXor;
    case ShiftLeftEqual: return Operator::ShiftLeft;
    case ShiftRightEqual: return Operator::ShiftRight;
    default: return Operator::Not;
  }
}

Body Parser::block() {
  const Token open = peek();
  mark(Role::Statements);
  if (!expect(LeftBrace)) return {};
  Scoped brackets(in_brackets_, false);
  Scoped literals(struct_literals_, true);
  std::vector<Stmt> statements;
  while (!at(RightBrace) && !at_end() && (!begins_declaration(peek(), position_) || at_misplaced_declaration()) &&
         !at_next_arm()) {
    if (accept(Semicolon)) continue;
    const size_t from = position_;
    mark(Begin::Statement);
    statements.push_back(statement());
    if (!panicking_) end_statement(from);
    if (panicking_) synchronize_statement(from);
    if (position_ == from) take();  // whatever it is, it has been reported
  }
  expect_close(RightBrace, open);
  if (panicking_ && (begins_declaration(peek(), position_) || at_next_arm()))
    panicking_ = false, broken_ = true;  // firm ground: only the bracket is missing
  return {span(statements)};
}

Body Parser::body(bool braces_needed) {
  if (at(LeftBrace) || braces_needed) return block();
  const size_t from = position_;
  mark(Begin::Statement);
  const Body bare = bare_body();
  if (outline_) outline_->bare_bodies.push_back({from, position_});
  return bare;
}

Body Parser::bare_body() {
  if (at(Semicolon)) {
    error(loc(peek()), diag::empty_statement);
    take();
    return {};
  }
  Scoped brackets(in_brackets_, false);
  Scoped literals(struct_literals_, true);
  return {context_.span({statement()})};
}

void Parser::end_statement(size_t from) {
  if (accept(Semicolon) || at(RightBrace) || at_end() || peek().new_line || previous().kind == RightBrace) return;
  if (at(PlusPlus) || at(MinusMinus)) {
    const bool plus = at(PlusPlus);
    // Behind a value, as in `y = x++`; which of the two values is meant is not asked.
    error(loc(peek()), diag::increment, std::string(text_of(peek())), plus ? "+=" : "-=");
    take();
    return;
  }
  Diagnostic& message = error(loc(peek()), diag::statement_end, describe(peek()));
  suggest(message, tokens_.tokens[from],
          {"var", "if", "for", "while", "loop", "return", "match", "try", "throw", "defer", "delete", "print"});
  if (&message != &ignored_) explain_foreign_statement(message, from);
  // `println!(…)` and `let mut x` of Rust; what is not told goes nowhere.
  if (at(Exclamation) && peek(1).kind == LeftParen && &message != &ignored_) message.fix(loc(peek()), "");
  if (at_word("mut") && peek(1).kind == Identifier && &message != &ignored_)
    message.fix(loc(peek().begin, peek(1).begin), "");
  panicking_ = true;
}

bool Parser::at_wrong_else() {
  const std::string_view text = text_of(peek());
  if (!at(Identifier) || peek().new_line || previous().kind != RightBrace) return false;
  if (closest_word(text, {"else", "elif", "elsif", "elseif"}).empty()) return false;
  suggest(expected("`else`"), peek(), {"else", "else if"});
  return true;
}

Stmt Parser::statement() {
  Scoped depth(depth_, depth_ + 1);
  const Token first = peek();
  if (too_deep()) return invalid_stmt(first);
  return statement_here();
}

Stmt Parser::statement_here() {
  const Token first = peek();
  const bool is_written = assignment_operator(peek(1).kind) != Operator::Not && !peek(1).new_line;
  if (is_written && named_keywords_.count(first.kind)) return expected("a statement"), invalid_stmt(first);
  switch (first.kind) {
    case KeywordVar: return variable_statement();
    case KeywordIf: return if_statement();
    case KeywordFor: return for_statement();
    case KeywordTry: return try_statement();
    case KeywordMatch: {
      const Expr value = expression();
      return make(Evaluate{value}, loc_of(value));
    }
    case LeftBrace: return make(Block{block()}, loc(first));
    case KeywordWhile: {
      take();
      bool parenthesised = false;
      const Expr held = condition(parenthesised);
      const Loc at = since(first);
      if (panicking_) return invalid_stmt(first);
      return make(While{held, body(!parenthesised)}, at);
    }
    case KeywordLoop: take(); return make(Loop{body(false)}, loc(first));
    case KeywordBreak: take(); return make(Break{}, loc(first));
    case KeywordContinue: take(); return make(Continue{}, loc(first));
    case KeywordReturn: {
      take();
      Option<Expr> value;
      if (!at(Semicolon) && !at(RightBrace) && !at(Comma) && !at(KeywordElse) && !at_end() && !peek().new_line)
        value = expression();
      return make(Return{value}, since(first));
    }
    case KeywordThrow: {
      take();
      const Expr code = expression();
      return make(Throw{code}, since(first));
    }
    case KeywordDefer: {
      take();
      const bool call = !at(LeftBrace);
      const Body deferred = call ? bare_body() : block();
      return make(Defer{deferred, call}, loc(first));
    }
    case KeywordDelete: {
      take();
      const Expr place = expression();
      return make(Delete{place}, since(first));
    }
    case KeywordConst: {
      Diagnostic& message = error(loc(first), diag::local_constant);
      // Not of C's `const char *s`.
      if (peek(1).kind == Identifier && (peek(2).kind == Colon || peek(2).kind == Equal) && &message != &ignored_)
        message.fix(loc(first), "var");
      const Stmt variable = variable_statement();
      panicking_ = panicking_ || !peek().new_line;  // it may have been meant as something else
      return variable;
    }
    case KeywordStruct:
      if (const std::optional<Stmt> variable = c_pointer()) return *variable;
      return other_statement();
    case KeywordElse:
    case KeywordCatch: {
      expected(first.kind == KeywordElse ? "a statement; `else` follows an `if`"
                                         : "a statement; `catch` follows a `try`");
      return invalid_stmt(first);
    }
    default: return other_statement();
  }
}

Stmt Parser::variable_statement() {
  const Token first = take();
  const Ident name = expect_name("a variable");
  Option<TypeExpr> type_written;
  Option<Expr> value;
  if (!panicking_ && accept(Colon)) type_written = type();
  if (!panicking_ && accept(Equal)) {
    const std::optional<Expr> literal = type_written ? nameless_literal(*type_written) : std::nullopt;
    value = literal ? *literal : expression();
  }
  return make(VarStmt{name, type_written, value}, since(first));
}

Stmt Parser::simple_statement() {
  const Token first = peek();
  if (at_word("do") && peek(1).kind == LeftBrace) return do_statement();
  if (const std::optional<Stmt> print = print_without_parentheses()) return *print;
  if (!begins_expression(first) && first.kind != PlusPlus && first.kind != MinusMinus) {
    expected("a statement");
    return invalid_stmt(first);
  }
  if ((first.kind == PlusPlus || first.kind == MinusMinus) && peek(1).kind == Identifier) {
    take();
    const Token operand = peek();
    const Expr place = unary();
    const Operator op = first.kind == PlusPlus ? Operator::Add : Operator::Subtract;
    const std::string sign = first.kind == PlusPlus ? "+=" : "-=";
    const Loc at = since(first);
    error(at, diag::increment, std::string(text_of(first)), sign)
        .fix(at, fmt::format("{} {} 1", source(since(operand)), sign));
    const Expr one = make(IntLiteral{{1}, context_.name("1")}, at);
    return make(AssignStmt{op, place, one}, at);
  }
  if (const std::optional<Stmt> variable = c_variable()) return *variable;
  const Expr value = expression();
  if (panicking_) return make(Evaluate{value}, since(first));
  const Operator op = assignment_operator(peek().kind);
  if (op != Operator::Not) {
    take();
    const Expr stored = expression();
    const Loc at = since(first);
    if (!panicking_ && assignment_operator(peek().kind) != Operator::Not) {
      error(loc(peek()), diag::assignment_as_value, std::string(text_of(peek())));
      panicking_ = true;
    }
    return make(AssignStmt{op, value, stored}, at);
  }
  if ((at(PlusPlus) || at(MinusMinus)) && !peek().new_line) {
    const Token sign = take();
    const bool plus = sign.kind == PlusPlus;
    error(loc(sign), diag::increment, std::string(text_of(sign)), plus ? "+=" : "-=")
        .fix(loc(sign), plus ? " += 1" : " -= 1");
    const Expr one = make(IntLiteral{{1}, context_.name("1")}, loc(sign));
    return make(AssignStmt{plus ? Operator::Add : Operator::Subtract, value, one}, since(first));
  }
  return make(Evaluate{value}, loc_of(value));
}

/// A condition with or without parentheses: one that begins with `(` ends at its `)`, unless what follows can only go
/// on [L41].
Expr Parser::condition(bool& in_parentheses) {
  const size_t from = position_;
  const Expr value = condition_here(in_parentheses);
  if (outline_ && !in_parentheses) outline_->bare_conditions.push_back({from, position_});
  return value;
}

Expr Parser::condition_here(bool& in_parentheses) {
  const Token first = peek();
  in_parentheses = false;
  Scoped brackets(in_brackets_, false);
  if (!at(LeftParen) || at_c_cast()) {
    Scoped literals(struct_literals_, false);
    return expression();
  }
  Scoped depth(depth_, depth_ + 1);
  if (too_deep()) return invalid_expr();
  const Expr value = parenthesised();
  if (panicking_) return value;
  const Token& next = peek();
  bool goes_on = false;
  if (!next.new_line) {
    switch (next.kind) {
      case Dot:
      case Arrow:
      case LeftBracket:
      case Question:
      case KeywordAs: goes_on = true; break;
      case OrOr:
      case AndAnd:
      case EqualEqual:
      case NotEqual:
      case Less:
      case LessEqual:
      case Greater:
      case GreaterEqual:
      case Pipe:
      case Caret:
      case ShiftLeft:
      case ShiftRight:
      case Plus:
      case Slash:
      case Percent: goes_on = true; break;
      default: break;
    }
  }
  if (!goes_on) {
    in_parentheses = true;
    return value;
  }
  Scoped literals(struct_literals_, false);
  return expression_from(value, first);
}

Stmt Parser::if_statement(bool* has_else) {
  const Token first = peek();
  std::vector<Branch> branches;
  Body otherwise;
  Loc at = loc(first);
  if (has_else) *has_else = false;
  while (true) {
    // Here stands an `if`, the first one or that of an `else if`.
    read_let_as_var();
    const bool binds = peek(1).kind == KeywordVar || (peek(1).kind == LeftParen && peek(2).kind == KeywordVar);
    if (binds) {
      Scoped depth(depth_, depth_ + 1);
      if (too_deep()) return invalid_stmt(first);
      const Stmt inner = if_var_statement(take(), has_else);
      if (branches.empty()) return inner;
      otherwise = {context_.span({inner})};
      break;
    }
    take();
    bool parenthesised = false;
    const Expr held = condition(parenthesised);
    if (panicking_) return invalid_stmt(first);
    if (at_word("then") && !peek().new_line && peek(1).kind == LeftBrace) {
      error(loc(peek()), diag::expected_token, "`then`", "`{`").fix(loc(peek().begin, peek(1).begin), "");
      take();
    }
    if (branches.empty()) at = since(first);
    branches.push_back({held, body(!parenthesised)});
    if (panicking_ || at_wrong_else()) break;
    if (at_end() || (!this->at(KeywordElse) && !(this->at(Semicolon) && peek(1).kind == KeywordElse))) break;
    accept(Semicolon);
    take();
    if (this->at(KeywordIf)) continue;
    otherwise = body(false);
    if (has_else) *has_else = true;
    break;
  }
  return make(If{span(branches), otherwise}, at);
}

Stmt Parser::if_var_statement(const Token& first, bool* has_else) {
  const bool parenthesised = at(LeftParen);
  const Token open = peek();
  const size_t from = position_;
  if (parenthesised) take();
  take();  // var
  const Ident name = expect_name("a variable");
  Option<TypeExpr> type_written;
  if (!panicking_ && accept(Colon)) type_written = type();
  if (!panicking_) expect(Equal);
  if (panicking_) return invalid_stmt(first);
  Expr value;
  {
    Scoped brackets(in_brackets_, parenthesised);
    Scoped literals(struct_literals_, parenthesised);
    value = expression();
  }
  if (parenthesised && !panicking_) expect_close(RightParen, open);
  if (outline_ && !parenthesised) outline_->bare_conditions.push_back({from, position_});
  const Loc at = since(first);
  if (panicking_) return invalid_stmt(first);
  const Body then = body(!parenthesised);
  Body otherwise;
  if (!panicking_ && (this->at(KeywordElse) || (this->at(Semicolon) && peek(1).kind == KeywordElse))) {
    accept(Semicolon);
    take();
    if (has_else) *has_else = true;
    otherwise = this->at(KeywordIf) ? Body{context_.span({if_statement(nullptr)})} : body(false);
  }
  return make(IfVar{name, type_written, value, then, otherwise}, at);
}

Stmt Parser::for_statement() {
  const Token first = take();
  // (i in a..b)   i in a..b   (k, v in m)   ((k, v) in m)   (k, v) in m   k, v in m
  const Token open = peek();
  bool outer = false, inner = false;
  ForSpelling spelling;
  spelling.head.begin = position_;
  if (at(LeftParen)) {
    take();
    outer = true;
    if (accept(LeftParen)) inner = true;
    if (inner) spelling.inner_parentheses.push_back(position_ - 1);
  }
  if (outer && !inner && (at(KeywordVar) || at(Semicolon) || peek(1).kind == Equal)) {
    error(loc(first), diag::c_style_for);
    panicking_ = true;
    return invalid_stmt(first);
  }
  const Ident key = expect_name("a loop variable");
  Ident value{};
  bool pair = false;
  if (!panicking_ && accept(Comma)) {
    pair = true;
    value = expect_name("a loop variable");
  }
  if (inner) spelling.inner_parentheses.push_back(position_);
  if (!panicking_ && inner) expect(RightParen);
  if (!panicking_ && outer && !inner && at(RightParen) && pair) {
    spelling.inner_parentheses = {spelling.head.begin, position_};
    take();  // (k, v) in m
    outer = false;
  }
  if (!panicking_) expect(KeywordIn);
  if (panicking_) return invalid_stmt(first);
  Expr low, high;
  bool inclusive = false;
  {
    Scoped brackets(in_brackets_, outer);
    Scoped literals(struct_literals_, outer);
    low = expression();
    if (!panicking_ && !pair) {
      if (at(DotDot) || at(DotDotEqual)) {
        inclusive = take().kind == DotDotEqual;
        high = expression();
      } else {
        error(at_end() || peek().new_line ? after_previous() : loc(peek()), diag::range_expected, describe(peek()));
        panicking_ = true;
      }
    }
  }
  if (!panicking_ && outer) expect_close(RightParen, open);
  const Loc at = since(first);
  if (panicking_) return invalid_stmt(first);
  spelling.head.end = position_;
  spelling.in_parentheses = outer;
  if (outline_) outline_->loops.push_back(spelling);
  const Body repeated = body(!outer);
  if (pair) return make(ForEach{key, value, low, repeated}, at);
  return make(For{key, low, high, inclusive, repeated}, at);
}

Stmt Parser::try_statement() {
  const Token first = take();
  const Body tried = block();
  std::vector<CatchClause> clauses;
  while (at(KeywordCatch) && !panicking_) clauses.push_back(catch_clause());
  const bool has_finally = !panicking_ && at_word("finally") && peek(1).kind == LeftBrace;
  if (has_finally) {
    Diagnostic& message = clauses.empty()
                              ? error(loc(first), diag::try_without_catch)
                              : error(loc(peek()), diag::expected_token, "`finally`", "`catch` or another statement");
    if (&message != &ignored_)
      message.note("what is done in any case would stand in `defer { … }`, which is not compiled yet");
    take();
    block();
    return clauses.empty() ? invalid_stmt(first) : Stmt(make(Try{tried, span(clauses)}, loc(first)));
  }
  if (clauses.empty()) {
    // It is about what was read, so what comes next may have an error of its own.
    const size_t before = last_error_;
    error(loc(first), diag::try_without_catch);
    last_error_ = before;
    return invalid_stmt(first);
  }
  return make(Try{tried, span(clauses)}, loc(first));
}

CatchClause Parser::catch_clause() {
  const Token first = take();
  CatchClause clause{};
  if (at_word("_") && peek(1).kind == LeftBrace) {
    take();
  } else if (at_word("bounds") && peek(1).kind == LeftBrace) {
    take();
    clause.bounds = true;
  } else if (at(LeftParen) && peek(1).kind == Identifier && peek(2).kind == RightParen) {
    take();
    clause.name = ident(take());
    take();
  } else if (!at(LeftBrace)) {
    Scoped literals(struct_literals_, false);
    clause.code = expression();
  } else {
    expected("`_`, a code or `(name)`");
  }
  clause.name.loc = since(first);
  if (!panicking_) clause.body = block();
  return clause;
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
// Values with statements in them: match, and if as a value.
#include "frontend/parsing.h"

namespace ksc {

using enum TokenKind;

Expr Parser::match_expression() {
  const Token first = take();
  if (at_several_subjects()) return invalid_expr();
  bool parenthesised_subject = false;
  const Expr subject = condition(parenthesised_subject);
  const Loc at = since(first);
  if (panicking_) return invalid_expr();
  const Token open = peek();
  mark(Role::Arms);
  if (!expect(LeftBrace)) {
    if (!open.new_line || !at_arm()) return invalid_expr();
    // Only the bracket is missing.
    panicking_ = false;
    broken_ = true;
  }
  Scoped brackets(in_brackets_, false);
  Scoped literals(struct_literals_, true);
  std::vector<MatchArm> arms;
  while (!this->at(RightBrace) && !at_end() && !begins_declaration(peek(), position_)) {
    const size_t from = position_;
    if (!arms.empty() && at_statement_after_arms()) break;
    std::vector<Pattern> patterns;
    mark(Begin::Item);
    if (at_word("default") && peek(1).kind != Dot) {
      take();
    } else if ((at_word("_") || this->at(KeywordElse)) && (peek(1).kind == Colon || peek(1).kind == FatArrow)) {
      error(loc(peek()), diag::wrong_default, std::string(text_of(peek()))).fix(loc(peek()), "default");
      take();
    } else {
      do patterns.push_back(pattern());
      while (!panicking_ && accept(Pipe));
    }
    if (!panicking_ && !arms.empty() && tokens_.tokens[from].new_line && !this->at(Colon) && !this->at(FatArrow) &&
        (peek().new_line || assignment_operator(peek().kind) != Operator::Not)) {
      position_ = from;  // that was no pattern, but a statement after the match
      break;
    }
    if (!panicking_ && this->at(FatArrow)) {
      error(loc(peek()), diag::expected_token, "`=>`", "`:`").fix(loc(peek()), ":");
      take();
    } else if (!panicking_) {
      expect(Colon);
    }
    const Expr value = panicking_ ? invalid_expr() : arm_value();
    arms.push_back({span(patterns), value});
    const bool block_ended = !panicking_ && previous().kind == RightBrace;
    if (panicking_) synchronize_item(from);
    if (accept(Comma) || accept(Semicolon) || block_ended || this->at(RightBrace)) continue;
    if (position_ != from && !at_end() && !begins_declaration(peek(), position_))
      error(peek().new_line ? after_previous() : loc(peek()), diag::missing_comma, describe(peek()))
          .fix(after_previous(), ",");
    if (!peek().new_line && !at_end()) synchronize_item(from), accept(Comma);
    if (position_ == from) take();
  }
  // Before a statement only the bracket is missing.
  if (!panicking_ && !expect_close(RightBrace, open) && !at_end() && peek().new_line)
    panicking_ = false, broken_ = true;
  return expression_node(Match{subject, span(arms)}, at);
}

/// Takes `(a, b) { … }`, which other languages have, as a whole: their patterns would be an error each.
bool Parser::at_several_subjects() {
  if (!at(LeftParen)) return false;
  size_t depth = 0, comma = 0, ahead = 0;
  do {
    const TokenKind kind = peek(ahead).kind;
    if (kind == End) return false;
    if (opens(kind)) ++depth;
    if (closes(kind)) --depth;
    if (kind == Comma && depth == 1 && comma == 0) comma = ahead;
    ++ahead;
  } while (depth > 0);
  if (comma == 0 || peek(ahead).kind != LeftBrace) return false;
  error(loc(peek(comma)), diag::expected_token, "`,`", "`)`: a `match` looks at one value");
  skip_balanced();
  skip_balanced();
  return true;
}

/// Whether a statement stands where an arm would, because the `}` of the match or of an arm's block is missing.
bool Parser::at_statement_after_arms() const {
  const TokenKind kind = peek().kind;
  return peek().new_line && (begins_statement_only(kind) || kind == KeywordIf || kind == KeywordMatch);
}

/// Whether the next arm begins where a statement of an arm's block would, because the block's `}` is missing: a pattern
/// of one word or literal, or of several with `|` or `..` between them, and `:`.
bool Parser::at_next_arm() const { return in_arm_ && peek().new_line && at_arm(); }

bool Parser::at_arm() const {
  for (size_t i = 0;; i += 2) {
    switch (peek(i).kind) {
      case Identifier:
      case Integer:
      case Char:
      case String:
      case KeywordTrue:
      case KeywordFalse: break;
      default: return false;
    }
    const TokenKind after = peek(i + 1).kind;
    if (after == Colon || after == FatArrow) return true;
    if (after != Pipe && after != DotDot && after != DotDotEqual) return false;
  }
}

Pattern Parser::pattern() {
  const Token first = peek();
  // A `|` separates patterns, it is no operator here.
  const int tighter_than_pipe = 6;
  const Expr low = binary(cast_operand(), first, tighter_than_pipe);
  if (panicking_ || (!at(DotDot) && !at(DotDotEqual))) return {low, {}, false};
  const bool inclusive = take().kind == DotDotEqual;
  const Token second = peek();
  return {low, binary(cast_operand(), second, tighter_than_pipe), inclusive};
}

Expr Parser::arm_value() {
  const Token first = peek();
  switch (first.kind) {
    case LeftBrace: {
      Scoped arm(in_arm_, true);
      return value_of(block(), loc(first));
    }
    case KeywordIf: {
      const Stmt chosen = statement();
      if (const std::optional<Expr> value = value_of_if(chosen)) return *value;
      return make(BlockValue{Body{context_.span({with_values(chosen)})}, {}}, loc(first));
    }
    case KeywordReturn:
    case KeywordThrow:
    case KeywordBreak:
    case KeywordContinue:
    case KeywordDelete:
    case KeywordFor:
    case KeywordWhile:
    case KeywordLoop:
    case KeywordTry: {
      const Stmt only = statement();
      return make(BlockValue{Body{context_.span({only})}, {}}, since(first));
    }
    default: break;
  }
  const Expr value = expression();
  const Operator op = assignment_operator(peek().kind);
  if (panicking_ || op == Operator::Not) return value;
  take();
  const Expr stored = expression();
  const Stmt assignment = make(AssignStmt{op, value, stored}, since(first));
  return make(BlockValue{Body{context_.span({assignment})}, {}}, since(first));
}

/// The value of a block is its last expression [L10].
Expr Parser::value_of(Body body, Loc at) {
  const size_t count = body.statements.size();
  if (count == 0) return make(BlockValue{body, {}}, at);
  const Stmt& last = body.statements[count - 1];
  std::optional<Expr> value;
  if (const auto* evaluated = as<Evaluate>(last))
    value = (*evaluated)->value;
  else if (as<If>(last))
    value = value_of_if(last);
  if (!value) {
    std::vector<Stmt> statements(body.statements.begin(), body.statements.end());
    statements.back() = with_values(last);
    return make(BlockValue{{span(statements)}, {}}, at);
  }
  if (count == 1 && kind_of(*value) != Kind::InvalidExpr) return *value;
  return expression_node(BlockValue{Body{Span<Stmt>(body.statements.begin(), count - 1)}, *value}, at);
}

/// An `if (var …)` whose branches are one value each, where both of them are there; any other statement as it is.
Stmt Parser::with_values(const Stmt& statement) {
  const auto* test = as<IfVar>(statement);
  if (!test || test->form.otherwise.statements.empty()) return statement;
  const auto only_value = [&](const Body& body) {
    const size_t count = body.statements.size();
    const Expr value = value_of(body, count == 0 ? test->loc : loc_of(body.statements[count - 1]));
    return Body{context_.span<Stmt>({make(Evaluate{value}, loc_of(value))})};
  };
  IfVar form = test->form;
  form.then = only_value(form.then);
  form.otherwise = only_value(form.otherwise);
  return make(form, test->loc);
}

/// An `if` with all its branches as values; nothing if it is none.
std::optional<Expr> Parser::value_of_if(const Stmt& statement) {
  const auto* chosen = as<If>(statement);
  if (!chosen || (*chosen)->otherwise.statements.empty()) return {};
  std::vector<ValueBranch> branches;
  for (const Branch& branch : (*chosen)->branches)
    branches.push_back({branch.condition, value_of(branch.body, loc_of(branch.condition))});
  return make(IfValue{span(branches), value_of((*chosen)->otherwise, chosen->loc)}, chosen->loc);
}

Expr Parser::if_expression() {
  const Token first = peek();
  bool has_else = false;
  Scoped brackets(in_brackets_, false);
  Scoped literals(struct_literals_, true);
  const Stmt chosen = if_statement(&has_else);
  if (panicking_) return invalid_expr();
  if (const auto* test = as<IfVar>(chosen); test && !test->form.otherwise.statements.empty())
    return make(BlockValue{Body{context_.span({with_values(chosen)})}, {}}, test->loc);
  if (const std::optional<Expr> value = value_of_if(chosen)) return *value;
  if (!as<InvalidStmt>(chosen)) error(loc(first), diag::if_without_else);
  return make(InvalidExpr{}, loc(first));
}

}  // namespace ksc

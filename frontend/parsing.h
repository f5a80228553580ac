// SPDX-License-Identifier: Apache-2.0
// The recursive-descent parser. Its parts are defined in parsing.cc (tokens, errors, recovery) and in
// parse_declarations.cc, parse_types.cc, parse_statements.cc, parse_misplaced.cc and parse_expressions.cc.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/lexer.h"
#include "frontend/outline.h"
#include "frontend/parser.h"

namespace ksc {

/// Whether a word stands at the start of a statement and nowhere else.
bool begins_statement_only(TokenKind kind);

bool is_scalar_type_name(std::string_view name);

inline bool opens(TokenKind kind) {
  return kind == TokenKind::LeftParen || kind == TokenKind::LeftBracket || kind == TokenKind::LeftBrace;
}

inline bool closes(TokenKind kind) {
  return kind == TokenKind::RightParen || kind == TokenKind::RightBracket || kind == TokenKind::RightBrace;
}

/// Gives a variable another value for as long as a scope lasts.
template <class T>
class Scoped {
 public:
  Scoped(T& variable, T value) : variable_(variable), before_(variable) { variable = value; }
  ~Scoped() { variable_ = before_; }
  Scoped(const Scoped&) = delete;
  Scoped& operator=(const Scoped&) = delete;

 private:
  T& variable_;
  T before_;
};

/// Whether tokens are skipped, since what was found is not what was expected; and whether they have been.
struct Panic {
  bool is_now = false, has_been = false;
  operator bool() const { return is_now; }
  Panic& operator=(bool now) {
    is_now = now;
    has_been |= now;
    return *this;
  }
};

/// One run over one file. After an error, `panicking_` silences all others until `synchronize` has found firm ground
/// again: so no error is caused by another.
class Parser {
 public:
  Parser(Context& context, uint32_t file, std::string_view text, Outline* outline)
      : context_(context), file_(file), text_(text), tokens_(lex(context, file, text)), outline_(outline) {
    note_swallowed();
    note_named_functions();
    if (!outline_) return;
    outline_->tokens = tokens_;
    outline_->roles.resize(tokens_.tokens.size());
    outline_->begins.resize(tokens_.tokens.size());
  }

  Program program();

 private:
  static constexpr int deepest_nesting = 200;
  static constexpr int highest_node = 1500;
  static constexpr size_t most_errors = 200;
  static constexpr size_t longest_nested_run = 8;

  // ---- tokens
  const Token& peek(size_t ahead = 0) const {
    const size_t at = position_ + ahead;
    return at < tokens_.tokens.size() ? tokens_.tokens[at] : tokens_.tokens.back();
  }
  bool at(TokenKind kind) const { return peek().kind == kind; }
  bool at_word(std::string_view word) const { return at(TokenKind::Identifier) && text_of(peek()) == word; }
  bool at_end() const { return at(TokenKind::End); }
  const Token& previous() const { return tokens_.tokens[position_ == 0 ? 0 : position_ - 1]; }
  std::string_view text_of(const Token& token) const { return text_.substr(token.begin, token.end - token.begin); }
  const Token& take() {
    const Token& token = peek();
    if (position_ + 1 < tokens_.tokens.size()) ++position_;
    return token;
  }
  bool accept(TokenKind kind) { return at(kind) ? (take(), true) : false; }
  /// Takes the token of that kind; reports its absence.
  bool expect(TokenKind kind);
  /// Takes the bracket that closes `open`; reports its absence and points to `open`.
  bool expect_close(TokenKind kind, const Token& open);
  /// Takes the `>` of a list of types, also from the `>>` that closes two.
  bool expect_greater();
  /// A name where one is declared; `what` is what it would be the name of.
  Ident expect_name(std::string_view what);
  /// A name after `.` or before `:`, where keywords are names too [L3].
  Ident expect_member_name();
  bool at_member_name(size_t ahead = 0) const {
    return peek(ahead).kind == TokenKind::Identifier || is_keyword(peek(ahead).kind);
  }
  Name name_of(const Token& token) { return context_.name(text_of(token)); }
  Ident ident(const Token& token) { return {name_of(token), loc(token)}; }
  Name string_of(const Token& token) const { return tokens_.strings[token.value]; }

  // ---- places
  Loc loc(uint32_t begin, uint32_t end) { return context_.locations.add({file_, begin, end, {}, {}}); }
  Loc loc(const Token& token) { return loc(token.begin, token.end); }
  /// From a token to the last one taken.
  Loc since(const Token& first) { return loc(first.begin, previous().end < first.begin ? first.end : previous().end); }
  Loc after_previous() { return loc(previous().end, previous().end); }
  std::string_view source(Loc at) const {
    const LocationRecord& record = context_.locations[at];
    return text_.substr(record.begin, record.end - record.begin);
  }

  // ---- errors
  /// Reports, unless an earlier error is not recovered from yet.
  template <class... A>
  Diagnostic& error(Loc at, const diag::Message<A...>& message, const std::type_identity_t<A>&... arguments) {
    if (panicking_ || silent_ || last_error_ == position_ || is_swallowed()) return ignored_ = {};
    const fmt::string_view text = message.text;
    const bool finds_another = std::string_view(text.data(), text.size()).starts_with("found {}");
    if (finds_another && is_lost()) return ignored_ = {};
    last_error_ = position_;
    if (finds_another) lost_at_ = position_, panicking_.has_been = false;
    if (++errors_ == most_errors) {
      silent_ = true;
      return context_.diagnostics.report(at, diag::too_many_syntax_errors);
    }
    return context_.diagnostics.report(at, message, arguments...);
  }
  /// Whether something before on this line was not understood, and nothing since is sure to begin something new.
  bool is_lost() const;
  /// Notes what a string or a character without its end may have swallowed a part of.
  void note_swallowed();
  /// Notes the keywords that functions are named with, which may be called before.
  void note_named_functions();
  /// Whether what is missed here may stand in a literal or a comment that has no end.
  bool is_swallowed() const;
  /// "expected WHAT, found the next token"; the parser then panics.
  Diagnostic& expected(std::string_view what);
  Diagnostic& expected(std::string_view what, Loc at);
  /// Adds "did you mean" to a message about the word, if it is nearly one of these.
  void suggest(Diagnostic& message, const Token& word, const std::vector<std::string_view>& known);
  std::string describe(const Token& token) const;
  /// Skips to the end of the statement, or to what can only begin another one or a declaration.
  void synchronize_statement(size_t from);
  /// Skips to what begins a declaration.
  void synchronize_declaration();
  bool is_amid_line() const;
  /// Skips to the comma or the closing bracket of a list between braces.
  void synchronize_item(size_t from);
  void skip_balanced();
  /// Whether the bracket here is closed, and all that are opened within.
  bool is_closed() const;
  /// What a declaration becomes that was not understood as a whole: one that says which names it may have declared.
  Decl abandoned(const Decl& declaration, size_t from);
  std::vector<Name> names_declared(size_t from) const;
  /// The function, as one with something in its body that was not understood, or with nothing that was.
  Decl with_broken_body(const Decl& function, bool as_a_whole);
  void reopen_function(std::vector<Decl>& declarations);
  bool begins_declaration(const Token& token, size_t at) const;
  /// Whether nesting is too deep; then it is reported, and what nests is skipped.
  bool too_deep();
  /// Once a declaration.
  void report_nesting(Loc at) {
    if (!nesting_reported_) error(at, diag::nesting_too_deep, deepest_nesting);
    nesting_reported_ = true;
  }

  // ---- outline
  /// Says what the token is that comes next, or one that was taken.
  void mark(Role role) { mark(role, position_); }
  void mark(Role role, size_t token) {
    if (outline_) outline_->roles[token] = role;
  }
  void mark(Begin what) {
    if (outline_) outline_->begins[position_] = what;
  }

  // ---- nodes
  template <class F>
  Ref<F> make(F form, Loc at) {
    return context_.make(std::move(form), at);
  }
  /// An expression, unless it has become too high for those who will walk it.
  template <class F>
  Expr expression_node(F form, Loc at) {
    const Ref<F> node = make(std::move(form), at);
    if (node.header->height <= highest_node) return node;
    report_nesting(at);
    panicking_ = true;
    return make(InvalidExpr{}, at);
  }
  Expr invalid_expr() { return make(InvalidExpr{}, loc(peek())); }
  Stmt invalid_stmt(const Token& first) { return make(InvalidStmt{}, since(first)); }
  TypeExpr invalid_type() { return make(InvalidType{}, loc(peek())); }
  template <class T>
  Span<T> span(const std::vector<T>& values) {
    return context_.span(values);
  }

  // ---- parse_declarations.cc
  struct Modifiers {
    std::vector<Attribute> attributes;
    Visibility visibility = Visibility::Default;
    std::optional<Token> pin, local, kernel;
    Token first;
  };
  void declaration(std::vector<Decl>& out);
  Modifiers modifiers();
  Attribute attribute();
  Span<Expr> skipped_arguments();
  Decl function(Modifiers& modifiers);
  Span<TypedName> parameters();
  Decl variable(const Modifiers& modifiers);
  Decl map(const Modifiers& modifiers, Ident name, const Token& first);
  Decl constant(const Modifiers& modifiers);
  Decl without_members(const Ident& name, Loc at);
  Decl configuration(const Modifiers& modifiers);
  Decl structure(const Modifiers& modifiers);
  Decl enumeration(const Modifiers& modifiers);
  Decl alias(const Modifiers& modifiers);
  Decl external();
  Decl import();
  Decl include();
  Decl license();
  Decl implementation(const Modifiers& modifiers);
  void end_declaration();
  void expect_function_body(bool has_result);
  void reject_attributes(const Modifiers& modifiers, std::string_view what);
  void reject_storage(const Modifiers& modifiers, std::string_view what);
  bool item_separator();
  bool ends_members() const;
  /// Takes the `}` of a struct, an enum or a config block; reports its absence.
  void close_members(const Token& open);

  // ---- parse_comments.cc
  bool on_one_line(uint32_t from, uint32_t to) const;
  /// The first comment or blank line that stands before a token or after it.
  size_t comments_from(size_t token) const;
  bool goes_on(const Trivia& comment, const Trivia& before) const;
  /// The words of the comment that begins in the line where a token ends, behind it and the `,` after it; `used` moves
  /// behind it.
  std::string comment_behind(size_t token, size_t& used) const;
  /// The words of the comment between a token and what is before it, or the blank line before it.
  std::string comment_above(size_t token, size_t used) const;

  // ---- parse_old_spellings.cc
  Decl old_program();
  Decl old_map();
  std::string_view gap_before(size_t token) const;
  std::string upgraded(size_t from, size_t to);
  std::string upgraded_program(size_t open, std::string_view name, std::string_view attribute);

  // ---- parse_types.cc
  TypeExpr type();
  /// Of `[T; N]`, the tokens of N go to `count`.
  TypeExpr type_without_dimensions(TokenRange* count = nullptr);
  TypeExpr named_type();
  TypeExpr function_type();
  /// `-> type`, if it stands here.
  Option<TypeExpr> optional_result();
  TypeExpr result_type();
  bool skip_map_types();
  std::pair<TypeExpr, std::string> pointer_of_c(const Token& named);

  // ---- parse_statements.cc
  Body block();
  Body body(bool braces_needed);
  Body bare_body();
  Stmt statement();
  Stmt statement_here();
  void end_statement(size_t from);
  /// An `else` that is misspelt or another language's, after the body of an `if`; reports it.
  bool at_wrong_else();
  /// How far the line of a token is indented.
  size_t indentation(const Token& token) const {
    const size_t line = token.begin == 0 ? 0 : text_.rfind('\n', token.begin - 1) + 1;
    return std::min<size_t>(text_.find_first_not_of(" \t", line), token.begin) - line;
  }
  Stmt variable_statement();
  Stmt if_statement(bool* has_else = nullptr);
  Stmt if_var_statement(const Token& first, bool* has_else);
  Stmt for_statement();
  Stmt try_statement();
  CatchClause catch_clause();
  Stmt simple_statement();
  Expr condition(bool& parenthesised);
  Expr condition_here(bool& parenthesised);
  Operator assignment_operator(TokenKind kind) const;

  // ---- parse_misplaced.cc
  bool at_misplaced_declaration() const;
  Stmt misplaced_declaration();
  /// A statement that begins with no keyword of statements.
  Stmt other_statement();
  Stmt skipped_function();
  std::optional<Stmt> c_variable();
  std::optional<Stmt> c_pointer();
  Stmt do_statement();
  std::optional<Stmt> print_without_parentheses();
  void read_let_as_var();
  std::optional<Expr> nameless_literal(const TypeExpr& type);
  void explain_foreign_statement(Diagnostic& message, size_t from);
  /// `and`, `or` and `not` where an operator is needed; reports them and makes them operators.
  void read_word_as_operator();

  // ---- parse_expressions.cc
  Expr expression();
  Expr expression_from(Expr left, const Token& first);
  Expr conditional(Expr condition, const Token& first);
  Expr binary(Expr left, const Token& first, int loosest);
  Expr fold_run(int level, Expr first, const std::vector<ChainLink>& links);
  Expr balanced(Operator op, const std::vector<Expr>& operands, size_t from, size_t to);
  Expr cast_operand();
  Expr casts(Expr value, const Token& first);
  Expr unary();
  Expr postfix(Expr value, const Token& first);
  /// Whether a keyword stands here for what somebody has declared by its name.
  bool stands_for_name() const;
  Expr primary();
  Expr name_or_literal();
  Expr c_cast();
  bool at_prefix_cast() const;
  Expr prefix_cast();
  bool at_c_cast() const;
  Expr parenthesised();
  Expr array_literal();
  Expr struct_literal(Name module, Ident name, const Token& first);
  Expr match_expression();
  bool at_several_subjects();
  bool at_statement_after_arms() const;
  bool at_next_arm() const;
  bool at_arm() const;
  Pattern pattern();
  Expr if_expression();
  Expr new_expression();
  Expr scoped_name(const Expr& scope, Name module, Ident name, const Token& first);
  Span<Expr> arguments(const Token& open);
  /// What follows `pattern:` or stands in an arm: an expression, or a block or statement as a value.
  Expr arm_value();
  Expr value_of(Body body, Loc at);
  std::optional<Expr> value_of_if(const Stmt& statement);
  Stmt with_values(const Stmt& statement);
  bool begins_expression(const Token& token) const;
  /// Whether an operator on a new line still belongs to the expression before it [L2].
  bool continues(const Token& op) const;
  bool question_is_postfix() const;

  Context& context_;
  const uint32_t file_;
  const std::string_view text_;
  Tokens tokens_;
  Outline* const outline_;  // for the formatter; else null
  size_t position_ = 0;
  size_t function_indentation_ = 0;  // of the function at work
  int depth_ = 0;
  Panic panicking_;
  bool broken_ = false;          // something of the declaration at work was skipped
  bool follows_broken_ = false;  // something of the declaration before it was
  bool silent_ = false;          // the rest of the file cannot be understood
  bool nesting_reported_ = false;
  std::vector<std::pair<size_t, size_t>> swallowed_;  // tokens from, to
  size_t unclosed_ = 0;  // blocks whose end was not found; a bracket too many may be theirs
  size_t last_error_ = SIZE_MAX;
  size_t lost_at_ = SIZE_MAX;  // where something else was found than expected
  size_t errors_ = 0;
  Diagnostic ignored_;
  std::vector<Decl> misplaced_;  // declarations within functions, of which the names are known
  std::set<std::string_view> variables_named_like_types_;  // `i8` and others, so that `(i8) & 3` is no cast
  std::set<TokenKind> named_keywords_;                     // that somebody wants to be names
  bool in_arm_ = false;                                    // in the block of a match's arm
  bool in_cast_ = false;                                   // where `<` after a type compares
  bool in_brackets_ = false;                               // between ( ) or [ ], where no line break ends a statement
  bool struct_literals_ = true;                            // false in a condition without parentheses [L41]
};

}  // namespace ksc

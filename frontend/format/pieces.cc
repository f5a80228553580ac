// SPDX-License-Identifier: Apache-2.0
#include "frontend/format/pieces.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace ksc {

using enum TokenKind;

namespace {

/// Whether nothing but blanks stands between the begin of the line and the offset.
bool begins_line(std::string_view text, size_t offset) {
  while (offset > 0 && blanks.find(text[offset - 1]) != blanks.npos) --offset;
  return offset == 0 || text[offset - 1] == '\n' || (offset == 3 && text.starts_with("\xef\xbb\xbf"));
}

size_t column_of(std::string_view text, size_t offset) {
  return offset == 0 ? 0 : offset - (text.rfind('\n', offset - 1) + 1);
}

/// How many columns of blanks a line begins with; a tab leads to the next multiple of four.
size_t indentation_of(std::string_view line) {
  size_t width = 0;
  for (char c : line.substr(0, std::min(line.find_first_not_of(" \t"), line.size())))
    width = c == '\t' ? width / 4 * 4 + 4 : width + 1;
  return width;
}

std::string_view trimmed_end(std::string_view line) {
  const size_t last = line.find_last_not_of(blanks);
  return line.substr(0, last == line.npos ? 0 : last + 1);
}

/// The lines of a comment. Those behind the first are indented relative to the line in which it begins; where each
/// begins with a star, the stars stand below each other.
std::vector<std::string> lines_of(std::string_view comment, std::string_view line_before) {
  std::vector<std::string> lines;
  const size_t own = indentation_of(line_before);
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = std::min(comment.find('\n'), comment.size());
    parts.push_back(trimmed_end(comment.substr(0, end)));
    if (end == comment.size()) break;
    comment.remove_prefix(end + 1);
  }
  const auto without_indentation = [](std::string_view line) {
    return line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  const bool has_stars = std::all_of(parts.begin() + 1, parts.end(),
                                     [&](std::string_view line) { return without_indentation(line).starts_with('*'); });
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i == 0) {
      lines.emplace_back(parts[i]);
      continue;
    }
    const std::string_view words = without_indentation(parts[i]);
    const size_t width = indentation_of(parts[i]);
    const size_t relative = has_stars ? 1 : width > own ? width - own : 0;
    lines.push_back(words.empty() ? std::string() : std::string(relative, ' ') + std::string(words));
  }
  return lines;
}

/// Something was left out before the comments from `first` on and what follows them. If it began a line, and the line
/// does not end behind it, it is the first comment that begins it. Returns whether it is what follows the comments,
/// which itself begins a line or not.
bool begins_with_left_out(std::vector<Comment>& comments, size_t first, bool follows_on_new_line,
                          bool left_out_begins) {
  if (!left_out_begins || first == comments.size()) return left_out_begins;
  bool line_ends = follows_on_new_line;
  for (size_t k = first; k < comments.size(); ++k)
    line_ends =
        line_ends || comments[k].is_line || comments[k].lines.size() > 1 || (k > first && comments[k].begins_line);
  if (!line_ends) comments[first].begins_line = true;
  return false;
}

/// Makes pieces of tokens, in an order that may be another than theirs.
class Spelling {
 public:
  Spelling(const Outline& outline, std::string_view text)
      : outline_(outline), tokens_(outline.tokens.tokens), text_(text), dropped_(tokens_.size()) {
    for (const TypeSpelling& type : outline.types) types_[type.all.begin] = &type;
    for (const ModifierList& list : outline.modifiers) modifiers_[list.words[0].begin] = &list;
    for (size_t word : outline.superfluous) dropped_[word] = true;
    for (const TokenRange& bare : outline.bare_conditions) surround(bare, "(", ")");
    for (const TokenRange& bare : outline.bare_bodies) {
      surround(bare, "{", "}");
      bodies_.insert(bare.end);
    }
    for (const ForSpelling& loop : outline.loops) {
      for (size_t parenthesis : loop.inner_parentheses) dropped_[parenthesis] = true;
      if (!loop.in_parentheses) surround(loop.head, "(", ")");
    }
    for (size_t i = 0; i < tokens_.size(); ++i)
      if (tokens_[i].kind == Semicolon && outline.roles[i] != Role::Repeat) dropped_[i] = true;
  }

  std::vector<Piece> run() {
    range({0, tokens_.size()});
    return std::move(pieces_);
  }

 private:
  void surround(const TokenRange& range, std::string_view open, std::string_view close) {
    before_[range.begin].push_back(open);
    after_[range.end - 1].push_back(close);
  }

  void range(TokenRange tokens) {
    for (size_t i = tokens.begin; i < tokens.end;) {
      if (const auto list = modifiers_.find(i); list != modifiers_.end() && reorder(*list->second)) {
        i = list->second->words.back().end;
      } else if (const auto type = types_.find(i); type != types_.end() && begins_with_bracket(*type->second)) {
        type_in_order(*type->second);
        i = type->second->all.end;
      } else if (outline_.roles[i] == Role::Path) {
        i = path(i);
      } else {
        token(i++);
      }
    }
  }

  void token(size_t i) {
    if (const auto before = before_.find(i); before != before_.end())
      for (std::string_view text : before->second) inserted(text);
    if (dropped_[i])
      leave_out(i);
    else
      source_piece(i);
    if (const auto after = after_.find(i); after != after_.end())
      for (std::string_view text : after->second) {
        if (text == "}" && bodies_.contains(i + 1)) comments_behind(i);
        inserted(text);
      }
  }

  void source_piece(size_t i) {
    const Token& token = tokens_[i];
    leave_out(i);
    Piece piece;
    piece.text = outline_.roles[i] == Role::Null ? "null" : text_.substr(token.begin, token.end - token.begin);
    piece.kind = token.kind;
    piece.role = outline_.roles[i];
    piece.begin = outline_.begins[i];
    piece.begins_line = waiting_begins_line_;
    piece.blank_before = waiting_blank_;
    piece.comments = std::move(waiting_);
    add(std::move(piece));
    waiting_.clear();
    waiting_begins_line_ = waiting_blank_ = false;
  }

  /// What stands before a token, and will stand before the next piece.
  void leave_out(size_t i) {
    const std::vector<Trivia>& all = outline_.tokens.trivia;
    const size_t first_comment = waiting_.size();
    for (size_t at = first_trivia(i); at < all.size() && all[at].before_token == i; ++at) {
      if (all[at].kind == Trivia::Kind::BlankLine)
        waiting_blank_ = true;
      else if (!used_.contains(at))
        waiting_.push_back(comment(all[at]));
    }
    const bool own_begin = begins_line(text_, tokens_[i].begin);
    waiting_begins_line_ = own_begin | begins_with_left_out(waiting_, first_comment, own_begin, waiting_begins_line_);
  }

  size_t first_trivia(size_t i) const {
    const std::vector<Trivia>& all = outline_.tokens.trivia;
    const auto found = std::lower_bound(all.begin(), all.end(), i,
                                        [](const Trivia& one, size_t sought) { return one.before_token < sought; });
    return static_cast<size_t>(found - all.begin());
  }

  Comment comment(const Trivia& trivia) {
    Comment made;
    made.is_line = trivia.kind == Trivia::Kind::LineComment;
    made.begins_line = begins_line(text_, trivia.begin);
    made.blank_before = std::exchange(waiting_blank_, false);
    made.column = column_of(text_, trivia.begin);
    made.lines = lines_of(text_.substr(trivia.begin, trivia.end - trivia.begin),
                          text_.substr(trivia.begin - made.column, made.column));
    // The end of a comment of several lines is no code.
    const bool is_behind_lines = !waiting_.empty() && waiting_.back().lines.size() > 1;
    made.is_behind_code = !made.begins_line && !is_behind_lines;
    if (!waiting_.empty()) {
      const Comment& before = waiting_.back();
      const bool is_below = made.begins_line && !made.blank_before && before.column == made.column;
      made.goes_on = made.is_line && before.is_line && (before.goes_on || before.is_behind_code) &&
                     (is_below || !made.begins_line);
    }
    return made;
  }

  /// The comments in the line of the last token of a body, so that the `}` that it gets stands below them.
  void comments_behind(size_t last) {
    const size_t next = last + 1 < tokens_.size() && dropped_[last + 1] ? last + 2 : last + 1;
    const std::vector<Trivia>& all = outline_.tokens.trivia;
    for (size_t at = first_trivia(next); at < all.size() && all[at].before_token == next; ++at) {
      if (all[at].kind != Trivia::Kind::LineComment || begins_line(text_, all[at].begin)) break;
      if (used_.insert(at).second) behind_.push_back(comment(all[at]));
    }
  }

  void inserted(std::string_view text) {
    Piece piece;
    piece.text = text;
    piece.kind = text == "("   ? LeftParen
                 : text == ")" ? RightParen
                 : text == "{" ? LeftBrace
                 : text == "}" ? RightBrace
                 : text == "[" ? LeftBracket
                               : RightBracket;
    if (text == "{") piece.role = Role::Statements;
    if (text == "}") piece.comments = std::exchange(behind_, {});
    add(std::move(piece));
  }

  void add(Piece piece) { pieces_.push_back(std::move(piece)); }

  /// include <path>: what stands between the signs is no program.
  size_t path(size_t from) {
    size_t end = from;
    while (tokens_[end].kind != Greater) ++end;
    token(from);
    Piece& piece = pieces_.back();
    piece.text = text_.substr(tokens_[from].begin, tokens_[end].end - tokens_[from].begin);
    piece.kind = String;
    return end + 1;
  }

  // ---- types
  bool begins_with_bracket(const TypeSpelling& type) const { return type.count.end != type.count.begin; }

  using Pieces = std::vector<Piece>;
  Pieces pieces_of(TokenRange tokens) {
    Pieces outside = std::exchange(pieces_, {});
    range(tokens);
    return std::exchange(pieces_, std::move(outside));
  }

  /// The type of which an array is one, and its dimensions from the outermost on.
  struct ArrayType {
    Pieces element, dimensions;
  };
  ArrayType split(const TypeSpelling& type) {
    ArrayType result;
    const size_t begin = type.all.begin;
    if (!begins_with_bracket(type)) {
      result.element = pieces_of({begin, type.dimensions});
      result.dimensions = pieces_of({type.dimensions, type.all.end});
      return result;
    }
    leave_out(begin);  // [
    const auto inner_type = types_.find(begin + 1);
    ArrayType inner = split(*inner_type->second);
    if (inner.dimensions.empty() && !is_simple(inner.element)) parenthesise(inner.element);
    if (type.count.begin > inner_type->second->all.end) leave_out(type.count.begin - 1);  // ;
    Pieces count = pieces_of(type.count);
    leave_out(type.count.end);  // ]
    result.element = std::move(inner.element);
    result.dimensions = pieces_of({type.dimensions, type.all.end});
    Pieces outside = std::exchange(pieces_, std::move(result.dimensions));
    inserted("[");
    for (Piece& piece : count) add(std::move(piece));
    inserted("]");
    pieces_.back().comments = std::exchange(waiting_, {});
    for (Piece& piece : inner.dimensions) add(std::move(piece));
    result.dimensions = std::exchange(pieces_, std::move(outside));
    return result;
  }

  /// Whether dimensions behind the type would be its own: not `*T` or `option T`, where they would be those of T.
  static bool is_simple(const Pieces& type) {
    return type[0].role != Role::Prefix && type[0].role != Role::Word && type[0].kind != KeywordFn;
  }

  void parenthesise(Pieces& type) {
    Pieces outside = std::exchange(pieces_, {});
    inserted("(");
    for (Piece& piece : type) add(std::move(piece));
    inserted(")");
    type = std::exchange(pieces_, std::move(outside));
  }

  void type_in_order(const TypeSpelling& type) {
    ArrayType parts = split(type);
    for (Piece& piece : parts.element) add(std::move(piece));
    for (Piece& piece : parts.dimensions) add(std::move(piece));
  }

  // ---- modifiers
  /// Puts the attributes of a function before the other words, and those of a map behind them. What has comments in
  /// between stays as it is.
  bool reorder(const ModifierList& list) {
    const TokenRange all{list.words.front().begin, list.words.back().end};
    const TokenKind declared = tokens_[all.end].kind;
    if (declared != KeywordFn && declared != KeywordVar) return false;
    const size_t inside = first_trivia(all.begin + 1);
    if (inside < outline_.tokens.trivia.size() && outline_.tokens.trivia[inside].before_token <= all.end) return false;
    std::vector<TokenRange> words = list.words;
    const bool attributes_first = declared == KeywordFn;
    std::stable_partition(words.begin(), words.end(),
                          [&](const TokenRange& word) { return (tokens_[word.begin].kind == At) == attributes_first; });
    const auto stand_in_order = [](const TokenRange& a, const TokenRange& b) { return a.begin < b.begin; };
    if (std::is_sorted(words.begin(), words.end(), stand_in_order)) return false;
    Pieces outside = std::exchange(pieces_, {});
    size_t former_first = 0;
    for (const TokenRange& word : words) {
      if (word.begin == all.begin) former_first = pieces_.size();
      token(word.begin);
      range({word.begin + 1, word.end});
    }
    Pieces moved = std::exchange(pieces_, std::move(outside));
    const Piece head = moved[former_first];
    for (Piece& piece : moved) {
      const bool is_first = &piece == &moved.front();
      piece.begin = is_first ? head.begin : piece.begin == Begin::Nothing ? Begin::Nothing : Begin::Modifier;
      piece.begins_line = is_first && head.begins_line;
      piece.blank_before = is_first && head.blank_before;
      piece.comments = is_first ? head.comments : std::vector<Comment>();
    }
    for (Piece& piece : moved) add(std::move(piece));
    return true;
  }

  const Outline& outline_;
  const std::vector<Token>& tokens_;
  const std::string_view text_;
  std::vector<bool> dropped_;
  std::map<size_t, const TypeSpelling*> types_;
  std::map<size_t, const ModifierList*> modifiers_;
  std::map<size_t, std::vector<std::string_view>> before_, after_;
  std::set<size_t> bodies_;  // where those end that have no braces
  std::set<size_t> used_;    // comments that stand elsewhere now
  std::vector<Comment> waiting_, behind_;
  bool waiting_begins_line_ = false, waiting_blank_ = false;
  Pieces pieces_;
};

bool is_opener(const Piece& piece) {
  return piece.kind == LeftParen || piece.kind == LeftBracket || piece.kind == LeftBrace ||
         (piece.role == Role::TypeList && piece.text == "<");
}
bool is_closer(const Piece& piece) {
  return piece.kind == RightParen || piece.kind == RightBracket || piece.kind == RightBrace ||
         (piece.role == Role::TypeList && piece.text != "<");
}
bool is_list(Role role) { return role == Role::Members || role == Role::Arms || role == Role::Fields; }

/// Puts the commas where they belong, and finds the brackets around each piece.
class Separators {
 public:
  std::vector<Piece> run(std::vector<Piece> pieces) {
    for (size_t i = 0; i < pieces.size(); ++i) {
      Piece& piece = pieces[i];
      const bool is_last = piece.kind == Comma && i + 1 < pieces.size() && is_closer(pieces[i + 1]);
      if (piece.kind == Comma && (is_last || (!open_.empty() && is_list(result_[open_.back().at].role))))
        leave_out(piece);
      else
        add(std::move(piece));
    }
    return std::move(result_);
  }

 private:
  struct Open {
    size_t at = 0;           // the bracket
    size_t item = no_piece;  // the item at work
  };

  /// What stood before a comma stands before the next piece, but for what belongs to the item in its line.
  void leave_out(Piece& comma) {
    for (Comment& comment : comma.comments) {
      const bool is_in_line = !comment.is_line && !comment.begins_line && comment.lines.size() == 1;
      std::vector<Comment>& kept = is_in_line && waiting_.empty() ? before_comma_ : waiting_;
      kept.push_back(std::move(comment));
    }
    begins_line_ = begins_line_ || comma.begins_line;
    blank_before_ = blank_before_ || comma.blank_before;
  }

  void add(Piece piece) {
    const bool closes = is_closer(piece), begins_item = piece.begin == Begin::Item || piece.begin == Begin::Statement;
    if (!open_.empty() && (closes || begins_item)) {
      Open& open = open_.back();
      if (open.item != no_piece) end_item(open, closes);
      if (begins_item && is_list(result_[open.at].role)) open.item = result_.size();
    }
    take_waiting(piece);
    if (closes && !open_.empty()) {
      piece.partner = open_.back().at;
      result_[piece.partner].partner = result_.size();
      open_.pop_back();
    }
    piece.parent = open_.empty() ? no_piece : open_.back().at;
    result_.push_back(std::move(piece));
    if (!is_opener(result_.back())) return;
    open_.push_back({result_.size() - 1});
    if (result_.back().role == Role::Elements) open_.back().item = result_.size();
  }

  void take_waiting(Piece& piece) {
    waiting_.insert(waiting_.begin(), before_comma_.begin(), before_comma_.end());
    before_comma_.clear();
    if (!waiting_.empty() && !piece.comments.empty()) {
      Comment& first = piece.comments.front();
      const Comment& last = waiting_.back();
      const bool is_behind_code = last.is_line && (last.goes_on || last.is_behind_code);
      first.goes_on = first.goes_on || (is_behind_code && first.is_line && !first.begins_line);
    }
    piece.begins_line |= begins_with_left_out(piece.comments, 0, piece.begins_line, std::exchange(begins_line_, false));
    bool& blank_before = piece.comments.empty() ? piece.blank_before : piece.comments.front().blank_before;
    blank_before = blank_before || std::exchange(blank_before_, false);
    waiting_.insert(waiting_.end(), piece.comments.begin(), piece.comments.end());
    piece.comments = std::exchange(waiting_, {});
  }

  void end_item(Open& open, bool is_last) {
    const Role role = result_[open.at].role;
    const Piece& last = result_.back();
    const bool is_empty = open.item == result_.size();
    const bool is_function = result_[open.item < result_.size() ? open.item : 0].begin == Begin::Statement;
    const bool is_block = role == Role::Arms && last.kind == RightBrace &&
                          result_[last.partner].role == Role::Statements && result_[last.partner - 1].kind == Colon &&
                          result_[last.partner - 1].parent == open.at;
    open.item = no_piece;
    if (is_empty || (role == Role::Members && is_function) || (role == Role::Arms && is_last)) return;
    Piece comma;
    comma.text = ",";
    comma.kind = Comma;
    comma.when = is_block ? When::OnOneLine : is_last ? When::InLines : When::Always;
    comma.parent = open.at;
    if (comma.when == When::Always) comma.comments = std::exchange(before_comma_, {});
    result_.push_back(comma);
  }

  std::vector<Open> open_;
  std::vector<Comment> waiting_, before_comma_;  // before commas that were left out
  bool begins_line_ = false, blank_before_ = false;
  std::vector<Piece> result_;
};

}  // namespace

std::vector<Piece> canonical_pieces(const Outline& outline, std::string_view text) {
  return Separators().run(Spelling(outline, text).run());
}

}  // namespace ksc

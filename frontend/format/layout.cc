// SPDX-License-Identifier: Apache-2.0
// A layout is a set of line breaks. The first has those of the author that may stay. As long as a line is too long and
// can be broken, breaks are added and everything is laid out anew. So what comes out is laid out from its own breaks
// alone: to lay it out again changes nothing.
#include "frontend/format/layout.h"

#include <algorithm>
#include <optional>

#include "frontend/format/lines.h"
#include "frontend/format/spacing.h"

namespace ksc {

using enum TokenKind;

namespace {

/// How tightly an operator binds its operands [L30]; what assigns, most loosely.
size_t tightness(TokenKind kind) {
  switch (kind) {
    case OrOr: return 1;
    case AndAnd: return 2;
    case EqualEqual:
    case NotEqual: return 3;
    case Less:
    case LessEqual:
    case Greater:
    case GreaterEqual: return 4;
    case Pipe: return 5;
    case Caret: return 6;
    case Ampersand: return 7;
    case ShiftLeft:
    case ShiftRight: return 8;
    case Plus:
    case Minus: return 9;
    case Star:
    case Slash:
    case Percent: return 10;
    default: return 0;
  }
}

bool assigns(const Piece& piece) { return is_binary(piece) && tightness(piece.kind) == 0; }

class Layout {
 public:
  explicit Layout(const std::vector<Piece>& pieces)
      : pieces_(pieces), at_(pieces.size()), line_of_(pieces.size()), indentation_(pieces.size()) {
    begins_line_.resize(pieces.size());
    in_lines_.resize(pieces.size());
    has_commas_.resize(pieces.size());
    depth_.resize(pieces.size());
    for (size_t i = 0; i < pieces.size(); ++i) {
      const size_t around = pieces[i].parent;
      depth_[i] = around == no_piece ? 0 : depth_[around] + 1;
      if (pieces[i].kind == Comma && around != no_piece) has_commas_[around] = true;
      begins_line_[i] = pieces[i].begins_line && i > 0 && may_begin_line(i);
    }
    open_brackets();
  }

  std::string run() {
    do write();
    while (break_long_lines());
    return lines_.text();
  }

 private:
  struct Extent {
    size_t begin = 0, end = 0;  // columns
  };

  bool is_brace(size_t i) const { return pieces_[i].kind == LeftBrace; }
  bool opens(size_t i) const { return pieces_[i].partner != no_piece && pieces_[i].partner > i; }
  bool closes(size_t i) const { return pieces_[i].partner != no_piece && pieces_[i].partner < i; }
  /// A bracket whose content may begin where the bracket ends.
  bool is_round(size_t i) const { return i != no_piece && !is_brace(i); }

  bool is_printed(size_t i) const {
    if (pieces_[i].when == When::Always) return true;
    return in_lines_[pieces_[i].parent] == (pieces_[i].when == When::InLines);
  }
  size_t before(size_t i) const {
    do --i;
    while (!is_printed(i));
    return i;
  }

  // ---- the breaks at the beginning

  /// Whether a line break of the author stays. Where a line of the language would end, there is none within a
  /// statement; so it is never wrong to keep one.
  bool may_begin_line(size_t i) const {
    const Piece &piece = pieces_[i], &last = pieces_[i - 1];
    if (piece.begin == Begin::Modifier) return last.kind == RightParen || (i > 1 && pieces_[i - 2].kind == At);
    if (last.kind == Comma) return is_round(piece.parent);
    if (last.role == Role::Otherwise || piece.role == Role::Otherwise) return true;
    if (is_binary(last)) return true;
    if (is_binary(piece)) return !assigns(piece);
    switch (piece.kind) {
      case Question: return piece.role != Role::Propagate;
      case Dot: return true;
      case Arrow: return piece.role != Role::Result;
      case LeftParen:
      case LeftBracket: return !blank_between(last, piece);  // else what stands there may be read as a cast
      default: return false;
    }
  }

  /// What stands between these brackets stands in lines of its own if the author put it so: within braces if there is a
  /// line break anywhere, within others if there is one behind the bracket.
  void open_brackets() {
    std::vector<size_t> breaks(pieces_.size() + 1);  // up to a piece
    for (size_t i = 0; i < pieces_.size(); ++i) {
      bool is_break = pieces_[i].begins_line;
      for (const Comment& comment : pieces_[i].comments)
        is_break = is_break || comment.begins_line || comment.is_line || comment.lines.size() > 1;
      breaks[i + 1] = breaks[i] + is_break;
    }
    for (size_t i = 0; i < pieces_.size(); ++i) {
      if (!opens(i) || (pieces_[i].partner == i + 1 && pieces_[i + 1].comments.empty())) continue;
      const size_t end = is_brace(i) ? pieces_[i].partner : i + 1;
      if (breaks[end + 1] > breaks[i + 1]) open(i);
    }
    std::vector<size_t> statements(pieces_.size());
    for (const Piece& piece : pieces_)
      if (piece.begin == Begin::Statement && piece.parent != no_piece && ++statements[piece.parent] > 1)
        open(piece.parent);
  }

  /// Puts what stands between brackets into lines; then so does what stands in the braces around, and in the other
  /// blocks of an `if` with `else` or a `try`.
  void open(size_t i) {
    if (in_lines_[i]) return;
    in_lines_[i] = true;
    for (size_t around = pieces_[i].parent; around != no_piece; around = pieces_[around].parent)
      if (is_brace(around)) open(around);
    if (pieces_[i].role != Role::Statements) return;
    for (size_t other : {next_of_chain(i), before_in_chain(i)})
      if (other != no_piece) open_through(i, other);
  }
  /// Goes on along a chain, also past blocks with nothing in them.
  void open_through(size_t from, size_t block) {
    while (block != no_piece && is_empty(block)) {
      const size_t next = block > from ? next_of_chain(block) : before_in_chain(block);
      block = next;
    }
    if (block != no_piece) open(block);
  }
  bool is_empty(size_t open) const { return pieces_[open].partner == open + 1 && pieces_[open + 1].comments.empty(); }
  size_t next_of_chain(size_t block) const {
    size_t i = pieces_[block].partner + 1;
    if (i >= pieces_.size() || (pieces_[i].kind != KeywordElse && pieces_[i].kind != KeywordCatch)) return no_piece;
    if (pieces_[i].role == Role::Name) return no_piece;
    while (i < pieces_.size() && pieces_[i].role != Role::Statements) i = opens(i) ? pieces_[i].partner + 1 : i + 1;
    return i < pieces_.size() ? i : no_piece;
  }
  size_t before_in_chain(size_t block) const {
    for (size_t i = block; i-- > 0;) {
      if (closes(i)) {
        if (pieces_[i + 1].kind == KeywordElse || pieces_[i + 1].kind == KeywordCatch) {
          const size_t open = pieces_[i].partner;
          return pieces_[open].role == Role::Statements && next_of_chain(open) == block ? open : no_piece;
        }
        i = pieces_[i].partner;
      } else if (opens(i) || pieces_[i].begin != Begin::Nothing) {
        return no_piece;
      }
    }
    return no_piece;
  }

  // ---- writing

  /// Whether a piece is the first of its line, whatever comments are there.
  bool begins(size_t i) const {
    const Piece& piece = pieces_[i];
    if (i == 0 || piece.kind == End || piece.begin == Begin::Declaration || begins_line_[i]) return true;
    if (closes(i)) return in_lines_[piece.partner];
    const size_t last = before(i);
    if (opens(last) && in_lines_[last]) return true;
    const bool is_item = piece.begin == Begin::Item || piece.begin == Begin::Statement;
    return is_item && piece.parent != no_piece && in_lines_[piece.parent];
  }

  /// How far a line is indented that begins with a piece.
  size_t indentation_of(size_t i) const {
    const Piece& piece = pieces_[i];
    if (closes(i) && in_lines_[piece.partner]) return indentation_[piece.partner];
    if (i == 0 || piece.kind == End || piece.begin == Begin::Declaration) return 0;
    const size_t around = piece.parent;
    const bool is_part = piece.begin != Begin::Nothing || piece.kind == KeywordElse || piece.kind == KeywordCatch;
    if (around == no_piece) return is_part ? 0 : indentation_step;
    if (is_brace(around)) return indentation_[around] + indentation_step * (is_part ? 1 : 2);
    const size_t last = before(i);
    const bool is_item = last == around || pieces_[last].kind == Comma;
    const size_t further = is_item || !has_commas_[around] ? 0 : indentation_step;
    if (in_lines_[around]) return indentation_[around] + indentation_step + further;
    return at_[around].end + further;
  }
  size_t indentation_of_comments(size_t i) const {
    const Piece& piece = pieces_[i];
    if (closes(i) && in_lines_[piece.partner]) return indentation_[piece.partner] + indentation_step;
    return indentation_of(i);
  }

  void write() {
    lines_ = Lines();
    line_ = 0;
    line_indentation_ = 0;
    after_opener_ = true;
    for (size_t i = 0; i < pieces_.size(); ++i)
      if (is_printed(i)) write(i);
  }

  void begin_line(size_t indentation, bool blank_before) {
    lines_.begin(indentation, blank_before && !after_opener_);
    after_opener_ = false;
    line_indentation_ = indentation;
    ++line_;
  }

  void write(size_t i) {
    const Piece& piece = pieces_[i];
    const bool begins_here = begins(i);
    // Comments in the line of the piece before it, and behind what ends there, are about the piece.
    std::vector<bool> leads(piece.comments.size());
    bool line_ends = piece.begins_line;
    for (size_t k = piece.comments.size(); k-- > 0;) {
      const Comment& comment = piece.comments[k];
      line_ends = line_ends || comment.is_line || comment.lines.size() > 1;
      leads[k] = begins_here && !closes(i) && piece.kind != End && !line_ends && !comment.begins_line;
      if (comment.begins_line) line_ends = true;
    }
    bool only_comments = lines_.empty();
    for (size_t k = 0; k < piece.comments.size(); ++k) {
      const Comment& comment = piece.comments[k];
      if (comment.goes_on && lines_.ends_in_comment()) {
        lines_.append_below(comment);
        ++line_;
        continue;
      }
      const bool first_of_line = lines_.empty() || lines_.ends_in_comment() || comment.begins_line ||
                                 (leads[k] && !only_comments) || (k > 0 && piece.comments[k - 1].is_line);
      if (first_of_line) {
        begin_line(indentation_of_comments(i), comment.blank_before);
        only_comments = true;
      } else if (i > 0 && pieces_[i - 1].kind != LeftParen && pieces_[i - 1].kind != LeftBracket) {
        if (!comment.is_line) lines_.append(" ");
      } else if (k > 0) {
        lines_.append(" ");
      }
      lines_.append(comment);
      if (comment.lines.size() > 1) ++line_;
    }
    if (piece.kind == End) return;
    const bool has_comments = !piece.comments.empty();
    const bool behind_line_comment = has_comments && piece.comments.back().is_line;
    const bool behind_own_line = has_comments && piece.comments.back().begins_line && piece.begins_line;
    if (behind_line_comment || behind_own_line || lines_.empty() ||
        (begins_here && (!only_comments || piece.begins_line))) {
      begin_line(indentation_of(i), piece.blank_before && !closes(i));
    } else if (has_comments) {
      if (!blank_is_superfluous(piece)) lines_.append(" ");
    } else if (blank_between(pieces_[before(i)], piece)) {
      lines_.append(" ");
    }
    at_[i].begin = lines_.column();
    lines_.append(piece.text);
    at_[i].end = lines_.column();
    line_of_[i] = line_;
    after_opener_ = opens(i);
    if (opens(i)) indentation_[i] = line_indentation_;
  }

  static bool blank_is_superfluous(const Piece& piece) {
    return piece.kind == RightParen || piece.kind == RightBracket || piece.kind == Comma || piece.kind == Semicolon;
  }

  // ---- lines that are too long

  /// A way to break a line.
  struct Candidate {
    size_t rank = 0;    // the lower, the better
    size_t column = 0;  // where the line would end
    size_t piece = 0;   // what begins the next line, or the bracket whose content is put into lines
    bool opens = false;
  };

  bool break_long_lines() {
    bool changed = false;
    for (size_t from = 0, to; from < pieces_.size(); from = to) {
      to = from + 1;
      if (!is_printed(from)) continue;
      size_t last = from;
      for (; to < pieces_.size() && (!is_printed(to) || pieces_[to].kind == End || line_of_[to] == line_of_[from]);
           ++to)
        if (is_printed(to) && pieces_[to].kind != End) last = to;
      if (pieces_[from].kind != End && at_[last].end > most_columns) changed = break_line(from, last) || changed;
    }
    return changed;
  }

  bool break_line(size_t from, size_t last) {
    for (size_t i = from; i <= last; ++i) {
      const Role role = pieces_[i].role;
      const bool is_block = role == Role::Statements || role == Role::Members || role == Role::Arms;
      if (is_block && can_open(i, last) && stands_free(i)) return open(i), true;
    }
    std::optional<Candidate> best, beyond;
    for (size_t i = from + 1; i <= last; ++i) {
      if (!is_printed(i)) continue;
      for (const std::optional<Candidate>& one : {break_before(i, last), opening(before(i), last)}) {
        if (!one || within_one_line(one->piece, from)) continue;
        if (one->column > most_columns) {
          if (!beyond) beyond = one;
        } else if (!best || one->rank <= best->rank) {
          best = one;
        }
      }
    }
    if (!best) best = round_bracket(from, last);
    if (!best) best = beyond;
    if (!best) return false;
    if (best->opens)
      open(best->piece);
    else
      break_at(*best, last);
    return true;
  }

  /// Whether a bracket has its content on its line, and all of it.
  bool can_open(size_t i, size_t last) const {
    return opens(i) && !in_lines_[i] && pieces_[i].partner <= last && !is_empty(i);
  }
  /// Whether only braces are around a brace.
  bool stands_free(size_t i) const {
    for (size_t around = pieces_[i].parent; around != no_piece; around = pieces_[around].parent)
      if (!is_brace(around)) return false;
    return true;
  }
  /// Whether a piece stands in braces whose content is on one line, and stays there until they are opened.
  bool within_one_line(size_t i, size_t from) const {
    for (size_t around = pieces_[i].parent; around != no_piece && around >= from; around = pieces_[around].parent)
      if (is_brace(around) && !in_lines_[around]) return true;
    return false;
  }

  static constexpr size_t ranks_of_depth = 100, worst_rank = SIZE_MAX;

  std::optional<Candidate> break_before(size_t i, size_t last) const {
    const size_t left = before(i), column = at_[left].end;
    const Piece &piece = pieces_[i], &behind = pieces_[left];
    const size_t depth = depth_[left] * ranks_of_depth;
    if (closes(i)) return {};
    if (behind.kind == Comma && is_round(behind.parent)) {
      // Where a bracket stands far to the right, its content would be squeezed.
      const size_t rightmost = most_columns * 3 / 5;
      const size_t bracket = behind.parent;
      const bool squeezed = !in_lines_[bracket] && at_[bracket].end > rightmost && can_open(bracket, last);
      return Candidate{depth, column, squeezed ? bracket : i, squeezed};
    }
    if ((piece.kind == Question && piece.role != Role::Propagate) || piece.role == Role::Otherwise)
      return Candidate{depth + 10, column, i};
    if (!is_binary(behind)) return {};
    if (!assigns(behind)) return Candidate{depth + 20 + tightness(behind.kind), column, i};
    if (at_[last].end - at_[i].begin + indentation_of(i) > most_columns) return {};
    return Candidate{worst_rank, column, i};
  }

  /// To put what stands in braces into lines.
  std::optional<Candidate> opening(size_t i, size_t last) const {
    if (!is_brace(i) || !can_open(i, last)) return {};
    return Candidate{depth_[i] * ranks_of_depth + 50, at_[i].end, i, true};
  }

  /// The outermost bracket whose first part is too long behind it, and not in a line of its own.
  std::optional<Candidate> round_bracket(size_t from, size_t last) const {
    for (size_t i = from; i <= last; ++i) {
      if (is_brace(i) || !can_open(i, last) || within_one_line(i, from)) continue;
      size_t end = i + 1;
      while (end + 1 < pieces_[i].partner && !(pieces_[end].kind == Comma && pieces_[end].parent == i)) ++end;
      const size_t width = at_[end].end - at_[i].end;
      const size_t indentation = indentation_[i] + indentation_step;
      if (indentation < at_[i].end && indentation + width <= most_columns) return Candidate{0, 0, i, true};
    }
    return {};
  }

  /// Breaks a line, and fills the lines that follow: they are broken at commas of the same list, or at operators that
  /// bind equally tightly.
  void break_at(const Candidate& chosen, size_t last) {
    begins_line_[chosen.piece] = true;
    const Piece& behind = pieces_[before(chosen.piece)];
    const bool is_list = behind.kind == Comma;
    if (!is_list && (!is_binary(behind) || assigns(behind))) return;
    const auto is_alike = [&](const Piece& piece) {
      if (piece.parent != behind.parent) return false;
      return is_list ? piece.kind == Comma : is_binary(piece) && tightness(piece.kind) == tightness(behind.kind);
    };
    const size_t indentation = indentation_of(chosen.piece);
    size_t line_begin = at_[chosen.piece].begin, fits = no_piece;
    for (size_t i = chosen.piece + 1; i < last; ++i) {
      if (!is_printed(i) || !is_alike(pieces_[i])) continue;
      if (at_[i].end - line_begin + indentation > most_columns && fits != no_piece) {
        begins_line_[fits] = true;
        line_begin = at_[fits].begin;
      }
      fits = i + 1;
    }
  }

  const std::vector<Piece>& pieces_;
  std::vector<bool> begins_line_;  // breaks before pieces
  std::vector<bool> in_lines_;     // brackets whose content stands in lines of its own
  std::vector<bool> has_commas_;
  std::vector<size_t> depth_;

  // What was written last.
  Lines lines_;
  std::vector<Extent> at_;
  std::vector<size_t> line_of_, indentation_;  // of the line of a bracket
  size_t line_ = 0, line_indentation_ = 0;
  bool after_opener_ = false;
};

}  // namespace

std::string lay_out(const std::vector<Piece>& pieces) { return Layout(pieces).run(); }

}  // namespace ksc

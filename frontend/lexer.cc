// SPDX-License-Identifier: Apache-2.0
#include "frontend/lexer.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

namespace ksc {
namespace {

constexpr std::array token_texts = {
#define KSC_TOKEN(id, text) std::string_view(text),
    KSC_TOKENS(KSC_TOKEN) KSC_KEYWORDS(KSC_TOKEN)
#undef KSC_TOKEN
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }
bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The length of the UTF-8 character at the start of `text`; 0 if there is none (overlong forms and surrogates
/// included).
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto tail = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
    return tail(1) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
    return tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

/// The length of a space outside ASCII at the start of `text`, as web pages and word processors put them; 0 if none.
size_t foreign_blank(std::string_view text) {
  if (text.empty() || is_ascii(text[0])) return 0;
  if (text.starts_with("\xc2\xa0")) return 2;  // no-break space
  for (std::string_view blank : {"\xe2\x80\xaf", "\xe3\x80\x80", "\xef\xbb\xbf"})
    if (text.starts_with(blank)) return blank.size();
  // U+2000 to U+200B: spaces of all widths, down to none.
  return text.size() >= 3 && text.starts_with("\xe2\x80") && text[2] <= '\x8b' ? 3 : 0;
}

/// A typographic quote; `length` is 0 where there is none.
struct ForeignQuote {
  size_t length = 0;
  bool is_single = false;
  explicit operator bool() const { return length != 0; }
};
ForeignQuote foreign_quote(std::string_view text) {
  if (text.size() < 3 || !text.starts_with("\xe2\x80")) return {};
  if (text[2] == '\x9c' || text[2] == '\x9d') return {3, false};
  if (text[2] == '\x98' || text[2] == '\x99') return {3, true};
  return {};
}

const std::unordered_map<std::string_view, TokenKind>& keywords() {
  static const std::unordered_map<std::string_view, TokenKind> table = {
#define KSC_KEYWORD(id, text) {text, TokenKind::Keyword##id},
      KSC_KEYWORDS(KSC_KEYWORD)
#undef KSC_KEYWORD
  };
  return table;
}

class Lexer {
 public:
  Lexer(Context& context, uint32_t file, std::string_view text) : context_(context), file_(file), text_(text) {}

  Tokens run() {
    if (readable()) {
      report_invalid_utf8();
      if (text_.substr(0, 3) == "\xef\xbb\xbf") at_ = 3;                                  // a byte order mark
      if (text_.substr(0, 2) == "\xff\xfe" || text_.substr(0, 2) == "\xfe\xff") at_ = 2;  // one of UTF-16, reported
      while (skip_blanks()) token();
    } else {
      at_ = text_.size();
    }
    begin_ = at_;
    add(TokenKind::End);
    result_.tokens.back().new_line = true;
    return std::move(result_);
  }

 private:
  static constexpr size_t largest_source = size_t(64) << 20;
  static constexpr size_t most_utf8_errors = 20;

  Loc loc(size_t begin, size_t end) {
    return context_.locations.add({file_, static_cast<uint32_t>(begin), static_cast<uint32_t>(end), {}, {}});
  }
  template <class... A>
  Diagnostic& report(size_t begin, size_t end, const diag::Message<A...>& message,
                     const std::type_identity_t<A>&... arguments) {
    return context_.diagnostics.report(loc(begin, end), message, arguments...);
  }
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  /// Whether the text is worth cutting into tokens at all.
  bool readable() {
    if (text_.size() > largest_source) {
      report(0, 0, diag::source_too_large, text_.size(), largest_source);
      return false;
    }
    const size_t zero = text_.find('\0');
    if (zero == text_.npos) return true;
    report(zero, zero + 1, diag::binary_source);
    return false;
  }

  void report_invalid_utf8() {
    size_t errors = 0;
    for (size_t i = 0; i < text_.size() && errors < most_utf8_errors;) {
      size_t length = is_ascii(text_[i]) ? 1 : utf8_length(text_.substr(i));
      if (length == 0) {
        // The rest of a broken run belongs to its first byte.
        size_t end = i + 1;
        while (end < text_.size() && !is_ascii(text_[end]) && utf8_length(text_.substr(end)) == 0) ++end;
        report(i, end, diag::invalid_utf8, static_cast<unsigned char>(text_[i]));
        ++errors;
        length = end - i;
      }
      i += length;
    }
  }

  void add(TokenKind kind, uint32_t value = 0) {
    result_.tokens.push_back({static_cast<uint32_t>(begin_), static_cast<uint32_t>(at_), value, kind, new_line_});
    new_line_ = false;
    empty_line_ = false;
  }
  void add_trivia(Trivia::Kind kind, size_t begin) {
    result_.trivia.push_back(
        {kind, static_cast<uint32_t>(begin), static_cast<uint32_t>(at_), static_cast<uint32_t>(result_.tokens.size())});
  }

  /// Moves to the next token; false at the end.
  bool skip_blanks() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        if (empty_line_ && (result_.trivia.empty() || result_.trivia.back().kind != Trivia::Kind::BlankLine ||
                            result_.trivia.back().before_token != result_.tokens.size()))
          add_trivia(Trivia::Kind::BlankLine, at_);
        ++at_;
        new_line_ = empty_line_ = true;
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
        ++at_;
      } else if (const size_t blank = foreign_blank(text_.substr(at_))) {
        report(at_, at_ + blank, diag::foreign_blank).fix(loc(at_, at_ + blank), " ", "an ordinary space");
        at_ += blank;
      } else if (c == '/' && peek(1) == '/') {
        const size_t begin = at_;
        at_ = std::min(text_.find('\n', at_), text_.size());
        add_trivia(Trivia::Kind::LineComment, begin);
        empty_line_ = false;
      } else if (c == '/' && peek(1) == '*') {
        block_comment();
        empty_line_ = false;
      } else {
        return true;
      }
    }
    return false;
  }

  void block_comment() {
    const size_t begin = at_;
    size_t depth = 0;
    while (at_ < text_.size()) {
      if (peek() == '/' && peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (peek() == '*' && peek(1) == '/') {
        at_ += 2;
        if (--depth == 0) break;
      } else {
        if (peek() == '\n') new_line_ = true;
        ++at_;
      }
    }
    if (depth != 0) report(begin, begin + 2, diag::unterminated_comment).fix(loc(at_, at_), "*/");
    result_.open_comment = depth != 0;
    add_trivia(Trivia::Kind::BlockComment, begin);
  }

  void token() {
    begin_ = at_;
    const char c = peek();
    if (is_letter(c)) return word();
    if (is_digit(c)) return number();
    if (c == '"') return string();
    if (c == '\'') return character();
    if (sign()) return;
    if (foreign_quote(text_.substr(at_))) return foreign_string();
    if (!is_ascii(c)) return foreign_word();
    unexpected();
  }

  void word() {
    while (is_word(peek())) ++at_;
    const std::string_view rest = text_.substr(at_);
    if (!rest.empty() && !is_ascii(rest[0]) && !foreign_blank(rest) && !foreign_quote(rest)) return foreign_word();
    const auto keyword = keywords().find(text_.substr(begin_, at_ - begin_));
    add(keyword == keywords().end() ? TokenKind::Identifier : keyword->second);
  }

  /// A word with letters that no identifier has; it still counts as one, so that what follows is understood.
  void foreign_word() {
    while (at_ < text_.size() && (is_word(peek()) || !is_ascii(peek()))) {
      const std::string_view rest = text_.substr(at_);
      if (foreign_blank(rest) || foreign_quote(rest)) break;
      ++at_;
    }
    const std::string_view text = text_.substr(begin_, at_ - begin_);
    bool valid = true;
    for (size_t i = 0; i < text.size() && valid;) {
      const size_t length = utf8_length(text.substr(i));
      valid = length != 0;
      i += length;
    }
    if (valid)  // invalid UTF-8 was reported already
      report(begin_, at_, diag::unexpected_character, "`" + std::string(text.substr(0, 64)) + "`")
          .note("identifiers are made of the letters a to z and A to Z, digits and `_`");
    add(TokenKind::Identifier);
  }

  /// A string between the quotes that a text processor makes of `"`.
  void foreign_string() {
    const size_t inner = begin_ + foreign_quote(text_.substr(begin_)).length;
    const bool is_char = foreign_quote(text_.substr(begin_)).is_single;
    at_ = inner;
    ForeignQuote close;
    while (at_ < text_.size() && peek() != '\n' && peek() != '"' && !close) {
      close = foreign_quote(text_.substr(at_));
      if (!close) ++at_;
    }
    const std::string content(text_.substr(inner, at_ - inner));
    at_ += close ? close.length : peek() == '"' ? 1 : 0;
    const std::string_view quote = is_char ? "'" : "\"";
    report(begin_, at_, diag::foreign_quotes).fix(loc(begin_, at_), fmt::format("{}{}{}", quote, content, quote));
    if (is_char) return add(TokenKind::Char, content.empty() ? 0 : static_cast<unsigned char>(content[0]));
    result_.strings.push_back(context_.name(content));
    add(TokenKind::String, static_cast<uint32_t>(result_.strings.size() - 1));
  }

  void unexpected() {
    const char c = peek();
    const bool first = new_line_ || result_.tokens.empty();
    if (c == '#' && first) {
      at_ = std::min(text_.find('\n', at_), text_.size());
      report(begin_, at_, diag::unexpected_character, "`#`")
          .note("KernelScript has no preprocessor; see `include`, `import` and `const`");
      return;
    }
    while (peek() == c && at_ < text_.size()) ++at_;
    const bool printable = c > 0x20 && c < 0x7f;
    report(begin_, at_, diag::unexpected_character,
           printable ? fmt::format("`{}`", c) : fmt::format("0x{:02x}", static_cast<unsigned char>(c)));
  }

  /// The longest sign that stands here.
  bool sign() {
    static constexpr size_t most_signs = 6;  // that begin with one character
    static constexpr auto signs = [] {
      constexpr size_t first = static_cast<size_t>(TokenKind::LeftParen),
                       last = static_cast<size_t>(TokenKind::MinusMinus);
      std::array<std::array<TokenKind, most_signs>, 128> table{};
      for (size_t length = 3; length > 0; --length)
        for (size_t kind = first; kind <= last; ++kind) {
          if (token_texts[kind].size() != length) continue;
          auto& row = table[static_cast<unsigned char>(token_texts[kind][0])];
          size_t column = 0;
          while (row[column] != TokenKind::End) ++column;
          row[column] = static_cast<TokenKind>(kind);
        }
      return table;
    }();
    if (!is_ascii(peek())) return false;
    for (const TokenKind kind : signs[static_cast<unsigned char>(peek())]) {
      if (kind == TokenKind::End) return false;
      const std::string_view text = token_texts[static_cast<size_t>(kind)];
      if (text_.substr(at_, text.size()) != text) continue;
      at_ += text.size();
      add(kind);
      return true;
    }
    return false;
  }

  void number() {
    unsigned base = 10;
    size_t digits = at_;
    if (peek() == '0') {
      const char mark = peek(1);
      base = mark == 'x' || mark == 'X' ? 16 : mark == 'o' || mark == 'O' ? 8 : mark == 'b' || mark == 'B' ? 2 : 10;
      if (base != 10) digits += 2;
    }
    at_ = digits;
    while (is_word(peek())) ++at_;
    if (base == 10) {
      if (is_float()) return;
    }
    integer(base, digits);
  }

  /// Reads on if the digits so far begin a float: digits, then `.digits` or an exponent.
  bool is_float() {
    const std::string_view whole = text_.substr(begin_, at_ - begin_);
    const bool fraction = peek() == '.' && is_digit(peek(1)) &&
                          std::all_of(whole.begin(), whole.end(), [](char c) { return is_digit(c) || c == '_'; });
    if (fraction) {
      ++at_;
      while (is_word(peek())) ++at_;
    }
    std::string_view text = text_.substr(begin_, at_ - begin_);
    const bool exponent_sign = !text.empty() && (text.back() == 'e' || text.back() == 'E') &&
                               (peek() == '+' || peek() == '-') && is_digit(peek(1));
    if (exponent_sign) {
      ++at_;
      while (is_word(peek())) ++at_;
      text = text_.substr(begin_, at_ - begin_);
    }
    const size_t exponent = text.find_first_of("eE");
    if (!fraction && exponent == text.npos) return false;
    // digits [. digits] [e [sign] digits]
    size_t i = 0;
    const auto skip_digits = [&] {
      const size_t from = i;
      while (i < text.size() && (is_digit(text[i]) || (text[i] == '_' && i > from))) ++i;
      return i > from && text[i - 1] != '_';
    };
    bool good = skip_digits();
    if (good && i < text.size() && text[i] == '.') ++i, good = skip_digits();
    if (good && i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
      ++i;
      if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
      good = skip_digits();
    }
    if (!good || i != text.size()) {
      if (!fraction && !exponent_sign && (exponent == text.npos || exponent == 0 || exponent + 1 == text.size()))
        return false;
      report(begin_, at_, diag::bad_number, std::string(text.substr(0, 64)),
             "a float is written like `1.5` or `2.5e-3`");
    }
    add(TokenKind::Float);
    return true;
  }

  void integer(unsigned base, size_t digits) {
    const std::string_view text = text_.substr(begin_, at_ - begin_);
    const std::string spelling(text.substr(0, 64));
    std::string problem;
    uint64_t value = 0;
    bool overflow = false;
    if (digits == at_) problem = "digits are missing";
    for (size_t i = digits; i < at_ && problem.empty(); ++i) {
      const char c = text_[i];
      if (c == '_') {
        if (i == digits || i + 1 == at_ || text_[i + 1] == '_') problem = "`_` stands between digits";
        continue;
      }
      const int digit = hex_digit(c);
      if (digit < 0 || static_cast<unsigned>(digit) >= base) {
        problem = is_digit(c) ? fmt::format("`{}` is no digit of base {}", c, base)
                              : fmt::format("a number has no suffix, and `{}` is no digit of base {}", c, base);
        break;
      }
      uint64_t scaled;
      overflow |= __builtin_mul_overflow(value, uint64_t(base), &scaled) ||
                  __builtin_add_overflow(scaled, uint64_t(digit), &value);
    }
    if (!problem.empty()) {
      report(begin_, at_, diag::bad_number, spelling, problem);
    } else if (base == 10 && text.size() > 1 && text[0] == '0') {
      report(begin_, at_, diag::bad_number, spelling, "a decimal number does not begin with 0")
          .fix(loc(begin_, at_), "0o" + std::string(text.substr(1)), "for an octal number");
    } else if (overflow) {
      report(begin_, at_, diag::number_too_large, spelling);
      value = 0;
    }
    result_.integers.push_back(value);
    add(TokenKind::Integer, static_cast<uint32_t>(result_.integers.size() - 1));
  }

  /// The bytes up to the closing `quote`; stops at the line's end.
  bool quoted(char quote, std::string& bytes) {
    ++at_;
    while (at_ < text_.size() && peek() != '\n') {
      const char c = text_[at_];
      if (c == quote) return ++at_, true;
      if (c == '\\')
        escape(bytes);
      else
        bytes += c, ++at_;
    }
    if (at_ > begin_ + 1 && text_[at_ - 1] == '\r') --at_;
    return false;
  }

  void escape(std::string& bytes) {
    const size_t begin = at_++;
    const char c = at_ < text_.size() ? text_[at_] : '\n';
    if (c == '\n') return;  // the quote is not closed: reported as that
    ++at_;
    switch (c) {
      case 'n': bytes += '\n'; return;
      case 't': bytes += '\t'; return;
      case 'r': bytes += '\r'; return;
      case '0':
        bytes += '\0';
        if (peek() >= '0' && peek() <= '7') report_octal(begin);
        return;
      case '\\':
      case '\'':
      case '"': bytes += c; return;
      case 'x': {
        const int high = hex_digit(peek()), low = high < 0 ? -1 : hex_digit(peek(1));
        if (low >= 0) {
          bytes += static_cast<char>(high * 16 + low);
          at_ += 2;
        } else {
          report(begin, at_ + (high >= 0), diag::bad_hex_escape);
          at_ += high >= 0;
          bytes += '?';
        }
        return;
      }
      default: break;
    }
    const size_t length = std::max<size_t>(1, utf8_length(text_.substr(at_ - 1)));
    at_ += length - 1;
    report(begin, at_, diag::bad_escape, std::string(text_.substr(begin + 1, length)));
    bytes += '?';
  }

  /// `\033` of C.
  void report_octal(size_t begin) {
    size_t end = begin + 1;
    unsigned value = 0;
    for (; end < begin + 4 && end < text_.size() && text_[end] >= '0' && text_[end] <= '7'; ++end)
      value = value * 8 + static_cast<unsigned>(text_[end] - '0');
    const std::string digits(text_.substr(begin + 1, end - begin - 1));
    report(begin, end, diag::octal_escape, digits, value).fix(loc(begin, end), fmt::format("\\x{:02x}", value));
  }

  void string() {
    std::string bytes;
    if (!quoted('"', bytes)) report(begin_, at_, diag::unterminated_string).fix(loc(at_, at_), "\"");
    result_.strings.push_back(context_.name(bytes));
    add(TokenKind::String, static_cast<uint32_t>(result_.strings.size() - 1));
  }

  void character() {
    std::string bytes;
    if (!quoted('\'', bytes))
      report(begin_, at_, diag::unterminated_char);
    else if (bytes.empty())
      report(begin_, at_, diag::empty_char);
    else if (bytes.size() > 1)
      report(begin_, at_, diag::long_char, bytes.size()).note("a string stands between double quotes");
    add(TokenKind::Char, bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]));
  }

  Context& context_;
  const uint32_t file_;
  const std::string_view text_;
  Tokens result_;
  size_t at_ = 0, begin_ = 0;
  bool new_line_ = true;     // the next token is the first of its line
  bool empty_line_ = false;  // nothing has stood on this line yet
};

}  // namespace

std::string_view token_text(TokenKind kind) { return token_texts[static_cast<size_t>(kind)]; }

Tokens lex(Context& context, uint32_t file, std::string_view text) { return Lexer(context, file, text).run(); }

}  // namespace ksc

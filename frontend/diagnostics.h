// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/core.h>

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ir/enumeration.h"
#include "ir/location.h"

namespace ksc {

/// How much a message matters; only an error keeps the compiler from writing files.
KSC_ENUM(Severity, remark, note, warning, error);

/// What the compiler remarks on when it is asked to (-Rbounds): where it puts something in that the source does not
/// say.
KSC_ENUM(Remark, bounds, loops, stack);

namespace diag {

enum class Id : uint16_t {
#define KSC_DIAG(id, severity, code, text, ...) id,
#include "frontend/diagnostics.def"
  count
};

/// One line of diagnostics.def: a text whose holes take arguments of these types.
template <class... A>
struct Message {
  Id id;
  Severity severity;
  std::string_view code;
  fmt::format_string<A...> text;
};

#define KSC_DIAG(id, severity, code, text, ...) \
  inline constexpr Message<__VA_ARGS__> id{Id::id, Severity::severity, code, text};
#include "frontend/diagnostics.def"

}  // namespace diag

/// A text at a place. Without a place it concerns the whole message.
struct LocatedText {
  Loc loc;
  std::string text;
};

/// A change of the source that would resolve the diagnostic: the range is replaced; an empty range inserts.
struct Fix {
  Loc loc;
  std::string replacement;
  std::string description;  // may be empty
};

/// One message about the source.
struct Diagnostic {
  diag::Id id{};
  Severity severity = Severity::error;
  std::string_view code;  // "KS0123"
  Loc loc;
  std::string text;
  std::vector<LocatedText> labels{};  // beside the source lines of the message itself
  std::vector<LocatedText> notes{};   // below it, each with its own place
  std::vector<Fix> fixes{};

  /// Adds a remark of its own place below the message; without a place it is plain text.
  Diagnostic& note(Loc at, std::string words) { return notes.push_back({at, std::move(words)}), *this; }
  Diagnostic& note(std::string words) { return note(Loc{}, std::move(words)); }
  /// Adds words under another place in the sources.
  Diagnostic& label(Loc at, std::string words) { return labels.push_back({at, std::move(words)}), *this; }
  /// Adds a change which resolves the message.
  Diagnostic& fix(Loc at, std::string replacement, std::string description = {}) {
    return fixes.push_back({at, std::move(replacement), std::move(description)}), *this;
  }
};

/// The messages of one compilation, in the order in which they were found.
class Diagnostics {
 public:
  /// Adds a message; the reference stays valid. The second message with one code at one place is dropped.
  template <class... A>
  Diagnostic& report(Loc loc, const diag::Message<A...>& message, const std::type_identity_t<A>&... arguments) {
    return add({message.id, message.severity, message.code, loc,
                fmt::vformat(message.text, fmt::make_format_args(arguments...))});
  }

  /// Remarks of this kind are wanted; no others are to be reported.
  void enable(Remark remark) { wanted_ |= 1u << int(remark); }
  bool wants(Remark remark) const { return wanted_ >> int(remark) & 1; }

  bool has_errors() const { return errors_ != 0; }
  size_t error_count() const { return errors_; }
  const std::deque<Diagnostic>& all() const { return all_; }
  /// Whether a message of this kind was reported anywhere.
  bool has(diag::Id id) const;
  /// Takes back all messages but the first ones.
  void keep_first(size_t count);

 private:
  Diagnostic& add(Diagnostic diagnostic);
  std::deque<Diagnostic> all_;
  std::set<std::pair<uint32_t, diag::Id>> seen_;
  size_t errors_ = 0;
  uint32_t wanted_ = 0;
  Diagnostic dropped_;  // takes the notes of a message that was dropped
};

/// The known word closest to `word`, for "did you mean"; empty if none is close.
std::string_view closest_word(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace ksc

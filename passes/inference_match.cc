// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "passes/inference.h"

namespace ksc {

namespace {

/// Which values the arms of a match take: texts, and numbers in closed ranges, none of which overlap: first value, last
/// value.
class Coverage {
 public:
  enum class Taken { Nothing, Part, All };
  /// Adds a range, and tells how much of it was taken already. An empty range is taken.
  Taken add(__int128 low, __int128 high) {
    if (high < low) return Taken::All;
    auto next = ranges_.upper_bound(low);
    if (next != ranges_.begin() && std::prev(next)->second >= low) --next;
    __int128 first = low, last = high, fresh = high - low + 1;
    for (; next != ranges_.end() && next->first <= high; next = ranges_.erase(next)) {
      fresh -= std::min(high, next->second) - std::max(low, next->first) + 1;
      first = std::min(first, next->first);
      last = std::max(last, next->second);
    }
    ranges_[first] = last;
    return fresh == 0 ? Taken::All : fresh == high - low + 1 ? Taken::Nothing : Taken::Part;
  }
  Taken add(Name text) { return texts_.insert(text).second ? Taken::Nothing : Taken::All; }
  bool has(__int128 value) const {
    auto next = ranges_.upper_bound(value);
    return next != ranges_.begin() && std::prev(next)->second >= value;
  }

 private:
  std::map<__int128, __int128> ranges_;
  std::set<Name, ByText> texts_;
};

/// The values of the type that no arm takes, as a message tells them; empty if there are none.
std::string missing_values(Type type, const Coverage& covered) {
  std::string missing;
  const auto add = [&](__int128 value, std::string_view name) {
    if (!covered.has(value)) missing += fmt::format("{}`{}`", missing.empty() ? "" : ", ", name);
  };
  if (is_enumeration(type)) {
    for (const EnumItem& item : type->body->items) add(item.value, item.name.text());
  } else if (is(type, TypeKind::Bool)) {
    add(0, "false");
    add(1, "true");
  } else {
    missing = "other values";
  }
  return missing;
}

}  // namespace

/// The pattern as one text, or one closed range of constants; nothing where it is none, which is reported.
std::optional<Pattern> Inference::infer_pattern(const Pattern& p, Type type) {
  Expr low = computed(infer(p.low));
  if (!(is_integral(type) || is(type, TypeKind::Str)) || is_invalid(low)) return std::nullopt;
  if (is(type, TypeKind::Str) && as<StringValue>(low) && !p.high) {
    low = fit_text(low, type);
    return is_invalid(low) ? std::nullopt : std::optional(Pattern{low, {}, p.inclusive});
  }
  low = coerce(low, type);
  const auto* first = as<Int>(low);
  if (!first) {
    if (!is_invalid(low)) c.diagnostics.report(loc_of(p.low), diag::not_constant);
    return std::nullopt;
  }
  if (!p.high) return Pattern{low, {}, p.inclusive};
  // The end of a half-open range may lie one above the type's last value.
  const Expr raw = computed(infer(*p.high));
  const auto* end = as<Int>(raw);
  if (!end) {
    if (!is_invalid(raw)) c.diagnostics.report(loc_of(*p.high), diag::not_constant);
    return std::nullopt;
  }
  const __int128 last = end->form.value.value - (p.inclusive ? 0 : 1);
  if (!fits({last}, type)) {
    c.diagnostics.report(loc_of(*p.high), diag::constant_does_not_fit, integer_text({last}), spell(type));
    return std::nullopt;
  }
  if (last < first->form.value.value) {
    c.diagnostics.report(c.locations.join(loc_of(p.low), loc_of(*p.high)), diag::empty_range,
                         integer_text(first->form.value), p.inclusive ? "at most" : "below",
                         integer_text(end->form.value));
    return std::nullopt;
  }
  return Pattern{low, integer({last}, type, loc_of(*p.high)), true};
}

Expr Inference::infer_match(const Node<Match>& n, Expected expected, bool used) {
  const Expr subject = entry_value(settle(value_of_maybe(infer(n->subject))));
  Type type = type_of(subject);
  const bool usable = (is_integral(type) && !is_function_value(type)) || is(type, TypeKind::Str);
  if (!usable && !is_invalid(subject))
    c.diagnostics.report(loc_of(n->subject), diag::operand_type, "match", spell(type));

  Coverage covered;
  std::vector<MatchArm> arms;
  std::vector<Expr> values;
  bool after_default = false, is_broken = false;
  for (const MatchArm& arm : n->arms) {
    std::vector<Pattern> patterns;
    bool wholly_covered = !arm.patterns.empty() && usable, partly_covered = false;
    for (const Pattern& p : arm.patterns) {
      const std::optional<Pattern> pattern = infer_pattern(p, type);
      if (!pattern) {
        wholly_covered = false;
        is_broken = true;
        continue;
      }
      const auto* text = as<StringValue>(pattern->low);
      const auto value = [](const Expr& e) { return as<Int>(e)->form.value.value; };
      const Coverage::Taken taken =
          text ? covered.add(text->form.text)
               : covered.add(value(pattern->low), value(pattern->high ? *pattern->high : pattern->low));
      wholly_covered = wholly_covered && taken == Coverage::Taken::All;
      partly_covered = partly_covered || taken != Coverage::Taken::Nothing;
      patterns.push_back(*pattern);
    }
    const auto all_patterns = [&] {
      if (arm.patterns.size() == 0) return loc_of(arm.value);
      const Pattern& last = arm.patterns[arm.patterns.size() - 1];
      return c.locations.join(loc_of(arm.patterns[0].low), loc_of(last.high ? *last.high : last.low));
    };
    if (after_default || wholly_covered)
      c.diagnostics.report(all_patterns(), diag::unreachable_arm);
    else if (partly_covered)
      c.diagnostics.report(all_patterns(), diag::overlapping_arm);
    after_default |= arm.patterns.empty();
    values.push_back(used ? infer(arm.value, expected) : unused_value(arm.value));
    arms.push_back({c.span(patterns), values.back()});
  }
  // What a broken pattern was meant to take is not known; no number of strings is all of them.
  const bool may_take_all = is_broken && !is(type, TypeKind::Str);
  const std::string missing = after_default || may_take_all || !usable ? "" : missing_values(type, covered);
  if (!missing.empty())
    c.diagnostics.report(n.loc, diag::not_exhaustive, missing).note("a `default` arm takes the rest");
  if (is_invalid(subject) || !usable) return invalid(n.loc);
  Type result = used ? join(values, expected) : t.void_type();
  if (!result) return invalid(n.loc);
  if (!is(result, TypeKind::Void))
    for (MatchArm& arm : arms)
      if (!fit_arm(arm.value, result)) return invalid(n.loc);
  return c.make(Match{subject, c.span(arms)}, n.loc, result);
}

}  // namespace ksc

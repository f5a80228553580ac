// SPDX-License-Identifier: Apache-2.0
#include "frontend/diagnostics.h"

#include <algorithm>
#include <cctype>

namespace ksc {

Diagnostic& Diagnostics::add(Diagnostic diagnostic) {
  if (diagnostic.loc && !seen_.emplace(diagnostic.loc.index, diagnostic.id).second)
    return dropped_ = std::move(diagnostic);
  errors_ += diagnostic.severity == Severity::error;
  return all_.emplace_back(std::move(diagnostic));
}

void Diagnostics::keep_first(size_t count) {
  while (all_.size() > count) {
    const Diagnostic& last = all_.back();
    if (last.loc) seen_.erase({last.loc.index, last.id});
    errors_ -= last.severity == Severity::error;
    all_.pop_back();
  }
}

bool Diagnostics::has(diag::Id id) const {
  return std::any_of(all_.begin(), all_.end(), [&](const Diagnostic& d) { return d.id == id; });
}

namespace {

/// How many letters must be added, dropped, changed or swapped with their neighbour; case counts half a change.
size_t edit_distance(std::string_view a, std::string_view b) {
  const size_t change = 2;
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j * change;
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i * change;
    for (size_t j = 1; j <= b.size(); ++j) {
      const char x = a[i - 1], y = b[j - 1];
      const bool same_letter =
          std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
      const size_t cost = x == y ? 0 : same_letter ? 1 : change;
      current[j] = std::min({last[j] + change, current[j - 1] + change, last[j - 1] + cost});
      if (i > 1 && j > 1 && x == b[j - 2] && a[i - 2] == y) current[j] = std::min(current[j], before[j - 2] + change);
    }
    std::swap(before, last);
    std::swap(last, current);
  }
  const auto same_letter = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  };
  // Words that differ in case only are as close as can be.
  if (std::equal(a.begin(), a.end(), b.begin(), b.end(), same_letter)) return a == b ? 0 : 1;
  return last[b.size()];
}

}  // namespace

std::string_view closest_word(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view best;
  // A third of the letters may differ, and at least one.
  size_t limit = word.size() < 2 ? 2 : 2 * std::max<size_t>(1, word.size() / 3) + 1;  // of one letter, its case
  for (std::string_view candidate : known) {
    const size_t difference =
        candidate.size() > word.size() ? candidate.size() - word.size() : word.size() - candidate.size();
    if (candidate.empty() || difference * 2 >= limit) continue;
    const size_t distance = edit_distance(word, candidate);
    if (distance < limit || (distance == limit && !best.empty() && candidate < best)) {
      // Equal distances are decided by the alphabet, so that the order of `known` does not matter.
      limit = distance;
      best = candidate;
    }
  }
  if (!best.empty() || word.size() < 3) return best;
  // What is cut short: `proto` of `protocol`.
  for (std::string_view candidate : known) {
    if (!candidate.starts_with(word)) continue;
    if (!best.empty()) return {};
    best = candidate;
  }
  return best;
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include "ir/name.h"

namespace ksc {
namespace {

/// `x.12` without its `.12`; a text without such an ending is its own spelling.
std::string_view spelling_of(std::string_view text) {
  size_t end = text.size();
  while (end > 0 && text[end - 1] >= '0' && text[end - 1] <= '9') --end;
  const bool numbered = end > 1 && end < text.size() && text[end - 1] == '.';
  return numbered ? text.substr(0, end - 1) : text;
}

}  // namespace

Name Names::intern(std::string_view text) {
  if (auto found = records_.find(text); found != records_.end()) return Name(found->second);
  const Span<char> copy = arena_.span(text.data(), text.size());
  const std::string_view kept(copy.begin(), copy.size());
  const auto* record = arena_.make<Name::Record>(kept, spelling_of(kept), static_cast<uint32_t>(records_.size()));
  records_.emplace(kept, record);
  return Name(record);
}

Name Names::fresh(std::string_view hint) {
  const Name base = intern(spelling_of(hint));
  uint32_t& next = next_[base.text()];
  std::string text;
  do {
    text = std::string(base.text()) + "." + std::to_string(++next);
  } while (records_.count(text) != 0);
  return intern(text);
}

}  // namespace ksc

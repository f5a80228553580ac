// SPDX-License-Identifier: Apache-2.0
#include "ir/name.h"

namespace ksc {
namespace {

/// Where the `.12` or `#12` of a text begins; its end if it has none.
size_t number_at(std::string_view text) {
  size_t end = text.size();
  while (end > 0 && text[end - 1] >= '0' && text[end - 1] <= '9') --end;
  const bool numbered = end > 1 && end < text.size() && (text[end - 1] == '.' || text[end - 1] == '#');
  return numbered ? end - 1 : text.size();
}

}  // namespace

Name Names::intern(std::string_view text) {
  if (auto found = records_.find(text); found != records_.end()) return Name(found->second);
  const Span<char> copy = arena_.span(text.data(), text.size());
  const std::string_view kept(copy.begin(), copy.size());
  const size_t number = number_at(kept);
  const auto* record =
      arena_.make<Name::Record>(kept, kept.substr(0, number), number < kept.size() && kept[number] == '.',
                                static_cast<uint32_t>(records_.size()));
  records_.emplace(kept, record);
  return Name(record);
}

Name Names::unused(std::string_view text) { return records_.count(text) != 0 ? fresh(text) : intern(text); }

Name Names::numbered(std::string_view like, char mark) {
  const Name base = intern(like.substr(0, number_at(like)));
  uint32_t& next = next_[base.text()];
  std::string number;
  const auto taken = [&](char one) { return records_.count(std::string(base.text()) + one + number) != 0; };
  do {
    number = std::to_string(++next);
  } while (taken('.') || taken('#'));
  return intern(std::string(base.text()) + mark + number);
}

std::string word_of(Name name) {
  std::string text(name.text());
  for (char& c : text)
    if (c == '.' || c == '#') c = '_';
  return text;
}

}  // namespace ksc

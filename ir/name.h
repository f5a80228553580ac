// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ir/arena.h"

namespace ksc {

/// An interned string of one compilation: two names are equal when their pointers are.
/// After resolve_names a name is also a symbol: `x` is unique, and the developer's second `x` is called `x#1`. What the
/// compiler adds, with `x` for its hint, is called `x.1`. The spelling of all of them is `x`.
class Name {
 public:
  Name() = default;
  std::string_view text() const { return record_ ? record_->text : std::string_view(); }
  /// What the developer wrote, or the hint of a generated name: the text without the `#N` or `.N` that made it unique.
  std::string_view spelling() const { return record_ ? record_->spelling : std::string_view(); }
  /// Whether the compiler made the symbol: the developer's are kept, for the one who reads the C.
  bool is_generated() const { return record_ && record_->is_generated; }
  explicit operator bool() const { return record_ != nullptr; }
  bool operator==(const Name& other) const { return record_ == other.record_; }
  bool operator==(std::string_view other) const { return text() == other; }

  struct Record {
    std::string_view text, spelling;
    bool is_generated;
    uint32_t number;  // how many names were made before it
  };
  const Record* record() const { return record_; }

 private:
  friend class Names;
  explicit Name(const Record* record) : record_(record) {}
  const Record* record_ = nullptr;
};

/// Whether it stands for a name that could not be read, which may have been any.
inline bool is_unreadable(Name name) { return name.text().empty() || name.text().front() == '#'; }

/// The text as one word: `x_1` for `x#1` and for `x.1`, which are never both there.
std::string word_of(Name name);

/// Orders names by their text, so that nothing depends on where they lie in memory: where somebody walks over them.
struct ByText {
  bool operator()(const Name& a, const Name& b) const { return a.text() < b.text(); }
};

/// The names of one compilation.
class Names {
 public:
  explicit Names(Arena& arena) : arena_(arena) {}
  /// The name with this text.
  Name intern(std::string_view text);
  /// A generated name with the spelling of `hint` that no other name has: `hint.1`, `hint.2`, …
  Name fresh(std::string_view hint) { return numbered(hint, '.'); }
  /// The name with this text if nothing has it yet, else a generated one.
  Name unused(std::string_view text);
  /// The symbol of something else that the developer called by the same word: `word#1`, `word#2`, …
  Name another(std::string_view word) { return numbered(word, '#'); }
  /// For a declaration whose own name cannot be read: no other has it.
  Name unreadable() { return numbered("", '#'); }

 private:
  Name numbered(std::string_view like, char mark);
  Arena& arena_;
  std::unordered_map<std::string_view, const Name::Record*> records_;
  std::unordered_map<std::string_view, uint32_t> next_;  // per spelling, where to look for a free number
};

}  // namespace ksc

template <>
struct std::hash<ksc::Name> {
  size_t operator()(const ksc::Name& name) const { return std::hash<const void*>()(name.record()); }
};

namespace ksc {

/// Names without an order, for what is asked and never walked over.
using NameSet = std::unordered_set<Name>;
template <class Value>
using NameMap = std::unordered_map<Name, Value>;

/// A value for each name, all of them default at first. It takes room for every name of the compilation: for what asks
/// for most of them.
template <class Value>
class NameTable {
 public:
  Value& operator[](Name name) {
    const size_t number = name.record()->number;
    if (number >= values_.size()) values_.resize(number + number / 2 + 64);
    return values_[number];
  }
  /// The value; a default one where none was set.
  Value at(Name name) const {
    return name && name.record()->number < values_.size() ? values_[name.record()->number] : Value();
  }

 private:
  std::vector<Value> values_;
};

}  // namespace ksc

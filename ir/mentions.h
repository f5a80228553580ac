// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <set>
#include <vector>

#include "ir/children.h"
#include "ir/name.h"
#include "ir/types.h"

namespace ksc {

/// What declarations mention: every name in every form, and the complete structs and enums, each behind those that it
/// consists of.
class Mentions {
 public:
  void add(const Decl& d) { field(d); }

  const std::vector<Type>& types() const { return types_; }
  /// Whether the name is mentioned, by itself or as in `bpf_htons(NAME)`.
  bool has(Name name) const { return names_.count(name) || within_.count(name.text()); }
  bool has(Type type) const { return seen_.count(type); }

 private:
  void meet(Type t) {
    if (!t || !seen_.emplace(t, true).second) return;
    meet(t->element);
    meet(t->key);
    for (Type p : t->parameters) meet(p);
    if (!t->body) return;
    for (const StructField& f : t->body->fields) meet(f.type);
    meet(t->body->signature);
    if (t->body->complete) types_.push_back(t);
  }
  template <class T>
  void field(const T& value) {
    if constexpr (SumField<T>) {
      boost::variant2::visit([&](const auto& ref) { meet((*ref).type), form((*ref).form); }, value);
    } else if constexpr (std::same_as<T, Body>) {
      for (const Stmt& s : value.statements) field(s);
    } else if constexpr (is_span<T>) {
      for (const auto& v : value) field(v);
    } else if constexpr (is_option<T>) {
      if (value) field(*value);
    } else if constexpr (Record<T>) {
      form(value);
    } else if constexpr (std::same_as<T, Type>) {
      meet(value);
    } else if constexpr (std::same_as<T, Name>) {
      names_.insert(value);
      const std::string_view text = value.text();
      if (const size_t open = text.find('('); open != text.npos && text.ends_with(')'))
        within_.insert(text.substr(open + 1, text.size() - open - 2));
    }
  }
  template <class F>
  void form(const F& f) {
    f.with_fields([&](const auto&... fields) { (field(fields), ...); });
  }

  std::vector<Type> types_;
  std::map<Type, bool> seen_;
  NameSet names_;
  std::set<std::string_view> within_;
};

}  // namespace ksc

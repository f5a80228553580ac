// SPDX-License-Identifier: Apache-2.0
#include "ir/check_user.h"

#include <fmt/format.h>

#include "ir/children.h"
#include "ir/places.h"

namespace ksc {
namespace {

class UserCheck {
 public:
  UserCheck(const FunctionDef& function, const Lang& lang, const CheckReport& report) : lang_(lang), report_(report) {
    for (const Stmt& s : function.body.statements) statement(s);
    for (Name name : lookups_)
      if (uses_[name] == asked_[name])
        report(fmt::format("the entry `{}` is copied only to see whether it is there", name.text()));
  }

 private:
  /// References have become pointers to copies, but for those that lower_user_maps reads in place.
  bool are_copied() const { return lang_.rules.has(Rule::UserEntriesCopied); }

  void statement(const Stmt& s) {
    const auto* let = as<Let>(s);
    if (let && let->form.value && as<MapLookup>(*let->form.value)) lookups_.push_back(let->form.name);
    const auto* assign = as<Assign>(s);
    if (assign && are_copied() && lang_.has(Kind::MapLookup) && refers_to_entry(assign->form.place))
      report_("an entry is written by a reference");
    each_child_of(
        s, [&](const Expr& e) { expression(e); }, [&](const Stmt& t) { statement(t); });
  }
  void expression(const Expr& e) {
    reference(e);
    if (const auto* local = as<Local>(e)) ++uses_[local->form.name];
    if (const auto* present = as<Present>(e))
      if (const auto* local = as<Local>(present->form.value)) ++asked_[local->form.name];
    each_child_of(
        e, [&](const Expr& child) { expression(child); }, [&](const Stmt& s) { statement(s); });
  }
  /// A reference that is read in place, where it is declared and where it is read; lower_user_maps makes a copy of it.
  void reference(const Expr& e) {
    const bool is_plain = as<Local>(e) || as<MapLookup>(e) || as<MapCall>(e);
    if (are_copied() && lang_.has(Kind::MapLookup) && is(type_of(e), TypeKind::EntryRef) && !is_plain)
      report_("a reference to an entry is no pointer to a copy");
  }
  /// Whether what is written is a reference, or lies behind one.
  static bool refers_to_entry(const Expr& place) {
    const auto* pointed = as<Deref>(root_of(place));
    return is(type_of(pointed ? pointed->form.pointer : place), TypeKind::EntryRef);
  }

  const Lang& lang_;
  const CheckReport& report_;
  std::vector<Name> lookups_;  // the variables that entries are looked up for
  NameMap<int> uses_, asked_;  // how often variables are named, and how often only to be asked for presence
};

}  // namespace

void check_user(const FunctionDef& function, const Lang& lang, const CheckReport& report) {
  UserCheck(function, lang, report);
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include "ir/unread_variables.h"

#include <vector>

#include "ir/children.h"
#include "ir/effects.h"
#include "ir/visit.h"

namespace ksc {
namespace {

class Uses {
 public:
  void look_at(const Stmt& s) {
    // Support code may do more than read.
    const auto* let = as<Let>(s);
    if (let && (!let->form.value ||
                (only_reads(*let->form.value) && !header(*let->form.value).contains.has(Kind::RuntimeCall))))
      candidates_.push_back(&let->form);
    each_child_of(
        s, [&](const Expr& e) { count(e, 1); }, [&](const Stmt& t) { look_at(t); });
  }
  NameSet unread() {
    NameSet found;
    for (size_t before = found.size() + 1; before != found.size();) {
      before = found.size();
      // A value mentions what is declared before it.
      for (auto let = candidates_.rbegin(); let != candidates_.rend(); ++let) {
        if (mentions_[(*let)->name] != 0 || !found.insert((*let)->name).second) continue;
        if ((*let)->value) count(*(*let)->value, -1);
      }
    }
    return found;
  }

 private:
  void count(const Expr& e, int times) {
    if (const auto* local = as<Local>(e)) mentions_[local->form.name] += times;
    each_child_of(
        e, [&](const Expr& child) { count(child, times); }, [&](const Stmt& s) { look_at(s); });
  }

  std::vector<const Let*> candidates_;
  NameMap<int> mentions_;
};

}  // namespace

NameSet unread_variables(const Body& body) {
  Uses uses;
  for (const Stmt& s : body.statements) uses.look_at(s);
  return uses.unread();
}

}  // namespace ksc

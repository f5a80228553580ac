// SPDX-License-Identifier: Apache-2.0
#include "ir/only_tested.h"

#include "ir/children.h"

namespace ksc {
namespace {

bool may_be_no_entry(Type type) {
  return type->nullable && (is(type, TypeKind::EntryRef) || points_into(type, Space::MapValue));
}

class Reads {
 public:
  void look_at(const Expr& e) {
    if (const auto* present = as<Present>(e))
      if (const auto* local = as<Local>(present->form.value)) {
        if (may_be_no_entry(local->type)) tested.insert(local->form.name);
        return;
      }
    if (const auto* local = as<Local>(e)) read.insert(local->form.name);
    each_child_of(
        e, [&](const Expr& child) { look_at(child); }, [&](const Stmt& s) { look_at(s); });
  }
  void look_at(const Stmt& s) {
    if (const auto* assign = as<Assign>(s); assign && as<Local>(assign->form.place)) return look_at(assign->form.value);
    each_child_of(
        s, [&](const Expr& e) { look_at(e); }, [&](const Stmt& t) { look_at(t); });
  }

  std::set<Name, ByText> tested, read;
};

}  // namespace

std::set<Name, ByText> only_tested(const Body& body) {
  Reads reads;
  for (const Stmt& s : body.statements) reads.look_at(s);
  std::erase_if(reads.tested, [&](Name name) { return reads.read.count(name) != 0; });
  return reads.tested;
}

}  // namespace ksc

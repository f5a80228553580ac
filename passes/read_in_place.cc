// SPDX-License-Identifier: Apache-2.0
#include "passes/read_in_place.h"

#include "ir/children.h"
#include "ir/effects.h"
#include "passes/entry_reading.h"

namespace ksc {

Name base_pointer(const Expr& place) {
  if (const auto* field = as<Field>(place)) return base_pointer(field->form.base);
  if (const auto* index = as<Index>(place)) return base_pointer(index->form.base);
  const auto* deref = as<Deref>(place);
  const auto* local = deref ? as<Local>(deref->form.pointer) : nullptr;
  return local ? local->form.name : Name{};
}

Name read_in_place(const Expr& e) {
  const auto* choice = as<Conditional>(e);
  const auto* present = choice ? as<Present>(choice->form.condition) : nullptr;
  const auto* local = present ? as<Local>(present->form.value) : nullptr;
  if (!local || base_pointer(choice->form.then) != local->form.name) return {};
  const auto* number = as<Int>(choice->form.otherwise);
  const bool zero = number ? number->form.value.value == 0 : as<Zero>(choice->form.otherwise) != nullptr;
  return zero ? local->form.name : Name{};
}

ReadInPlace::ReadInPlace(const Program& program) {
  for (const Decl& d : program)
    if (const auto* f = as<FunctionDef>(d)) {
      const auto changed = changed_locals(f->form.body);
      changed_.insert(changed.begin(), changed.end());
      for (const Stmt& s : f->form.body.statements) count(s);
    }
}

bool ReadInPlace::has(Name pointer) const {
  auto reads = reads_.find(pointer);
  // Each read names the pointer twice: in the test and in the place.
  return lookups_.count(pointer) && reads != reads_.end() && uses_.at(pointer) == 2 * reads->second &&
         !changed_.count(pointer);
}

void ReadInPlace::count(const Stmt& s) {
  if (const auto* let = as<Let>(s); let && let->form.value && entry_reading(*let->form.value))
    lookups_.insert(let->form.name);
  each_child_of(
      s, [&](const Expr& e) { count(e); }, [&](const Stmt& t) { count(t); });
}

void ReadInPlace::count(const Expr& e) {
  if (const auto* local = as<Local>(e)) ++uses_[local->form.name];
  if (const Name pointer = read_in_place(e)) ++reads_[pointer];
  each_child_of(
      e, [&](const Expr& child) { count(child); }, [&](const Stmt& s) { count(s); });
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "ir/children.h"
#include "ir/visit.h"

namespace ksc {

/// Where C compilers could make one address of a truth and two places, or of a truth and one [PlacesApart].

/// Something in memory, as a whole.
inline bool is_place(const Expr& e) {
  if (const auto* converted = as<Convert>(e)) return is_place(converted->form.value);
  return as<Field>(e) || as<Index>(e) || as<Deref>(e) || as<Global>(e);
}
/// A truth that was read, or made of one; not one that a comparison made just now.
inline bool is_kept_truth(const Expr& e) {
  if (const auto* negation = as<Not>(e)) return is_kept_truth(negation->form.value);
  if (const auto* both = as<And>(e)) return is_kept_truth(both->form.left) || is_kept_truth(both->form.right);
  if (const auto* either = as<Or>(e)) return is_kept_truth(either->form.left) || is_kept_truth(either->form.right);
  return is_place(e) || as<Local>(e);
}
/// Whether the truth is a variable, or that it does not hold.
inline bool is_about(const Expr& truth, Name variable) {
  if (const auto* negation = as<Not>(truth)) return is_about(negation->form.value, variable);
  const auto* local = as<Local>(truth);
  return local && local->form.name == variable;
}
/// A place, or the address of one.
inline bool leads_to_place(const Expr& e) { return is_place(e) || (is(type_of(e), TypeKind::Pointer) && !as<Null>(e)); }
/// Whether the verifier need not learn from the truth what may be followed.
inline bool is_about_numbers(const Expr& truth) {
  constexpr FormSet tests = form_set_of<Present, InPacket>();
  return !as<RuntimeCall>(truth) && (header(truth).contains & tests).empty();
}
/// Whether a place, or a pointer, is chosen: of a pointer and null, by what needs no more than one bit (-bit & p).
inline bool chooses_place_by_truth(const Conditional& n) {
  if (is(type_of(n.then), TypeKind::Pointer) && (as<Null>(n.then) || as<Null>(n.otherwise)))
    return is_about_numbers(n.condition);
  return is_kept_truth(n.condition) && leads_to_place(n.then) && leads_to_place(n.otherwise);
}

/// Whether the last statement reads or writes a place.
inline bool ends_with_place(const Body& body) {
  constexpr FormSet places = form_set_of<Field, Index, Deref>();
  const size_t count = body.statements.size();
  return count != 0 && !(header(body.statements[count - 1]).contains & places).empty();
}
/// Whether what follows the branch ends alike: by giving a variable what it had before, or by another return.
inline bool may_meet_what_follows(const Branch& branch) {
  if (!ends_with_place(branch.body)) return false;
  const Span<Stmt> all = branch.body.statements;
  const auto* assign = as<Assign>(all[all.size() - 1]);
  if (!assign) return as<Return>(all[all.size() - 1]);
  // Before, the truth itself was known. What the compiler named may become a part of the last statement.
  const auto* variable = as<Local>(assign->form.place);
  return !(variable && is_about(branch.condition, variable->form.name)) &&
         std::all_of(all.begin(), all.end() - 1, [](const Stmt& s) { return as<Let>(s); });
}
/// Whether a body gives variables values, and does nothing else.
inline bool only_assigns(const Body& body) {
  return std::all_of(body.statements.begin(), body.statements.end(), [](const Stmt& s) {
    const auto* assign = as<Assign>(s);
    return as<Let>(s) || (assign && as<Local>(assign->form.place));
  });
}
inline bool assigns_null(const Body& body) {
  return std::any_of(body.statements.begin(), body.statements.end(), [](const Stmt& s) {
    const auto* assign = as<Assign>(s);
    return assign && is(type_of(assign->form.value), TypeKind::Pointer) && as<Null>(assign->form.value);
  });
}
/// Whether the ends of both ways can become one statement, of which a truth chooses the place.
inline bool chooses_place_by_truth(const If& n) {
  if (n.branches.size() != 1) return false;
  const Branch& branch = n.branches[0];
  if ((assigns_null(branch.body) || assigns_null(n.otherwise)) && only_assigns(branch.body) &&
      only_assigns(n.otherwise))
    return is_about_numbers(branch.condition);
  if (!is_kept_truth(branch.condition)) return false;
  return n.otherwise.statements.size() == 0 ? may_meet_what_follows(branch)
                                            : ends_with_place(branch.body) && ends_with_place(n.otherwise);
}

}  // namespace ksc

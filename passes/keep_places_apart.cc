// SPDX-License-Identifier: Apache-2.0
/// b ? p->x : p->y   =>   ks_hide(b) ? p->x : p->y, where b is a truth that was kept; if (b) alike
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PlacesApart>;

constexpr FormSet places = FormSet().with(Kind::Field).with(Kind::Index).with(Kind::Deref);

bool is_place(const Expr& e) {
  if (const auto* convert = as<Convert>(e)) return is_place(convert->form.value);
  return as<Field>(e) || as<Index>(e) || as<Deref>(e) || as<Global>(e);
}
/// A truth that was read, not one that a comparison made just now.
bool is_kept(const Expr& e) {
  if (const auto* negation = as<Not>(e)) return is_kept(negation->form.value);
  return is_place(e) || as<Local>(e);
}

Expr hidden(const Expr& truth, Out& to) {
  return to.make(RuntimeCall{to.context.name("ks_hide"), to.context.span<Expr>({to(truth)})}, loc_of(truth),
                 type_of(truth));
}

/// Whether the last statement reads a place.
bool ends_with_place(const Body& body) {
  const size_t count = body.statements.size();
  return count != 0 && !(header(body.statements[count - 1]).contains & places).empty();
}
/// Whether what follows ends alike: by giving a variable what it had before, or by another return.
bool may_meet_what_follows(const Body& body) {
  if (!ends_with_place(body)) return false;
  const Stmt& last = body.statements[body.statements.size() - 1];
  return as<Return>(last) || (as<Assign>(last) && body.statements.size() == 1);
}
/// Whether the ends of both ways can become one statement.
bool ends_meet(const If& n) {
  if (n.branches.size() != 1 || !is_kept(n.branches[0].condition)) return false;
  const Body& then = n.branches[0].body;
  return n.otherwise.statements.size() == 0 ? may_meet_what_follows(then)
                                            : ends_with_place(then) && ends_with_place(n.otherwise);
}

}  // namespace

// C compilers know that a kept truth is 0 or 1, and compute one address from it, p + b * 8. The verifier knows of a
// byte only that it is less than 256.
Ir<lang::PlacesApart> keep_places_apart(const Ir<lang::ResultsCleared>& in, Context& context) {
  return rewrite<lang::ResultsCleared, lang::PlacesApart>(
      in, context, on<Conditional>([](const Node<Conditional>& n, Out& to) -> Expr {
        const bool hides = is_kept(n->condition) && is_place(n->then) && is_place(n->otherwise);
        const Expr condition = hides ? hidden(n->condition, to) : to(n->condition), then = to(n->then);
        return to.make(Conditional{condition, then, to(n->otherwise)}, n.loc, n.type);
      }),
      on<If>([](const Node<If>& n, Out& to) {
        std::vector<Branch> branches;
        for (const Branch& branch : n->branches)
          branches.push_back(
              {ends_meet(n.form) ? hidden(branch.condition, to) : to(branch.condition), to(branch.body)});
        to.emit(If{to.context.span(branches), to(n->otherwise)}, n.loc);
      }));
}

}  // namespace ksc

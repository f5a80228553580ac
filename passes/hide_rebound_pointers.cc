// SPDX-License-Identifier: Apache-2.0
/// if (!p) { p = &v } … p->f   =>   if (!p) { p = &v } barrier_var(p); … p->f
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ReboundPointersHidden>;

/// Whether the value is the address of something, or what has just been declared as one.
bool is_address(Expr given, const NameMap<bool>& declared) {
  while (const auto* converted = as<Convert>(given)) given = converted->form.value;
  const auto* local = as<Local>(given);
  const auto found = local ? declared.find(local->form.name) : declared.end();
  return as<AddressOf>(given) || (found != declared.end() && found->second);
}

/// The pointers, which may be null, that branches give something else, and what is declared in these: whether as an
/// address, of which fold_temporaries may make the value itself.
void collect(const Stmt& s, std::vector<Expr>& rebound, NameMap<bool>& declared) {
  if (const auto* let = as<Let>(s))
    declared[let->form.name] = let->form.value && is_address(*let->form.value, declared);
  if (const auto* assign = as<Assign>(s)) {
    const auto* local = as<Local>(assign->form.place);
    const bool may_be_null =
        local && (is(local->type, TypeKind::Pointer) || is(local->type, TypeKind::EntryRef)) && local->type->nullable;
    if (may_be_null && is_address(assign->form.value, declared) &&
        std::none_of(rebound.begin(), rebound.end(),
                     [&](const Expr& known) { return as<Local>(known)->form.name == local->form.name; }))
      rebound.push_back(assign->form.place);
  }
  each_child_of(
      s, [](const Expr&) {}, [&](const Stmt& t) { collect(t, rebound, declared); });
}

}  // namespace

// clang 14 computes where a member is before the branch, for a pointer that the branch will replace if it is null; the
// verifier refuses to add to what may be null.
Ir<lang::ReboundPointersHidden> hide_rebound_pointers(const Ir<lang::PlacesApart>& in, Context& context) {
  return rewrite<lang::PlacesApart, lang::ReboundPointersHidden>(
      in, context, on<If>([&](const Node<If>& n, Out& to) {
        to.emit_statement(to.rebuild(n));
        std::vector<Expr> rebound;
        NameMap<bool> declared;
        each_body_of(Stmt(Ref<If>{&n}), [&](const Body& b) {
          for (const Stmt& s : b.statements) collect(s, rebound, declared);
        });
        for (const Expr& pointer : rebound)
          if (!declared.count(as<Local>(pointer)->form.name))
            to.emit(Evaluate{to.make(RuntimeCall{to.context.name("barrier_var"), to.context.span<Expr>({to(pointer)})},
                                     n.loc, to.context.types.void_type())},
                    n.loc);
      }));
}

}  // namespace ksc

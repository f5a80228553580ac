// SPDX-License-Identifier: Apache-2.0
/// p.a = p.b   =>   ks_store(p.a, ks_load(p.b)), where p leads to what `new` has given
// Of accesses to neighbours, or on several ways, C compilers make one to both, or to an address that the way chose; the
// verifier wants each to lie in one member, a constant distance behind the pointer. Inline assembly stays as it is.
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ObjectAccessesApart>;

bool is_number_of_object(const Expr& e) { return is_scalar(type_of(e)) && is_in_object(e); }

}  // namespace

Ir<lang::ObjectAccessesApart> keep_object_accesses_apart(const Ir<lang::Folded>& in, Context& context) {
  const auto read = [](const auto& n, Out& to) -> Expr {
    const Expr e = Ref<std::remove_cvref_t<decltype(n.form)>>{&n};
    if (!is_number_of_object(e)) return to.rebuild(n);
    return to.make(RuntimeCall{to.context.name("ks_load"), to.context.span<Expr>({to.rebuild(n)})}, n.loc, n.type);
  };
  return rewrite<lang::Folded, lang::ObjectAccessesApart>(
      in, context, on<Assign>([](const Node<Assign>& n, Out& to) {
        if (!is_number_of_object(n->place)) return to.emit_statement(to.rebuild(n));
        const auto arguments = to.context.span<Expr>({n->place, to(n->value)});
        to.emit(
            Evaluate{to.make(RuntimeCall{to.context.name("ks_store"), arguments}, n.loc, to.context.types.void_type())},
            n.loc);
      }),
      on<AddressOf>([](const Node<AddressOf>& n, Out& to) -> Expr {
        return is_number_of_object(n->place) ? Expr(Ref<AddressOf>{&n}) : to.rebuild(n);
      }),
      on<Deref>(read), on<Field>(read), on<Index>(read));
}

}  // namespace ksc

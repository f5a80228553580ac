// SPDX-License-Identifier: Apache-2.0
/// var p = &m[k]; … present p   =>   var p = m.contains_key(k); … p, where nothing else is asked of p
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PresenceAsked>;

/// How often names are used, and how often only to be asked for presence.
struct TestedUses {
  NameMap<int> all, asked;

  void count(const Stmt& s) {
    each_child_of(
        s, [&](const Expr& e) { count(e); }, [&](const Stmt& t) { count(t); });
  }
  void count(const Expr& e) {
    if (const auto* local = as<Local>(e)) ++all[local->form.name];
    if (const auto* present = as<Present>(e))
      if (const auto* local = as<Local>(present->form.value)) ++asked[local->form.name];
    each_child_of(
        e, [&](const Expr& child) { count(child); }, [&](const Stmt& s) { count(s); });
  }
};

}  // namespace

// In userspace a pointer to an entry costs a copy of it.
Ir<lang::PresenceAsked> ask_for_presence(const Ir<lang::OptionsDeclared>& in, Context& context) {
  TestedUses uses;
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) uses.count(s);
  NameSet answers;  // the variables that have become bools
  return rewrite<lang::OptionsDeclared, lang::PresenceAsked>(
      in, context, on<Let>([&](const Node<Let>& n, Out& to) {
        const auto* lookup = n->value ? as<MapLookup>(*n->value) : nullptr;
        if (!lookup || uses.all[n->name] != uses.asked[n->name]) return to.emit_statement(to.rebuild(n));
        Types& types = to.context.types;
        answers.insert(n->name);
        const Expr key = to(lookup->form.key);
        to.emit(Let{n->name, types.boolean(),
                    to.make(MapCall{lookup->form.map, to.context.name("contains_key"), to.context.span<Expr>({key})},
                            n.loc, types.boolean())},
                n.loc);
      }),
      on<Present>([&](const Node<Present>& n, Out& to) -> Expr {
        const auto* local = as<Local>(n->value);
        if (!local || !answers.count(local->form.name)) return to.rebuild(n);
        return to.make(Local{local->form.name}, n.loc, n.type);
      }));
}

}  // namespace ksc

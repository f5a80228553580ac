// SPDX-License-Identifier: Apache-2.0
/// attempt error { ks_map_update_or_exit(m, k, v) }   =>   error = ks_map_update_or_throw(m, k, v)
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NoAttempt>;
constexpr std::string_view exits = "_or_exit";

/// The name of the function that gives why it failed, where the one of this name ends the program. None for others.
std::string giving(Name function) {
  const std::string_view name = function.text();
  if (name == "load") return "load_or_throw";
  if (!name.ends_with(exits)) return {};
  return std::string(name.substr(0, name.size() - exits.size())) + "_or_throw";
}

}  // namespace

Ir<lang::NoAttempt> lower_attempts(const Ir<lang::UserMaps>& in, Context& context) {
  Option<Expr> error;     // of the attempt at work
  bool may_have = false;  // something in it may have failed already
  return rewrite<lang::UserMaps, lang::NoAttempt>(
      in, context, on<Attempt>([&](const Node<Attempt>& n, Out& to) {
        error = n->error;
        may_have = false;
        to.emit(to(n->body));
        error = {};
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        const auto* support = as<RuntimeCall>(n->value);
        const auto* builtin = as<BuiltinCall>(n->value);
        const std::string name = !error    ? std::string()
                                 : support ? giving(support->form.function)
                                 : builtin ? giving(builtin->form.function)
                                           : std::string();
        if (name.empty()) return to.emit(Evaluate{to(n->value)}, n.loc);
        Types& types = to.context.types;
        const Name function = to.context.name(name);
        const Expr given = support
                               ? Expr(to.make(RuntimeCall{function, to(support->form.arguments)}, n.loc, types.i32()))
                               : Expr(to.make(BuiltinCall{function, to(builtin->form.arguments)}, n.loc, types.i32()));
        // The first failure is the one to throw, and nothing is written after it.
        if (!std::exchange(may_have, true)) return to.emit(Assign{*error, given}, n.loc);
        const Expr none = to.make(Int{{0}, {}}, n.loc, types.i32());
        const Expr well = to.make(Compare{CompareOp::Equal, *error, none}, n.loc, types.boolean());
        const Body go_on = to.collect([&] { to.emit(Assign{*error, given}, n.loc); });
        to.emit(If{to.context.span<Branch>({{well, go_on}}), {}}, n.loc);
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// if (at + 1 > data_end) …   =>   barrier_var(at); if (at + 1 > data_end) …, in a loop
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PacketTestsApart>;

/// The first variable that an expression mentions: what the tested address is computed from.
Option<Expr> first_local(const Expr& e) {
  if (as<Local>(e)) return e;
  Option<Expr> found;
  each_child_of(
      e,
      [&](const Expr& child) {
        if (!found) found = first_local(child);
      },
      [](const Stmt&) {});
  return found;
}

void hide_tested(const Expr& e, Out& to) {
  if (const auto* test = as<InPacket>(e)) {
    const Option<Expr> tested = first_local(test->form.pointer);
    if (tested)
      to.emit(Evaluate{to.make(RuntimeCall{to.context.name("barrier_var"), to.context.span<Expr>({*tested})}, test->loc,
                               to.context.types.void_type())},
              test->loc);
    return;
  }
  each_child_of(
      e, [&](const Expr& child) { hide_tested(child, to); }, [](const Stmt&) {});
}

}  // namespace

// All turns' tests fail alike and the loads behind them can wait. So C compilers that unroll the loop compute the tests
// of all turns first, and combine their answers; the verifier follows each answer both ways: 2 to the power of the
// turns.
Ir<lang::PacketTestsApart> keep_packet_tests_apart(const Ir<lang::OffsetsBounded>& in, Context& context) {
  int loops = 0;
  return rewrite<lang::OffsetsBounded, lang::PacketTestsApart>(
      in, context, on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        CountedLoop form = n.form;
        ++loops;
        form.body = to(form.body);
        --loops;
        to.emit(form, n.loc);
      }),
      on<If>([&](const Node<If>& n, Out& to) {
        if (loops > 0)
          for (const Branch& branch : n->branches) hide_tested(branch.condition, to);
        to.emit_statement(to.rebuild(n));
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// if (at + 1 > data_end) …   =>   barrier_var(at); if (at + 1 > data_end) …, in a loop
/// p = data + n   =>   p = data + n; barrier_var(p)
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

/// Whether a pointer is computed with a number that varies.
bool is_distant(const Expr& e) {
  if (const auto* converted = as<Convert>(e)) return is_distant(converted->form.value);
  const auto* sum = as<PointerAdd>(e);
  return sum && (!as<Int>(sum->form.count) || is_distant(sum->form.pointer));
}

void hide(const Expr& pointer, Loc loc, Out& to) {
  to.emit(Evaluate{to.make(RuntimeCall{to.context.name("barrier_var"), to.context.span<Expr>({pointer})}, loc,
                           to.context.types.void_type())},
          loc);
}

void hide_tested(const Expr& e, Out& to) {
  if (const auto* test = as<InPacket>(e)) {
    if (const Option<Expr> tested = first_local(test->form.pointer)) hide(*tested, test->loc, to);
    return;
  }
  each_child_of(
      e, [&](const Expr& child) { hide_tested(child, to); }, [](const Stmt&) {});
}

void hide_distant(const Expr& local, const Expr& value, Loc loc, Out& to) {
  Type type = type_of(local);
  if (is(type, TypeKind::Pointer) && type->space == Space::Packet && is_distant(value)) hide(local, loc, to);
}

}  // namespace

// All turns' tests fail alike and the loads behind them can wait. So C compilers that unroll the loop compute the tests
// of all turns first, and combine their answers; the verifier follows each answer both ways: 2 to the power of the
// turns. And what lies behind a sum of a pointer and a number they reach by a sum of their own, `(data + 3) + n`; to
// the verifier that is another pointer, which no test has looked at.
Ir<lang::PacketTestsApart> keep_packet_tests_apart(const Ir<lang::TurnPointersDetached>& in, Context& context) {
  int loops = 0;
  return rewrite<lang::TurnPointersDetached, lang::PacketTestsApart>(
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
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        to.emit_statement(to.rebuild(n));
        if (n->value) hide_distant(to.make(Local{n->name}, n.loc, n->type), *n->value, n.loc, to);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        to.emit_statement(to.rebuild(n));
        if (as<Local>(n->place)) hide_distant(n->place, n->value, n.loc, to);
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// if (at + 1 > data_end) …   =>   barrier_var(at); if (at + 1 > data_end) …, in a loop, or where at is a distance that
/// varies from what it was computed from
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

/// The packet pointers that were computed with a number that varies, and those computed from them.
class DistantPointers {
 public:
  void note(Name name, Type type, const Expr& value) {
    if (is(type, TypeKind::Pointer) && type->space == Space::Packet && is_distant(value)) names_.insert(name);
  }
  bool has(const Expr& local) const { return names_.count(as<Local>(local)->form.name) != 0; }

 private:
  bool is_distant(const Expr& e) const {
    if (const auto* converted = as<Convert>(e)) return is_distant(converted->form.value);
    if (const auto* sum = as<PointerAdd>(e)) return !as<Int>(sum->form.count) || is_distant(sum->form.pointer);
    if (const auto* address = as<AddressOf>(e)) return is_distant(address->form.place);
    if (const auto* pointed = as<Deref>(e)) return is_distant(pointed->form.pointer);
    if (const auto* field = as<Field>(e)) return is_distant(field->form.base);
    return as<Local>(e) && has(e);
  }
  NameSet names_;
};

void hide_tested(const Expr& e, const DistantPointers* distant, Out& to) {
  if (const auto* test = as<InPacket>(e)) {
    const Option<Expr> tested = first_local(test->form.pointer);
    if (tested && (!distant || distant->has(*tested)))
      to.emit(Evaluate{to.make(RuntimeCall{to.context.name("barrier_var"), to.context.span<Expr>({*tested})}, test->loc,
                               to.context.types.void_type())},
              test->loc);
    return;
  }
  each_child_of(
      e, [&](const Expr& child) { hide_tested(child, distant, to); }, [](const Stmt&) {});
}

}  // namespace

// All turns' tests fail alike and the loads behind them can wait. So C compilers that unroll the loop compute the tests
// of all turns first, and combine their answers; the verifier follows each answer both ways: 2 to the power of the
// turns. And what lies behind a sum of a pointer and a number they reach by a sum of their own, in another block; to
// the verifier that is another pointer, which no test has looked at.
Ir<lang::PacketTestsApart> keep_packet_tests_apart(const Ir<lang::OffsetsBounded>& in, Context& context) {
  int loops = 0;
  DistantPointers distant;
  return rewrite<lang::OffsetsBounded, lang::PacketTestsApart>(
      in, context, on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        CountedLoop form = n.form;
        ++loops;
        form.body = to(form.body);
        --loops;
        to.emit(form, n.loc);
      }),
      on<If>([&](const Node<If>& n, Out& to) {
        for (const Branch& branch : n->branches) hide_tested(branch.condition, loops > 0 ? nullptr : &distant, to);
        to.emit_statement(to.rebuild(n));
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        if (n->value) distant.note(n->name, n->type, *n->value);
        to.emit_statement(to.rebuild(n));
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        if (const auto* local = as<Local>(n->place)) distant.note(local->form.name, local->type, n->value);
        to.emit_statement(to.rebuild(n));
      }));
}

}  // namespace ksc

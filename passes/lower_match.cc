// SPDX-License-Identifier: Apache-2.0
/// match (e) { 1 | 2: a, default: b }   =>   switch (e) { case 1, 2: t = a; default: t = b }, and the value is t
#include "ir/effects.h"
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NoMatch>;

/// The arm's statements; its value goes to `result`, if there is one.
Body arm_body(const Expr& value, Name result, Out& to) {
  return to.collect([&] {
    Expr last = value;
    if (const auto* block = as<BlockValue>(value)) {
      to.emit(to(block->form.body));
      if (!block->form.value) return;
      last = *block->form.value;
    }
    last = to(last);
    if (is(type_of(last), TypeKind::Void)) {
      if (const auto* nested = as<BlockValue>(last))
        to.emit(nested->form.body);
      else
        to.emit(Evaluate{last}, loc_of(last));
    } else if (result) {
      to.emit(Assign{to.make(Local{result}, loc_of(last), type_of(last)), last}, loc_of(last));
    } else {
      to.emit(Let{to.fresh("unused"), type_of(last), last}, loc_of(last));
    }
  });
}

/// Emits the branching; each arm's value goes to `result`, if there is one.
void emit_match(const Node<Match>& n, Name result, Out& to) {
  // C's switch has no ranges, compilers warn about one over a bool, and a break in it would leave the switch instead of
  // the loop.
  bool has_ranges = is(type_of(n->subject), TypeKind::Bool) || is(type_of(n->subject), TypeKind::Str);
  for (const MatchArm& arm : n->arms) has_ranges |= header(arm.value).contains.has(Kind::Break);
  for (const MatchArm& arm : n->arms)
    for (const Pattern& p : arm.patterns) has_ranges |= static_cast<bool>(p.high);
  const Expr subject = to(n->subject);
  if (!has_ranges) {
    std::vector<SwitchCase> cases;
    for (const MatchArm& arm : n->arms) {
      std::vector<Expr> values;
      for (const Pattern& p : arm.patterns) values.push_back(p.low);
      cases.push_back({to.context.span(values), arm_body(arm.value, result, to)});
    }
    return to.emit(Switch{subject, to.context.span(cases)}, n.loc);
  }
  Type type = type_of(subject), boolean = to.context.types.boolean();
  // Conditions are evaluated before any arm runs, so a variable may stand for itself.
  // So may the place of a string, which is not copied.
  const bool stays =
      as<Local>(subject) || (is(type, TypeKind::Str) && as<Global>(root_of(subject)) && !has_effect(subject));
  Name chosen;
  if (!stays) to.emit(Let{chosen = to.fresh("subject"), type, subject}, loc_of(subject));
  std::vector<Branch> branches;
  Body otherwise;
  for (const MatchArm& arm : n->arms) {
    Option<Expr> test;
    for (const Pattern& p : arm.patterns) {
      const Loc loc = loc_of(p.low);
      const Expr x = stays ? subject : Expr(to.make(Local{chosen}, loc, type));
      const auto from = [&] { return to.make(Compare{CompareOp::GreaterEqual, x, p.low}, loc, boolean); };
      const auto up_to = [&] { return to.make(Compare{CompareOp::LessEqual, x, *p.high}, loc, boolean); };
      const bool from_zero = !is_signed(type) && as<Int>(p.low) && as<Int>(p.low)->form.value.value == 0;
      const Expr one = !p.high     ? Expr(to.make(Compare{CompareOp::Equal, x, p.low}, loc, boolean))
                       : from_zero ? Expr(up_to())
                                   : Expr(to.make(And{from(), up_to()}, loc, boolean));
      test = test ? Expr(to.make(Or{*test, one}, loc, boolean)) : one;
    }
    const Body body = arm_body(arm.value, result, to);
    if (test)
      branches.push_back({*test, body});
    else
      otherwise = body;
  }
  if (branches.empty()) return to.emit(otherwise);
  to.emit(If{to.context.span(branches), otherwise}, n.loc);
}

}  // namespace

Ir<lang::NoMatch> lower_match(const Ir<lang::ValuesPlaced>& in, Context& context) {
  return rewrite<lang::ValuesPlaced, lang::NoMatch>(in, context, on<Match>([](const Node<Match>& n, Out& to) -> Expr {
                                                      Option<Expr> value;
                                                      const Body statements = to.collect([&] {
                                                        Name result;
                                                        if (!is(n.type, TypeKind::Void)) {
                                                          result = to.fresh("value");
                                                          to.emit(Let{result, n.type, {}}, n.loc);
                                                          value = Expr(to.make(Local{result}, n.loc, n.type));
                                                        }
                                                        emit_match(n, result, to);
                                                      });
                                                      return to.make(BlockValue{statements, value}, n.loc, n.type);
                                                    }),
                                                    on<Evaluate>([](const Node<Evaluate>& n, Out& to) {
                                                      if (const auto* match = as<Match>(n->value))
                                                        return emit_match(*match, {}, to);
                                                      to.emit(Evaluate{to(n->value)}, n.loc);
                                                    }),
                                                    on<Let>([](const Node<Let>& n, Out& to) {
                                                      const auto* match = n->value ? as<Match>(*n->value) : nullptr;
                                                      if (!match)
                                                        return to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
                                                      to.emit(Let{n->name, n->type, {}}, n.loc);
                                                      emit_match(*match, n->name, to);
                                                    }));
}

}  // namespace ksc

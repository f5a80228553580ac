// SPDX-License-Identifier: Apache-2.0
#include "ir/escapes.h"

#include "ir/children.h"
#include "ir/status.h"

namespace ksc {
namespace {

/// What of it the clauses do not take.
Escapes left_by(const Span<CatchClause>& clauses, Escapes escapes) {
  for (const CatchClause& clause : clauses) {
    if (clause.bounds) {
      escapes.bounds.reset();
    } else if (!clause.code) {
      escapes.throws.clear();
    } else if (const auto* code = as<Int>(*clause.code)) {
      escapes.throws.erase(static_cast<int32_t>(code->form.value.value));
    }
  }
  return escapes;
}

}  // namespace

bool Escapes::add(const Escapes& others) {
  bool grew = false;
  for (const auto& [code, origin] : others.throws) grew = throws.emplace(code, origin).second || grew;
  const auto take = [&](std::optional<EscapeOrigin>& mine, const std::optional<EscapeOrigin>& other) {
    if (mine || !other) return;
    mine = other;
    grew = true;
  };
  take(bounds, others.bounds);
  take(panic, others.panic);
  return grew;
}

EscapeAnalysis::EscapeAnalysis(const Program& program, bool are_deferred_throws_told)
    : are_deferred_throws_told_(are_deferred_throws_told) {
  for (bool grew = true; grew;) {
    grew = false;
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d))
        grew = functions_[function->form.name].add(of(function->form.body)) || grew;
  }
}

const Escapes& EscapeAnalysis::of(Name function) const {
  static const Escapes none;
  const auto found = functions_.find(function);
  return found == functions_.end() ? none : found->second;
}

Escapes EscapeAnalysis::of(const Body& body) const {
  Escapes out;
  for (const Stmt& s : body.statements) statement(s, out);
  return out;
}

void EscapeAnalysis::statement(const Stmt& s, Escapes& out) const {
  const EscapeOrigin here{loc_of(s), {}, {}};
  if (const auto* attempt = as<Try>(s)) {
    out.add(left_by(attempt->form.clauses, of(attempt->form.body)));
    for (const CatchClause& clause : attempt->form.clauses) out.add(of(clause.body));
    return;
  }
  if (const auto* last = as<Finally>(s)) {
    out.add(of(last->form.body));
    Escapes of_cleanup = of(last->form.cleanup);
    if (are_deferred_throws_told_) of_cleanup.throws.clear();
    out.add(of_cleanup);
    return;
  }
  if (const auto* given = as<Throw>(s)) {
    const auto* code = as<Int>(given->form.code);
    EscapeOrigin origin = here;
    if (code) origin.constant = code->form.constant;
    out.throws.emplace(code ? Escapes::Code(static_cast<int32_t>(code->form.value.value)) : std::nullopt, origin);
  }
  if (const auto* leave = as<Leave>(s)) {
    std::optional<EscapeOrigin>& origin = leave->form.reason == LeaveReason::Bounds ? out.bounds : out.panic;
    if (!origin) origin = here;
  }
  each_child_of(
      s, [&](const Expr& e) { expression(e, out); }, [&](const Stmt& t) { statement(t, out); });
}

void EscapeAnalysis::expression(const Expr& e, Escapes& out) const {
  if (const auto* call = as<Call>(e)) {
    Escapes given = of(call->form.function);
    const EscapeOrigin here{call->loc, call->form.function, {}};
    for (auto& [code, origin] : given.throws) origin = {call->loc, call->form.function, origin.constant};
    if (given.bounds) given.bounds = here;
    if (given.panic) given.panic = here;
    out.add(given);
  }
  each_child_of(
      e, [&](const Expr& child) { expression(child, out); }, [&](const Stmt& s) { statement(s, out); });
}

}  // namespace ksc

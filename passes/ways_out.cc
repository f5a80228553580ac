// SPDX-License-Identifier: Apache-2.0
#include "passes/ways_out.h"

#include "ir/children.h"

namespace ksc {
namespace {

/// What `leaves` takes for leaving: only what ends the function, or also what ends a turn of the loop around.
enum class Exit { Function, Any };

bool leaves(const Stmt& s, Exit exit);
bool leaves(const Body& body, Exit exit) {
  for (const Stmt& s : body.statements)
    if (leaves(s, exit)) return true;
  return false;
}
bool leaves(const Expr& e, Exit exit) {
  if (const auto* call = as<BuiltinCall>(e)) return call->form.function == "panic" || call->form.function == "exit";
  if (const auto* block = as<BlockValue>(e))
    return leaves(block->form.body, exit) || (block->form.value && leaves(*block->form.value, exit));
  if (const auto* match = as<Match>(e)) {
    for (const MatchArm& arm : match->form.arms)
      if (!leaves(arm.value, exit)) return false;
    return match->form.arms.size() != 0;  // infer_match saw to it that one arm is chosen
  }
  if (const auto* choice = as<IfValue>(e)) {
    for (const ValueBranch& branch : choice->form.branches)
      if (!leaves(branch.value, exit)) return false;
    return leaves(choice->form.otherwise, exit);
  }
  return false;
}

/// A `break` that belongs to this body's loop.
bool breaks(const Body& body) {
  for (const Stmt& s : body.statements) {
    if (!header(s).contains.has(Kind::Break)) continue;
    if (as<Break>(s)) return true;
    if (as<Loop>(s) || as<While>(s) || as<For>(s) || as<MapLoop>(s) || as<CpuLoop>(s)) continue;
    bool found = as<Evaluate>(s) != nullptr;  // a match whose arms break: not looked into
    each_body_of(s, [&](const Body& inner) { found = found || breaks(inner); });
    if (found) return true;
  }
  return false;
}

bool leaves(const Stmt& s, Exit exit) {
  if (as<Return>(s) || as<TailCall>(s) || as<Leave>(s) || as<Throw>(s) || as<Raise>(s)) return true;
  if (as<Break>(s) || as<Continue>(s) || as<Goto>(s)) return exit == Exit::Any;
  if (const auto* attempt = as<Try>(s)) {
    for (const CatchClause& clause : attempt->form.clauses)
      if (!leaves(clause.body, exit)) return false;
    return leaves(attempt->form.body, exit);
  }
  if (const auto* last = as<Finally>(s)) return leaves(last->form.body, exit);
  if (const auto* block = as<Block>(s)) return leaves(block->form.body, exit);
  if (const auto* test = as<If>(s)) {
    for (const Branch& b : test->form.branches)
      if (!leaves(b.body, exit)) return false;
    return leaves(test->form.otherwise, exit);
  }
  if (const auto* test = as<IfPresent>(s)) return leaves(test->form.then, exit) && leaves(test->form.otherwise, exit);
  if (const auto* loop = as<Loop>(s)) return !breaks(loop->form.body);
  if (const auto* loop = as<While>(s)) {
    const auto* test = as<Int>(loop->form.condition);
    return test && test->form.value.value != 0 && !breaks(loop->form.body);
  }
  if (const auto* value = as<Evaluate>(s)) return leaves(value->form.value, exit);
  return false;
}

}  // namespace

bool always_leaves(const Body& body) { return leaves(body, Exit::Function); }
bool jumps_away(const Expr& e) { return leaves(e, Exit::Any); }
bool jumps_away(const Stmt& s) { return leaves(s, Exit::Any); }

}  // namespace ksc

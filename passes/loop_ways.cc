// SPDX-License-Identifier: Apache-2.0
#include "passes/loop_ways.h"

#include <algorithm>
#include <ranges>

#include "ir/children.h"
#include "ir/places.h"
#include "passes/leaves_loop.h"

namespace ksc {
namespace {

/// Whether the loop's number chooses elements in the packet: the verifier follows it, but nothing that is computed from
/// the number of a turn.
bool chooses_in_packet(const CountedLoop& loop) {
  return any_expression(loop.body, [&](const Expr& e) {
    const auto* element = as<Index>(e);
    if (!element || !is_in_packet(e)) return false;
    Expr at = element->form.index;
    while (const auto* converted = as<Convert>(at)) at = converted->form.value;
    const auto* local = as<Local>(at);
    return local && local->form.name == loop.name;
  });
}

}  // namespace

bool LoopWays::is_short(const CountedLoop& loop, __int128 turn, __int128 ways) {
  const __int128 turns = turns_of(loop);
  return turns >= 0 && (chooses_in_packet(loop) ? 1 : ways) * turns * turn <= plain_limit;
}

bool LoopWays::ends_early(const Body& body) {
  return std::any_of(body.statements.begin(), body.statements.end(), leaves_loop);
}

LoopWays::LoopWays(const Program& program) : costs_(program) {
  const auto look_at_function = [&](const Decl& d) {
    const auto* function = as<FunctionDef>(d);
    if (!function) return;
    __int128 ways = into(function->form.name);
    look_at(function->form.body, ways);
    out_of_[function->form.name] = ways;
  };
  // First what is behind each function, then, callers first, what is before it.
  for (const Decl& d : program) look_at_function(d);
  for (const Decl& d : program | std::views::reverse) look_at_function(d);
}

void LoopWays::look_at(const Body& body, __int128& ways) {
  for (const Stmt& s : body.statements) look_at(s, ways);
}

void LoopWays::look_at(const Stmt& s, __int128& ways) {
  each_child_of(
      s, [&](const Expr& e) { look_at(e, ways); }, [&](const Stmt& inner) { look_at(inner, ways); });
  const auto* loop = as<CountedLoop>(s);
  if (loop && ends_early(loop->form.body) && is_short(loop->form, 4 + costs_.of(loop->form.body), ways))
    ways = std::max(ways, turns_of(loop->form));
}

void LoopWays::look_at(const Expr& e, __int128& ways) {
  each_child_of(
      e, [&](const Expr& inner) { look_at(inner, ways); }, [&](const Stmt& inner) { look_at(inner, ways); });
  const auto* call = as<Call>(e);
  if (!call) return;
  auto& into = into_.try_emplace(call->form.function, 1).first->second;
  into = std::max(into, ways);
  ways = std::max(ways, out_of(call->form.function));
}

}  // namespace ksc

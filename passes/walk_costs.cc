// SPDX-License-Identifier: Apache-2.0
#include "passes/walk_costs.h"

#include <algorithm>

#include "ir/children.h"
#include "ir/effects.h"
#include "passes/packet_walk.h"

namespace ksc {
namespace {

/// How often the verifier walks through a turn until it has seen that another one is like it.
constexpr __int128 walks_of_a_turn = 2;

/// The loops that are within support code: so many instructions for each byte, or each piece.
__int128 cost_of(const RuntimeCall& call) {
  const auto from_last = [&](size_t place) -> __int128 {
    const auto* number = as<Int>(call.arguments[call.arguments.size() - place]);
    return number ? number->form.value.value : 0;
  };
  // The kernel turns a loop in it, and all that follows is walked through for each way that can have been gone there.
  if (call.function == "ks_clear_record") return 3000;
  if (call.function == "ks_append") return 14 * from_last(1);
  if (call.function == "ks_append_bytes") return 17 * from_last(1);
  if (call.function == "ks_differ") return 9 * from_last(1);
  if (call.function == "ks_length") return 8 * from_last(1);
  if (call.function == "ks_copy") return from_last(1) / 8 * 5;
  if (call.function == "ks_copy_by") return 2 * from_last(2) / std::max(__int128(1), from_last(1));
  return 0;
}

}  // namespace

__int128 turns_of(const CountedLoop& loop) {
  const auto* low = as<Int>(loop.low);
  const auto* high = as<Int>(loop.high);
  if (!low || !high) return -1;
  const __int128 turns = high->form.value.value - low->form.value.value + loop.inclusive;
  return turns < 0 ? 0 : turns;
}

WalkCosts::WalkCosts(const Program& program, bool has_loops, bool turns_all)
    : has_loops_(has_loops), turns_all_(turns_all) {
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = &function->form;
}

__int128 WalkCosts::of(const Body& body) {
  __int128 sum = 0;
  for (const Stmt& s : body.statements) sum += of(s);
  return sum;
}

__int128 WalkCosts::of(const Stmt& s) {
  __int128 sum = 2 + parts(s);
  if (const auto* loop = as<CountedLoop>(s)) {
    const __int128 turns = turns_of(loop->form);
    if (turns >= 0 && (turns_all_ || turns * sum <= plain_limit)) return turns * sum;
    return has_loops_ ? 50 + walks_of_a_turn * sum : 50;  // an outlined loop costs its call
  }
  if (has_loops_ && as<MapLoop>(s)) return 50 + walks_of_a_turn * sum;
  return sum;
}

__int128 WalkCosts::of(const Expr& e) {
  __int128 sum = kind_of(e) == Kind::MapLookup || kind_of(e) == Kind::MapCall || kind_of(e) == Kind::MapSlot ? 20 : 2;
  // What is behind a pull is walked through for each way in which the test before it can have ended.
  if (moves_packet(e)) sum += 300;
  // So is what is behind a loop whose turns the kernel counts: once for no turn, and again for some.
  if (const auto* call = as<HelperCall>(e);
      call && (call->form.helper == "bpf_loop" || call->form.helper == "bpf_for_each_map_elem"))
    sum += 300;
  if (const auto* call = as<Call>(e)) sum += of(call->form.function);
  if (const auto* call = as<RuntimeCall>(e)) sum += cost_of(call->form);
  return sum + parts(e);
}

__int128 WalkCosts::of(Name function) {
  auto [known, is_new] = known_.try_emplace(function, 100);
  const auto found = functions_.find(function);
  if (!is_new || found == functions_.end()) return known->second;
  const __int128 sum = std::max(__int128(100), of(found->second->body));
  return known_[function] = sum;
}

__int128 WalkCosts::parts(const auto& whole) {
  __int128 sum = 0;
  each_child_of(
      whole, [&](const Expr& e) { sum += of(e); }, [&](const Stmt& s) { sum += of(s); });
  return sum;
}

}  // namespace ksc

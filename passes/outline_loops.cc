// SPDX-License-Identifier: Apache-2.0
/// count A n times   =>   bpf_loop(n, A as a function, &captured), unless the verifier can walk through every turn
/// for (k, v in m) A   =>   bpf_for_each_map_elem(&m, A as a function, &captured, 0)
#include "ir/call_chains.h"
#include "ir/rewrite.h"
#include "passes/array_copies.h"
#include "passes/loop_ways.h"
#include "passes/outliner.h"
#include "passes/passes.h"
#include "passes/walk_costs.h"

namespace ksc {
namespace {

using Out = Outliner::Out;

Expr number(__int128 value, Type type, Loc loc, Out& to) { return to.make(Int{{value}, {}}, loc, type); }

/// Each turn computes the loop's counter from its own number.
void outline_counted(const Node<CountedLoop>& n, const Body& body, Out& to) {
  Context& c = to.context;
  Types& t = c.types;
  const Loc loc = n.loc;
  const Name index = to.fresh("turn");
  OutlinedLoop loop{loc, body, {n->low}, {n->name}, {{index, t.u32()}}, {}, {}};
  loop.begin_turn = [&](const auto& captured) {
    const Expr which = to.make(Local{index}, loc, t.u32());
    Expr offset = n->type == t.u32() ? which : Expr(to.make(Convert{which}, loc, n->type));
    const auto* low = as<Int>(n->low);
    if (!low || low->form.value.value != 0)
      offset = to.make(Binary{BinaryOp::Add, captured(n->low), offset}, loc, n->type);
    to.emit(Let{n->name, n->type, offset}, loc);
  };
  loop.call = [&](const Expr& function, const Expr& captures) {
    const __int128 turns = turns_of(n.form);
    Expr count = number(turns, t.u32(), loc, to);
    if (turns < 0) {
      // The kernel looks at all 64 bits of the register, C compilers at the lower half of what they pass as 32: they
      // are shown all of them.
      const Name name = to.fresh("count");
      to.emit(Let{name, t.u64(), type_of(n->high) == t.u64() ? n->high : Expr(to.make(Convert{n->high}, loc, t.u64()))},
              loc);
      count = to.make(Local{name}, loc, t.u64());
      to.emit(Evaluate{to.make(RuntimeCall{c.name("barrier_var"), c.span<Expr>({count})}, loc, t.void_type())}, loc);
    }
    const Expr given = turns < 0 ? Expr(to.make(Convert{count}, loc, t.u32())) : count;
    const Stmt call = to.make(
        Evaluate{to.make(
            HelperCall{c.name("bpf_loop"), c.span<Expr>({given, function, captures, number(0, t.u64(), loc, to)})}, loc,
            t.i64())},
        loc);
    if (turns >= 0) return to.emit_statement(call);
    // The verifier never enters a callback that it knows to run zero times, removes it, and then misses it.
    const Expr some = to.make(Compare{CompareOp::NotEqual, count, number(0, t.u64(), loc, to)}, loc, t.boolean());
    to.emit(If{c.span<Branch>({{some, Body{c.span<Stmt>({call})}}}), {}}, loc);
  };
  Outliner(to, loop).emit();
}

/// The kernel gives each turn its entry; the key is the kernel's own, so the body has a copy.
void outline_map_loop(const Node<MapLoop>& n, const Body& body, Out& to) {
  Context& c = to.context;
  Types& t = c.types;
  const Loc loc = n.loc;
  Type map = type_of(n->map), key_pointer = t.pointer(map->key, Space::MapValue, false);
  const Name key = to.fresh("key_at");
  OutlinedLoop loop{
      loc,
      body,
      {},
      {n->key, n->entry},
      {{to.fresh("map"), t.pointer(t.void_type(), Space::Kernel, false)}, {key, key_pointer}, {n->entry, n->type}},
      {},
      {}};
  loop.begin_turn = [&](const auto&) {
    emit_declaration(n->key, to.make(Deref{to.make(Local{key}, loc, key_pointer)}, loc, map->key), loc, to);
  };
  loop.call = [&](const Expr& function, const Expr& captures) {
    const Expr address = to.make(AddressOf{n->map}, loc, t.pointer(map, Space::Kernel, false));
    to.emit(Evaluate{to.make(HelperCall{c.name("bpf_for_each_map_elem"),
                                        c.span<Expr>({address, function, captures, number(0, t.u64(), loc, to)})},
                             loc, t.i64())},
            loc);
  };
  Outliner(to, loop).emit();
}

/// Reports the loop for whose turns the kernel has no frame, whatever C compilers put into its caller [L60].
void report_deep_chain(const Program& program, Context& context) {
  const CallChains chains(program);
  const std::vector<Name>& chain = chains.too_long();
  if (chain.empty()) return;
  std::string frames;
  for (size_t i = 0, alike = 0; i < chain.size(); i += alike) {
    const auto spelling = chain[i].spelling();
    for (alike = 1; i + alike < chain.size() && chain[i + alike].spelling() == spelling;) ++alike;
    const std::string_view of =
        spelling.substr(0, spelling.size() - (chains.runs_turns(chain[i]) ? loop_suffix.size() : 0));
    const std::string what = !chains.runs_turns(chain[i]) ? ""
                             : alike > 1                  ? fmt::format("{} loops of ", alike)
                                                          : "a loop of ";
    frames += fmt::format("{}{}`{}`", frames.empty() ? "" : ", ", what, of);
  }
  context.diagnostics.report(chains.function(chain.back()).loc, diag::deep_chain, chain.size(), most_frames, frames);
}

/// Warns of programs that the verifier may give up on (BPF_COMPLEXITY_LIMIT_INSNS of include/linux/bpf.h) [L65].
void report_long_programs(const Program& program, Context& context) {
  constexpr __int128 many = 500000;
  WalkCosts costs(program, true, !has(context.target, Feature::BpfLoop));
  for (const Decl& d : program) {
    const auto* function = as<FunctionDef>(d);
    if (!function || function->form.domain != Domain::Program) continue;
    if (const __int128 all = costs.of(function->form.body); all > many)
      context.diagnostics.report(function->loc, diag::many_instructions,
                                 static_cast<uint64_t>(std::min(all, __int128(UINT64_MAX))),
                                 std::string(function->form.name.spelling()));
  }
}

}  // namespace

Ir<lang::LoopsBounded> outline_loops(const Ir<lang::FillsApart>& in, Context& context) {
  report_long_programs(in.declarations, context);
  WalkCosts costs(in.declarations);
  const LoopWays loop_ways(in.declarations);
  __int128 ways = 1;
  const Ir<lang::LoopsBounded> out = rewrite<lang::FillsApart, lang::LoopsBounded>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        ways = loop_ways.into(n->name);
        FunctionDef form = n.form;
        form.body = to(form.body);  // inner loops first: their functions are declared before this one
        to.declare(form, n.loc);
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        const Body body = to(n->body);
        const __int128 turn = 4 + costs.of(body);
        const __int128 turns = turns_of(n.form);
        CountedLoop form = n.form;
        form.body = body;
        // Where the kernel has no bpf_loop the verifier must walk through them all; what it cannot see the end of was
        // refused by check_target.
        const bool is_plain =
            LoopWays::is_short(n.form, turn, ways) || (turns >= 0 && !has(to.context.target, Feature::BpfLoop));
        if (!is_plain) return outline_counted(n, body, to);
        if (LoopWays::ends_early(body)) ways = std::max(ways, turns);
        to.emit(form, n.loc);
      }),
      on<Call>([&](const Node<Call>& n, Out& to) {
        ways = std::max(ways, loop_ways.out_of(n->function));
        Call form = n.form;
        form.arguments = to(form.arguments);
        return Expr(to.make(form, n.loc, n.type));
      }),
      on<MapLoop>([](const Node<MapLoop>& n, Out& to) {
        const Body body = to(n->body);
        outline_map_loop(n, body, to);
      }));
  report_deep_chain(out.declarations, context);
  return out;
}

}  // namespace ksc

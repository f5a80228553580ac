// SPDX-License-Identifier: Apache-2.0
/// count A n times   =>   bpf_loop(n, A as a function, &captured), unless the verifier can walk through every turn
/// for (k, v in m) A   =>   bpf_for_each_map_elem(&m, A as a function, &captured, 0)
#include "ir/call_chains.h"
#include "ir/effects.h"
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/array_copies.h"
#include "passes/leaves_loop.h"
#include "passes/outliner.h"
#include "passes/packet_walk.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = Outliner::Out;

/// [L43] loops between constants stay plain below this many instructions.
constexpr __int128 plain_limit = 20000;

/// How many times a loop runs; -1 if that is not known.
__int128 turns_of(const CountedLoop& loop) {
  const auto* low = as<Int>(loop.low);
  const auto* high = as<Int>(loop.high);
  if (!low || !high) return -1;
  const __int128 turns = high->form.value.value - low->form.value.value + loop.inclusive;
  return turns < 0 ? 0 : turns;
}

/// A rough count of the instructions that the verifier walks through; nested loops multiply, and so do calls in them.
class Costs {
 public:
  /// `has_loops`: what the kernel turns costs only its call, if the bodies are somewhere else already.
  explicit Costs(const Program& program, bool has_loops = false, bool turns_all = false)
      : has_loops_(has_loops), turns_all_(turns_all) {
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = &function->form;
  }

  __int128 of(const Body& body) {
    __int128 sum = 0;
    for (const Stmt& s : body.statements) sum += of(s);
    return sum;
  }
  __int128 of(const Stmt& s) {
    __int128 sum = 2 + parts(s);
    if (const auto* loop = as<CountedLoop>(s)) {
      const __int128 turns = turns_of(loop->form);
      if (turns >= 0 && (turns_all_ || turns * sum <= plain_limit)) return turns * sum;
      return has_loops_ ? 50 + walks_of_a_turn * sum : 50;  // an outlined loop costs its call
    }
    if (has_loops_ && as<MapLoop>(s)) return 50 + walks_of_a_turn * sum;
    return sum;
  }

 private:
  __int128 of(const Expr& e) {
    __int128 sum = kind_of(e) == Kind::MapLookup || kind_of(e) == Kind::MapCall || kind_of(e) == Kind::MapSlot ? 20 : 2;
    // What is behind a pull is walked through for each way in which the test before it can have ended.
    if (moves_packet(e)) sum += 300;
    // So is what is behind a loop whose turns the kernel counts: once for no turn, and again for some.
    if (const auto* call = as<HelperCall>(e);
        call && (call->form.helper == "bpf_loop" || call->form.helper == "bpf_for_each_map_elem"))
      sum += 300;
    if (const auto* call = as<Call>(e)) sum += of(call->form.function);
    if (const auto* call = as<RuntimeCall>(e)) sum += of(call->form);
    return sum + parts(e);
  }
  /// The loops that are within support code: so many instructions for each byte, or each piece.
  static __int128 of(const RuntimeCall& call) {
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
  __int128 of(Name function) {
    auto [known, is_new] = known_.try_emplace(function, 100);
    const auto found = functions_.find(function);
    if (!is_new || found == functions_.end()) return known->second;
    const __int128 sum = std::max(__int128(100), of(found->second->body));
    return known_[function] = sum;
  }
  __int128 parts(const auto& whole) {
    __int128 sum = 0;
    each_child_of(
        whole, [&](const Expr& e) { sum += of(e); }, [&](const Stmt& s) { sum += of(s); });
    return sum;
  }

  /// How often the verifier walks through a turn until it has seen that another one is like it.
  static constexpr __int128 walks_of_a_turn = 2;

  NameMap<const FunctionDef*> functions_;
  NameMap<__int128> known_;
  bool has_loops_, turns_all_;
};

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
  Costs costs(program, true, !has(context.target, Feature::BpfLoop));
  for (const Decl& d : program) {
    const auto* function = as<FunctionDef>(d);
    if (!function || function->form.domain != Domain::Program) continue;
    if (const __int128 all = costs.of(function->form.body); all > many)
      context.diagnostics.report(function->loc, diag::many_instructions,
                                 static_cast<uint64_t>(std::min(all, __int128(UINT64_MAX))),
                                 std::string(function->form.name.spelling()));
  }
}

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

Ir<lang::LoopsBounded> outline_loops(const Ir<lang::LargeCopiesLooped>& in, Context& context) {
  report_long_programs(in.declarations, context);
  Costs costs(in.declarations);
  // What is behind plain loops that end early the verifier may walk through once for each turn that ends one.
  __int128 ways = 1;
  const Ir<lang::LoopsBounded> out = rewrite<lang::LargeCopiesLooped, lang::LoopsBounded>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        ways = 1;
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
        const bool is_short = turns >= 0 && (chooses_in_packet(n.form) ? 1 : ways) * turns * turn <= plain_limit;
        const bool is_plain = is_short || (turns >= 0 && !has(to.context.target, Feature::BpfLoop));
        if (!is_plain) return outline_counted(n, body, to);
        if (std::any_of(body.statements.begin(), body.statements.end(), leaves_loop)) ways = std::max(ways, turns);
        to.emit(form, n.loc);
      }),
      on<MapLoop>([](const Node<MapLoop>& n, Out& to) {
        const Body body = to(n->body);
        outline_map_loop(n, body, to);
      }));
  report_deep_chain(out.declarations, context);
  return out;
}

}  // namespace ksc

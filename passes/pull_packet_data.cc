// SPDX-License-Identifier: Apache-2.0
/// if (!in_packet(p, n)) { leave }   =>   if (!in_packet(p, n)) { pull n bytes; p = ctx->data + its distance; if
/// (!in_packet(p, n)) { leave } } in programs on socket buffers [L176]
#include <algorithm>

#include "ir/rewrite.h"
#include "ir/status.h"
#include "passes/packet_walk.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PacketPulled>;

/// Pulling makes all packet pointers invalid for the verifier. So each variable that holds one, and is used later, is
/// derived anew from ctx->data, and what was known to lie behind it is tested once more: in the kernel that cannot
/// fail, but the verifier wants to see it.
class Puller final : public PacketWalk {
 public:
  Puller(Out& to, const FunctionDef& function, const PacketFunctions& functions)
      : PacketWalk(to.context, function, functions), to_(to) {}

 private:
  /// A variable that is derived anew.
  struct Pointer {
    Name name;
    Type type;
    std::optional<PacketPosition> at;
    bool is_end = false;
    Name distance;  // where it is not known beforehand: the variable that keeps it
    Name base;      // another of them, from which it lies a constant distance away, and how far
    int64_t from_base = 0;

    bool is_from_start() const { return at && at->from_start; }
  };

  void test(const Node<If>& n, const InPacket& inside, std::vector<Stmt>& out) override {
    if (!pulls_) return out.push_back(context_.make(n.form, n.loc));
    const Loc loc = n.loc;
    const Name tested = as<Local>(inside.pointer)->form.name;
    const Expr context = inside.context;
    const Body leave = n->branches[0].body;
    const auto leave_unless = [&](const Expr& pointer, uint64_t size, const Body& body) {
      const Expr holds = to_.make(InPacket{pointer, context, size}, loc, context_.types.boolean());
      to_.emit(If{context_.span<Branch>({{to_.make(Not{holds}, loc, context_.types.boolean()), body}}), {}}, loc);
    };
    // What is raised here may be caught, where all is known that was known before: that is tested first then, and what
    // cannot fail raises nothing that is caught.
    const bool is_caught =
        std::any_of(levels().begin(), levels().end(), [](const Level& l) { return !l.clauses.empty(); });
    const Body never{
        context_.span<Stmt>({context_.make(Raise{constant_status(LeaveReason::Panic, loc, context_)}, loc)})};
    std::vector<Pointer> pointers = used_later(tested);
    if (!find(pointers, tested)) return out.push_back(context_.make(n.form, loc));  // dead: whoever uses it hears of it
    const Body retry = to_.collect([&] {
      keep_distances(pointers, context, loc);
      const Pointer at = *find(pointers, tested);
      const Pointer* base = at.base ? find(pointers, at.base) : &at;
      const int64_t from_origin = at.is_from_start() ? at.at->offset : at.from_base;
      Expr end = number(static_cast<int64_t>(inside.size) + from_origin, loc);
      if (!at.is_from_start())
        end = to_.make(Binary{BinaryOp::Add, to_.make(Local{base->distance}, loc, context_.types.u64()), end}, loc,
                       context_.types.u64());
      const Expr length = to_.make(Convert{end}, loc, context_.types.u32());
      to_.emit(Evaluate{to_.make(HelperCall{context_.name("bpf_skb_pull_data"), context_.span<Expr>({context, length})},
                                 loc, context_.types.i64())},
               loc);
      derive(pointers, context, loc);
      if (!is_caught) leave_unless(inside.pointer, inside.size, leave);
      // What reaches farthest comes first: pointers with one origin share what the verifier learns of one.
      NameMap<int64_t> reached;
      if (at.at && !is_caught) reached[origin(at)] = at.at->offset + static_cast<int64_t>(inside.size);
      std::stable_sort(pointers.begin(), pointers.end(),
                       [&](const Pointer& a, const Pointer& b) { return known_reach(a) > known_reach(b); });
      for (const Pointer& p : pointers) {
        if (!p.at || p.is_end || known_reach(p) <= std::max(p.at->offset, reached[origin(p)])) continue;
        reached[origin(p)] = known_reach(p);
        leave_unless(to_.make(Local{p.name}, loc, p.type), static_cast<uint64_t>(known_reach(p) - p.at->offset),
                     is_caught ? never : leave);
      }
      if (is_caught) leave_unless(inside.pointer, inside.size, leave);
    });
    out.push_back(to_.make(If{context_.span<Branch>({{n->branches[0].condition, retry}}), {}}, loc));
  }

  /// What the verifier takes for one pointer and constant offsets, after they were derived anew.
  Name origin(const Pointer& p) const {
    return p.is_from_start() ? context_.name("ctx->data") : p.base ? p.base : p.name;
  }
  /// How many bytes are known to lie behind a pointer's root.
  int64_t known_reach(const Pointer& p) const {
    const auto found = p.at ? known().find(p.at->root) : known().end();
    return found == known().end() ? 0 : found->second;
  }

  /// A function that may pull is called: afterwards the pointers are derived anew, and nothing is known of what lies
  /// behind them.
  void simple(const Stmt& s, std::vector<Stmt>& out) override {
    if (const auto* assign = as<Assign>(s))
      if (const auto* local = as<Local>(assign->form.place)) dead_.erase(local->form.name);
    const bool moves = calls(s, functions_.moving, true), pulls = !moves && calls(s, functions_.pulling, false);
    std::vector<Pointer> pointers;
    if (moves || pulls) pointers = used_later({});
    if (moves)
      for (const Pointer& p : pointers) dead_.insert(p.name);  // the developer takes them anew [L167]
    if (!pulls || pointers.empty()) return out.push_back(s);
    const Loc loc = loc_of(s);
    const Body body = to_.collect([&] {
      const Expr context = context_of_function(loc);
      keep_distances(pointers, context, loc);
      to_.emit_statement(s);
      derive(pointers, context, loc);
    });
    out.insert(out.end(), body.statements.begin(), body.statements.end());
  }

  bool calls(const Stmt& s, const NameSet& functions, bool helpers) const {
    bool found = false;
    std::function<void(const Expr&)> on_expr;
    std::function<void(const Stmt&)> on_stmt = [&](const Stmt& t) { each_child_of(t, on_expr, on_stmt); };
    on_expr = [&](const Expr& e) {
      const auto* call = as<Call>(e);
      found = found || (call && functions.count(call->form.function)) || (helpers && moves_packet(e));
      each_child_of(e, on_expr, on_stmt);
    };
    on_stmt(s);
    return found;
  }

  /// The variables in scope that hold packet pointers and are read after the statement at work, and `also`.
  std::vector<Pointer> used_later(Name also) const {
    std::vector<Pointer> out;
    for (size_t declared = 0; declared < levels().size(); ++declared)
      for (size_t i = 0; i < levels()[declared].at; ++i) {
        const auto* let = as<Let>(levels()[declared].statements[i]);
        if (!let || !is(let->form.type, TypeKind::Pointer) || let->form.type->space != Space::Packet ||
            dead_.count(let->form.name))
          continue;
        const Name name = let->form.name;
        if (!(name == also) && !is_read_later(name, declared)) continue;
        const Expr itself = context_.make(Local{name}, let->loc, let->form.type);
        out.push_back({name, let->form.type, position(itself), is_end(itself), {}, {}});
      }
    return out;
  }
  /// Whether a variable is read after the statement at work, before it is given another value; in a loop that began
  /// after its declaration, before it too; in a try, where what comes out of it is caught.
  bool is_read_later(Name name, size_t declared) const {
    const auto is_caught = [](const Level& level) { return !level.clauses.empty(); };
    bool jumps = false;  // control may have left for what follows an outer level
    for (size_t k = levels().size(); k-- > declared;) {
      const Level& level = levels()[k];
      const bool may_be_caught = std::any_of(levels().begin() + static_cast<std::ptrdiff_t>(declared),
                                             levels().begin() + static_cast<std::ptrdiff_t>(k) + 1, is_caught);
      for (size_t i = level.at + 1; i < level.statements.size(); ++i) {
        const Stmt& s = level.statements[i];
        if (reads(s, name)) return true;
        if (assigns(s, name) && !jumps && !may_be_caught) return false;
        jumps = jumps || !(header(s).contains & form_set_of<Break, Continue>()).empty();
      }
      for (size_t i = 0; level.repeats && k != declared && i <= level.at; ++i)
        if (reads(level.statements[i], name)) return true;
      for (const CatchClause& clause : level.clauses)
        for (const Stmt& s : clause.body.statements)
          if (reads(s, name)) return true;
    }
    return false;
  }
  static bool assigns(const Stmt& s, Name name) {
    const auto* assign = as<Assign>(s);
    const auto* local = assign ? as<Local>(assign->form.place) : nullptr;
    return local && local->form.name == name;
  }
  static bool reads(const Stmt& s, Name name) {
    bool found = false;
    std::function<void(const Expr&)> on_expr;
    std::function<void(const Stmt&)> on_stmt = [&](const Stmt& t) {
      if (assigns(t, name)) return on_expr(as<Assign>(t)->form.value);
      each_child_of(t, on_expr, on_stmt);
    };
    on_expr = [&](const Expr& e) {
      const auto* local = as<Local>(e);
      found = found || (local && local->form.name == name);
      each_child_of(e, on_expr, on_stmt);
    };
    on_stmt(s);
    return found;
  }

  static const Pointer* find(const std::vector<Pointer>& pointers, Name name) {
    for (const Pointer& p : pointers)
      if (p.name == name) return &p;
    return nullptr;
  }

  /// Notes how far from ctx->data each pointer lies, where that is not a constant and no other says it. Of those with
  /// one root the nearest stands for all: what is tested of one is then known of the others.
  void keep_distances(std::vector<Pointer>& pointers, const Expr& context, Loc loc) {
    Types& types = context_.types;
    NameMap<Pointer> nearest;  // by the root
    for (const Pointer& p : pointers) {
      if (p.is_end || p.is_from_start() || !p.at) continue;
      const auto [known, is_first] = nearest.try_emplace(p.at->root, p);
      if (!is_first && p.at->offset < known->second.at->offset) known->second = p;
    }
    std::stable_partition(pointers.begin(), pointers.end(), [&](const Pointer& p) {
      return p.is_end || p.is_from_start() || !p.at || nearest.at(p.at->root).name == p.name;
    });
    for (Pointer& p : pointers) {
      if (p.is_end || p.is_from_start()) continue;
      if (p.at && !(nearest.at(p.at->root).name == p.name)) {
        p.base = nearest.at(p.at->root).name;
        p.from_base = p.at->offset - nearest.at(p.at->root).at->offset;
        continue;
      }
      const Expr start = to_.make(PacketStart{context}, loc, types.pointer(types.u8(), Space::Packet, false));
      const Expr itself = to_.make(Local{p.name}, loc, p.type);
      const Expr bytes = p.type == type_of(start) ? Expr(itself) : Expr(to_.make(Convert{itself}, loc, type_of(start)));
      p.distance = to_.fresh(fmt::format("{}_distance", p.name.spelling()));
      to_.emit(Let{p.distance, types.u64(), to_.make(PointerDifference{bytes, start}, loc, types.u64())}, loc);
    }
  }

  /// p = ctx->data + its distance
  void derive(const std::vector<Pointer>& pointers, const Expr& context, Loc loc) {
    Types& types = context_.types;
    Type bytes = types.pointer(types.u8(), Space::Packet, false);
    for (const Pointer& p : pointers) {
      Expr value = to_.make(PacketStart{context}, loc, bytes);
      if (p.base) {
        Type type = find(pointers, p.base)->type;
        value = to_.make(Local{p.base}, loc, type);
        if (type != bytes) value = to_.make(Convert{value}, loc, bytes);
      }
      if (p.is_end)
        value = to_.make(PacketEnd{context}, loc, bytes);
      else if (!p.base && !p.is_from_start())
        value = to_.make(
            PointerAdd{value, to_.make(Convert{to_.make(Local{p.distance}, loc, types.u64())}, loc, types.i64())}, loc,
            bytes);
      else if (const int64_t offset = p.base ? p.from_base : p.at->offset)
        value = to_.make(PointerAdd{value, to_.make(Int{{offset}, {}}, loc, types.i64())}, loc, bytes);
      if (p.type != bytes) value = to_.make(Convert{value}, loc, p.type);
      to_.emit(Assign{to_.make(Local{p.name}, loc, p.type), value}, loc);
    }
  }

  Expr number(int64_t value, Loc loc) { return to_.make(Int{{value}, {}}, loc, context_.types.u64()); }
  Expr context_of_function(Loc loc) {
    for (const Parameter& p : function_.parameters)
      if (is(p.type, TypeKind::Pointer) && p.type->space == Space::Context) return to_.make(Local{p.name}, loc, p.type);
    return to_.make(Null{}, loc, context_.types.null());
  }

  Out& to_;
  NameSet dead_;  // variables whose packet has been moved: they are assigned before they are used
};

}  // namespace

Ir<lang::PacketPulled> pull_packet_data(const Ir<lang::StatusesRaised>& in, Context& context) {
  const PacketFunctions functions(in.declarations);
  return rewrite<lang::StatusesRaised, lang::PacketPulled>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        const bool calls = n.contains.has(Kind::Call) || n.contains.has(Kind::HelperCall);
        if (!has_socket_buffer(n.form) || (!n.contains.has(Kind::InPacket) && !calls)) return to.declare(n.form, n.loc);
        FunctionDef form = n.form;
        form.body = Puller(to, n.form, functions).run();
        to.declare(form, n.loc);
      }));
}

}  // namespace ksc

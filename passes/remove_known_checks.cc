// SPDX-License-Identifier: Apache-2.0
/// if (data + 14 > data_end) return; if (!in_packet(data, 14)) { leave }   =>   if (data + 14 > data_end) return
#include "ir/effects.h"
#include "ir/helper_signatures.h"
#include "ir/rewrite.h"
#include "passes/fault_verdicts.h"
#include "passes/packet_positions.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// How many bytes from each root on are known to lie in the packet, on the way that control has taken.
using Known = std::map<Name, int64_t, ByText>;

class CheckRemover {
 public:
  CheckRemover(Context& context, const FunctionDef& function, const std::set<Name, ByText>& moving, const FaultVerdicts& verdicts)
      : context_(context), function_(function), verdicts_(verdicts), positions_(context, function.body), moving_(moving) {}

  Body body(const Body& in, Known& known, bool& falls_through) {
    std::vector<Stmt> out;
    falls_through = true;
    for (const Stmt& s : in.statements) {
      if (!falls_through) {
        out.push_back(s);
        continue;
      }
      statement(s, known, out, falls_through);
    }
    return {context_.span(out)};
  }

 private:
  void statement(const Stmt& s, Known& known, std::vector<Stmt>& out, bool& falls_through) {
    if (header(s).contains.has(Kind::HelperCall) || header(s).contains.has(Kind::Call)) forget_if_moved(s, known);
    positions_.statement(s, [&] { simple_or_compound(s, known, out, falls_through); });
  }
  void simple_or_compound(const Stmt& s, Known& known, std::vector<Stmt>& out, bool& falls_through) {
    if (const auto* test = as<If>(s)) {
      if (is_known(s, known)) return;
      remark(s);
      return branches(*test, known, out, falls_through);
    } else if (const auto* block = as<Block>(s)) {
      return out.push_back(context_.make(Block{body(block->form.body, known, falls_through)}, block->loc));
    } else if (const auto* choice = as<Switch>(s)) {
      std::vector<SwitchCase> cases;
      std::vector<Known> ends;
      bool has_default = false;
      for (const SwitchCase& c : choice->form.cases) {
        Known inside = known;
        bool falls = true;
        cases.push_back({c.values, body(c.body, inside, falls)});
        if (falls) ends.push_back(inside);
        has_default |= c.values.empty();
      }
      if (!has_default) ends.push_back(known);
      join(ends, known, falls_through);
      return out.push_back(context_.make(Switch{choice->form.value, context_.span(cases)}, choice->loc));
    } else if (const auto* loop = as<Loop>(s)) {
      // Roots do not change, so what is known before a loop holds in each of its turns and after it, if nothing moves the packet.
      Known inside = known;
      bool falls = true;
      return out.push_back(context_.make(Loop{body(loop->form.body, inside, falls)}, loop->loc));
    } else if (const auto* counted = as<CountedLoop>(s)) {
      CountedLoop form = counted->form;
      Known inside = known;
      bool falls = true;
      form.body = body(form.body, inside, falls);
      return out.push_back(context_.make(form, counted->loc));
    } else if (const auto* walk = as<MapLoop>(s)) {
      MapLoop form = walk->form;
      Known inside = known;
      bool falls = true;
      form.body = body(form.body, inside, falls);
      return out.push_back(context_.make(form, walk->loc));
    }
    const Kind kind = kind_of(s);
    if (kind == Kind::Return || kind == Kind::Leave || kind == Kind::TailCall || kind == Kind::Break || kind == Kind::Continue) falls_through = false;
    out.push_back(s);
  }

  void branches(const Node<If>& n, Known& known, std::vector<Stmt>& out, bool& falls_through) {
    std::vector<Branch> kept;
    std::vector<Known> ends;
    Known otherwise = known;
    for (const Branch& b : n->branches) {
      Known inside = otherwise;
      learn(b.condition, true, inside);
      bool falls = true;
      kept.push_back({b.condition, body(b.body, inside, falls)});
      if (falls) ends.push_back(inside);
      learn(b.condition, false, otherwise);
    }
    bool falls = true;
    const Body last = body(n->otherwise, otherwise, falls);
    if (falls) ends.push_back(otherwise);
    join(ends, known, falls_through);
    out.push_back(context_.make(If{context_.span(kept), last}, n.loc));
  }

  static void join(const std::vector<Known>& ends, Known& known, bool& falls_through) {
    falls_through = !ends.empty();
    if (ends.empty()) return;
    known = ends[0];
    for (const Known& other : ends)
      for (auto& [root, bytes] : known) {
        auto found = other.find(root);
        bytes = std::min(bytes, found == other.end() ? int64_t(0) : found->second);
      }
  }

  /// -Rbounds: a test stays, and this comes of its failing.
  void remark(const Stmt& s) const {
    const InPacket* inside = context_.diagnostics.wants(Remark::bounds) ? packet_check(s) : nullptr;
    if (!inside) return;
    const bool one = inside->size == 1;
    context_.diagnostics.report(loc_of(s), diag::access_tested, one ? "1 byte is" : fmt::format("{} bytes are", inside->size), one ? "it is" : "they are",
                                verdicts_.ending(function_));
  }

  /// if (!in_packet(p, n)) { leave } where the answer is known.
  bool is_known(const Stmt& s, const Known& known) const {
    const InPacket* inside = packet_check(s);
    const auto at = inside ? positions_.position(inside->pointer) : std::nullopt;
    if (!at || at->offset < 0) return false;
    auto found = known.find(at->root);
    return found != known.end() && at->offset + static_cast<int64_t>(inside->size) <= found->second;
  }

  /// What a condition's answer says.
  void learn(const Expr& condition, bool holds, Known& known) const {
    if (const auto* negation = as<Not>(condition)) return learn(negation->form.value, !holds, known);
    if (const auto* both = as<And>(condition); both && holds) learn(both->form.left, true, known), learn(both->form.right, true, known);
    if (const auto* either = as<Or>(condition); either && !holds) learn(either->form.left, false, known), learn(either->form.right, false, known);
    if (const auto* inside = as<InPacket>(condition); inside && holds) note(positions_.position(inside->form.pointer), static_cast<int64_t>(inside->form.size), known);
    const auto* compare = as<Compare>(condition);
    if (!compare) return;
    CompareOp op = compare->form.op;
    Expr left = compare->form.left, right = compare->form.right;
    if (positions_.is_end(left)) {
      std::swap(left, right);
      op = op == CompareOp::Less ? CompareOp::Greater : op == CompareOp::LessEqual ? CompareOp::GreaterEqual
           : op == CompareOp::Greater ? CompareOp::Less : op == CompareOp::GreaterEqual ? CompareOp::LessEqual : op;
    }
    if (!positions_.is_end(right)) return;
    const bool within = holds ? op == CompareOp::LessEqual || op == CompareOp::Less : op == CompareOp::Greater || op == CompareOp::GreaterEqual;
    if (within) note(positions_.position(left), 0, known);
  }
  static void note(const std::optional<PacketPosition>& at, int64_t size, Known& known) {
    // The verifier follows a packet pointer by at most 16 bits of offset.
    if (!at || at->offset < 0 || at->offset + size > 0xffff) return;
    int64_t& bytes = known[at->root];
    bytes = std::max(bytes, at->offset + size);
  }

  void forget_if_moved(const Stmt& s, Known& known) const {
    if (moves(s)) known.clear();
  }
  bool moves(const Expr& e) const {
    if (const auto* call = as<HelperCall>(e)) {
      const HelperSignature* helper = find_helper_signature(call->form.helper.text());
      if (!helper || helper->moves_packet()) return true;
    }
    if (const auto* call = as<Call>(e)) return moving_.count(call->form.function) != 0;
    bool found = false;
    each_child_of(e, [&](const Expr& child) { found = found || moves(child); }, [&](const Stmt& t) { found = found || moves(t); });
    return found;
  }
  bool moves(const Stmt& s) const {
    bool found = false;
    each_child_of(s, [&](const Expr& child) { found = found || moves(child); }, [&](const Stmt& t) { found = found || moves(t); });
    return found;
  }

  Context& context_;
  const FunctionDef& function_;
  const FaultVerdicts& verdicts_;
  PacketPositions positions_;
  const std::set<Name, ByText>& moving_;
};

/// The functions that may move the packet: they call a helper that does, themselves or through others.
std::set<Name, ByText> moving_functions(const Program& program) {
  std::set<Name, ByText> moving;
  for (bool grew = true; grew;) {
    grew = false;
    for (const Decl& d : program) {
      const auto* function = as<FunctionDef>(d);
      if (!function || moving.count(function->form.name)) continue;
      bool moves = false;
      std::function<void(const Expr&)> on_expr;
      std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) { each_child_of(s, on_expr, on_stmt); };
      on_expr = [&](const Expr& e) {
        if (const auto* call = as<Call>(e)) moves = moves || moving.count(call->form.function);
        if (const auto* call = as<HelperCall>(e)) {
          const HelperSignature* helper = find_helper_signature(call->form.helper.text());
          moves = moves || !helper || helper->moves_packet();
        }
        each_child_of(e, on_expr, on_stmt);
      };
      for (const Stmt& s : function->form.body.statements) on_stmt(s);
      if (moves) grew = moving.insert(function->form.name).second;
    }
  }
  return moving;
}

}  // namespace

Ir<lang::ChecksMinimal> remove_known_checks(const Ir<lang::ChecksRaised>& in, Context& context) {
  using Out = To<lang::ChecksMinimal>;
  const std::set<Name, ByText> moving = moving_functions(in.declarations);
  const FaultVerdicts verdicts(in.declarations, context);
  return rewrite<lang::ChecksRaised, lang::ChecksMinimal>(in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
    if (!n.contains.has(Kind::InPacket)) return to.declare(n.form, n.loc);
    FunctionDef form = n.form;
    Known known;
    bool falls_through = true;
    form.body = CheckRemover(to.context, n.form, moving, verdicts).body(form.body, known, falls_through);
    to.declare(form, n.loc);
  }));
}

}  // namespace ksc

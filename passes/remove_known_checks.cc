// SPDX-License-Identifier: Apache-2.0
/// if (data + 14 > data_end) return; if (!in_packet(data, 14)) { leave }   =>   if (data + 14 > data_end) return
#include "ir/effects.h"
#include "ir/helper_signatures.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// A packet pointer as a local that never changes, and a constant distance from it in bytes.
struct Position {
  Name root;
  int64_t offset = 0;
};

/// How many bytes from each root on are known to lie in the packet, on the way that control has taken.
using Known = std::map<Name, int64_t, ByText>;

class CheckRemover {
 public:
  CheckRemover(Context& context, const FunctionDef& function, const std::set<Name, ByText>& moving)
      : context_(context), changed_(changed_locals(function.body)), moving_(moving) {}

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
    const bool is_compound = as<If>(s) || as<Block>(s) || as<Switch>(s) || as<Loop>(s) || as<CountedLoop>(s) || as<MapLoop>(s);
    // In a compound statement what clobbers comes first in its parts; after it, nobody knows which of them ran.
    const uint32_t before = epoch_;
    simple_or_compound(s, known, out, falls_through);
    if (is_compound ? epoch_ != before : clobbers(s)) epoch_ = ++epochs_;
  }
  void simple_or_compound(const Stmt& s, Known& known, std::vector<Stmt>& out, bool& falls_through) {
    if (as<Loop>(s) || as<CountedLoop>(s) || as<MapLoop>(s)) epoch_ = ++epochs_;  // its turns begin after its turns
    if (const auto* let = as<Let>(s)) {
      define(*let);
    } else if (const auto* test = as<If>(s)) {
      if (is_known(*test, known)) return;
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

  /// if (!in_packet(p, n)) { leave } where the answer is known.
  bool is_known(const Node<If>& n, const Known& known) const {
    if (n->branches.size() != 1) return false;
    const auto* negation = as<Not>(n->branches[0].condition);
    const auto* inside = negation ? as<InPacket>(negation->form.value) : nullptr;
    if (!inside) return false;
    const auto at = position(inside->form.pointer);
    if (!at || at->offset < 0) return false;
    auto found = known.find(at->root);
    return found != known.end() && at->offset + static_cast<int64_t>(inside->form.size) <= found->second;
  }

  /// What a condition's answer says.
  void learn(const Expr& condition, bool holds, Known& known) const {
    if (const auto* negation = as<Not>(condition)) return learn(negation->form.value, !holds, known);
    if (const auto* both = as<And>(condition); both && holds) learn(both->form.left, true, known), learn(both->form.right, true, known);
    if (const auto* either = as<Or>(condition); either && !holds) learn(either->form.left, false, known), learn(either->form.right, false, known);
    if (const auto* inside = as<InPacket>(condition); inside && holds) note(position(inside->form.pointer), static_cast<int64_t>(inside->form.size), known);
    const auto* compare = as<Compare>(condition);
    if (!compare) return;
    CompareOp op = compare->form.op;
    Expr left = compare->form.left, right = compare->form.right;
    if (is_end(left)) {
      std::swap(left, right);
      op = op == CompareOp::Less ? CompareOp::Greater : op == CompareOp::LessEqual ? CompareOp::GreaterEqual
           : op == CompareOp::Greater ? CompareOp::Less : op == CompareOp::GreaterEqual ? CompareOp::LessEqual : op;
    }
    if (!is_end(right)) return;
    const bool within = holds ? op == CompareOp::LessEqual || op == CompareOp::Less : op == CompareOp::Greater || op == CompareOp::GreaterEqual;
    if (within) note(position(left), 0, known);
  }
  static void note(const std::optional<Position>& at, int64_t size, Known& known) {
    // The verifier follows a packet pointer by at most 16 bits of offset.
    if (!at || at->offset < 0 || at->offset + size > 0xffff) return;
    int64_t& bytes = known[at->root];
    bytes = std::max(bytes, at->offset + size);
  }

  void define(const Node<Let>& let) {
    if (!is(let->type, TypeKind::Pointer) || let->type->space != Space::Packet || !let->value || changed_.count(let->name)) return;
    if (kind_of(*let->value) == Kind::PacketEnd || (as<Local>(*let->value) && is_end(*let->value))) {
      ends_.insert(let->name);
      return;
    }
    const auto at = position(*let->value);
    positions_[let->name] = at ? *at : Position{let->name, 0};
  }
  bool is_end(const Expr& e) const {
    if (const auto* converted = as<Convert>(e)) return is_end(converted->form.value);
    const auto* local = as<Local>(e);
    return kind_of(e) == Kind::PacketEnd || (local && ends_.count(local->form.name));
  }
  std::optional<Position> position(const Expr& e) const {
    if (const auto* local = as<Local>(e)) {
      auto found = positions_.find(local->form.name);
      return found == positions_.end() ? std::nullopt : std::optional(found->second);
    }
    if (const auto* converted = as<Convert>(e)) return position(converted->form.value);
    // ctx->data is read anew at each mention [L167], but mentions with nothing between them that writes to memory give one value,
    // in C as here: the compiler reads it once, and the verifier sees that what was tested is what is used.
    if (as<PacketStart>(e)) return Position{context_.name(fmt::format("ctx->data {}", epoch_)), 0};
    const auto* sum = as<PointerAdd>(e);
    const auto* count = sum ? as<Int>(sum->form.count) : nullptr;
    if (!count) return std::nullopt;
    auto base = position(sum->form.pointer);
    if (base) base->offset += static_cast<int64_t>(count->form.value.value) * static_cast<int64_t>(size_of(type_of(e)->element));
    return base;
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

  /// Whether the C compiler must read ctx->data again after the statement.
  static bool clobbers(const Stmt& s) {
    constexpr FormSet writing = form_set_of<Call, HelperCall, MapLookup, MapSlot, MapCall, MapStore, MapDelete, AtomicUpdate, Print, TailCall>();
    if (!(header(s).contains & writing).empty()) return true;
    const auto* assign = as<Assign>(s);
    return assign && (header(assign->form.place).contains.has(Kind::Deref) || header(assign->form.place).contains.has(Kind::Global));
  }

  Context& context_;
  std::set<Name, ByText> changed_;
  const std::set<Name, ByText>& moving_;
  uint32_t epoch_ = 0, epochs_ = 0;  // between two of them ctx->data keeps its value
  std::map<Name, Position, ByText> positions_;
  std::set<Name, ByText> ends_;
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

Ir<lang::ChecksMinimal> remove_known_checks(const Ir<lang::AccessesChecked>& in, Context& context) {
  using Out = To<lang::ChecksMinimal>;
  const std::set<Name, ByText> moving = moving_functions(in.declarations);
  return rewrite<lang::AccessesChecked, lang::ChecksMinimal>(in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
    if (!n.contains.has(Kind::InPacket)) return to.declare(n.form, n.loc);
    FunctionDef form = n.form;
    Known known;
    bool falls_through = true;
    form.body = CheckRemover(to.context, n.form, moving).body(form.body, known, falls_through);
    to.declare(form, n.loc);
  }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include "passes/packet_walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/children.h"
#include "ir/effects.h"
#include "ir/languages.h"
#include "ir/packet_movers.h"
#include "ir/visit.h"

namespace ksc {
namespace {

static_assert(
    names_all(stmt_forms, lang::ChecksRaised.forms,
              form_set_of<If, Block, Try, Finally, Guarded, Switch, Loop, CountedLoop, MapLoop, Return, Leave, Throw,
                          TailCall, Break, Continue, Let, Assign>(),
              form_set_of<Evaluate, AtomicUpdate, MapStore, MapDelete, Print, PrintPart, CpuLoop, Attempt>()));

void join(const std::vector<KnownBytes>& ends, KnownBytes& known, bool& falls_through) {
  falls_through = !ends.empty();
  if (ends.empty()) return;
  known = ends[0];
  for (const KnownBytes& other : ends)
    for (auto& [root, bytes] : known) {
      auto found = other.find(root);
      bytes = std::min(bytes, found == other.end() ? int64_t(0) : found->second);
    }
}

void note(const std::optional<PacketPosition>& at, int64_t size, KnownBytes& known) {
  // The verifier follows a packet pointer by at most 16 bits of offset.
  if (!at || at->offset < 0 || at->offset + size > 0xffff) return;
  int64_t& bytes = known[at->root];
  bytes = std::max(bytes, at->offset + size);
}

/// Whether something in the statement, or in what it calls, does what `does` says of a call.
bool any_call(const Stmt& s, const std::function<bool(const Expr&)>& does) {
  bool found = false;
  std::function<void(const Expr&)> on_expr;
  std::function<void(const Stmt&)> on_stmt = [&](const Stmt& t) { each_child_of(t, on_expr, on_stmt); };
  on_expr = [&](const Expr& e) {
    found = found || does(e);
    each_child_of(e, on_expr, on_stmt);
  };
  on_stmt(s);
  return found;
}

/// The functions of which `does` holds for something in them, and those that call them.
NameSet functions_where(const Program& program, const std::function<bool(const FunctionDef&, const Expr&)>& does) {
  NameSet found;
  for (bool grew = true; grew;) {
    grew = false;
    for (const Decl& d : program) {
      const auto* function = as<FunctionDef>(d);
      if (!function || found.count(function->form.name)) continue;
      bool here = false;
      for (const Stmt& s : function->form.body.statements)
        here = here || any_call(s, [&](const Expr& e) {
                 const auto* call = as<Call>(e);
                 const auto* turn = as<FunctionAddress>(e);  // of a loop that the kernel turns
                 return (call && found.count(call->form.function)) || (turn && found.count(turn->form.name)) ||
                        does(function->form, e);
               });
      if (here) grew = found.insert(function->form.name).second;
    }
  }
  return found;
}

}  // namespace

bool moves_packet(const Expr& e) {
  const auto* call = as<HelperCall>(e);
  return call && may_move_packet(call->form.helper.text());
}

bool replaces_packet(const Expr& e) { return moves_packet(e) && as<HelperCall>(e)->form.helper != "bpf_skb_pull_data"; }

PacketFunctions::PacketFunctions(const Program& program)
    : moving(functions_where(program, [](const FunctionDef&, const Expr& e) { return moves_packet(e); })),
      pulling(functions_where(program, [](const FunctionDef& function,
                                          const Expr& e) { return as<InPacket>(e) && has_socket_buffer(function); })),
      replacing(functions_where(program, [](const FunctionDef&, const Expr& e) { return replaces_packet(e); })) {}

PacketWalk::PacketWalk(Context& context, const FunctionDef& function, const PacketFunctions& functions)
    : context_(context),
      function_(function),
      functions_(functions),
      pulls_(has_socket_buffer(function)),
      positions_(context, function) {}

Body PacketWalk::run() {
  KnownBytes known;
  bool falls_through = true;
  return body(function_.body, known, falls_through);
}

Body PacketWalk::body(const Body& in, KnownBytes& known, bool& falls_through, bool repeats, Span<CatchClause> clauses) {
  std::vector<Stmt> out;
  falls_through = true;
  levels_.push_back({in.statements, 0, repeats, clauses});
  for (const Stmt& s : in.statements) {
    bool comes_out = true;
    statement(s, known, out, comes_out);  // also what is never reached: whatever is known there holds
    falls_through = falls_through && comes_out;
    ++levels_.back().at;
  }
  levels_.pop_back();
  return {context_.span(out)};
}

void PacketWalk::statement(const Stmt& s, KnownBytes& known, std::vector<Stmt>& out, bool& falls_through) {
  if (header(s).contains.has(Kind::HelperCall) || header(s).contains.has(Kind::Call)) forget_if_moved(s, known);
  known_ = &known;
  positions_.statement(s, [&] { simple_or_compound(s, known, out, falls_through); });
}

void PacketWalk::simple_or_compound(const Stmt& s, KnownBytes& known, std::vector<Stmt>& out, bool& falls_through) {
  if (const auto* choice = as<If>(s)) {
    const InPacket* inside = packet_check(s);
    if (!inside) return branches(*choice, known, out, falls_through);
    if (is_known(*inside, known)) return;
    test(*choice, *inside, out);
    return note(position(inside->pointer), static_cast<int64_t>(inside->size), known);
  }
  if (const auto* block = as<Block>(s))
    return out.push_back(context_.make(Block{body(block->form.body, known, falls_through)}, block->loc));
  if (const auto* attempt = as<Try>(s)) {
    // What was known before it holds wherever its body was left: what moves the packet has been forgotten.
    std::vector<KnownBytes> ends;
    const auto walked = [&](const Body& part, Span<CatchClause> clauses) {
      KnownBytes inside = known;
      bool falls = true;
      const Body out = body(part, inside, falls, false, clauses);
      if (falls) ends.push_back(inside);
      return out;
    };
    Try form = attempt->form;
    form.body = walked(form.body, form.clauses);
    std::vector<CatchClause> clauses(form.clauses.begin(), form.clauses.end());
    for (CatchClause& clause : clauses) clause.body = walked(clause.body, {});
    form.clauses = context_.span(clauses);
    join(ends, known, falls_through);
    return out.push_back(context_.make(form, attempt->loc));
  }
  if (const auto* deferred = as<Guarded>(s)) {
    KnownBytes inside = known;
    bool falls = true;
    const Span<CatchClause> behind = context_.span<CatchClause>({{{}, {}, false, {}}});
    const Body walked = body(deferred->form.body, inside, falls, false, behind);
    if (pulls_) known = {};
    return out.push_back(context_.make(Guarded{walked}, deferred->loc));
  }
  if (const auto* last = as<Finally>(s)) {
    // As behind a try that catches everything. A pull that fails leaves pointers that only their tests can save.
    KnownBytes inside = known, behind = pulls_ ? KnownBytes() : known;
    const Span<CatchClause> cleanup = context_.span<CatchClause>({{{}, {}, false, last->form.cleanup}});
    const Body walked = body(last->form.body, inside, falls_through, false, cleanup);
    bool falls = true;
    const Body out_of_it = body(last->form.cleanup, behind, falls);
    return out.push_back(context_.make(Finally{walked, out_of_it}, last->loc));
  }
  if (const auto* choice = as<Switch>(s)) {
    std::vector<SwitchCase> cases;
    std::vector<KnownBytes> ends;
    bool has_default = false;
    for (const SwitchCase& c : choice->form.cases) {
      KnownBytes inside = known;
      bool falls = true;
      cases.push_back({c.values, body(c.body, inside, falls)});
      if (falls) ends.push_back(inside);
      has_default |= c.values.empty();
    }
    if (!has_default) ends.push_back(known);
    join(ends, known, falls_through);
    return out.push_back(context_.make(Switch{choice->form.value, context_.span(cases)}, choice->loc));
  }
  // Roots do not change, so what is known before a loop holds in each of its turns and after it, if nothing moves the
  // packet.
  KnownBytes inside = known;
  bool falls = true;
  if (const auto* loop = as<Loop>(s))
    return out.push_back(context_.make(Loop{body(loop->form.body, inside, falls, true)}, loop->loc));
  if (const auto* counted = as<CountedLoop>(s)) {
    CountedLoop form = counted->form;
    form.body = body(form.body, inside, falls, true);
    return out.push_back(context_.make(form, counted->loc));
  }
  if (const auto* walk = as<MapLoop>(s)) {
    MapLoop form = walk->form;
    form.body = body(form.body, inside, falls, true);
    return out.push_back(context_.make(form, walk->loc));
  }
  const Kind kind = kind_of(s);
  if (kind == Kind::Return || kind == Kind::Leave || kind == Kind::Throw || kind == Kind::Raise ||
      kind == Kind::TailCall || kind == Kind::Break || kind == Kind::Continue)
    falls_through = false;
  simple(s, out);
}

void PacketWalk::branches(const Node<If>& n, KnownBytes& known, std::vector<Stmt>& out, bool& falls_through) {
  std::vector<Branch> kept;
  std::vector<KnownBytes> ends;
  KnownBytes otherwise = known;
  for (const Branch& b : n->branches) {
    KnownBytes inside = otherwise;
    Expr condition = b.condition;
    if (const std::optional<bool> known_answer = answer(condition, otherwise))
      condition = context_.make(Int{{*known_answer}, {}}, loc_of(condition), type_of(condition));
    learn(b.condition, true, inside);
    learn(b.condition, false, otherwise);  // before the body, which may write to memory: ctx->data is what was tested
    bool falls = true;
    kept.push_back({condition, body(b.body, inside, falls)});
    if (falls) ends.push_back(inside);
  }
  bool falls = true;
  const Body last = body(n->otherwise, otherwise, falls);
  if (falls) ends.push_back(otherwise);
  join(ends, known, falls_through);
  out.push_back(context_.make(If{context_.span(kept), last}, n.loc));
}

bool PacketWalk::is_known(const InPacket& inside, const KnownBytes& known) const {
  const auto at = position(inside.pointer);
  if (!at || at->offset < 0) return false;
  auto found = known.find(at->root);
  return found != known.end() && at->offset + static_cast<int64_t>(inside.size) <= found->second;
}

/// A comparison of a pointer with the packet's end, the pointer on the left; nothing if it is another.
std::optional<std::pair<CompareOp, Expr>> PacketWalk::compared_with_end(const Expr& condition) const {
  const auto* compare = as<Compare>(condition);
  if (!compare) return {};
  CompareOp op = compare->form.op;
  Expr left = compare->form.left, right = compare->form.right;
  if (is_end(left)) {
    std::swap(left, right);
    op = op == CompareOp::Less           ? CompareOp::Greater
         : op == CompareOp::LessEqual    ? CompareOp::GreaterEqual
         : op == CompareOp::Greater      ? CompareOp::Less
         : op == CompareOp::GreaterEqual ? CompareOp::LessEqual
                                         : op;
  }
  if (!is_end(right)) return {};
  return std::pair(op, left);
}

/// The answer of a developer's own test of the packet's end, if it is known. The verifier follows the way that cannot
/// be, and knows nothing of the packet there.
std::optional<bool> PacketWalk::answer(const Expr& condition, const KnownBytes& known) const {
  if (const auto* negation = as<Not>(condition)) {
    const std::optional<bool> inner = answer(negation->form.value, known);
    return inner ? std::optional(!*inner) : inner;
  }
  const auto compared = compared_with_end(condition);
  const auto at = compared ? position(compared->second) : std::nullopt;
  if (!at || at->offset < 0) return {};
  const auto found = known.find(at->root);
  const int64_t bytes = found != known.end() ? found->second : 0;
  const bool is_start = at->from_start && at->offset == 0;
  const bool reaches = is_start || bytes >= at->offset, reaches_more = bytes > at->offset;
  switch (compared->first) {
    case CompareOp::LessEqual: return reaches ? std::optional(true) : std::nullopt;
    case CompareOp::Less: return reaches_more ? std::optional(true) : std::nullopt;
    case CompareOp::Greater: return reaches ? std::optional(false) : std::nullopt;
    case CompareOp::GreaterEqual: return reaches_more ? std::optional(false) : std::nullopt;
    default: return {};
  }
}

/// What a condition's answer says.
void PacketWalk::learn(const Expr& condition, bool holds, KnownBytes& known) const {
  if (const auto* negation = as<Not>(condition)) return learn(negation->form.value, !holds, known);
  if (const auto* both = as<And>(condition); both && holds)
    learn(both->form.left, true, known), learn(both->form.right, true, known);
  if (const auto* either = as<Or>(condition); either && !holds)
    learn(either->form.left, false, known), learn(either->form.right, false, known);
  if (const auto* inside = as<InPacket>(condition); inside && holds)
    note(position(inside->form.pointer), static_cast<int64_t>(inside->form.size), known);
  const auto compared = compared_with_end(condition);
  if (!compared) return;
  const CompareOp op = compared->first;
  const bool within = holds ? op == CompareOp::LessEqual || op == CompareOp::Less
                            : op == CompareOp::Greater || op == CompareOp::GreaterEqual;
  if (within) note(position(compared->second), 0, known);
}

void PacketWalk::forget_if_moved(const Stmt& s, KnownBytes& known) const {
  const bool moves = any_call(s, [&](const Expr& e) {
    const auto* call = as<Call>(e);
    return moves_packet(e) ||
           (call && (functions_.moving.count(call->form.function) || functions_.pulling.count(call->form.function)));
  });
  if (moves) known.clear();
}

}  // namespace ksc

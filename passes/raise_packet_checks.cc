// SPDX-License-Identifier: Apache-2.0
/// if (!in_packet(p, 14)) { leave }; …; if (!in_packet(p, 34)) { leave }   =>   the first asks for 34 bytes, if all
/// ways from it end alike
#include "ir/rewrite.h"
#include "passes/fault_verdicts.h"
#include "passes/packet_positions.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// The verifier follows a packet pointer by at most 16 bits of offset.
constexpr int64_t farthest_check = 0xffff;

class CheckRaiser {
 public:
  CheckRaiser(Context& context, const FunctionDef& function, const FaultVerdicts& verdicts)
      : context_(context), function_(function), verdicts_(verdicts), positions_(context, function) {
    for (const Stmt& s : function.body.statements) find(s);
  }

  /// The body with its tests raised, and those in the bodies inside it.
  Body body(const Body& in) {
    std::vector<Stmt> out;
    for (size_t i = 0; i < in.statements.size(); ++i) {
      const InPacket* check = packet_check(in.statements[i]);
      out.push_back(check ? raised(in.statements[i], *check, wanted(in.statements, i, *check))
                          : inside(in.statements[i]));
    }
    return {context_.span(out)};
  }

 private:
  /// Finds the positions of all pointers: a test is raised before those that follow it are reached.
  void find(const Stmt& s) {
    positions_.statement(s, [&] {
      const auto* let = as<Let>(s);
      if (let && is(let->form.type, TypeKind::Pointer) && let->form.type->space == Space::Packet)
        if (const auto at = positions_.position(context_.make(Local{let->form.name}, let->loc, let->form.type)))
          found_[let->form.name] = *at;
      each_child_of(
          s, [](const Expr&) {}, [&](const Stmt& t) { find(t); });
    });
  }
  std::optional<PacketPosition> position(const InPacket& check) const {
    const auto* local = as<Local>(check.pointer);
    auto found = local ? found_.find(local->form.name) : found_.end();
    return found == found_.end() ? std::nullopt : std::optional(found->second);
  }

  /// How many bytes the test at `i` and those after it want, as far as it makes no difference which of them fails.
  uint64_t wanted(Span<Stmt> statements, size_t i, const InPacket& check) const {
    uint64_t size = check.size;
    const auto at = position(check);
    for (size_t j = i + 1; at && j < statements.size() && ends_alike(statements[j]); ++j) {
      const InPacket* later = packet_check(statements[j]);
      const auto there = later ? position(*later) : std::nullopt;
      if (!there || !(there->root == at->root) || there->offset < at->offset) continue;
      const int64_t end = there->offset + static_cast<int64_t>(later->size);
      if (end <= farthest_check) size = std::max(size, static_cast<uint64_t>(end - at->offset));
    }
    return size;
  }

  /// Whether the statement does nothing that lasts, and leaves the function, if at all, as a failed test does.
  bool ends_alike(const Stmt& s) const {
    if (const auto* let = as<Let>(s)) return !let->form.value || is_quiet(*let->form.value);
    if (const auto* assign = as<Assign>(s))
      return !is_caught_ && as<Local>(assign->form.place) && is_quiet(assign->form.value);
    if (const auto* block = as<Block>(s)) return ends_alike(block->form.body);
    if (const auto* test = as<If>(s)) {
      for (const Branch& b : test->form.branches)
        if (!is_quiet(b.condition) || !ends_alike(b.body)) return false;
      return ends_alike(test->form.otherwise);
    }
    const bool is_program = function_.domain == Domain::Program;
    if (const auto* leave = as<Leave>(s)) return leave->form.reason == LeaveReason::Bounds;
    const auto* give = as<Return>(s);
    const auto* given = give && give->form.value ? as<Int>(*give->form.value) : nullptr;
    return is_program && !is_caught_ && given && given->form.value == as<Int>(verdicts_.of(function_, {}))->form.value;
  }
  bool ends_alike(const Body& b) const {
    for (const Stmt& s : b.statements)
      if (!ends_alike(s)) return false;
    return true;
  }
  bool is_quiet(const Expr& e) const {
    constexpr FormSet acting = form_set_of<Call, HelperCall, MapLookup, MapSlot, MapCall>();
    return (header(e).contains & acting).empty() && !(has_socket_buffer(function_) && tells_end(e));
  }
  /// Whether the value depends on where the packet ends: a test that asks for more pulls more [L176].
  bool tells_end(const Expr& e) const {
    bool found = positions_.is_end(e);
    each_child_of(
        e, [&](const Expr& child) { found = found || tells_end(child); }, [](const Stmt&) {});
    return found;
  }

  Stmt raised(const Stmt& s, InPacket check, uint64_t size) {
    if (size == check.size) return s;
    check.size = size;
    const auto& test = *as<If>(s);
    const Expr condition = test.form.branches[0].condition;
    const Expr inside = context_.make(check, loc_of(condition), type_of(condition));
    return context_.make(If{context_.span<Branch>({{context_.make(Not{inside}, loc_of(condition), type_of(condition)),
                                                    test.form.branches[0].body}}),
                            {}},
                         test.loc);
  }
  /// The statement with the bodies inside it.
  Stmt inside(const Stmt& s) {
    if (!header(s).contains.has(Kind::InPacket)) return s;
    if (const auto* attempt = as<Try>(s)) {
      Try form = attempt->form;
      const bool outer = is_caught_;
      is_caught_ = is_caught_ || catches_bounds(form);
      form.body = body(form.body);
      is_caught_ = outer;
      std::vector<CatchClause> clauses(form.clauses.begin(), form.clauses.end());
      for (CatchClause& clause : clauses) clause.body = body(clause.body);
      form.clauses = context_.span(clauses);
      return context_.make(form, attempt->loc);
    }
    const bool outer = is_caught_;
    is_caught_ = is_caught_ || as<Finally>(s) || as<Guarded>(s);
    const Stmt out = map_children(
        context_, s, [](const Expr& e) { return e; }, [&](const Body& b) { return body(b); });
    is_caught_ = outer;
    return out;
  }

  Context& context_;
  const FunctionDef& function_;
  const FaultVerdicts& verdicts_;
  PacketPositions positions_;
  NameMap<PacketPosition> found_;
  bool is_caught_ = false;  // a failed test goes to what sees what was assigned before: `catch bounds`, deferred bodies
};

}  // namespace

Ir<lang::ChecksRaised> raise_packet_checks(const Ir<lang::AccessesChecked>& in, Context& context) {
  using Out = To<lang::ChecksRaised>;
  const FaultVerdicts verdicts(in.declarations, context);
  return rewrite<lang::AccessesChecked, lang::ChecksRaised>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        if (!n.contains.has(Kind::InPacket)) return to.declare(n.form, n.loc);
        FunctionDef form = n.form;
        form.body = CheckRaiser(to.context, n.form, verdicts).body(form.body);
        to.declare(form, n.loc);
      }));
}

}  // namespace ksc

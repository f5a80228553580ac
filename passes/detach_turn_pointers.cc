// SPDX-License-Identifier: Apache-2.0
/// for (…) { if (ctx->data + i > ctx->data_end) break; … } … p->x   =>   for (…) { if (ctx->data + ks_detached(i) >
/// ctx->data_end) break; … } … p->x: of all pointers in the turns of a loop that another outlives
#include <algorithm>

#include "ir/rewrite.h"
#include "passes/leaves_loop.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::TurnPointersDetached>;

bool points_into_packet(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Packet; }

/// The loops with a way out behind which a pointer into the packet is used that was there before them.
class OutlivedLoops {
 public:
  explicit OutlivedLoops(const FunctionDef& function) {
    for (const Parameter& parameter : function.parameters) declared_[parameter.name] = 0;
    for (const Stmt& s : function.body.statements) walk(s);
    for (const Loop& loop : loops_)
      for (const auto& [pointer, last] : last_use_)
        if (declared_[pointer] < loop.begin && last > loop.end) found_.insert(loop.counter);
  }
  /// By the loop's counter.
  bool has(Name counter) const { return found_.count(counter); }

 private:
  struct Loop {
    Name counter;
    size_t begin, end;
  };
  void walk(const Stmt& s) {
    const size_t begin = ++position_;
    if (const auto* let = as<Let>(s)) declared_[let->form.name] = begin;
    each_child_of(
        s, [&](const Expr& e) { use(e); }, [&](const Stmt& t) { walk(t); });
    const auto* loop = as<CountedLoop>(s);
    if (!loop) return;
    const Span<Stmt> body = loop->form.body.statements;
    if (std::any_of(body.begin(), body.end(), [](const Stmt& t) { return leaves_loop(t); }))
      loops_.push_back({loop->form.name, begin, position_});
  }
  void use(const Expr& e) {
    const auto* local = as<Local>(e);
    if (local && points_into_packet(local->type)) last_use_[local->form.name] = position_;
    each_child_of(
        e, [&](const Expr& child) { use(child); }, [](const Stmt&) {});
  }

  NameMap<size_t> declared_, last_use_;
  std::vector<Loop> loops_;
  NameSet found_;
  size_t position_ = 0;
};

/// The pointer, whose distance from the packet's start the verifier does not know exactly.
Expr detached(const Expr& e, Out& to) {
  if (const auto* converted = as<Convert>(e))
    return to.make(Convert{detached(converted->form.value, to)}, converted->loc, converted->type);
  const auto* sum = as<PointerAdd>(e);
  if (sum && as<Int>(sum->form.count))
    return to.make(PointerAdd{detached(sum->form.pointer, to), sum->form.count}, sum->loc, sum->type);
  const auto* widened = sum ? as<Convert>(sum->form.count) : nullptr;
  const auto* bounded = sum ? as<RuntimeCall>(sum->form.count) : nullptr;
  const bool goes_on = widened
                           ? !is_signed(type_of(widened->form.value))
                           : bounded && (bounded->form.function == "ks_reach" || bounded->form.function == "ks_masked");
  if (!goes_on) return e;  // what may reach back stays exact
  const Expr count = to.make(RuntimeCall{to.context.name("ks_detached"), to.context.span<Expr>({sum->form.count})},
                             sum->loc, type_of(sum->form.count));
  return to.make(PointerAdd{sum->form.pointer, count}, sum->loc, sum->type);
}

}  // namespace

// What a test finds out holds for all pointers at known distances from the packet's start: one that is used behind the
// loop has another range after each turn, and all that follows is walked once for each of them.
Ir<lang::TurnPointersDetached> detach_turn_pointers(const Ir<lang::DistancesPointed>& in, Context& context) {
  std::optional<OutlivedLoops> loops;
  int around = 0;
  return rewrite<lang::DistancesPointed, lang::TurnPointersDetached>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        loops.emplace(n.form);
        FunctionDef form = n.form;
        form.body = to(n->body);
        to.declare(form, n.loc);
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        const bool is_outlived = loops->has(n->name);
        around += is_outlived;
        CountedLoop form = n.form;
        form.body = to(n->body);
        around -= is_outlived;
        to.emit(form, n.loc);
      }),
      on<Compare>([&](const Node<Compare>& n, Out& to) -> Expr {
        if (around == 0 || !points_into_packet(type_of(n->left))) return to.rebuild(n);
        return to.make(Compare{n->op, detached(n->left, to), detached(n->right, to)}, n.loc, n.type);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const bool detaches = around > 0 && points_into_packet(type_of(n->place));
        to.emit(Assign{to(n->place), detaches ? detached(to(n->value), to) : to(n->value)}, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        Let form = n.form;
        if (around > 0 && form.value && points_into_packet(n->type)) form.value = detached(*form.value, to);
        to.emit(form, n.loc);
      }));
}

}  // namespace ksc

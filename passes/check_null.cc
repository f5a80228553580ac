// SPDX-License-Identifier: Apache-2.0
/// *p   =>   *p, with p proven not to be null on every way to it; otherwise an error
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// The locals proven to hold something, on the way that control has taken.
using Proven = std::set<Name, ByText>;

class NullCheck {
 public:
  explicit NullCheck(Context& context) : context_(context) {}

  /// Returns whether control falls through.
  bool body(const Body& in, Proven& proven) {
    for (const Stmt& s : in.statements)
      if (!statement(s, proven)) return false;
    return true;
  }

 private:
  bool statement(const Stmt& s, Proven& proven) {
    if (const auto* let = as<Let>(s)) {
      if (let->form.value) {
        expression(*let->form.value, proven);
        bind(let->form.name, *let->form.value, proven);
      }
      return true;
    }
    if (const auto* assign = as<Assign>(s)) {
      place(assign->form.place, proven);
      expression(assign->form.value, proven);
      if (const auto* local = as<Local>(assign->form.place)) bind(local->form.name, assign->form.value, proven);
      return true;
    }
    if (const auto* test = as<If>(s)) {
      std::vector<Proven> ends;
      Proven otherwise = proven;
      for (const Branch& b : test->form.branches) {
        expression(b.condition, otherwise);
        Proven inside = otherwise;
        learn(b.condition, true, inside);
        if (body(b.body, inside)) ends.push_back(inside);
        learn(b.condition, false, otherwise);
      }
      if (body(test->form.otherwise, otherwise)) ends.push_back(otherwise);
      return join(ends, proven);
    }
    if (const auto* test = as<IfPresent>(s)) {
      expression(test->form.value, proven);
      Proven inside = proven, otherwise = proven;
      inside.insert(test->form.name);
      std::vector<Proven> ends;
      if (body(test->form.then, inside)) ends.push_back(inside);
      if (body(test->form.otherwise, otherwise)) ends.push_back(otherwise);
      return join(ends, proven);
    }
    if (const auto* block = as<Block>(s)) return body(block->form.body, proven);
    if (const auto* loop = as<Loop>(s)) {
      forget_changed(s, proven);
      Proven inside = proven;
      body(loop->form.body, inside);
      return true;
    }
    if (const auto* loop = as<While>(s)) {
      forget_changed(s, proven);
      expression(loop->form.condition, proven);
      Proven inside = proven;
      learn(loop->form.condition, true, inside);
      body(loop->form.body, inside);
      return true;
    }
    if (const auto* loop = as<For>(s)) {
      expression(loop->form.low, proven);
      expression(loop->form.high, proven);
      forget_changed(s, proven);
      Proven inside = proven;
      body(loop->form.body, inside);
      return true;
    }
    if (const auto* value = as<Evaluate>(s)) {
      if (const auto* match = as<Match>(value->form.value)) {
        expression(match->form.subject, proven);
        std::vector<Proven> ends;
        for (const MatchArm& arm : match->form.arms) {
          Proven inside = proven;
          if (expression(arm.value, inside)) ends.push_back(inside);
        }
        return join(ends, proven);
      }
    }
    bool falls = true;
    each_child_of(s, [&](const Expr& e) { falls = expression(e, proven) && falls; }, [](const Stmt&) {});
    const Kind kind = kind_of(s);
    return falls && kind != Kind::Return && kind != Kind::TailCall && kind != Kind::Break && kind != Kind::Continue;
  }

  static bool join(const std::vector<Proven>& ends, Proven& proven) {
    if (ends.empty()) return false;
    proven = ends[0];
    for (const Proven& other : ends) std::erase_if(proven, [&](Name name) { return !other.count(name); });
    return true;
  }

  /// Checks the dereferences in an expression; returns whether control comes out of it.
  bool expression(const Expr& e, Proven& proven) {
    if (const auto* both = as<And>(e)) {
      expression(both->form.left, proven);
      Proven inside = proven;
      learn(both->form.left, true, inside);
      expression(both->form.right, inside);
      return true;
    }
    if (const auto* either = as<Or>(e)) {
      expression(either->form.left, proven);
      Proven inside = proven;
      learn(either->form.left, false, inside);
      expression(either->form.right, inside);
      return true;
    }
    if (const auto* choice = as<Conditional>(e)) {
      expression(choice->form.condition, proven);
      Proven yes = proven, no = proven;
      learn(choice->form.condition, true, yes);
      learn(choice->form.condition, false, no);
      expression(choice->form.then, yes);
      expression(choice->form.otherwise, no);
      return true;
    }
    if (const auto* choice = as<IfValue>(e)) {
      Proven otherwise = proven;
      for (const ValueBranch& b : choice->form.branches) {
        expression(b.condition, otherwise);
        Proven inside = otherwise;
        learn(b.condition, true, inside);
        expression(b.value, inside);
        learn(b.condition, false, otherwise);
      }
      expression(choice->form.otherwise, otherwise);
      return true;
    }
    if (const auto* match = as<Match>(e)) {
      expression(match->form.subject, proven);
      for (const MatchArm& arm : match->form.arms) {
        Proven inside = proven;
        expression(arm.value, inside);
      }
      return true;
    }
    if (const auto* block = as<BlockValue>(e)) {
      if (!body(block->form.body, proven)) return false;
      return !block->form.value || expression(*block->form.value, proven);
    }
    if (const auto* deref = as<Deref>(e)) {
      expression(deref->form.pointer, proven);
      check(deref->form.pointer, deref->loc, proven);
      return true;
    }
    each_child_of(e, [&](const Expr& child) { expression(child, proven); }, [](const Stmt&) {});
    return true;
  }
  void place(const Expr& e, Proven& proven) { expression(e, proven); }

  void check(const Expr& pointer, Loc loc, const Proven& proven) {
    if (holds_something(pointer, proven)) return;
    Diagnostic& message = context_.diagnostics.report(loc, diag::null_dereference);
    if (const auto* local = as<Local>(pointer))
      message.note(fmt::format("test it first: `if ({} != null) {{ … }}`", local->form.name.spelling()));
  }
  bool holds_something(const Expr& e, const Proven& proven) const {
    Type type = type_of(e);
    if (!type->nullable) return true;
    if (const auto* local = as<Local>(e)) return proven.count(local->form.name) != 0;
    if (const auto* converted = as<Convert>(e)) return holds_something(converted->form.value, proven);
    if (const auto* sum = as<PointerAdd>(e)) return holds_something(sum->form.pointer, proven);
    return as<AddressOf>(e) != nullptr;
  }
  void bind(Name name, const Expr& value, Proven& proven) {
    Type type = type_of(value);
    if (!is(type, TypeKind::Pointer) && !is(type, TypeKind::EntryRef)) return;
    if (holds_something(value, proven)) proven.insert(name);
    else proven.erase(name);
  }
  void learn(const Expr& condition, bool holds, Proven& proven) {
    if (const auto* negation = as<Not>(condition)) return learn(negation->form.value, !holds, proven);
    if (const auto* both = as<And>(condition); both && holds) learn(both->form.left, true, proven), learn(both->form.right, true, proven);
    if (const auto* either = as<Or>(condition); either && !holds) learn(either->form.left, false, proven), learn(either->form.right, false, proven);
    if (const auto* present = as<Present>(condition); present && holds)
      if (const auto* local = as<Local>(present->form.value)) proven.insert(local->form.name);
  }
  /// What a loop assigns is not known at its head.
  void forget_changed(const Stmt& s, Proven& proven) {
    std::function<void(const Expr&)> on_expr;
    std::function<void(const Stmt&)> on_stmt = [&](const Stmt& t) {
      if (const auto* assign = as<Assign>(t))
        if (const auto* local = as<Local>(assign->form.place)) proven.erase(local->form.name);
      each_child_of(t, on_expr, on_stmt);
    };
    on_expr = [&](const Expr& e) { each_child_of(e, on_expr, on_stmt); };
    on_stmt(s);
  }

  Context& context_;
};

}  // namespace

Ir<lang::NullChecked> check_null(const Ir<lang::TailCallsFound>& in, Context& context) {
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d)) {
      Proven proven;
      NullCheck(context).body(function->form.body, proven);
    }
  return {in.declarations};
}

}  // namespace ksc

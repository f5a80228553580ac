// SPDX-License-Identifier: Apache-2.0
/// leave   =>   return XDP_PASS in a program; return a status in a function, which its callers pass on
#include <set>

#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/fault_verdicts.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ThrowsExplicit>;

/// What a throwing function returns for a failed check: the kind in the upper half, no code. 0 is "returned".
constexpr __int128 bounds_status = static_cast<__int128>(2) << 32;

/// The functions that may leave, themselves or through what they call.
std::set<Name, ByText> leaving_functions(const Program& program) {
  std::set<Name, ByText> leaving;
  std::map<Name, std::set<Name, ByText>, ByText> callers;
  std::vector<Name> work;
  for (const Decl& d : program) {
    const auto* function = as<FunctionDef>(d);
    if (!function || function->form.domain != Domain::Shared) continue;
    std::function<void(const Expr&)> on_expr;
    std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) { each_child_of(s, on_expr, on_stmt); };
    on_expr = [&](const Expr& e) {
      if (const auto* call = as<Call>(e)) callers[call->form.function].insert(function->form.name);
      each_child_of(e, on_expr, on_stmt);
    };
    for (const Stmt& s : function->form.body.statements) on_stmt(s);
    if (function->contains.has(Kind::Leave)) work.push_back(function->form.name);
  }
  while (!work.empty()) {
    const Name name = work.back();
    work.pop_back();
    if (!leaving.insert(name).second) continue;
    for (Name caller : callers[name]) work.push_back(caller);
  }
  return leaving;
}

class LeaveLowering {
 public:
  LeaveLowering(Out& to, const std::set<Name, ByText>& leaving, const FaultVerdicts& verdicts, Name result)
      : to_(to), leaving_(leaving), verdicts_(verdicts), result_(result) {}

  bool is_leaving_call(const Expr& e) const { return as<Call>(e) && leaving_.count(as<Call>(e)->form.function); }

  /// Emits the call, its result in `place` if there is one, and what happens if it leaves.
  void call(const Node<Call>& n, Option<Expr> place) {
    Types& types = to_.context.types;
    std::vector<Expr> arguments;
    for (const Expr& argument : n->arguments) arguments.push_back(to_(argument));
    if (!is(n.type, TypeKind::Void)) {
      if (!place) {
        const Name unused = to_.fresh("unused");
        to_.emit(Let{unused, n.type, {}}, n.loc);
        place = Expr(to_.make(Local{unused}, n.loc, n.type));
      }
      arguments.push_back(to_.make(AddressOf{*place}, n.loc, types.pointer(n.type, Space::Stack, false)));
    }
    const Name status = to_.fresh("status");
    to_.emit(Let{status, types.u64(), to_.make(Call{n->function, to_.context.span(arguments)}, n.loc, types.u64())},
             n.loc);
    const Expr given = to_.make(Local{status}, n.loc, types.u64());
    const Expr left = to_.make(Compare{CompareOp::NotEqual, given, to_.make(Int{{0}, {}}, n.loc, types.u64())}, n.loc,
                               types.boolean());
    const Body pass_on = to_.collect([&] { leave(n.loc, given); });
    to_.emit(If{to_.context.span<Branch>({{left, pass_on}}), {}}, n.loc);
  }

  /// Leaves the function at work for the reason which `status` carries.
  void leave(Loc loc, const Expr& status) {
    const FunctionDef& function = *to_.function();
    if (function.domain != Domain::Program) return to_.emit(Return{status}, loc);
    to_.emit(Return{verdicts_.of(function, loc)}, loc);
  }
  Expr bounds(Loc loc) {
    return to_.make(Int{{bounds_status}, to_.context.name("KS_BOUNDS")}, loc, to_.context.types.u64());
  }

  /// return value of a leaving function: the value goes where the caller wants it.
  void give(const Option<Expr>& value, Loc loc) {
    Types& types = to_.context.types;
    if (value) {
      Expr given = to_(*value);
      if (has_effect(given)) {
        const Name name = to_.fresh("value");
        to_.emit(Let{name, type_of(given), given}, loc);
        given = to_.make(Local{name}, loc, type_of(given));
      }
      const Expr where = to_.make(Local{result_}, loc, types.pointer(type_of(*value), Space::Stack, false));
      to_.emit(Assign{to_.make(Deref{where}, loc, type_of(*value)), given}, loc);
    }
    to_.emit(Return{Expr(to_.make(Int{{0}, {}}, loc, types.u64()))}, loc);
  }

 private:
  Out& to_;
  const std::set<Name, ByText>& leaving_;
  const FaultVerdicts& verdicts_;
  Name result_;
};

}  // namespace

Ir<lang::ThrowsExplicit> lower_leaves(const Ir<lang::LoopsCapped>& in, Context& context) {
  const std::set<Name, ByText> leaving = leaving_functions(in.declarations);
  const FaultVerdicts verdicts(in.declarations, context);
  Name result;  // the parameter through which the leaving function at work gives its result
  const auto lower = [&](Out& to) { return LeaveLowering(to, leaving, verdicts, result); };
  const auto is_leaving = [&](Out& to) { return leaving.count(to.function()->name) != 0; };
  return rewrite<lang::LoopsCapped, lang::ThrowsExplicit>(
      in, context, on<FaultVerdict>([](const auto&, Out&) {}),
      on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        if (leaving.count(form.name)) {
          std::vector<Parameter> parameters(form.parameters.begin(), form.parameters.end());
          if (!is(form.result, TypeKind::Void)) {
            result = to.fresh("result");
            parameters.push_back({result, to.context.types.pointer(form.result, Space::Stack, false)});
          }
          form.parameters = to.context.span(parameters);
          const bool gives_nothing = is(form.result, TypeKind::Void);
          form.result = to.context.types.u64();
          form.throws = true;
          form.body = to.collect([&] {
            to.emit(to(n->body));
            if (gives_nothing) to.emit(Return{Expr(to.make(Int{{0}, {}}, n.loc, form.result))}, n.loc);
          });
        } else {
          form.body = to(form.body);
        }
        to.declare(form, n.loc);
      }),
      on<Leave>([&](const Node<Leave>& n, Out& to) { lower(to).leave(n.loc, lower(to).bounds(n.loc)); }),
      on<Return>([&](const Node<Return>& n, Out& to) {
        const auto* call = n->value ? as<Call>(*n->value) : nullptr;
        if (call && leaving.count(call->form.function)) {
          const Name value = to.fresh(call->form.function.spelling());
          to.emit(Let{value, call->type, {}}, n.loc);
          const Expr place = to.make(Local{value}, n.loc, call->type);
          lower(to).call(*call, place);
          return is_leaving(to) ? lower(to).give(place, n.loc) : to.emit(Return{place}, n.loc);
        }
        if (is_leaving(to)) return lower(to).give(n->value, n.loc);
        to.emit(Return{to(n->value)}, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        if (!n->value || !lower(to).is_leaving_call(*n->value)) return to.emit(n.form, n.loc);
        to.emit(Let{n->name, n->type, {}}, n.loc);
        lower(to).call(*as<Call>(*n->value), Expr(to.make(Local{n->name}, n.loc, n->type)));
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        if (!lower(to).is_leaving_call(n->value)) return to.emit(n.form, n.loc);
        // The variable keeps its value if the call leaves.
        const Name value = to.fresh("value");
        to.emit(Let{value, type_of(n->value), {}}, n.loc);
        const Expr place = to.make(Local{value}, n.loc, type_of(n->value));
        lower(to).call(*as<Call>(n->value), place);
        to.emit(Assign{n->place, place}, n.loc);
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        if (!lower(to).is_leaving_call(n->value)) return to.emit(n.form, n.loc);
        lower(to).call(*as<Call>(n->value), {});
      }));
}

}  // namespace ksc

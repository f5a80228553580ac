// SPDX-License-Identifier: Apache-2.0
/// throw 1   =>   raise KS_THROW(1)
/// y = f(x)   =>   status = f(x, &y); if (status != 0) { raise status }, where f may be left early
#include "ir/effects.h"
#include "ir/escapes.h"
#include "ir/rewrite.h"
#include "ir/status.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::StatusesRaised>;

class StatusRaising {
 public:
  StatusRaising(Out& to, const EscapeAnalysis& escapes, Name result) : to_(to), escapes_(escapes), result_(result) {}

  bool is_leaving_call(const Expr& e) const { return as<Call>(e) && !escapes_.of(as<Call>(e)->form.function).empty(); }

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
    const Body pass_on{to_.context.span<Stmt>({to_.make(Raise{given}, n.loc)})};
    to_.emit(If{to_.context.span<Branch>({{left, pass_on}}), {}}, n.loc);
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
  const EscapeAnalysis& escapes_;
  Name result_;
};

}  // namespace

Ir<lang::StatusesRaised> raise_statuses(const Ir<lang::NoMaybe>& in, Context& context) {
  const EscapeAnalysis escapes(in.declarations);
  // main has nobody to give a status to: what comes out of it ends the process.
  const auto gives_status = [&](const FunctionDef& f) {
    const bool is_called = f.domain == Domain::Shared || (f.domain == Domain::User && f.name != "main");
    return is_called && !escapes.of(f.name).empty();
  };
  Name result;  // the parameter through which the leaving function at work gives its result
  const auto lower = [&](Out& to) { return StatusRaising(to, escapes, result); };
  const auto is_leaving = [&](Out& to) { return gives_status(*to.function()); };
  return rewrite<lang::NoMaybe, lang::StatusesRaised>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        if (gives_status(form)) {
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
      on<Leave>(
          [&](const Node<Leave>& n, Out& to) { to.emit(Raise{constant_status(n->reason, n.loc, to.context)}, n.loc); }),
      on<Throw>([&](const Node<Throw>& n, Out& to) {
        Types& types = to.context.types;
        if (const auto* code = as<Int>(n->code)) {
          return to.emit(Raise{thrown_status(code->form, n.loc, to.context)}, n.loc);
        }
        // The code's 32 bits, below the kind.
        const Expr bits = to.make(Convert{to.make(Convert{to(n->code)}, n.loc, types.u32())}, n.loc, types.u64());
        const Expr kind = thrown_status(Int{}, n.loc, to.context);
        to.emit(Raise{to.make(Binary{BinaryOp::BitOr, kind, bits}, n.loc, types.u64())}, n.loc);
      }),
      on<Return>([&](const Node<Return>& n, Out& to) {
        const auto* call = n->value ? as<Call>(*n->value) : nullptr;
        if (call && lower(to).is_leaving_call(*n->value)) {
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

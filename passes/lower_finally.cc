// SPDX-License-Identifier: Apache-2.0
/// finally { … return e … } do { C }   =>   var result; done: { … result = e; goto done … } C; return result
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NoFinally>;

/// How a function is left behind its cleanups, the same for all of them: what it returns, raises or hands over to,
/// where it does.
struct WaysOut {
  Name result, status, program;
  std::vector<const Node<TailCall>*> tail_calls;
};

/// What is left by a jump to its end: the body of a `finally` at work, or a deferred one.
struct OpenBody {
  Name done;
  int jumps = 0;
};

bool ends_with_jump_to(const Body& body, Name label) {
  const auto* jump = body.statements.empty() ? nullptr : as<Goto>(body.statements[body.statements.size() - 1]);
  return jump && jump->form.label == label;
}

}  // namespace

// One is the last statement of another's body, so that behind an inner cleanup control comes to the outer one by
// itself. A function whose callers look at a status has given its result already: `return 0` leaves nothing to do.
Ir<lang::NoFinally> lower_finally(const Ir<lang::NoTry>& in, Context& context) {
  std::vector<OpenBody> open;
  WaysOut ways;
  Types& types = context.types;
  const auto number = [&](uint64_t value, Loc loc) { return context.make(Int{{value}, {}}, loc, types.u64()); };
  const auto leave = [&](Name& variable, std::string_view what, const Option<Expr>& value, Loc loc, Out& to) {
    if (value) {
      if (!variable) variable = to.fresh(what);
      to.emit(Assign{to.make(Local{variable}, loc, type_of(*value)), *value}, loc);
    }
    ++open.back().jumps;
    to.emit(Goto{open.back().done}, loc);
  };
  const auto declare = [&](Name variable, Type type, Loc loc, Out& to) {
    if (!variable) return;
    Option<Expr> first;
    if (type == types.u64()) first = number(0, loc);
    to.emit(Let{variable, type, first}, loc);
  };
  const auto go_on = [&](Loc loc, Out& to) {
    const FunctionDef& function = *to.function();
    const bool gives = ways.result || function.throws || is(function.result, TypeKind::Void);
    size_t left = (ways.status ? 1 : 0) + ways.tail_calls.size();
    const auto where = [&](CompareOp op, Name variable, uint64_t value, const Stmt& then) {
      if (--left == 0 && !gives) return to.emit_statement(then);  // there is no other way
      const Expr holds =
          to.make(Compare{op, to.make(Local{variable}, loc, types.u64()), number(value, loc)}, loc, types.boolean());
      to.emit(If{to.context.span<Branch>({{holds, {to.context.span<Stmt>({then})}}}), {}}, loc);
    };
    if (ways.status)
      where(CompareOp::NotEqual, ways.status, 0, to.make(Raise{to.make(Local{ways.status}, loc, types.u64())}, loc));
    for (size_t i = 0; i < ways.tail_calls.size(); ++i)
      where(CompareOp::Equal, ways.program, i + 1, to.make(ways.tail_calls[i]->form, ways.tail_calls[i]->loc));
    if (ways.result)
      to.emit(Return{Expr(to.make(Local{ways.result}, loc, function.result))}, loc);
    else if (function.throws)
      to.emit(Return{Expr(number(0, loc))}, loc);
  };
  // The body, with a label behind it if something in it jumps there.
  const auto labelled = [&](const Body& in, Loc loc, Out& to) -> Stmt {
    open.push_back({to.fresh("done"), 0});
    Body body = to(in);
    OpenBody done = open.back();
    open.pop_back();
    if (ends_with_jump_to(body, done.done)) {
      body = {{body.statements.begin(), body.statements.size() - 1}};
      --done.jumps;
    }
    return done.jumps > 0 ? Stmt(to.make(Labelled{done.done, body}, loc)) : Stmt(to.make(Block{body}, loc));
  };
  const auto emit_labelled = [](const Stmt& s, Out& to) {
    const auto* block = as<Block>(s);
    block ? to.emit(block->form.body) : to.emit_statement(s);
  };
  return rewrite<lang::NoTry, lang::NoFinally>(
      in, context, on<Return>([&](const Node<Return>& n, Out& to) {
        const Option<Expr> value = to(n->value);
        if (open.empty()) return to.emit(Return{value}, n.loc);
        leave(ways.result, "result", to.function()->throws ? Option<Expr>() : value, n.loc, to);
      }),
      on<Raise>([&](const Node<Raise>& n, Out& to) {
        const Expr status = to(n->status);
        open.empty() ? to.emit(Raise{status}, n.loc) : leave(ways.status, "left", status, n.loc, to);
      }),
      on<TailCall>([&](const Node<TailCall>& n, Out& to) {
        if (open.empty()) return to.emit(n.form, n.loc);
        ways.tail_calls.push_back(&n);
        leave(ways.program, "program", number(ways.tail_calls.size(), n.loc), n.loc, to);
      }),
      on<Finally>([&](const Node<Finally>& n, Out& to) {
        if (open.empty()) ways = {};
        const Stmt body = labelled(n->body, n.loc, to);
        const Body cleanup = to(n->cleanup);
        if (open.empty()) {
          declare(ways.result, to.function()->result, n.loc, to);
          declare(ways.status, types.u64(), n.loc, to);
          declare(ways.program, types.u64(), n.loc, to);
        }
        emit_labelled(body, to);
        to.emit(cleanup);
        if (open.empty()) go_on(n.loc, to);
      }),
      on<Guarded>([&](const Node<Guarded>& n, Out& to) { emit_labelled(labelled(n->body, n.loc, to), to); }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "passes/inference.h"

namespace ksc {

void Inference::throw_statement(const Node<Throw>& n) {
  const Expr code = coerce(infer(n->code, t.i32()), t.i32());
  if (is_invalid(code)) return emit(InvalidStmt{}, n.loc);
  emit(Throw{code}, n.loc);
}

void Inference::try_statement(const Node<Try>& n) {
  ++try_depth_;
  const Body tried = body(n->body);
  --try_depth_;
  std::vector<CatchClause> clauses;
  std::set<__int128> codes;
  bool takes_all = false, takes_bounds = false, is_broken = false;
  for (const CatchClause& clause : n->clauses) {
    CatchClause out = clause;
    bool is_reached = clause.bounds ? !takes_bounds : !takes_all;
    if (clause.bounds && !in_ebpf()) c.diagnostics.report(clause.name.loc, diag::bounds_in_userspace);
    if (clause.code) {
      const Expr code = coerce(infer(*clause.code, t.i32()), t.i32());
      const auto* number = as<Int>(code);
      if (!number && !is_invalid(code)) c.diagnostics.report(loc_of(*clause.code), diag::not_constant);
      is_broken = is_broken || !number;
      is_reached = is_reached && (!number || codes.insert(number->form.value.value).second);
      out.code = code;
    }
    if (!is_reached) c.diagnostics.report(clause.name.loc, diag::unreachable_catch);
    takes_all = takes_all || (!clause.bounds && !clause.code);
    takes_bounds = takes_bounds || clause.bounds;
    if (clause.name.name) locals_[clause.name.name] = t.i32();
    out.body = body(clause.body);
    clauses.push_back(out);
  }
  if (is_broken) return emit(InvalidStmt{}, n.loc);
  emit(Try{tried, c.span(clauses)}, n.loc);
}

Expr Inference::infer_panic(bool asserts, Span<Expr> arguments, Loc loc) {
  const size_t count = asserts ? 2 : 1;
  if (!argument_count(asserts ? "assert" : "panic", arguments.size(), count, loc)) return invalid(loc);
  if (at_file_level_) return report_not_constant(loc), invalid(loc);
  const Expr holds = asserts ? condition(arguments[0]) : invalid(loc);
  const Expr message = entry_value(settle(infer(arguments[count - 1])));
  if (is_invalid(message) || (asserts && is_invalid(holds))) return invalid(loc);
  if (!is(type_of(message), TypeKind::Str)) {
    c.diagnostics.report(loc_of(message), diag::type_mismatch, spell(type_of(message)), "a string");
    return invalid(loc);
  }
  const Body ends = collect_statements([&] {
    if (!in_ebpf())
      return emit(Evaluate{c.make(BuiltinCall{c.name("panic"), c.span<Expr>({message})}, loc, t.void_type())}, loc);
    emit(Print{c.name("panic: %s"), c.span<Expr>({message})}, loc);
    emit(Leave{LeaveReason::Panic}, loc);
  });
  if (!asserts) return c.make(BlockValue{ends, {}}, loc, t.void_type());
  const Expr fails = c.make(Not{holds}, loc, t.boolean());
  const Body tested = collect_statements([&] { emit(If{c.span<Branch>({{fails, ends}}), {}}, loc); });
  return c.make(BlockValue{tested, {}}, loc, t.void_type());
}

void Inference::report_leaving(std::string_view what, Loc loc) {
  c.diagnostics.report(loc, diag::deferred_leaves, std::string(what));
}

void Inference::defer_statement(const Node<Defer>& n) {
  if (in_deferred_) report_leaving("a `defer` stands", n.loc);
  if (n->call) {
    const Stmt& s = n->body.statements[0];
    const auto* value = as<Evaluate>(s);
    if (as<InvalidStmt>(s) || (value && is_invalid(value->form.value))) return emit(InvalidStmt{}, n.loc);
    if (!value || !as<Apply>(value->form.value)) {
      c.diagnostics.report(loc_of(s), diag::deferred_statement);
      return emit(InvalidStmt{}, n.loc);
    }
  }
  // The arguments of a call are evaluated now, and may leave as others do.
  if (n->call) {
    const bool was_in_deferred_call = std::exchange(in_deferred_call_, true);
    const Body call = body(n->body);
    in_deferred_call_ = was_in_deferred_call;
    return emit(Defer{with_arguments_evaluated(call), false}, n.loc);
  }
  const bool was_in_deferred = std::exchange(in_deferred_, true);
  const int loops = std::exchange(loop_depth_, 0), tries = std::exchange(try_depth_, 0);
  const Body deferred = body(n->body);
  in_deferred_ = was_in_deferred;
  loop_depth_ = loops;
  try_depth_ = tries;
  emit(Defer{deferred, false}, n.loc);
}

Body Inference::with_arguments_evaluated(const Body& call) {
  const auto evaluated = [&](const Expr& argument) {
    constexpr FormSet constants =
        form_set_of<Int, Zero, Null, StringValue, Convert, MapName, FunctionName, FunctionValue>();
    // The context stays what it is.
    const bool is_context = is(type_of(argument), TypeKind::Pointer) && type_of(argument)->space == Space::Context;
    if (is_context || header(argument).contains.minus(constants).empty()) return argument;
    const Name name = c.names.fresh("argument");
    emit(Let{name, type_of(argument), argument}, loc_of(argument));
    return Expr(c.make(Local{name}, loc_of(argument), type_of(argument)));
  };
  const auto kept = [](const Body& body) { return body; };
  std::vector<Stmt> statements(call.statements.begin(), call.statements.end());
  if (statements.empty()) return call;
  // What stands before the call makes its arguments. A line in parts has them already.
  const auto parts = std::find_if(statements.begin(), statements.end(), [](const Stmt& s) { return as<PrintPart>(s); });
  const auto first = parts == statements.end() ? parts - 1 : parts;
  sink_->insert(sink_->end(), statements.begin(), first);
  if (parts != statements.end()) return {c.span(std::vector<Stmt>(first, statements.end()))};
  Stmt& last = statements.back();
  if (const auto* evaluate = as<Evaluate>(last))
    last = c.make(Evaluate{map_children(c, evaluate->form.value, evaluated)}, evaluate->loc);
  else
    last = map_children(c, last, evaluated, kept);
  return {c.span<Stmt>({last})};
}

Expr Inference::infer_propagate(const Node<Propagate>& n, Expected expected) {
  if (in_deferred_ && try_depth_ == 0) return report_leaving("`?` leaves", n.loc), invalid(n.loc);
  if (at_file_level_) return report_not_constant(n.loc), invalid(n.loc);
  const Loc loc = n.loc;
  const Expr value = settle(infer(n->value, expected));
  if (is_invalid(value)) return value;
  Type type = type_of(value);
  const bool is_reference = is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef);
  const bool may_be_null = is(type, TypeKind::Maybe) || (is_reference && type->nullable);
  constexpr FormSet throwing = form_set_of<Call, IndirectCall, BuiltinCall>();
  const bool may_throw = !is_object(type) && !(header(value).contains & throwing).empty();
  if (!may_be_null && !may_throw) {
    const Loc mark = between(after(loc_of(n->value)), after(loc));
    c.diagnostics.report(mark, diag::nothing_to_propagate, spell(type)).fix(mark, "", "leave it out");
    return invalid(loc);
  }
  // Elsewhere what is thrown goes its way by itself.
  const bool takes_throws = may_throw && domain_ == Domain::Program && try_depth_ == 0;
  if (!may_be_null && !takes_throws) return value;
  const auto leave = [&] {
    if (in_ebpf()) return emit(Leave{LeaveReason::Bounds}, loc);
    if (is(result_, TypeKind::Pointer)) return emit(Return{c.make(Null{}, loc, result_)}, loc);
    emit(Throw{integer({2}, t.i32(), loc, c.name("ENOENT"))}, loc);
  };
  const Name held = c.names.fresh("value");
  const Expr local = c.make(Local{held}, loc, type);
  const Body before = collect_statements([&] {
    if (!takes_throws) {
      emit(Let{held, type, value}, loc);
    } else {
      const bool is_void = is(type, TypeKind::Void);
      if (!is_void) emit(Let{held, type, {}}, loc);
      const Body tried = collect_statements([&] {
        is_void ? emit(Evaluate{value}, loc) : emit(Assign{local, value}, loc);
      });
      emit(Try{tried, c.span<CatchClause>({{{}, {}, false, collect_statements(leave)}})}, loc);
    }
    if (!may_be_null) return;
    const Expr absent = c.make(Not{c.make(Present{local}, loc, t.boolean())}, loc, t.boolean());
    emit(If{c.span<Branch>({{absent, collect_statements(leave)}}), {}}, loc);
  });
  if (is(type, TypeKind::Void)) return c.make(BlockValue{before, {}}, loc, type);
  return c.make(BlockValue{before, may_be_null ? value_of_maybe(local) : local}, loc,
                is(type, TypeKind::Maybe) ? type->element : type);
}

}  // namespace ksc

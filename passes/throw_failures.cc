// SPDX-License-Identifier: Apache-2.0
/// m[k] = v   =>   var error = 0; attempt error { m[k] = v }; if (error != 0) { throw error }, in userspace where
/// something takes what is thrown
#include "ir/children.h"
#include "ir/effects.h"
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::FailuresThrown>;

bool takes_throws(const Try& attempt) {
  return std::any_of(attempt.clauses.begin(), attempt.clauses.end(),
                     [](const CatchClause& clause) { return !clause.bounds; });
}

/// The functions that are called where something takes what they throw, or where something is done last: directly, or
/// by such a function.
class TakenFunctions {
 public:
  explicit TakenFunctions(const Program& program) {
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = &function->form;
    for (const auto& [name, function] : functions_)
      for (const Stmt& s : function->body.statements) look(s, false);
  }
  bool has(Name function) const { return taken_.count(function) != 0; }

 private:
  void look(const Stmt& s, bool taken) {
    const auto* attempt = as<Try>(s);
    const bool within = taken || as<Finally>(s) || (attempt && takes_throws(attempt->form));
    if (attempt) {
      for (const Stmt& inner : attempt->form.body.statements) look(inner, within);
      for (const CatchClause& clause : attempt->form.clauses)
        for (const Stmt& inner : clause.body.statements) look(inner, taken);
      return;
    }
    each_child_of(
        s, [&](const Expr& e) { look(e, within); }, [&](const Stmt& inner) { look(inner, within); });
  }
  void look(const Expr& e, bool taken) {
    if (const auto* call = as<Call>(e); call && taken && taken_.insert(call->form.function).second)
      if (const auto callee = functions_.find(call->form.function); callee != functions_.end())
        for (const Stmt& s : callee->second->body.statements) look(s, true);
    each_child_of(
        e, [&](const Expr& child) { look(child, taken); }, [&](const Stmt& s) { look(s, taken); });
  }

  NameMap<const FunctionDef*> functions_;
  NameSet taken_;
};

/// Whether it lies in a map: an entry that is referred to, or one that is written in place.
bool is_in_map(const Expr& place) {
  const auto* deref = as<Deref>(root_of(place));
  if (!deref) return false;
  Type pointer = type_of(deref->form.pointer);
  return is(pointer, TypeKind::EntryRef) || pointer->space == Space::MapValue;
}

bool is_builtin(const Expr& e, std::string_view name) {
  const auto* call = as<BuiltinCall>(e);
  return call && call->form.function == name;
}

/// Emits what may fail, and the throw of why it did.
void emit_attempt(const Stmt& s, Loc loc, Out& to) {
  Types& types = to.context.types;
  const Name name = to.fresh("error");
  const Expr none = to.make(Int{{0}, {}}, loc, types.i32());
  to.emit(Let{name, types.i32(), none}, loc);
  const Expr error = to.make(Local{name}, loc, types.i32());
  to.emit(Attempt{error, Body{to.context.span<Stmt>({s})}}, loc);
  const Expr failed = to.make(Compare{CompareOp::NotEqual, error, none}, loc, types.boolean());
  const Body pass_on = to.collect([&] { to.emit(Throw{error}, loc); });
  to.emit(If{to.context.span<Branch>({{failed, pass_on}}), {}}, loc);
}

/// What an expression gives, evaluated before what may fail: that alone is attempted.
Expr settled(const Expr& e, Out& to) {
  const Expr value = to(e);
  if (!has_effect(value)) return value;
  const Name name = to.fresh("value");
  to.emit(Let{name, type_of(value), value}, loc_of(value));
  return to.make(Local{name}, loc_of(value), type_of(value));
}

}  // namespace

Ir<lang::FailuresThrown> throw_failures(const Ir<lang::NoMapEntry>& in, Context& context) {
  const TakenFunctions functions(in.declarations);
  int taken = 0;  // how many statements around the one at work take what is thrown
  const auto is_taken = [&](Out& to) {
    return to.function()->domain == Domain::User && (taken > 0 || functions.has(to.function()->name));
  };
  const auto within = [&](const Body& body, bool takes, Out& to) {
    taken += takes;
    const Body out = to(body);
    taken -= takes;
    return out;
  };
  return rewrite<lang::NoMapEntry, lang::FailuresThrown>(
      in, context, on<Try>([&](const Node<Try>& n, Out& to) {
        Try form = n.form;
        form.body = within(n->body, takes_throws(n.form), to);
        std::vector<CatchClause> clauses(form.clauses.begin(), form.clauses.end());
        for (CatchClause& clause : clauses) clause.body = to(clause.body);
        form.clauses = to.context.span(clauses);
        to.emit(form, n.loc);
      }),
      on<Finally>([&](const Node<Finally>& n, Out& to) {
        to.emit(Finally{within(n->body, true, to), within(n->cleanup, true, to)}, n.loc);
      }),
      on<MapStore>([&](const Node<MapStore>& n, Out& to) {
        if (!is_taken(to)) return to.emit(n.form, n.loc);
        const Expr key = settled(n->key, to), value = settled(n->value, to);
        emit_attempt(to.make(MapStore{to(n->map), key, value}, n.loc), n.loc, to);
      }),
      on<MapDelete>([&](const Node<MapDelete>& n, Out& to) {
        if (!is_taken(to)) return to.emit(n.form, n.loc);
        const Expr key = settled(n->key, to);
        emit_attempt(to.make(MapDelete{to(n->map), key}, n.loc), n.loc, to);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        if (!is_taken(to) || !is_in_map(n->place)) return to.emit(Assign{to(n->place), to(n->value)}, n.loc);
        const Expr value = settled(n->value, to);
        emit_attempt(to.make(Assign{to(n->place), value}, n.loc), n.loc, to);
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        if (!is_taken(to) || !is_builtin(n->value, "attach_or_exit")) return to.emit(Evaluate{to(n->value)}, n.loc);
        emit_attempt(to.make(Evaluate{to(n->value)}, n.loc), n.loc, to);
      }),
      on<BuiltinCall>([&](const Node<BuiltinCall>& n, Out& to) -> Expr {
        if (n->function != "load" || !is_taken(to)) return to.rebuild(n);
        emit_attempt(to.make(Evaluate{to.rebuild(n)}, n.loc), n.loc, to);
        return to.make(BuiltinCall{to.context.name("loaded"), to(n->arguments)}, n.loc, n.type);
      }));
}

}  // namespace ksc

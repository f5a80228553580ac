// SPDX-License-Identifier: Apache-2.0
/// var x = m[k]; … present x … x   =>   var entry = &m[k]; var x = entry ? *entry : 0; … entry != null … x
/// fn f() -> option T { return v }; var x = f()   =>   fn f(result: *T) -> bool { *result = v; return true };
///                                                     var x; var x_present = f(&x)
#include <fmt/format.h>

#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NoMaybe>;

/// A Maybe that becomes a value and something that says whether it is there.
struct MaybeParts {
  Expr value, present;
};

/// The locals that are mentioned, but for those of which only the presence is asked.
void collect_read(const Expr& e, NameSet& read);
void collect_read(const Stmt& s, NameSet& read) {
  each_child_of(
      s, [&](const Expr& e) { collect_read(e, read); }, [&](const Stmt& t) { collect_read(t, read); });
}
void collect_read(const Expr& e, NameSet& read) {
  if (const auto* local = as<Local>(e)) read.insert(local->form.name);
  if (const auto* present = as<Present>(e); present && as<Local>(present->form.value)) return;
  each_child_of(
      e, [&](const Expr& child) { collect_read(child, read); }, [&](const Stmt& s) { collect_read(s, read); });
}

class MaybeLowering {
 public:
  explicit MaybeLowering(const Program& program) {
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d)) {
        changed_.merge(changed_locals(function->form.body));
        for (const Stmt& s : function->form.body.statements) collect_read(s, read_);
      }
  }

  /// A Maybe-typed expression in its parts; what must be computed first is emitted.
  MaybeParts parts(const Expr& e, Out& to) {
    Types& types = to.context.types;
    Type element = type_of(e)->element, boolean = types.boolean();
    const Loc loc = loc_of(e);
    if (const auto* local = as<Local>(e)) return locals_.at(local->form.name);
    if (const auto* given = as<Convert>(e)) return {to(given->form.value), to.make(Int{{1}, {}}, loc, boolean)};
    const auto* lookup = as<MapLookup>(e);
    const auto* call = as<MapCall>(e);  // m.cpu(k, i)
    if (takes(e)) return taken(*call, to.fresh("taken"), element, to);
    if (const auto* called = as<Call>(e)) return given_by(*called, to.fresh("value"), to);
    if (lookup || call) {
      Type pointer = types.pointer(element, Space::MapValue, true);
      const Name entry = to.fresh("entry");
      const Expr found =
          lookup ? Expr(to.make(MapLookup{lookup->form.map, to(lookup->form.key)}, loc, pointer))
                 : Expr(to.make(MapCall{call->form.map, call->form.method, to(call->form.arguments)}, loc, pointer));
      to.emit(Let{entry, pointer, found}, loc);
      const Expr reference = to.make(Local{entry}, loc, pointer);
      const Expr present = to.make(Present{reference}, loc, boolean);
      return {
          to.make(Conditional{present, to.make(Deref{reference}, loc, element), to.make(Int{{0}, {}}, loc, element)},
                  loc, element),
          present};
    }
    if (const auto* choice = as<Conditional>(e)) return chosen(*choice, to);
    return {zero(element, loc, to), to.make(Int{{0}, {}}, loc, boolean)};  // null
  }

  MaybeParts chosen(const Node<Conditional>& n, Out& to) {
    Type element = n.type->element, boolean = to.context.types.boolean();
    const Expr condition = to(n->condition);
    Option<MaybeParts> then, otherwise;
    const Body before_then = to.collect([&] { then = parts(n->then, to); }),
               before_otherwise = to.collect([&] { otherwise = parts(n->otherwise, to); });
    const Name value = to.fresh("value"), present = to.fresh("value_present");
    to.emit(Let{value, element, {}}, n.loc);
    to.emit(Let{present, boolean, {}}, n.loc);
    const MaybeParts mine{to.make(Local{value}, n.loc, element), to.make(Local{present}, n.loc, boolean)};
    const auto branch = [&](const Body& before, const MaybeParts& given) {
      return to.collect([&] {
        to.emit(before);
        to.emit(Assign{mine.value, given.value}, n.loc);
        to.emit(Assign{mine.present, given.present}, n.loc);
      });
    };
    const Branch first{condition, branch(before_then, *then)};
    to.emit(If{to.context.span<Branch>({first}), branch(before_otherwise, *otherwise)}, n.loc);
    return mine;
  }

  /// q.pop() and q.peek(), which are told where to.
  static bool takes(const Expr& e) {
    const auto* call = as<MapCall>(e);
    return call && !type_of(call->form.map)->key;
  }
  MaybeParts taken(const Node<MapCall>& n, Name value, Type element, Out& to) {
    Types& types = to.context.types;
    const Name error = to.fresh("error");
    to.emit(Let{value, element, zero(element, n.loc, to)}, n.loc);
    const Expr place = to.make(Local{value}, n.loc, element);
    const Expr address = to.make(AddressOf{place}, n.loc, types.pointer(element, Space::Stack, false));
    to.emit(Let{error, types.i64(),
                Expr(to.make(MapCall{n->map, n->method, to.context.span<Expr>({address})}, n.loc, types.i64()))},
            n.loc);
    const Expr none = to.make(Int{{0}, {}}, n.loc, types.i64());
    return {place, to.make(Compare{CompareOp::Equal, to.make(Local{error}, n.loc, types.i64()), none}, n.loc,
                           types.boolean())};
  }

  /// A call of a function with such a result, which is told where to put it.
  MaybeParts given_by(const Node<Call>& n, Name value, Out& to) {
    Types& types = to.context.types;
    Type element = n.type->element;
    to.emit(Let{value, element, zero(element, n.loc, to)}, n.loc);
    const Expr place = to.make(Local{value}, n.loc, element);
    const Expr address = to.make(AddressOf{place}, n.loc, types.pointer(element, Space::Stack, false));
    const Name present = to.fresh(fmt::format("{}_present", value.spelling()));
    to.emit(Let{present, types.boolean(),
                Expr(to.make(Call{n->function, arguments(n, address, to)}, n.loc, types.boolean()))},
            n.loc);
    return {place, to.make(Local{present}, n.loc, types.boolean())};
  }
  /// What a call passes, with `result` behind it.
  Span<Expr> arguments(const Node<Call>& n, Option<Expr> result, Out& to) {
    std::vector<Expr> passed;
    for (const Expr& argument : n->arguments) {
      if (!is(type_of(argument), TypeKind::Maybe)) {
        passed.push_back(to(argument));
        continue;
      }
      const MaybeParts given = parts(argument, to);
      passed.push_back(given.value);
      passed.push_back(given.present);
    }
    if (result) passed.push_back(*result);
    return to.context.span(passed);
  }

  void declare_function(const Node<FunctionDef>& n, Out& to) {
    Types& types = to.context.types;
    FunctionDef form = n.form;
    std::vector<Parameter> parameters;
    for (const Parameter& parameter : n->parameters) {
      if (!is(parameter.type, TypeKind::Maybe)) {
        parameters.push_back(parameter);
        continue;
      }
      Type element = parameter.type->element;
      const Name present = to.fresh(fmt::format("{}_present", parameter.name.spelling()));
      parameters.push_back({parameter.name, element});
      parameters.push_back({present, types.boolean()});
      MaybeParts& mine = locals_[parameter.name];
      mine.value = to.make(Local{parameter.name}, n.loc, element);
      mine.present = to.make(Local{present}, n.loc, types.boolean());
    }
    if (is(n->result, TypeKind::Maybe)) {
      result_ = to.fresh("result");
      parameters.push_back({result_, types.pointer(n->result->element, Space::Stack, false)});
      form.result = types.boolean();
    }
    form.parameters = to.context.span(parameters);
    form.body = to(n->body);
    to.declare(form, n.loc);
  }

  void give(const Node<Return>& n, Out& to) {
    Type element = type_of(*n->value)->element;
    const MaybeParts given = parts(*n->value, to);
    const Expr pointer = to.make(Local{result_}, n.loc, to.context.types.pointer(element, Space::Stack, false));
    const auto* known = as<Int>(given.present);
    // Where nothing is given, the caller keeps its zero.
    if (!known || known->form.value.value != 0)
      to.emit(Assign{to.make(Deref{pointer}, n.loc, element), given.value}, n.loc);
    to.emit(Return{given.present}, n.loc);
  }

  void declare(const Node<Let>& n, Out& to) {
    Type element = n->type->element, boolean = to.context.types.boolean();
    // A number is copied: of a variable whose address is known the verifier knows less.
    const auto* call = n->value ? as<Call>(*n->value) : nullptr;
    const bool is_kept = call && n->name.is_generated() && !changed_.count(n->name);
    const bool is_told = n->value && (call || takes(*n->value)) && (is_aggregate(element) || is_kept);
    const MaybeParts given = is_told && call ? given_by(*call, n->name, to)
                             : is_told       ? taken(*as<MapCall>(*n->value), n->name, element, to)
                             : n->value      ? parts(*n->value, to)
                                        : MaybeParts{zero(element, n.loc, to), to.make(Int{{0}, {}}, n.loc, boolean)};
    if (!is_told && (!n->name.is_generated() || read_.count(n->name)))
      to.emit(Let{n->name, element, given.value}, n.loc);
    MaybeParts& mine = locals_[n->name];
    mine.value = to.make(Local{n->name}, n.loc, element);
    mine.present = given.present;
    // What a call says has a name of its own.
    if (!changed_.count(n->name) && (call || kind_of(given.present) != Kind::Local)) return;
    // The variable changes, so whether it holds something changes too.
    const Name bit = to.fresh(std::string(n->name.spelling()) + "_present");
    to.emit(Let{bit, boolean, given.present}, n.loc);
    mine.present = to.make(Local{bit}, n.loc, boolean);
  }

  void assign(const Node<Assign>& n, Out& to) {
    const MaybeParts given = parts(n->value, to);
    const MaybeParts& mine = locals_.at(as<Local>(n->place)->form.name);
    to.emit(Assign{mine.value, given.value}, n.loc);
    to.emit(Assign{mine.present, given.present}, n.loc);
  }

 private:
  static Expr zero(Type type, Loc loc, Out& to) {
    return is_integral(type) ? Expr(to.make(Int{{0}, {}}, loc, type)) : Expr(to.make(Zero{}, loc, type));
  }

  NameSet changed_, read_;
  Name result_;  // the parameter through which the function at work gives what may be absent
  NameMap<MaybeParts> locals_;
};

}  // namespace

Ir<lang::NoMaybe> lower_maybe(const Ir<lang::LoopsCapped>& in, Context& context) {
  MaybeLowering lowering(in.declarations);
  return rewrite<lang::LoopsCapped, lang::NoMaybe>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) { lowering.declare_function(n, to); }),
      on<Return>([&](const Node<Return>& n, Out& to) {
        if (n->value && is(type_of(*n->value), TypeKind::Maybe)) return lowering.give(n, to);
        to.emit(Return{to(n->value)}, n.loc);
      }),
      on<Call>([&](const Node<Call>& n, Out& to) -> Expr {
        return to.make(Call{n->function, lowering.arguments(n, {}, to)}, n.loc, n.type);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        if (is(n->type, TypeKind::Maybe)) return lowering.declare(n, to);
        to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        if (is(type_of(n->place), TypeKind::Maybe)) return lowering.assign(n, to);
        to.emit(Assign{to(n->place), to(n->value)}, n.loc);
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        if (is(type_of(n->value), TypeKind::Maybe)) return void(lowering.parts(n->value, to));  // q.pop() alone
        to.emit(Evaluate{to(n->value)}, n.loc);
      }),
      on<ValueOf>([&](const Node<ValueOf>& n, Out& to) -> Expr { return lowering.parts(n->value, to).value; }),
      on<Present>([&](const Node<Present>& n, Out& to) -> Expr {
        if (is(type_of(n->value), TypeKind::Maybe)) return lowering.parts(n->value, to).present;
        return to.rebuild(n);
      }));
}

}  // namespace ksc

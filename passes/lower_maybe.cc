// SPDX-License-Identifier: Apache-2.0
/// var x = m[k]; … present x … x   =>   var entry = &m[k]; var x = entry ? *entry : 0; … entry != null … x
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
    return {zero(element, loc, to), to.make(Int{{0}, {}}, loc, boolean)};  // null
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

  void declare(const Node<Let>& n, Out& to) {
    Type element = n->type->element, boolean = to.context.types.boolean();
    // A number is copied: of a variable whose address is known the verifier knows less.
    const bool is_told = n->value && takes(*n->value) && is_aggregate(element);
    const MaybeParts given = is_told    ? taken(*as<MapCall>(*n->value), n->name, element, to)
                             : n->value ? parts(*n->value, to)
                                        : MaybeParts{zero(element, n.loc, to), to.make(Int{{0}, {}}, n.loc, boolean)};
    if (!is_told && (!n->name.is_generated() || read_.count(n->name)))
      to.emit(Let{n->name, element, given.value}, n.loc);
    MaybeParts& mine = locals_[n->name];
    mine.value = to.make(Local{n->name}, n.loc, element);
    mine.present = given.present;
    if (!changed_.count(n->name) && kind_of(given.present) != Kind::Local) return;
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
  NameMap<MaybeParts> locals_;
};

}  // namespace

Ir<lang::NoMaybe> lower_maybe(const Ir<lang::AggregatesReturned>& in, Context& context) {
  MaybeLowering lowering(in.declarations);
  return rewrite<lang::AggregatesReturned, lang::NoMaybe>(
      in, context, on<Let>([&](const Node<Let>& n, Out& to) {
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

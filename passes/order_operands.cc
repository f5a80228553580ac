// SPDX-License-Identifier: Apache-2.0
/// x = f(g(), m[k])   =>   var t = g(); var u = m[k]; x = f(t, u): one effect a statement, in the order of the source
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::OperandsOrdered>;

/// Rewrites the expressions of one function's statements. What an expression does before it gives its value is emitted.
class Orderer {
 public:
  /// `statement`: what the statement at work changes, as far as that is known.
  Orderer(Out& to, const NameSet& changed, const NameSet* statement = nullptr)
      : to_(to), changed_(changed), statement_(statement) {}

  /// The value without any effect: effects are emitted, their results named.
  Expr value(const Expr& e) {
    if (!has_effect(e)) return to_(e);
    const Expr ordered = operands(e);
    return is_effect(ordered) ? named(ordered) : ordered;
  }

  /// As `value`, but the expression itself may be an effect: for the one place in a statement that comes last.
  Expr last(const Expr& e) { return has_effect(e) ? operands(e) : to_(e); }

  /// The place with its operands evaluated; `later_effect` if something with an effect follows before it is written.
  Expr place(const Expr& e, bool later_effect) {
    if (const auto* field = as<Field>(e))
      return remade(e, Field{place(field->form.base, later_effect), field->form.name});
    if (const auto* index = as<Index>(e)) {
      const Expr base = place(index->form.base, later_effect || has_effect(index->form.index));
      return remade(e, Index{base, kept(value(index->form.index), later_effect)});
    }
    if (const auto* deref = as<Deref>(e)) return remade(e, Deref{kept(value(deref->form.pointer), later_effect)});
    if (const auto* entry = as<MapEntry>(e))
      return remade(e, MapEntry{entry->form.map, kept(value(entry->form.key), later_effect)});
    return to_(e);
  }

  /// Several values, evaluated from left to right.
  std::vector<Expr> values(const std::vector<Expr>& in) {
    size_t effects_end = 0;
    for (size_t i = 0; i < in.size(); ++i)
      if (has_effect(in[i])) effects_end = i + 1;
    std::vector<Expr> out;
    for (size_t i = 0; i < in.size(); ++i) out.push_back(kept(value(in[i]), i + 1 < effects_end));
    return out;
  }
  Span<Expr> values(Span<Expr> in) { return to_.context.span(values(std::vector<Expr>(in.begin(), in.end()))); }

  /// The value in a name, if something that comes later could change it.
  Expr kept(const Expr& e, bool later_effect) { return later_effect && !is_stable(e) ? named(e) : e; }

 private:
  template <class F>
  Expr remade(const Expr& like, F form) {
    return to_.make(std::move(form), loc_of(like), type_of(like));
  }
  Expr named(const Expr& e) {
    const Name name = to_.fresh(hint(e));
    to_.emit(Let{name, type_of(e), e}, loc_of(e));
    return to_.make(Local{name}, loc_of(e), type_of(e));
  }
  /// A word for the value that a reader of the C will understand.
  static std::string_view hint(const Expr& e) {
    if (const auto* field = as<Field>(e)) return field->form.name.spelling();
    if (const auto* call = as<Call>(e)) return call->form.function.spelling();
    if (const auto* lookup = as<MapLookup>(e)) return as<MapName>(lookup->form.map) ? "entry" : "found";
    if (as<Compare>(e) || as<Not>(e) || as<Present>(e)) return "holds";
    return "value";
  }
  bool is_stable(const Expr& e) const {
    switch (kind_of(e)) {
      case Kind::Int:
      case Kind::Null:
      case Kind::Zero:
      case Kind::StringValue:
      case Kind::FunctionName:
      case Kind::MapName: return true;
      case Kind::Local: return !changed_.count(as<Local>(e)->form.name) || stays(e);
      default: return false;
    }
  }

  /// Whether it is a reference to an entry that nothing in this statement changes. Another name would be another
  /// reference, in userspace with a copy of its own.
  bool stays(const Expr& local) const {
    return is(type_of(local), TypeKind::EntryRef) && statement_ && !statement_->count(as<Local>(local)->form.name);
  }

  /// The same form over ordered operands; a block's statements are emitted and its value stays.
  Expr operands(const Expr& e) {
    if (const auto* block = as<BlockValue>(e)) {
      to_.emit(to_(block->form.body));
      if (!block->form.value) return to_.make(Zero{}, block->loc, block->type);  // left already, or of no type
      return value(*block->form.value);
    }
    // A member or element of something is read where that something is: only the way to it is evaluated before.
    if (as<Field>(e) || as<Index>(e) || as<Deref>(e)) {
      const Expr read = read_place(e);
      return is_in_packet(read) ? named(read) : read;
    }
    if (as<AddressOf>(e)) return remade(e, AddressOf{place(as<AddressOf>(e)->form.place, false)});
    std::vector<Expr> children;
    each_child_of(
        e, [&](const Expr& child) { children.push_back(child); }, [](const Stmt&) {});
    const std::vector<Expr> ordered = values(children);
    size_t at = 0;
    return map_children(to_.context, e, [&](const Expr&) { return ordered[at++]; });
  }
  Expr read_place(const Expr& e) {
    if (const auto* field = as<Field>(e)) return remade(e, Field{read_place(field->form.base), field->form.name});
    if (const auto* index = as<Index>(e)) {
      Expr base = read_place(index->form.base);
      if (has_effect(index->form.index) && is_in_packet(base)) base = named(base);
      return remade(e, Index{base, value(index->form.index)});
    }
    if (const auto* deref = as<Deref>(e)) return remade(e, Deref{value(deref->form.pointer)});
    return value(e);
  }

  Out& to_;
  const NameSet& changed_;
  const NameSet* statement_;
};

/// The locals that are changed while the expression is evaluated.
void collect_changed(const Expr& e, NameSet& changed) {
  if (const auto* block = as<BlockValue>(e)) changed.merge(changed_locals(block->form.body));
  each_child_of(
      e, [&](const Expr& child) { collect_changed(child, changed); }, [](const Stmt&) {});
}

}  // namespace

Ir<lang::OperandsOrdered> order_operands(const Ir<lang::ShortCircuitsPure>& in, Context& context) {
  NameSet changed;  // names are unique, so one set serves the whole program
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d)) changed.merge(changed_locals(function->form.body));
  const auto order = [&](Out& to) { return Orderer(to, changed); };

  return rewrite<lang::ShortCircuitsPure, lang::OperandsOrdered>(
      in, context, on<BlockValue>([](const Node<BlockValue>& n, Out& to) -> Expr {
        // Only reached inside what has no effect of its own, which cannot be: has_effect sees blocks.
        to.emit(to(n->body));
        return n->value ? to(*n->value) : Expr(to.make(Zero{}, n.loc, n.type));
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        to.emit(Let{n->name, n->type, n->value ? Option<Expr>(order(to).last(*n->value)) : n->value}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        NameSet here;
        for (const Expr& e : {n->place, n->value}) collect_changed(e, here);
        const Expr place = Orderer(to, changed, &here).place(n->place, has_effect(n->value));
        // Writing behind a pointer may be an effect itself: then nothing else happens in the statement.
        const Expr value = kind_of(place) == Kind::Local ? order(to).last(n->value) : order(to).value(n->value);
        to.emit(Assign{place, value}, n.loc);
      }),
      on<Update>([&](const Node<Update>& n, Out& to) {
        NameSet here;
        for (const Expr& e : {n->place, n->value}) collect_changed(e, here);
        const Expr place = Orderer(to, changed, &here).place(n->place, has_effect(n->value));
        to.emit(Update{n->op, place, order(to).value(n->value)}, n.loc);
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        const Expr value = order(to).last(n->value);
        if (is_effect(value)) to.emit(Evaluate{value}, n.loc);
      }),
      on<Return>([&](const Node<Return>& n, Out& to) {
        to.emit(Return{n->value ? Option<Expr>(order(to).last(*n->value)) : n->value}, n.loc);
      }),
      on<Throw>([&](const Node<Throw>& n, Out& to) {
        const Expr code = order(to).value(n->code);
        if (as<Int>(code)) return to.emit(Throw{code}, n.loc);
        const Name name = to.fresh("code");
        to.emit(Let{name, type_of(code), code}, n.loc);
        to.emit(Throw{to.make(Local{name}, n.loc, type_of(code))}, n.loc);
      }),
      on<If>([&](const Node<If>& n, Out& to) {
        // A condition with an effect is evaluated only when those before it did not hold: it opens a new `else`.
        const auto chain = [&](auto&& self, size_t from) -> void {
          std::vector<Branch> branches;
          for (size_t i = from; i < n->branches.size(); ++i) {
            if (i > from && has_effect(n->branches[i].condition)) {
              const Body rest = to.collect([&] { self(self, i); });
              return to.emit(If{to.context.span(branches), rest}, n.loc);
            }
            const Expr test = order(to).value(n->branches[i].condition);
            branches.push_back({test, to(n->branches[i].body)});
          }
          to.emit(If{to.context.span(branches), to(n->otherwise)}, n.loc);
        };
        chain(chain, 0);
      }),
      on<Switch>([&](const Node<Switch>& n, Out& to) {
        const Expr value = order(to).value(n->value);
        std::vector<SwitchCase> cases;
        for (const SwitchCase& c : n->cases) cases.push_back({c.values, to(c.body)});
        to.emit(Switch{value, to.context.span(cases)}, n.loc);
      }),
      on<CpuLoop>([&](const Node<CpuLoop>& n, Out& to) {
        const Expr key = order(to).value(n->key);
        to.emit(CpuLoop{n->cpu, n->value, n->map, key, to(n->body)}, n.loc);
      }),
      on<MapDelete>([&](const Node<MapDelete>& n, Out& to) {
        to.emit(MapDelete{n->map, order(to).value(n->key)}, n.loc);
      }),
      on<Print>([&](const Node<Print>& n, Out& to) {
        to.emit(Print{n->format, order(to).values(n->arguments)}, n.loc);
      }),
      on<PrintPart>([&](const Node<PrintPart>& n, Out& to) {
        to.emit(PrintPart{n->format, order(to).values(n->arguments)}, n.loc);
      }));
}

}  // namespace ksc

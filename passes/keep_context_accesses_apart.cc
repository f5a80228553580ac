// SPDX-License-Identifier: Apache-2.0
/// ctx->mark = ctx->len   =>   ctx->mark = ks_read(ctx->len); barrier()
#include "ir/context_fields.h"
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ContextAccessesApart>;

/// How a function reads the context. One read that is always made stays as it is; of all others C compilers may make
/// one with what is read on another way. Of a write they may make several, so each is kept.
class Reads {
 public:
  explicit Reads(const FunctionDef& function) : is_shared_(function.domain != Domain::Program) {
    for (const Stmt& s : function.body.statements) count(s);
  }
  bool must_be_kept_apart() const { return all_ > 1 || on_ways_ > 0 || is_shared_; }

 private:
  void count(const Stmt& s) {
    const Kind kind = kind_of(s);
    const bool is_way = kind == Kind::If || kind == Kind::Switch || kind == Kind::CountedLoop;
    if (const auto* assign = as<Assign>(s); assign && context_field(assign->form.place))
      return count(assign->form.value);
    // Of the conditions of an `if` only the first is always evaluated.
    bool is_first = true;
    each_child_of(
        s,
        [&](const Expr& e) {
          const bool is_on_way = as<If>(s) && !is_first;
          ways_ += is_on_way;
          count(e);
          ways_ -= is_on_way;
          is_first = false;
        },
        [&](const Stmt& t) {
          ways_ += is_way;
          count(t);
          ways_ -= is_way;
        });
  }
  void count(const Expr& e) {
    if (context_field(e)) ++all_, on_ways_ += ways_ > 0;
    // C compilers put one function into another.
    if (const auto* call = as<Call>(e))
      for (const Expr& argument : call->form.arguments) is_shared_ = is_shared_ || is_context(type_of(argument));
    const bool is_way = as<Conditional>(e) || as<And>(e) || as<Or>(e);
    ways_ += is_way;
    each_child_of(
        e, [&](const Expr& child) { count(child); }, [&](const Stmt& s) { count(s); });
    ways_ -= is_way;
  }

  int all_ = 0, on_ways_ = 0, ways_ = 0;
  bool is_shared_;
};

}  // namespace

// Of accesses in several branches C compilers make one behind them, to an address that the branch chose; the verifier
// wants the context itself and a constant distance ("dereference of modified ctx ptr"). What inline assembly follows
// stays where it is.
Ir<lang::ContextAccessesApart> keep_context_accesses_apart(const Ir<lang::ContextReadOnce>& in, Context& context) {
  std::map<Name, Reads, ByText> reads;
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d)) reads.emplace(function->form.name, Reads(function->form));
  return rewrite<lang::ContextReadOnce, lang::ContextAccessesApart>(
      in, context, on<Field>([&](const Node<Field>& n, Out& to) -> Expr {
        const Expr read = to.rebuild(n);
        if (!context_field(Ref<Field>{&n}) || !reads.at(to.function()->name).must_be_kept_apart()) return read;
        return to.make(RuntimeCall{to.context.name("ks_read"), to.context.span<Expr>({read})}, n.loc, n.type);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        if (!context_field(n->place)) return to.emit_statement(to.rebuild(n));
        to.emit(Assign{n->place, to(n->value)}, n.loc);
        to.emit(Evaluate{to.make(RuntimeCall{to.context.name("barrier"), {}}, n.loc, to.context.types.void_type())},
                n.loc);
      }));
}

}  // namespace ksc

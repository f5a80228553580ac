// SPDX-License-Identifier: Apache-2.0
/// ctx->mark = ctx->len   =>   ctx->mark = ks_read(ctx->len); barrier(), and where there are many accesses to one
/// member context = ctx; barrier_var(context); ks_read(context->len), or ks_own(context); context->mark = …
#include <algorithm>

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

/// clang 14 computes the address of a member once for all accesses, and returns it into each of them only if there are
/// not more than twenty; half of that is far enough away.
constexpr int64_t most_accesses = 8;

/// How often the members of the context are accessed, where C compilers put functions into others and turns of a loop
/// behind each other.
class Accesses {
 public:
  explicit Accesses(const Program& program) {
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = &function->form;
    for (const auto& [name, function] : functions_)
      for (const auto& [member, times] : of(name))
        for (const bool is_many : {false, true})
          if (times > (is_many ? most_accesses : 1)) mark(name, member, is_many ? many_ : several_);
  }
  bool are_many(Name function, Name member) const { return many_.count({function, member}) != 0; }
  bool are_several(Name function, Name member) const { return several_.count({function, member}) != 0; }

 private:
  using Counts = std::map<Name, int64_t, ByText>;
  struct ByBoth {
    bool operator()(const std::pair<Name, Name>& a, const std::pair<Name, Name>& b) const {
      const ByText less;
      return less(a.first, b.first) || (!less(b.first, a.first) && less(a.second, b.second));
    }
  };

  const Counts& of(Name function) {
    const auto [known, is_new] = counts_.try_emplace(function);
    if (is_new) {
      Counts counts;
      for (const Stmt& s : functions_.at(function)->body.statements) count(s, 1, function, counts);
      counts_[function] = std::move(counts);
    }
    return counts_[function];
  }
  void count(const Stmt& s, int64_t times, Name function, Counts& counts) {
    int64_t turns = 1;
    if (const auto* loop = as<CountedLoop>(s)) {
      const auto *low = as<Int>(loop->form.low), *high = as<Int>(loop->form.high);
      if (low && high)
        turns =
            static_cast<int64_t>(std::clamp<__int128>(high->form.value.value - low->form.value.value + 1, 1, limit));
    }
    each_child_of(
        s, [&](const Expr& e) { count(e, times, function, counts); },
        [&](const Stmt& t) { count(t, std::min(times * turns, limit), function, counts); });
  }
  void count(const Expr& e, int64_t times, Name function, Counts& counts) {
    if (const auto* field = context_field(e)) add(counts, field->form.name, times);
    if (const auto* call = as<Call>(e); call && functions_.count(call->form.function)) {
      calls_[function].insert(call->form.function);
      for (const auto& [member, within] : of(call->form.function)) add(counts, member, times * within);
    }
    each_child_of(
        e, [&](const Expr& child) { count(child, times, function, counts); },
        [&](const Stmt& s) { count(s, times, function, counts); });
  }
  static void add(Counts& counts, Name member, int64_t times) {
    int64_t& sum = counts[member];
    sum = std::min(sum + times, limit);
  }
  using Members = std::set<std::pair<Name, Name>, ByBoth>;
  /// The function's accesses and those of all that it calls.
  void mark(Name function, Name member, Members& members) {
    if (!members.insert({function, member}).second) return;
    for (Name callee : calls_[function]) mark(callee, member, members);
  }

  static constexpr int64_t limit = 1000;
  std::map<Name, const FunctionDef*, ByText> functions_;
  std::map<Name, Counts, ByText> counts_;
  std::map<Name, NameSet, ByText> calls_;
  Members many_, several_;
};

}  // namespace

// Of accesses in several branches C compilers make one behind them, to an address that the branch chose; the verifier
// wants the context itself and a constant distance ("dereference of modified ctx ptr"). What inline assembly follows
// stays where it is. Of what they cannot know to be the context they do not compute the address beforehand.
Ir<lang::ContextAccessesApart> keep_context_accesses_apart(const Ir<lang::ContextReadOnce>& in, Context& context) {
  std::map<Name, Reads, ByText> reads;
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d)) reads.emplace(function->form.name, Reads(function->form));
  Accesses accesses(in.declarations);
  // The access, and before it what hides from C compilers that its context is that of the others.
  const auto hidden = [&](const Node<Field>& access, std::string_view how, Out& to) -> Expr {
    const auto* pointed = as<Deref>(access.form.base);
    const Expr pointer = to(pointed->form.pointer);
    const Loc loc = access.loc;
    const Name name = to.fresh("context");
    to.emit(Let{name, type_of(pointer), pointer}, loc);
    const Expr context = to.make(Local{name}, loc, type_of(pointer));
    to.emit(Evaluate{to.make(RuntimeCall{to.context.name(how), to.context.span<Expr>({context})}, loc,
                             to.context.types.void_type())},
            loc);
    return to.make(Field{to.make(Deref{context}, pointed->loc, pointed->type), access.form.name}, loc, access.type);
  };
  return rewrite<lang::ContextReadOnce, lang::ContextAccessesApart>(
      in, context, on<Field>([&](const Node<Field>& n, Out& to) -> Expr {
        const Name function = to.function()->name;
        if (!context_field(Ref<Field>{&n}) || !reads.at(function).must_be_kept_apart()) return to.rebuild(n);
        const Expr read = accesses.are_many(function, n->name) ? hidden(n, "barrier_var", to) : to.rebuild(n);
        return to.make(RuntimeCall{to.context.name("ks_read"), to.context.span<Expr>({read})}, n.loc, n.type);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const auto* field = context_field(n->place);
        if (!field) return to.emit_statement(to.rebuild(n));
        const Expr value = to(n->value);
        // Of two writes they compute one address before the branches, and of two alike pieces of assembly make one.
        const bool are_several = accesses.are_several(to.function()->name, field->form.name);
        const Expr place = are_several ? hidden(*field, "ks_own", to) : n->place;
        to.emit(Assign{place, value}, n.loc);
        to.emit(Evaluate{to.make(RuntimeCall{to.context.name("barrier"), {}}, n.loc, to.context.types.void_type())},
                n.loc);
      }));
}

}  // namespace ksc

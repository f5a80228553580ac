// SPDX-License-Identifier: Apache-2.0
/// count i: u32 … { A }   =>   count i: u64 … { A with (u32)i for i }, where A calls, or mentions many variables
#include "ir/children.h"
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::CountersWide>;

/// More variables than there are registers for.
constexpr size_t most_variables = 8;

void collect_variables(const Expr& e, NameSet& found) {
  if (const auto* local = as<Local>(e)) found.insert(local->form.name);
  each_child_of(
      e, [&](const Expr& child) { collect_variables(child, found); }, [](const Stmt&) {});
}
void collect_variables(const Body& body, NameSet& found) {
  for (const Stmt& s : body.statements) {
    each_child_of(
        s, [&](const Expr& e) { collect_variables(e, found); }, [](const Stmt&) {});
    each_body_of(s, [&](const Body& inner) { collect_variables(inner, found); });
  }
}
bool has_many_variables(const Body& body) {
  NameSet found;
  collect_variables(body, found);
  return found.size() > most_variables;
}

bool calls(const Body& body) {
  for (const Stmt& s : body.statements)
    for (const Kind kind : {Kind::Call, Kind::HelperCall, Kind::TraceLine})
      if (header(s).contains.has(kind)) return true;
  return false;
}

}  // namespace

// Around calls, and among many variables, a counter may have to wait on the stack. There C compilers put another small
// variable into the same eight bytes, and what is written to that one makes the verifier forget the counter: to it the
// loop is endless. Eight bytes are not shared. Of a counter that has two values they make a truth of four bytes,
// whatever its type, unless they do not know the values.
Ir<lang::CountersWide> widen_counters(const Ir<lang::NoPrint>& in, Context& context) {
  std::map<Name, Type, ByText> narrow;  // the types of the counters that were widened
  return rewrite<lang::NoPrint, lang::CountersWide>(
      in, context, on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        if (!calls(n->body) && !has_many_variables(n->body)) return to.emit_statement(to.rebuild(n));
        Type wide = to.context.types.integer(64, is_signed(n->type));
        const auto widened = [&](const Expr& e) -> Expr {
          const Expr bound = to(e);
          const auto* constant = as<Int>(bound);
          return constant ? Expr(to.make(constant->form, loc_of(e), wide))
                          : Expr(to.make(Convert{bound}, loc_of(e), wide));
        };
        const Expr low = widened(n->low), high = widened(n->high);
        if (n->type->bits != 64) narrow[n->name] = n->type;
        const auto *first = as<Int>(low), *last = as<Int>(high);
        const bool is_truth = first && last && last->form.value.value - first->form.value.value + n->inclusive == 2;
        const Body body = to.collect([&] {
          if (is_truth) {
            const Expr counter = to.make(Local{n->name}, n.loc, wide);
            to.emit(Evaluate{to.make(RuntimeCall{to.context.name("barrier_var"), to.context.span<Expr>({counter})},
                                     n.loc, to.context.types.void_type())},
                    n.loc);
          }
          to.emit(to(n->body));
        });
        to.emit(CountedLoop{n->name, wide, low, high, n->inclusive, body}, n.loc);
      }),
      on<RuntimeCall>([&](const Node<RuntimeCall>& n, Out& to) -> Expr {
        // What inline assembly changes is a variable, not its conversion.
        const auto* counter = n->function == "barrier_var" ? as<Local>(n->arguments[0]) : nullptr;
        const auto found = counter ? narrow.find(counter->form.name) : narrow.end();
        if (found == narrow.end()) return to.rebuild(n);
        const Expr wide = to.make(counter->form, counter->loc, to.context.types.integer(64, is_signed(found->second)));
        return to.make(RuntimeCall{n->function, to.context.span<Expr>({wide})}, n.loc, n.type);
      }),
      on<Local>([&](const Node<Local>& n, Out& to) -> Expr {
        const auto found = narrow.find(n->name);
        if (found == narrow.end()) return to.rebuild(n);
        return to.make(Convert{to.make(n.form, n.loc, to.context.types.integer(64, is_signed(found->second)))}, n.loc,
                       n.type);
      }));
}

}  // namespace ksc

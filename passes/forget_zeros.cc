// SPDX-License-Identifier: Apache-2.0
/// a = zeros; for (…) { if (…) break; a[i] = b }   =>   a = zeros; ks_forget_bytes(a); for (…) …
#include <map>

#include "ir/rewrite.h"
#include "ir/sexpr.h"
#include "passes/leaves_loop.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ZerosForgotten>;

/// The arrays that turns of loops fill up to somewhere, each as the place that it is in a variable.
class FilledArrays {
 public:
  explicit FilledArrays(const Body& body) {
    for (const Stmt& s : body.statements) look_at(s, false);
  }
  /// Those in the variable, by their spelling.
  const std::map<std::string, Expr>& in(Name variable) { return arrays_[variable]; }

 private:
  void look_at(const Stmt& s, bool somewhere) {
    if (const auto* assign = as<Assign>(s); assign && somewhere) note(assign->form.place);
    const auto* loop = as<CountedLoop>(s);
    if (loop) somewhere = false;
    bool within = somewhere;
    if (loop)
      for (const Stmt& inner : loop->form.body.statements) within = within || as<If>(inner) || leaves_loop(inner);
    each_body_of(s, [&](const Body& body) {
      for (const Stmt& inner : body.statements) look_at(inner, within);
    });
  }
  /// The outermost array of a place that is indexed by something computed.
  void note(const Expr& place) {
    std::optional<Expr> array;
    const Expr* at = &place;
    while (true) {
      if (const auto* index = as<Index>(*at)) {
        if (!as<Int>(index->form.index)) array = index->form.base;
        at = &index->form.base;
      } else if (const auto* field = as<Field>(*at)) {
        at = &field->form.base;
      } else {
        break;
      }
    }
    const auto* variable = as<Local>(*at);
    if (variable && array) arrays_[variable->form.name].emplace(print(*array), *array);
  }

  NameMap<std::map<std::string, Expr>> arrays_;
};

}  // namespace

// The verifier knows which bytes of its stack are zero: where turns have written some of them, each number of turns is
// a state of its own behind the loop, and four such loops one behind the other are 160,000.
Ir<lang::ZerosForgotten> forget_zeros(const Ir<lang::WaysForgotten>& in, Context& context) {
  std::optional<FilledArrays> filled;
  return rewrite<lang::WaysForgotten, lang::ZerosForgotten>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        filled.emplace(n->body);
        FunctionDef form = n.form;
        form.body = to(n->body);
        to.declare(form, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        Let form = n.form;
        if (n->value) form.value = to(*n->value);
        to.emit(form, n.loc);
        for (const auto& [_, array] : filled->in(n->name))
          to.emit(Evaluate{to.make(RuntimeCall{to.context.name("ks_forget_bytes"), to.context.span<Expr>({to(array)})},
                                   n.loc, to.context.types.void_type())},
                  n.loc);
      }));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// if (p) A; call(); if (p) B   =>   if (p) A; call(); barrier_var(p); if (p) B; the same behind p = null, p = c ? q :
/// null
#include "ir/children.h"
#include "ir/effects.h"
#include "ir/known_null.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PointersRetested>;

/// Which pointers have been tested on the way through a function, in the order of its text, and whether something has
/// been called since.
class Tests {
 public:
  /// What the statement's own expressions test and call.
  std::vector<Expr> retested_by(const Stmt& s) {
    std::vector<Expr> again;
    calls_before_ = calls_;
    each_child_of(
        s, [&](const Expr& e) { look_at(e, &again); }, [](const Stmt&) {});
    return again;
  }
  /// To print is a call as well.
  void print() { ++calls_; }
  /// What a turn tests was tested in the turn before.
  void enter_loop(const Body& body) {
    for (const Stmt& s : body.statements) look_ahead(s);
    ++calls_;
  }
  /// name = value: it has been tested if what it is a copy of has. Where it is null is known without a test: C
  /// compilers ask what led there.
  void give(Name name, const Expr* value) {
    if (value && is_known_null(*value)) {
      tested_[name] = calls_ - 1;
      return;
    }
    const auto* converted = value ? as<Convert>(*value) : nullptr;
    const auto* local = value ? as<Local>(converted ? converted->form.value : *value) : nullptr;
    const auto from = local ? tested_.find(local->form.name) : tested_.end();
    if (from == tested_.end())
      tested_.erase(name);
    else
      tested_[name] = from->second;
  }

 private:
  void look_at(const Expr& e, std::vector<Expr>* again) {
    each_child_of(
        e, [&](const Expr& child) { look_at(child, again); }, [](const Stmt&) {});
    if (as<HelperCall>(e) || as<Call>(e)) ++calls_;
    const auto* present = as<Present>(e);
    const auto* local = present ? as<Local>(present->form.value) : nullptr;
    if (!local) return;
    const auto [known, is_first] = tested_.insert({local->form.name, calls_});
    if (!is_first && known->second < calls_before_ && again) again->push_back(present->form.value);
    known->second = calls_;
  }
  void look_ahead(const Stmt& s) {
    each_child_of(
        s, [&](const Expr& e) { look_at(e, nullptr); }, [&](const Stmt& t) { look_ahead(t); });
    if (as<Print>(s)) print();
  }

  std::map<Name, int, ByText> tested_;  // and how many calls there had been then; names are unique
  int calls_ = 0;
  int calls_before_ = 0;  // the statement, in which nothing can be hidden
};

}  // namespace

// C compilers keep what a test came to, and ask that again in place of the pointer. Where it has to wait on the stack
// the verifier may lose it: half of a slot that another variable shares is nothing that it knows. Then it takes the
// pointer that is followed for one that may be null, or for the number 0.
Ir<lang::PointersRetested> retest_pointers(const Ir<lang::NullTestsApart>& in, Context& context) {
  Tests tests;
  const auto anew = [&]<class F>(const Node<F>& n, Out& to) {
    for (const Expr& pointer : tests.retested_by(Ref<F>{&n}))
      to.emit(Evaluate{to.make(RuntimeCall{to.context.name("barrier_var"), to.context.span<Expr>({pointer})}, n.loc,
                               to.context.types.void_type())},
              n.loc);
    to.emit_statement(to.rebuild(n));
  };
  return rewrite<lang::NullTestsApart, lang::PointersRetested>(
      in, context, on<If>(anew), on<Switch>(anew), on<Evaluate>(anew), on<Return>(anew), on<AtomicUpdate>(anew),
      on<Let>([&](const Node<Let>& n, Out& to) {
        anew(n, to);
        tests.give(n->name, n->value ? &*n->value : nullptr);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        anew(n, to);
        if (const auto* local = as<Local>(n->place)) tests.give(local->form.name, &n->value);
      }),
      on<Print>([&](const Node<Print>& n, Out& to) {
        anew(n, to);
        tests.print();
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        tests.enter_loop(n->body);
        anew(n, to);
      }));
}

}  // namespace ksc

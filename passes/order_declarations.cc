// SPDX-License-Identifier: Apache-2.0
/// fn f() { g() }; fn g()   =>   fn g(); fn f() { g() }: what is used stands before what uses it, and helpers that
/// nobody calls are left out
#include "ir/rewrite.h"
#include "ir/type_order.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// 0 the licence, 1 types and constants, 2 globals, 3 maps, 4 program arrays, 5 functions, 6 programs.
int rank(const Decl& d) {
  switch (kind_of(d)) {
    case Kind::License: return 0;
    case Kind::EnumDef:
    case Kind::StructDef:
    case Kind::ConstDef: return 1;
    case Kind::ConfigDef:
    case Kind::GlobalDef: return 2;
    case Kind::PinnedGlobals:
    case Kind::Scratch:
    case Kind::MapDef: return 3;
    case Kind::ProgramArray: return 4;
    default: return as<FunctionDef>(d)->form.domain == Domain::Program ? 6 : 5;
  }
}

class Sorter {
 public:
  explicit Sorter(const Program& program) {
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = d;
  }
  void place(const Decl& d) {
    if (!placed_.insert(&header(d)).second) return;
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) callees(s);
    out_.push_back(d);
  }
  std::vector<Decl> out_;

 private:
  void callees(const Stmt& s) {
    each_child_of(
        s, [&](const Expr& e) { callees(e); }, [&](const Stmt& t) { callees(t); });
  }
  void callees(const Expr& e) {
    Name name;
    if (const auto* call = as<Call>(e)) name = call->form.function;
    if (const auto* address = as<FunctionAddress>(e)) name = address->form.name;
    if (auto found = functions_.find(name); name && found != functions_.end()) place(found->second);
    each_child_of(
        e, [&](const Expr& child) { callees(child); }, [&](const Stmt& s) { callees(s); });
  }
  std::map<Name, Decl, ByText> functions_;
  std::set<const NodeHeader*> placed_;
};

}  // namespace

Ir<lang::C> order_declarations(const Ir<lang::ObjectAccessesApart>& in, Context& context) {
  std::vector<Decl> sorted(in.declarations.begin(), in.declarations.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const Decl& a, const Decl& b) { return rank(a) < rank(b); });
  Sorter sorter(in.declarations);
  const std::vector<Decl> types = types_in_order(in.declarations);
  const auto is_type = [](const Decl& d) { return rank(d) == 1; };
  std::copy(types.begin(), types.end(), std::find_if(sorted.begin(), sorted.end(), is_type));
  for (const Decl& d : sorted) {
    const auto* function = as<FunctionDef>(d);
    if (!function || function->form.domain == Domain::Program)
      sorter.place(d);  // other functions come with what calls them
  }
  return {context.span(sorter.out_)};
}

}  // namespace ksc

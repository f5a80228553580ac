// SPDX-License-Identifier: Apache-2.0
#include "passes/moved_variables.h"

#include <map>
#include <vector>

#include "ir/children.h"
#include "ir/chosen_values.h"

namespace ksc {
namespace {

using Variables = std::vector<Name>;

/// The variables whose value an expression may have, moved or not.
void collect_sources(const Expr& e, Variables& found) {
  if (each_chosen_value(e, [&](const Expr& value) { collect_sources(value, found); })) return;
  if (const auto* local = as<Local>(e)) {
    found.push_back(local->form.name);
  } else if (const auto* cast = as<Cast>(e)) {
    collect_sources(cast->form.value, found);
  } else if (const auto* propagated = as<Propagate>(e)) {
    collect_sources(propagated->form.value, found);
  } else if (const auto* chain = as<Chain>(e)) {
    collect_sources(chain->form.first, found);
    for (const ChainLink& link : chain->form.rest) collect_sources(link.operand, found);
  } else if (const auto* operation = as<Operation>(e)) {
    if (operation->form.op == Operator::Add || operation->form.op == Operator::Subtract)
      for (const Expr& operand : operation->form.operands) collect_sources(operand, found);
  }
}
Variables sources(const Expr& e) {
  Variables found;
  collect_sources(e, found);
  return found;
}

bool adds(Operator op) { return op == Operator::Add || op == Operator::Subtract; }
bool compares(Operator op) { return op >= Operator::Equal && op <= Operator::GreaterEqual; }

/// Sets of variables that hold each other's values, and which of the sets are moved.
class Moves {
 public:
  explicit Moves(const std::function<bool(std::string_view, size_t)>& moves) : moves_(moves) {}

  void look_at(const Stmt& s) {
    if (const auto* declared = as<VarStmt>(s); declared && declared->form.value)
      link(declared->form.name.name, sources(*declared->form.value));
    if (const auto* tested = as<IfVar>(s)) link(tested->form.name.name, sources(tested->form.value));
    if (const auto* assign = as<AssignStmt>(s))
      if (const auto* local = as<Local>(assign->form.place)) {
        if (assign->form.op == Operator::None) link(local->form.name, sources(assign->form.value));
        if (adds(assign->form.op)) move({local->form.name});
      }
    each_child_of(
        s, [&](const Expr& e) { look_at(e); }, [&](const Stmt& t) { look_at(t); });
  }

  std::set<Name, ByText> all() {
    std::set<Name, ByText> roots, found;
    for (const Name name : moved_) roots.insert(root(name));
    for (const auto& [name, parent] : parent_)
      if (roots.count(root(name))) found.insert(name);
    return found;
  }

 private:
  void look_at(const Expr& e) {
    if (const auto* chain = as<Chain>(e)) {
      for (const ChainLink& link : chain->form.rest)
        if (adds(link.op)) return move(sources(e)), children(e);
    } else if (const auto* operation = as<Operation>(e)) {
      if (adds(operation->form.op)) move(sources(e));
      if (compares(operation->form.op)) {
        Variables both = sources(operation->form.operands[0]);
        collect_sources(operation->form.operands[1], both);
        if (!both.empty()) link(both[0], both);
      }
    } else if (const auto* element = as<Subscript>(e)) {
      const auto* literal = as<IntLiteral>(element->form.index);
      if (!literal || literal->form.value.value != 0) move(sources(element->form.base));
    } else if (const auto* call = as<Apply>(e)) {
      const auto* member = as<Member>(call->form.callee);
      const auto* function = as<GlobalName>(call->form.callee);
      const std::string_view name = member     ? member->form.name.name.spelling()
                                    : function ? function->form.name.spelling()
                                               : std::string_view();
      const size_t before = member ? 1 : 0;  // what stands before a method is its first parameter
      if (member) pass(name, 0, member->form.object);
      for (size_t i = 0; i < call->form.arguments.size(); ++i) {
        pass(name, i + before, call->form.arguments[i]);
        if (member) pass(name, i, call->form.arguments[i]);  // as of a function of a module
      }
    }
    children(e);
  }
  void children(const Expr& e) {
    each_child_of(
        e, [&](const Expr& child) { look_at(child); }, [&](const Stmt& s) { look_at(s); });
  }
  void pass(std::string_view function, size_t parameter, const Expr& argument) {
    const Variables passed = sources(argument);
    if (!passed.empty() && moves_(function, parameter)) move(passed);
  }
  void link(Name name, const Variables& others) {
    root(name);
    for (const Name other : others) parent_[root(other)] = root(name);
  }
  void move(const Variables& names) {
    for (const Name name : names) root(name), moved_.push_back(name);
  }
  Name root(Name name) {
    const auto known = parent_.emplace(name, name).first;
    if (known->second == name) return name;
    return known->second = root(known->second);
  }

  const std::function<bool(std::string_view, size_t)>& moves_;
  std::map<Name, Name, ByText> parent_;
  Variables moved_;
};

}  // namespace

std::set<Name, ByText> moved_variables(const FunctionDecl& function,
                                       const std::function<bool(std::string_view name, size_t parameter)>& moves) {
  Moves found(moves);
  for (const Stmt& s : function.body.statements) found.look_at(s);
  return found.all();
}

}  // namespace ksc

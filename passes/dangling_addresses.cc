// SPDX-License-Identifier: Apache-2.0
#include "passes/dangling_addresses.h"

#include <fmt/format.h>

#include <functional>
#include <set>

#include "ir/children.h"
#include "ir/chosen_values.h"

namespace ksc {
namespace {

/// A variable whose address a value may be, and where the value says so.
struct Pointee {
  Name name;
  Loc loc;
};

/// The addresses of one function. Which variables a pointer may point to is the same everywhere in the function: how
/// control runs is not looked at. What it points to is declared in its own block or around it, else it is reported; so
/// a variable is gone before no pointer to it, and depths say which of two blocks is the outer one.
class Addresses {
 public:
  Addresses(const FunctionDef& function, Context& context) : context_(context), function_(function) {
    for (const Parameter& p : function.parameters) declare(p.name, 1, {});
    if (function.result_name) declare(function.result_name, result_depth, {});
    body(function.body, 1);
  }
  void report() {
    while (propagate()) {
    }
    for (const Flow& flow : flows_)
      each_pointee(flow.value, [&](const Pointee& pointee) {
        const Variable& variable = variables_[pointee.name];
        if (variable.depth <= flow.depth) return;
        const bool is_result = flow.depth == result_depth;
        Diagnostic& message =
            context_.diagnostics.report(pointee.loc, diag::dangling_address, std::string(pointee.name.spelling()),
                                        is_result ? fmt::format("the result of `{}`", function_.name.text())
                                                  : fmt::format("`{}`", flow.holder.spelling()));
        if (variable.loc)
          message.note(variable.loc, fmt::format("`{}` ends with the {} that it is declared in",
                                                 pointee.name.spelling(), variable.depth == 1 ? "function" : "block"));
        if (!is_result)
          message.note(fmt::format("declare `{}` where `{}` is", pointee.name.spelling(), flow.holder.spelling()));
      });
  }

 private:
  static constexpr int result_depth = 0;
  struct Variable {
    int depth = 0;  // how many blocks are around it
    Loc loc;
    std::set<Name, ByText> pointees;
  };
  /// A value that goes into a variable or, without a holder, into the result.
  struct Flow {
    Name holder;
    int depth;
    Expr value;
  };

  void declare(Name name, int depth, Loc loc) { variables_[name] = {depth, loc, {}}; }
  void flow(Name holder, const Expr& value) {
    if (auto found = variables_.find(holder); found != variables_.end())
      flows_.push_back({holder, found->second.depth, value});
  }

  void body(const Body& in, int depth) {
    for (const Stmt& s : in.statements) statement(s, depth);
  }
  void statement(const Stmt& s, int depth) {
    if (const auto* let = as<Let>(s)) {
      declare(let->form.name, depth, let->loc);
      if (let->form.value) flow(let->form.name, *let->form.value);
    } else if (const auto* assign = as<Assign>(s)) {
      if (const auto* local = as<Local>(assign->form.place)) flow(local->form.name, assign->form.value);
    } else if (const auto* test = as<IfPresent>(s)) {
      declare(test->form.name, depth + 1, test->loc);
      flow(test->form.name, test->form.value);
    } else if (const auto* counted = as<For>(s)) {
      declare(counted->form.name.name, depth + 1, counted->loc);
    } else if (const auto* entries = as<MapLoop>(s)) {
      declare(entries->form.key, depth + 1, entries->loc);
      declare(entries->form.entry, depth + 1, entries->loc);
    } else if (const auto* values = as<CpuLoop>(s)) {
      declare(values->form.cpu, depth + 1, values->loc);
      declare(values->form.value, depth + 1, values->loc);
    } else if (const auto* end = as<Return>(s)) {
      if (end->form.value) flows_.push_back({{}, result_depth, *end->form.value});
    }
    each_child_of(
        s, [&](const Expr& e) { expression(e, depth); }, [&](const Stmt& inner) { statement(inner, depth + 1); });
  }
  /// The statements in an expression.
  void expression(const Expr& e, int depth) {
    each_child_of(
        e, [&](const Expr& child) { expression(child, depth); },
        [&](const Stmt& inner) { statement(inner, depth + 1); });
  }

  /// Calls `visit` for each variable whose address the value may be.
  void each_pointee(const Expr& e, const std::function<void(const Pointee&)>& visit) const {
    if (!is(type_of(e), TypeKind::Pointer)) return;
    if (const auto* address = as<AddressOf>(e)) {
      const Expr* place = &address->form.place;
      while (true)
        if (const auto* field = as<Field>(*place))
          place = &field->form.base;
        else if (const auto* element = as<Index>(*place))
          place = &element->form.base;
        else
          break;
      if (const auto* local = as<Local>(*place); local && variables_.count(local->form.name))
        visit({local->form.name, loc_of(e)});
      if (const auto* pointed = as<Deref>(*place)) each_pointee(pointed->form.pointer, visit);
    } else if (const auto* local = as<Local>(e)) {
      if (auto found = variables_.find(local->form.name); found != variables_.end())
        for (const Name& pointee : found->second.pointees) visit({pointee, loc_of(e)});
    } else if (const auto* converted = as<Convert>(e)) {
      each_pointee(converted->form.value, visit);
    } else if (const auto* sum = as<PointerAdd>(e)) {
      each_pointee(sum->form.pointer, visit);
    } else {
      each_chosen_value(e, [&](const Expr& value) { each_pointee(value, visit); });
    }
  }
  /// What flows from one pointer to the next, a step further; tells whether anything did. What is reported stops there.
  bool propagate() {
    bool changed = false;
    for (const Flow& flow : flows_) {
      if (!flow.holder) continue;
      std::set<Name, ByText> found;
      each_pointee(flow.value, [&](const Pointee& pointee) {
        if (variables_.at(pointee.name).depth <= flow.depth) found.insert(pointee.name);
      });
      for (const Name& name : found) changed |= variables_[flow.holder].pointees.insert(name).second;
    }
    return changed;
  }

  Context& context_;
  const FunctionDef& function_;
  NameMap<Variable> variables_;
  std::vector<Flow> flows_;
};

}  // namespace

void report_dangling_addresses(const Program& program, Context& context) {
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d)) Addresses(function->form, context).report();
}

}  // namespace ksc

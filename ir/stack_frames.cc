// SPDX-License-Identifier: Apache-2.0
#include "ir/stack_frames.h"

#include <algorithm>

#include "ir/children.h"

namespace ksc {
namespace {

bool is_kept_in_memory(Type type) { return is_aggregate(type) || is(type, TypeKind::Str); }

uint64_t bytes_on_stack(Type type) {
  const uint64_t unit = size_of(type) > 4 ? 8 : 4;
  return (size_of(type) + unit - 1) / unit * unit;
}

/// Adds up one function. What scopes beside each other declare shares its place; what C keeps for as long as the
/// function runs does not.
class FrameOf {
 public:
  StackFrame most;
  std::vector<Name> calls;

  FrameOf(const FunctionDef& function, uint64_t spilled_from) : spilled_from_(spilled_from) {
    for (const Parameter& p : function.parameters) variable(p.type);
    body(function.body);
    most.temporaries += lasting_;
  }

 private:
  void body(const Body& b) {
    const StackFrame before = live_;
    for (const Stmt& s : b.statements) statement(s);
    if (live_.size() > most.size()) most = live_;
    live_ = before;
  }
  void statement(const Stmt& s) {
    bool begins_in_place = false;
    if (const auto* let = as<Let>(s)) {
      variable(let->form.type);
      begins_in_place = let->form.value && is_kept_in_memory(let->form.type);
    } else if (const auto* store = as<MapStore>(s)) {
      addressed(store->form.key), addressed(store->form.value);
    } else if (const auto* removal = as<MapDelete>(s)) {
      addressed(removal->form.key);
    } else if (const auto* print = as<Print>(s)) {
      live_.temporaries += 8 * print->form.arguments.size();
    } else if (const auto* loop = as<CountedLoop>(s)) {
      variable(loop->form.type);
      captures(s);
    } else if (const auto* loop = as<MapLoop>(s)) {
      variable(type_of(loop->form.map)->key), variable(loop->form.type);
      captures(s);
    }
    each_child_of(
        s, [&](const Expr& e) { expression(e, begins_in_place); }, [](const Stmt&) {});
    each_body_of(s, [&](const Body& b) { body(b); });
  }
  void expression(const Expr& e, bool begins_in_place) {
    if (const auto* lookup = as<MapLookup>(e)) {
      addressed(lookup->form.key);
    } else if (const auto* slot = as<MapSlot>(e)) {
      addressed(slot->form.key);
      if (Type element = type_of(e)->element; is_scalar(element)) lasting_ += bytes_on_stack(element);
    } else if (const auto* call = as<MapCall>(e)) {
      for (const Expr& argument : call->form.arguments) addressed(argument);
    } else if (const auto* call = as<Call>(e)) {
      if (std::find(calls.begin(), calls.end(), call->form.function) == calls.end())
        calls.push_back(call->form.function);
    } else if (!begins_in_place && makes_value_in_memory(e) && !is_spilled(type_of(e))) {
      lasting_ += bytes_on_stack(type_of(e));
    }
    each_child_of(
        e, [&](const Expr& child) { expression(child, begins_in_place); }, [](const Stmt&) {});
  }

  bool is_spilled(Type type) const { return spilled_from_ && size_of(type) >= spilled_from_ && is_spillable(type); }
  void variable(Type type) {
    if (!is_kept_in_memory(type))
      live_.registers += 8;
    else if (!is_spilled(type))
      live_.variables += bytes_on_stack(type);
  }
  void addressed(const Expr& value) {
    if (spilled_from_ && is_integral(type_of(value)))
      return;  // they take turns in a variable that is counted where it is declared
    if (as<Int>(value))
      lasting_ += bytes_on_stack(type_of(value));
    else if (!is_kept_in_memory(type_of(value)) || !(as<Local>(value) || is_spilled(type_of(value))))
      live_.temporaries += bytes_on_stack(type_of(value));
  }
  /// Each local that a loop uses may be a word of what its turns are given.
  void captures(const Stmt& loop) {
    NameSet names;
    collect(loop, names);
    live_.temporaries += 8 * names.size();
  }
  static void collect(const auto& whole, NameSet& names) {
    each_child_of(
        whole,
        [&](const Expr& e) {
          if (const auto* local = as<Local>(e)) names.insert(local->form.name);
          collect(e, names);
        },
        [&](const Stmt& s) { collect(s, names); });
  }
  uint64_t spilled_from_;
  StackFrame live_;       // at the place that the walk has reached
  uint64_t lasting_ = 0;  // literals whose address is taken
};

}  // namespace

bool is_spillable(Type type) {
  if (is(type, TypeKind::Str)) return true;
  if (is(type, TypeKind::Array)) return is_integral(type->element) || is_spillable(type->element);
  return is(type, TypeKind::Struct) &&
         std::all_of(type->body->fields.begin(), type->body->fields.end(),
                     [](const StructField& f) { return is_integral(f.type) || is_spillable(f.type); });
}

bool makes_value_in_memory(const Expr& e) {
  const Kind kind = kind_of(e);
  return is_kept_in_memory(type_of(e)) &&
         (kind == Kind::StructValue || kind == Kind::ArrayValue || kind == Kind::StringValue || kind == Kind::Zero);
}

StackFrames::StackFrames(const Program& program) {
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = &function->form;
  for (const auto& [name, function] : functions_) {
    FrameOf counted(*function, 0);
    frames_[name] = counted.most;
    std::erase_if(counted.calls, [&](Name callee) { return !functions_.count(callee); });
    calls_[name] = std::move(counted.calls);
  }
}

void StackFrames::spill(Name function, uint64_t from) {
  frames_[function] = FrameOf(*functions_.at(function), from).most;
}

uint64_t StackFrames::most_of_chain(Name function, uint64_t (*size)(const StackFrame&)) const {
  const std::vector<Name> reached = reached_from(function);
  NameMap<uint64_t> most;
  for (auto at = reached.rbegin(); at != reached.rend(); ++at) {
    uint64_t below = 0;
    for (Name callee : callees(*at)) below = std::max(below, most.at(callee));
    most[*at] = size(of(*at)) + below;
  }
  return most.at(function);
}

uint64_t StackFrames::chain(Name function) const {
  return most_of_chain(function, [](const StackFrame& frame) { return frame.size(); });
}

uint64_t StackFrames::memory_of_chain(Name function) const {
  return most_of_chain(function, [](const StackFrame& frame) { return frame.variables + frame.temporaries; });
}

std::vector<Name> StackFrames::reached_from(Name function) const {
  // Callers before their callees: the reverse of the order in which a walk in depth leaves the functions.
  std::vector<Name> left;
  NameSet seen;
  const auto walk = [&](auto& self, Name name) -> void {
    if (!seen.insert(name).second) return;
    for (auto callee = callees(name).rbegin(); callee != callees(name).rend(); ++callee) self(self, *callee);
    left.push_back(name);
  };
  walk(walk, function);
  std::reverse(left.begin(), left.end());
  return left;
}

}  // namespace ksc

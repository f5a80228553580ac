// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/context.h"
#include "ir/lang.h"

namespace ksc {

/// One step of the compiler: what it is called, what it does in one line, and between which languages.
struct Step {
  std::string_view name, about;
  Lang in, out;
  std::function<Program(const Program&, Context&)> run;
  bool is_gate = false;  // runs nothing, and ends the compilation if there were errors
};

/// The steps so far; L is the language of what comes out.
template <Lang L>
struct Pipeline {
  std::vector<Step> steps;
};

/// A pass with its languages.
template <Lang In, Lang Out>
struct Pass {
  static_assert(!(In == Out), "a pass must change the language: remove a form or add a rule");
  std::string_view name, about;
  Ir<Out> (*run)(const Ir<In>&, Context&);
};
template <Lang In, Lang Out>
constexpr Pass<In, Out> pass(std::string_view name, Ir<Out> (*run)(const Ir<In>&, Context&), std::string_view about) {
  return {name, about, run};
}
#define KSC_PASS(p, about) pass(#p, p, about)

template <Lang L, Lang In, Lang Out>
Pipeline<Out> operator|(Pipeline<L> so_far, Pass<In, Out> p) {
  static_assert(L == In, "this pass does not take what the pass before it gives");
  so_far.steps.push_back({p.name, p.about, In, Out, [run = p.run](const Program& in, Context& context) {
                            return run(Ir<In>{in}, context).declarations;
                          }});
  return {std::move(so_far.steps)};
}

/// Ends the compilation if there were errors; what comes after knows that nothing is Invalid.
template <Lang Out>
struct Gate {
  std::string_view name, about;
};
template <Lang L, Lang Out>
Pipeline<Out> operator|(Pipeline<L> so_far, Gate<Out> gate) {
  static_assert(Out == L - Kind::InvalidExpr - Kind::InvalidStmt, "a gate only ends what is Invalid");
  so_far.steps.push_back({gate.name, gate.about, L, Out, [](const Program& in, Context&) { return in; }, true});
  return {std::move(so_far.steps)};
}

/// The passes of one target, after the trunk.
struct TargetBranch {
  std::string_view name;
  std::vector<Step> steps;
};

/// The whole compiler: a trunk, then one branch a target. Pass names are unique over all.
struct PassList {
  std::vector<Step> trunk;
  std::vector<TargetBranch> branches;
};
/// The compiler in order (passes/pipeline.cc).
const PassList& pass_list();
/// The step of that name, in whichever branch; null if there is none.
const Step* find_step(std::string_view name);

/// What one run of the steps ended with.
enum class RunEnd { Finished, Errors, Stopped, Fault };
struct RunResult {
  RunEnd end = RunEnd::Finished;
  Program program;                  // what the last step that ran gave
  std::vector<std::string> faults;  // what the checker found: a fault of the compiler
  std::string_view last_step;
};

/// Called before and after each step that runs.
struct RunObserver {
  std::function<void(const Step&, const Program&)> before, after;
  std::string_view stop_after;   // the step to end with; empty: none
  std::string_view start_after;  // the step whose output is given; empty: begin at the beginning
};

/// Where the program has something that was not understood; nothing if all of it was.
std::optional<Loc> find_invalid(const Program& program);

/// The only loop: run, check, tell the observer.
RunResult run(const std::vector<Step>& steps, const Program& program, Context& context, const RunObserver& observer);

}  // namespace ksc

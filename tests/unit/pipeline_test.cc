// SPDX-License-Identifier: Apache-2.0
#include "passes/pipeline.h"

#include <gtest/gtest.h>

#include <set>

#include "frontend/compile.h"
#include "ir/languages.h"
#include "ir/sexpr.h"

namespace ksc {
namespace {

std::vector<Step> all_steps() {
  std::vector<Step> steps = pass_list().trunk;
  for (const TargetBranch& branch : pass_list().branches)
    steps.insert(steps.end(), branch.steps.begin(), branch.steps.end());
  return steps;
}

TEST(Pipeline, NamesAreUniqueOverAllBranches) {
  std::set<std::string_view> names;
  for (const Step& step : all_steps()) {
    EXPECT_TRUE(names.insert(step.name).second) << step.name;
    EXPECT_FALSE(step.about.empty()) << step.name;
    ASSERT_NE(find_step(step.name), nullptr) << step.name;
    EXPECT_EQ(find_step(step.name)->name, step.name);
  }
  EXPECT_EQ(find_step("lower_nothing"), nullptr);
}

TEST(Pipeline, EachStepTakesWhatTheOneBeforeGives) {
  const auto chained = [](const std::vector<Step>& steps, Lang from) {
    for (const Step& step : steps) {
      EXPECT_EQ(step.in, from) << step.name;
      EXPECT_FALSE(step.in == step.out) << step.name << " changes nothing";
      from = step.out;
    }
    return from;
  };
  const Lang end = chained(pass_list().trunk, lang::Parsed);
  for (const TargetBranch& branch : pass_list().branches) chained(branch.steps, end);
}

TEST(Pipeline, NoFormComesBack) {
  // A form that has left is gone for good: what depends on its absence may rely on it.
  const auto walk = [](const std::vector<Step>& steps, FormSet gone) {
    for (const Step& step : steps) {
      const FormSet back = step.out.forms & gone;
      EXPECT_TRUE(back.empty()) << step.name << " brings back " << kind_names[int(back.first())];
      gone = gone | step.in.forms.minus(step.out.forms);
    }
    return gone;
  };
  const FormSet gone = walk(pass_list().trunk, {});
  for (const TargetBranch& branch : pass_list().branches) walk(branch.steps, gone);
}

TEST(Pipeline, BrokenSyntaxIsInNoLanguageAfterTheGate) {
  bool after = false;
  for (const Step& step : all_steps()) {
    after = after || step.is_gate;
    if (!after) continue;
    for (Kind kind : {Kind::InvalidExpr, Kind::InvalidStmt, Kind::InvalidDecl, Kind::InvalidType})
      EXPECT_FALSE(step.out.has(kind)) << step.name;
  }
  EXPECT_TRUE(after);
}

TEST(Pipeline, ListPassesNamesEachWithItsDelta) {
  const std::string text = list_passes();
  size_t at = 0;
  for (const Step& step : all_steps()) {
    at = text.find("\n  " + std::string(step.name) + " ", at);
    ASSERT_NE(at, text.npos) << step.name;
    const size_t second = text.find('\n', at + 1) + 1;
    const std::string delta = text.substr(second, text.find('\n', second) - second);
    for (int kind = 0; kind < int(Kind::count); ++kind) {
      const std::string name(kind_names[kind]);
      const auto has = [&](const std::string& word) { return (delta + " ").find(" " + word + " ") != delta.npos; };
      EXPECT_EQ(has("-" + name), step.in.has(Kind(kind)) && !step.out.has(Kind(kind))) << step.name << " -" << name;
      EXPECT_EQ(has("+" + name), !step.in.has(Kind(kind)) && step.out.has(Kind(kind))) << step.name << " +" << name;
    }
  }
}

/// A pipeline of three steps that count how often they ran.
class RunTest : public testing::Test {
 protected:
  RunTest() {
    ReadError error;
    program_ = *read_program(context_, "(License GPL)", error);
    const Lang a = language_of(Kind::License), b = a + Rule::NamesBound, c = b + Rule::Folded;
    const auto ran = [this](const char* name) {
      return [this, name](const Program& in, Context&) {
        ran_ += name;
        return in;
      };
    };
    steps_ = {{"one", "", a, b, ran("1")}, {"gate", "", b, b, ran("g"), true}, {"two", "", b, c, ran("2")}};
  }
  RunResult run_with(const RunObserver& observer) { return run(steps_, program_, context_, observer); }

  Context context_;
  Program program_;
  std::vector<Step> steps_;
  std::string ran_;
};

TEST_F(RunTest, RunsInOrder) {
  std::string seen;
  RunObserver observer;
  observer.before = [&](const Step& step, const Program&) { seen += "<" + std::string(step.name); };
  observer.after = [&](const Step& step, const Program&) { seen += ">" + std::string(step.name); };
  const RunResult result = run_with(observer);
  EXPECT_EQ(result.end, RunEnd::Finished);
  EXPECT_EQ(result.last_step, "two");
  EXPECT_EQ(ran_, "1g2");
  EXPECT_EQ(seen, "<one>one<gate>gate<two>two");
}

TEST_F(RunTest, StopsAfterAndStartsAfter) {
  RunObserver observer;
  observer.stop_after = "one";
  EXPECT_EQ(run_with(observer).end, RunEnd::Stopped);
  EXPECT_EQ(ran_, "1");
  observer = {};
  observer.start_after = "gate";
  EXPECT_EQ(run_with(observer).end, RunEnd::Finished);
  EXPECT_EQ(ran_, "12");
}

TEST_F(RunTest, TheGateEndsWhatHasErrors) {
  context_.diagnostics.report(Loc{}, diag::null_dereference);
  const RunResult result = run_with({});
  EXPECT_EQ(result.end, RunEnd::Errors);
  EXPECT_EQ(ran_, "1");
}

TEST_F(RunTest, WhatWasRefusedWithoutAMessageIsAFaultAtTheGate) {
  ReadError error;
  program_ = *read_program(context_, "(FunctionDef f User - - () - void false ((InvalidStmt)))", error);
  const Lang whole = language_of(Kind::FunctionDef);
  steps_ = {{"gate", "", whole + Kind::InvalidStmt, whole, steps_[1].run, true}};
  const RunResult result = run_with({});
  EXPECT_EQ(result.end, RunEnd::Fault);
  ASSERT_EQ(result.faults.size(), 1u);
  EXPECT_NE(result.faults[0].find("no pass has said why"), std::string::npos) << result.faults[0];
  EXPECT_TRUE(context_.diagnostics.has(diag::Id::refused_silently));
  EXPECT_EQ(ran_, "");
}

TEST_F(RunTest, WhatBreaksTheLanguageIsAFaultOfThePass) {
  steps_[0].run = [](const Program&, Context& context) {
    return context.span<Decl>({context.make(InvalidDecl{}, Loc{})});
  };
  const RunResult result = run_with({});
  EXPECT_EQ(result.end, RunEnd::Fault);
  EXPECT_EQ(result.last_step, "one");
  ASSERT_EQ(result.faults.size(), 1u);
  EXPECT_NE(result.faults[0].find("InvalidDecl is not in the language"), std::string::npos) << result.faults[0];
  EXPECT_EQ(ran_, "");
}

}  // namespace
}  // namespace ksc

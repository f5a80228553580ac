// SPDX-License-Identifier: Apache-2.0
// How good is the property that every pass keeps the trace? Mistakes are put into what passes give. Of those that
// change the trace in one of many worlds, the few worlds in which the property looks must show at least 95 %.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "frontend/parser.h"
#include "frontend/source.h"
#include "fuzz/check_passes.h"
#include "fuzz/environment.h"
#include "fuzz/mutate.h"
#include "ir/sexpr.h"
#include "passes/pipeline.h"

namespace ksc::fuzz {
namespace {

constexpr int many_worlds = 128;            // in which a mistake may show
constexpr int worlds_of_a_survivor = 1024;  // in which it is counted how often one shows that was not caught
constexpr uint64_t fuel = 200'000;          // of the program as it is; the one with a mistake gets more

/// A random program after each of its passes.
struct Stages {
  Context context;
  MemorySources sources;
  std::string source;
  Program typed;
  /// After one pass: the program, and what is run of it.
  struct Stage {
    const Step* step;
    Program program;
    std::vector<Name> entries;
  };
  std::vector<Stage> programs;

  explicit Stages(uint64_t seed) {
    Statistics unused;
    GeneratorOptions options;
    options.unbounded_loops = false;
    options.userspace = seed % 3 == 0;
    source = generate_program(seed, options, unused).text();
    context.kernel_types = &kernel_types();
    context.project = "random";
    Program program = with_library(context, sources, sources.add("random.ks", source));
    RunObserver observer;
    observer.after = [&](const Step& step, const Program& out) {
      if (step.name == "infer_types") typed = out;
      if (typed.size() == 0) return;
      // Each branch keeps what runs there.
      std::vector<Name> entries = branch_ == "user" ? std::vector<Name>{} : entry_functions(out);
      const Name main = branch_ == "ebpf" ? Name{} : main_function(out);
      if (main) entries.push_back(main);
      if (!entries.empty()) programs.push_back({&step, out, entries});
    };
    const PassList& passes = pass_list();
    RunResult ended = run(passes.trunk, program, context, observer);
    if (context.diagnostics.has_errors()) programs.clear();
    for (const TargetBranch& branch : passes.branches) {
      branch_ = branch.name;
      if (ended.end == RunEnd::Finished) run(branch.steps, ended.program, context, observer);
    }
  }

 private:
  std::string_view branch_;  // empty in the trunk
};

/// One mistake: whether it shows in the worlds of the property, and whether it shows at all.
struct Outcome {
  int first_world = -1;  // in which it shows; -1: in none
  std::string difference;
};

/// How the two programs differ in the i-th world of a program; nothing where they agree, or the good one has no trace.
std::string difference_in(Stages& stages, const Stages::Stage& stage, const Program& bad, uint64_t seed, int i) {
  InterpretOptions options;
  options.packet_accesses_checked = stage.step->out.rules.has(Rule::AccessesChecked);
  options.packet_pulled = stage.step->out.rules.has(Rule::PacketPulled);
  for (Name entry : stage.entries) {
    World world = generate_world(seed * 31 + static_cast<uint64_t>(i), stages.typed);
    world.fuel = fuel;
    const Trace expected = interpret(stages.context, stage.program, entry, world, options);
    if (expected.out_of_fuel || !expected.fault.empty()) continue;
    world.fuel *= 10;
    const Trace actual = interpret(stages.context, bad, entry, world, options);
    if (!(actual == expected)) return difference(expected, actual);
  }
  return {};
}

Outcome outcome_of(Stages& stages, const Stages::Stage& stage, const Program& bad, uint64_t seed) {
  for (int i = 0; i < many_worlds; ++i) {
    std::string found = difference_in(stages, stage, bad, seed, i);
    if (!found.empty()) return {i, std::move(found)};
  }
  return {};
}

int worlds_that_show(Stages& stages, const Stages::Stage& stage, const Program& bad, uint64_t seed) {
  int shown = 0;
  for (int i = 0; i < worlds_of_a_survivor; ++i) shown += !difference_in(stages, stage, bad, seed, i).empty();
  return shown;
}

TEST(Mutations, WhatChangesTheTraceIsCaught) {
  const uint64_t wanted = number_from_environment("KSC_MUTATIONS", 300);
  const uint64_t seed = number_from_environment("KSC_PROPERTY_SEED", 1);
  std::cout << fmt::format(
      "{} mistakes that show, from seed {} (KSC_MUTATIONS, KSC_PROPERTY_SEED); the property looks into {} worlds a "
      "program\n",
      wanted, seed, property_worlds);
  constexpr size_t kinds = EnumNames<Mutation>::names.size();
  struct Count {
    uint64_t made = 0, shown = 0, caught = 0;
  } counts[kinds];
  uint64_t by_world[many_worlds] = {};
  std::string survivors;
  Random random(seed);
  uint64_t shown = 0, caught = 0;
  for (uint64_t program = seed; shown < wanted && program < seed + 10 * wanted; ++program) {
    Stages stages(program);
    if (stages.programs.empty()) continue;
    // Several mistakes a program: most of the time goes into compiling it.
    for (int i = 0; i < 5 && shown < wanted; ++i) {
      const Stages::Stage& stage = stages.programs[random.below(stages.programs.size())];
      const Mutation mutation = static_cast<Mutation>(random.below(kinds));
      const std::optional<Program> bad = mutate(stages.context, stage.program, mutation, random);
      if (!bad) continue;
      Count& count = counts[static_cast<size_t>(mutation)];
      ++count.made;
      const Outcome outcome = outcome_of(stages, stage, *bad, program);
      if (outcome.first_world < 0) continue;
      ++count.shown;
      ++shown;
      ++by_world[outcome.first_world];
      if (outcome.first_world < property_worlds) {
        ++count.caught;
        ++caught;
      } else {
        const int shows = worlds_that_show(stages, stage, *bad, program);
        survivors += fmt::format("{} after {} in program {}: shows in {} of {} worlds, first in number {}\n{}\n",
                                 enum_text(mutation), stage.step->name, program, shows, worlds_of_a_survivor,
                                 outcome.first_world, outcome.difference.substr(0, 300));
        // What shows often would have been missed by a fault of the property, not by chance: (3/4)^48 is 1e-6.
        EXPECT_LT(shows, worlds_of_a_survivor / 4) << survivors;
      }
    }
  }
  for (size_t i = 0; i < kinds; ++i) {
    std::cout << fmt::format("{:4} made, {:4} show, {:4} caught: {}\n", counts[i].made, counts[i].shown,
                             counts[i].caught, EnumNames<Mutation>::names[i]);
    EXPECT_GT(counts[i].shown, 0u) << EnumNames<Mutation>::names[i] << " never occurs";
  }
  uint64_t sum = 0;
  for (int i = 0; i < many_worlds; ++i) {
    sum += by_world[i];
    if ((i & (i + 1)) == 0)
      std::cout << fmt::format("{:5.1f} % show within {} worlds\n",
                               100.0 * static_cast<double>(sum) / static_cast<double>(shown), i + 1);
  }
  std::cout << "survivors:\n" << survivors;
  EXPECT_GE(shown, wanted);
  EXPECT_GE(caught * 100, shown * 95) << fmt::format("{} of {}", caught, shown);
}

TEST(Mutations, EachIsAnotherProgram) {
  Random random(1);
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Stages stages(seed);
    for (const auto& [step, good, entries] : stages.programs)
      for (size_t kind = 0; kind < EnumNames<Mutation>::names.size(); ++kind) {
        if (kind == size_t(Mutation::SwapStatements) || kind == size_t(Mutation::SwapOperands))
          continue;  // of two that are the same
        if (const auto bad = mutate(stages.context, good, static_cast<Mutation>(kind), random)) {
          EXPECT_FALSE(equal(good, *bad)) << EnumNames<Mutation>::names[kind] << " after " << step->name;
        }
      }
  }
}

}  // namespace
}  // namespace ksc::fuzz

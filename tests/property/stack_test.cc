// SPDX-License-Identifier: Apache-2.0
// No frame that clang lays out is larger than the frame that ksc has estimated [L60]: of the examples, of programs that
// once went wrong, and of random programs, which have variables on the stack and in a map.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "frontend/parser.h"
#include "frontend/source.h"
#include "fuzz/check_passes.h"
#include "fuzz/environment.h"
#include "fuzz/judge_objects.h"
#include "ir/stack_frames.h"
#include "passes/pipeline.h"

namespace ksc::fuzz {
namespace {

namespace fs = std::filesystem;
using Sizes = std::map<std::string, uint64_t>;  // bytes, by function

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return text;
  for (char buffer[4096]; size_t count = fread(buffer, 1, sizeof buffer, pipe);) text.append(buffer, count);
  return pclose(pipe) == 0 ? text : "";
}

/// What each function, with all that it calls, needs by the estimate: when it is known what lies in a map.
Sizes estimated(const std::string& source) {
  Context context;
  MemorySources sources;
  context.kernel_types = &kernel_types();
  context.project = "random";
  const PassList& passes = pass_list();
  RunObserver observer;
  RunResult result = run(passes.trunk, parse(context, sources.add("random.ks", source), source), context, observer);
  Sizes sizes;
  if (result.end != RunEnd::Finished) return sizes;
  observer.stop_after = "copy_large_values";
  for (const TargetBranch& branch : passes.branches)
    if (branch.name == "ebpf") result = run(branch.steps, result.program, context, observer);
  const StackFrames frames(result.program);
  for (const Decl& d : result.program)
    if (const auto* function = as<FunctionDef>(d))
      sizes[std::string(function->form.name.spelling())] = frames.chain(function->form.name);
  return sizes;
}

/// The frames in clang's object, from its section .stack_sizes; those of loops that became functions count to the
/// function in which they stand.
Sizes laid_out(const std::string& source) {
  const Workspace workspace;
  Sizes sizes;
  if (!compile_to_c(source, workspace.path()).stage.empty()) return sizes;
  const std::string listed =
      output_of(fmt::format("cd {} && clang-19 -target bpf -mcpu=v3 -O2 -g -fwrapv -funsigned-char "
                            "-fstack-size-section -w -D__$(uname -m)__ -I. "
                            "-I/usr/include/$(uname -m)-linux-gnu -c random.ebpf.c -o random.o && "
                            "llvm-readobj-19 --stack-sizes random.o",
                            workspace.path().string()));
  EXPECT_NE(listed, "") << "clang refuses what ksc makes of\n" << source;
  std::istringstream lines(listed);
  std::string function;
  for (std::string line; std::getline(lines, line);) {
    if (const size_t at = line.find("Functions: ["); at != std::string::npos)
      function = line.substr(at + 12, line.find(']') - at - 12);
    if (const size_t at = line.find("Size: "); at != std::string::npos)
      sizes[function] = std::stoull(line.substr(at + 6), nullptr, 16);
  }
  Sizes whole = sizes;
  for (const auto& [name, size] : sizes)
    if (const size_t at = name.find("_loop_"); at != std::string::npos)
      if (const auto outer = sizes.find(name.substr(0, at)); outer != sizes.end())
        whole[outer->first] = std::max(whole[outer->first], outer->second + size);
  return whole;
}

/// Compares one program; gives how many functions there were.
size_t compare(const std::string& name, const std::string& source) {
  const Sizes estimates = estimated(source), frames = laid_out(source);
  size_t compared = 0;
  for (const auto& [function, size] : frames) {
    const auto estimate = estimates.find(function);
    if (estimate == estimates.end()) continue;
    ++compared;
    EXPECT_LE(size, estimate->second) << name << ": " << function << " of\n" << source;
  }
  return compared;
}

TEST(StackFrames, AreNeverBelowClangs) {
  if (output_of("clang-19 --version && llvm-readobj-19 --version").empty())
    GTEST_SKIP() << "clang-19 and llvm-readobj-19 are not installed";
  size_t functions = 0;
  for (const char* folder : {KSC_SOURCE "/examples", KSC_SOURCE "/fuzz/corpus"}) {
    const size_t before = functions;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() != ".ks") continue;
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      functions += compare(entry.path().filename().string(), text.str());
    }
    EXPECT_GT(functions, before + 10) << folder;
  }
  const uint64_t seed = number_from_environment("KSC_PROPERTY_SEED", 1),
                 cases = number_from_environment("KSC_STACK_CASES", 25);
  for (uint64_t one = seed; one < seed + cases; ++one) {
    Statistics unused;
    functions += compare(fmt::format("seed {}", one), generate_program(one, {}, unused).text());
  }
  std::cout << fmt::format("{} functions of examples, corpus and {} programs from seed {}\n", functions, cases, seed);
}

}  // namespace
}  // namespace ksc::fuzz

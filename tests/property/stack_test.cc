// SPDX-License-Identifier: Apache-2.0
// No chain of frames that clang lays out is larger than the one that ksc has estimated [L60]: of the examples, of
// programs that once went wrong, and of random programs, which have variables on the stack and in a map.
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

/// What one function needs, with the names of those that it calls; by function.
struct Frame {
  uint64_t chain = 0;  // bytes, with all that it calls
  std::vector<std::string> callees;
};

/// The estimate: when it is known what lies in a map.
std::map<std::string, Frame> estimated(const std::string& source) {
  Context context;
  MemorySources sources;
  context.kernel_types = &kernel_types();
  context.project = "random";
  const PassList& passes = pass_list();
  RunObserver observer;
  RunResult result =
      run(passes.trunk, with_library(context, sources, sources.add("random.ks", source)), context, observer);
  std::map<std::string, Frame> out;
  if (result.end != RunEnd::Finished) return out;
  observer.stop_after = "copy_large_values";
  for (const TargetBranch& branch : passes.branches)
    if (branch.name == "ebpf") result = run(branch.steps, result.program, context, observer);
  const StackFrames frames(result.program);
  std::map<std::string, int> spelled;
  for (const Decl& d : result.program)
    if (const auto* function = as<FunctionDef>(d)) ++spelled[std::string(function->form.name.spelling())];
  for (const Decl& d : result.program)
    if (const auto* function = as<FunctionDef>(d)) {
      const Name name = function->form.name;
      // Of several functions of one name, C calls all but one otherwise.
      if (spelled[std::string(name.spelling())] > 1) continue;
      Frame& frame = out[std::string(name.spelling())];
      frame.chain = frames.chain(name);
      for (Name callee : frames.callees(name)) frame.callees.emplace_back(callee.spelling());
    }
  return out;
}

/// The frames in an object of a clang, from its section .stack_sizes.
Sizes laid_out(const std::string& source, std::string_view version) {
  const Workspace workspace;
  Sizes sizes;
  if (!compile_to_c(source, workspace.path(), 0).stage.empty()) return sizes;
  const std::string listed = output_of(
      fmt::format("cd {0} && clang-{1} -target bpf -mcpu=v3 -O2 -g -fwrapv -fno-strict-aliasing -funsigned-char "
                  "-fstack-size-section -w -D__$(uname -m)__ -I. "
                  "-I/usr/include/$(uname -m)-linux-gnu -c random.ebpf.c -o random.o && "
                  "llvm-readobj-19 --stack-sizes random.o",
                  workspace.path().string(), version));
  EXPECT_NE(listed, "") << "clang " << version << " refuses what ksc makes of\n" << source;
  std::istringstream lines(listed);
  std::string function;
  for (std::string line; std::getline(lines, line);) {
    if (const size_t at = line.find("Functions: ["); at != std::string::npos)
      function = line.substr(at + 12, line.find(']') - at - 12);
    if (const size_t at = line.find("Size: "); at != std::string::npos)
      sizes[function] = std::stoull(line.substr(at + 6), nullptr, 16);
  }
  return sizes;
}

/// What the kernel counts for a call of the function: each frame begins at a multiple of 32 bytes. The turns of a loop
/// may be a function of their own.
uint64_t counted_chain(const std::string& function, const Sizes& sizes, const std::map<std::string, Frame>& estimates) {
  const auto size = [](uint64_t bytes) { return (bytes + 31) / 32 * 32; };
  const auto own = sizes.find(function);
  uint64_t below = 0;
  for (auto turns = sizes.lower_bound(function + "_loop_");
       turns != sizes.end() && turns->first.starts_with(function + "_loop_"); ++turns)
    below = std::max(below, size(turns->second));
  if (const auto found = estimates.find(function); found != estimates.end())
    for (const std::string& callee : found->second.callees)
      below = std::max(below, counted_chain(callee, sizes, estimates));
  return (own == sizes.end() ? 0 : size(own->second)) + below;
}

/// Compares one program; gives how many functions there were.
size_t compare(const std::string& name, const std::string& source) {
  const std::map<std::string, Frame> estimates = estimated(source);
  size_t compared = 0;
  for (const char* version : {"14", "19"})
    for (const Sizes sizes = laid_out(source, version); const auto& [function, unused] : sizes) {
      const auto estimate = estimates.find(function);
      if (estimate == estimates.end()) continue;
      ++compared;
      EXPECT_LE(counted_chain(function, sizes, estimates), estimate->second.chain)
          << name << ": " << function << " with clang " << version << " of\n"
          << source;
    }
  return compared;
}

TEST(StackFrames, AreNeverBelowClangs) {
  if (output_of("clang-14 --version && clang-19 --version && llvm-readobj-19 --version").empty())
    GTEST_SKIP() << "clang-14, clang-19 and llvm-readobj-19 are not all installed";
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

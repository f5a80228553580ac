// SPDX-License-Identifier: Apache-2.0
// For each random program: the front end accepts it, and every pass keeps the trace that the typed program has.
#include <gtest/gtest.h>
// rapidcheck's own header for gtest wants gtest first
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fuzz/check_passes.h"
#include "fuzz/environment.h"

namespace ksc::fuzz {
namespace {

/// What is kept of a failing case: the source, and the world in comments below it.
std::string case_text(const std::string& source, const PassCheck& failed) {
  std::string text = source + "\n";
  std::istringstream lines(failed.world);
  for (std::string line; std::getline(lines, line);) text += "//! " + line + "\n";
  return text;
}

/// The smallest source that fails in the same pass.
std::string shrunk(const Tree& program, uint64_t seed, const PassCheck& failed) {
  return shrink(
             program,
             [&](const std::string& source) {
               const PassCheck now = check_passes_apart(source, seed);
               return now.end == failed.end && now.pass == failed.pass;
             },
             number_from_environment("KSC_PROPERTY_SHRINK", 400))
      .text();
}

void write_case(const std::string& name, const std::string& text) {
  const char* directory = std::getenv("KSC_PROPERTY_FAILURES");
  if (!directory) return;
  std::filesystem::create_directories(directory);
  std::ofstream(std::filesystem::path(directory) / name) << text;
}

TEST(Passes, KeepTheTraceOfRandomPrograms) {
  const uint64_t cases = number_from_environment("KSC_PROPERTY_CASES", 200);
  const uint64_t seed = number_from_environment("KSC_PROPERTY_SEED", 1);
  const int worlds = static_cast<int>(number_from_environment("KSC_PROPERTY_WORLDS", property_worlds));
  std::cout << fmt::format("{} programs from seed {} (KSC_PROPERTY_CASES, KSC_PROPERTY_SEED)\n", cases, seed);
  Statistics forms, ends, events;
  std::map<std::string, uint64_t> failures;  // by pass; of each only the first ones are shrunk and shown
  uint64_t runs = 0, given_up = 0, cut_short = 0;
  for (uint64_t i = 0; i < cases; ++i) {
    const uint64_t one = seed + i;
    GeneratorOptions options;
    options.unbounded_loops = one % 2;
    options.userspace = one % 3 == 0;
    const Tree program = generate_program(one, options, forms);
    const PassCheck checked = check_passes_apart(program.text(), one, worlds);
    runs += checked.runs;
    given_up += checked.given_up;
    cut_short += checked.cut_short;
    for (const auto& [event, times] : checked.events) events[event] += times;
    static const char* const names[] = {"kept by every pass", "rejected", "unsupported", "failed"};
    ++ends[names[int(checked.end)]];
    if (checked.end == PassCheck::End::Unsupported)
      ++ends["unsupported: " + checked.message.substr(checked.message.find("not supported"), 60)];
    if (checked.end == PassCheck::End::Same || checked.end == PassCheck::End::Unsupported) continue;
    if (++failures[checked.pass] > 2) continue;
    const std::string smallest = shrunk(program, one, checked);
    const PassCheck again = check_passes_apart(smallest, one);
    write_case(fmt::format("{}_{}.ks", one, again.pass), case_text(smallest, again));
    ADD_FAILURE() << fmt::format("seed {}, pass `{}`:\n{}\n{}", one, again.pass, again.message,
                                 case_text(smallest, again));
  }
  for (const auto& [pass, times] : failures) ADD_FAILURE() << fmt::format("{} programs fail in {}", times, pass);
  for (const auto& [end, times] : ends) std::cout << fmt::format("{:6} programs {}\n", times, end);
  std::cout << fmt::format("{:6} runs, {} given up, {} left out as too long\n", runs, given_up, cut_short);
  for (const auto& [event, times] : events) std::cout << fmt::format("{:6} × {}\n", times, event);
  for (const auto& [form, times] : forms) std::cout << fmt::format("{:6} {}\n", times, form);
  EXPECT_LE(given_up * 20, runs) << "more than one run in twenty is given up";
  if (cases < 200) return;
  for (const char* event :
       {"access outside the packet", "tail call", "index out of range", "division by zero",
        "shift by the width or more", "map full", "fault verdict", "packet offset", "packet offset backwards",
        "packet offset out of reach", "packet data pulled", "userspace program ends early", "throw caught",
        "failed check caught", "throw passed on", "uncaught throw", "panic", "program in two files"})
    EXPECT_GT(events[event], 0u) << event;
}

// What is never made is never tested. Rare forms are in one program of a hundred, so there are more than are run here.
TEST(Passes, RandomProgramsHaveEveryForm) {
  const uint64_t cases = 2000, seed = number_from_environment("KSC_PROPERTY_SEED", 1);
  std::cout << fmt::format("{} programs from seed {}\n", cases, seed);
  Statistics forms;
  for (uint64_t one = seed; one < seed + cases; ++one) {
    GeneratorOptions options;
    options.unbounded_loops = one % 2;
    options.userspace = one % 3 == 0;
    generate_program(one, options, forms);
  }
  for (const std::string& form : counted_forms()) {
    EXPECT_GT(forms[form], 0u) << form;
    if (forms[form] < cases / 50) std::cout << fmt::format("{:6} {}\n", forms[form], form);
  }
}

TEST(Passes, KeepTheTraceOfTheCorpus) {
  size_t found = 0;
  std::vector<std::filesystem::path> files;
  if (std::filesystem::exists(KSC_SOURCE "/fuzz/corpus"))
    for (const auto& entry : std::filesystem::recursive_directory_iterator(KSC_SOURCE "/fuzz/corpus"))
      if (entry.path().extension() == ".ks") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::ifstream in(file);
    std::string source, world_text;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("//! "))
        world_text += line.substr(4) + "\n";
      else
        source += line + "\n";
    }
    const auto world = read_world(world_text);
    ASSERT_TRUE(world) << file;
    for (uint64_t seed : {1, 24}) {
      const PassCheck checked =
          check_passes_apart(source, seed, world_text.empty() ? 4 : 1, world_text.empty() ? nullptr : &*world);
      EXPECT_TRUE(checked.end == PassCheck::End::Same || checked.end == PassCheck::End::Unsupported)
          << file.filename() << (always_uses_dynptrs(seed) ? ", --dynptr=always: " : ": ") << checked.pass << "\n"
          << checked.message;
      EXPECT_GT(checked.runs, 0u) << file.filename();
    }
    ++found;
  }
  if (found == 0) GTEST_SKIP() << "the corpus is empty";
}

RC_GTEST_PROP(Trees, ShrinkToWhatStillFails, ()) {
  const uint64_t seed = *rc::gen::inRange<uint64_t>(1, 1000000);
  Statistics forms;
  const Tree program = generate_program(seed, {}, forms);
  const std::string text = program.text();
  Statistics again;
  RC_ASSERT(generate_program(seed, {}, again).text() == text);
  RC_ASSERT(again == forms);
  const auto has_division = [](const std::string& source) { return source.find(" / ") != std::string::npos; };
  if (!has_division(text)) return;
  const std::string smallest = shrink(program, has_division).text();
  RC_ASSERT(has_division(smallest));
  RC_ASSERT(smallest.size() <= text.size());
  RC_ASSERT(smallest.size() < 1500u);
}

}  // namespace
}  // namespace ksc::fuzz

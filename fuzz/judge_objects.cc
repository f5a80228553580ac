// SPDX-License-Identifier: Apache-2.0
#include "fuzz/judge_objects.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <set>
#include <sstream>

#include "frontend/compile.h"
#include "frontend/parser.h"
#include "frontend/render.h"
#include "fuzz/check_passes.h"
#include "fuzz/compare_run.h"
#include "fuzz/environment.h"
#include "fuzz/split_files.h"
#include "passes/typed_program.h"

namespace ksc::fuzz {
namespace {

constexpr size_t programs_in_object = 8;

namespace fs = std::filesystem;

struct Candidate {
  uint64_t seed;
  Tree tree;
};

/// What random programs came to, as it is counted and shown.
class Judge {
 public:
  Judge(ObjectBuilder& builder, std::string_view kind) : builder_(builder), kind_(kind) {}

  void judge(const std::vector<Candidate>& some) {
    const Verdict verdict = check(source_of(some), some.front().seed);
    runs_ += verdict.runs;
    if (verdict.stage.empty()) {
      stages_["agree"] += some.size();
      return;
    }
    if (some.size() > 1) {
      const auto middle = some.begin() + static_cast<long>(some.size() / 2);
      judge({some.begin(), middle});
      judge({middle, some.end()});
      return;
    }
    ++stages_[verdict.stage];
    // Of each stage only the first ones are shrunk and shown.
    if (verdict.stage != "unsupported" && shown_[verdict.stage]++ < 3) show(some[0], verdict.stage);
  }

  void report() {
    for (const auto& [stage, times] : stages_) std::cout << fmt::format("{:6} programs: {}\n", times, stage);
    std::cout << fmt::format("{:6} runs\n", runs_);
    for (const auto& [stage, times] : stages_)
      if (stage != "agree" && stage != "unsupported") ADD_FAILURE() << fmt::format("{} programs: {}", times, stage);
    EXPECT_GT(stages_["agree"], 0u);
  }

 private:
  static std::string source_of(const std::vector<Candidate>& some) {
    std::string text;
    for (const Candidate& one : some) text += one.tree.text();
    return text;
  }
  Verdict check(const std::string& source, uint64_t seed) { return check_object(source, seed, 3, builder_); }

  void show(const Candidate& one, const std::string& stage) {
    const auto still_fails = [&](const std::string& source) { return check(source, one.seed).stage == stage; };
    const std::string smallest =
        shrink(one.tree, still_fails, number_from_environment("KSC_PROPERTY_SHRINK", 150)).text();
    const Verdict last = check(smallest, one.seed);
    std::string world;
    std::istringstream lines(last.world);
    for (std::string line; std::getline(lines, line);) world += "//! " + line + "\n";
    if (const char* directory = std::getenv("KSC_PROPERTY_FAILURES")) {
      fs::create_directories(directory);
      std::ofstream(fs::path(directory) / fmt::format("{}_{}_{}.ks", one.seed, kind_, last.stage)) << smallest << world;
    }
    ADD_FAILURE() << fmt::format("seed {}: {}\n{}\n{}\n{}", one.seed, last.stage, last.message, smallest, world);
  }

  ObjectBuilder& builder_;
  std::string_view kind_;
  Statistics stages_, shown_;
  uint64_t runs_ = 0;
};

}  // namespace

Verdict compile_to_c(const std::string& source, const fs::path& directory, uint64_t seed, const std::string& library) {
  std::ofstream(directory / "random.ks") << source;
  if (!library.empty()) std::ofstream(directory / "library.ks") << library;
  DiskSources sources;
  Options options;
  options.file = (directory / "random.ks").string();
  options.project = "random";
  options.share = KSC_BUILD "/share/ksc";
  options.makefile = false;
  options.target.always_dynptr = always_uses_dynptrs(seed);
  const Result result = compile(sources, options);
  if (!result.ok()) {
    std::string message = render_text(result.diagnostics, result.locations, sources);
    for (const std::string& fault : result.faults) message += fault + "\n";
    const bool later = result.faults.empty() && message.find("not supported yet") != std::string::npos;
    return {later ? "unsupported" : "rejected", message, "", 0};
  }
  for (const auto& [path, text] : result.files) {
    fs::create_directories((directory / path).parent_path());
    std::ofstream(directory / path) << text;
  }
  return {};
}

Verdict check_object(const std::string& source, uint64_t seed, int worlds, ObjectBuilder& builder) {
  Context context;
  context.kernel_types = &kernel_types();
  MemorySources sources;
  const uint32_t file = sources.add("random.ks", source);
  const Ir<lang::Parsed> parsed{with_library(context, sources, file)};
  const Program program = typed_program(parsed, context).declarations;
  if (context.diagnostics.has_errors()) {
    std::string code;
    for (const Diagnostic& d : context.diagnostics.all())
      if (d.severity == Severity::error && code.empty()) code = d.code;
    return {"rejected " + code, render_text(context.diagnostics, context.locations, sources), "", 0};
  }
  const Workspace workspace;
  // Half of all batches of programs are compiled in two files.
  const SplitProgram split = seed / programs_in_object % 2 != 0 ? split_files(source, seed) : SplitProgram();
  Verdict verdict = split.has_any_moved ? compile_to_c(split.main, workspace.path(), seed, split.library)
                                        : compile_to_c(source, workspace.path(), seed);
  if (verdict.stage.empty()) verdict = builder.build(workspace.path());
  if (!verdict.stage.empty()) return verdict;
  for (Name entry : entry_functions(program))
    for (int i = 0; i < worlds; ++i) {
      const World world = generate_world(seed * 17 + static_cast<uint64_t>(i), program);
      std::string difference;
      try {
        difference = compare_run(context, program, entry, world, builder.machine());
      } catch (const MachineError& error) {
        difference = error.what();
      }
      ++verdict.runs;
      if (!difference.empty())
        return {"run", fmt::format("program {}\n{}", entry.text(), difference), to_string(world), verdict.runs};
    }
  return verdict;
}

void judge_random_programs(ObjectBuilder& builder, uint64_t cases, std::string_view kind) {
  const uint64_t seed = number_from_environment("KSC_PROPERTY_SEED", 1);
  std::cout << fmt::format("{} programs from seed {}\n", cases, seed);
  Judge judge(builder, kind);
  Statistics forms;
  std::vector<Candidate> batch;
  for (uint64_t i = 0; i < cases; ++i) {
    GeneratorOptions options;
    options.attribute = (i / programs_in_object) % 2 ? "tc" : "xdp";
    options.prefix = fmt::format("q{}_", i);
    options.environment = false;
    options.unbounded_loops = i % 4 == 3;
    options.size = 8;
    batch.push_back({seed + i, generate_program(seed + i, options, forms)});
    if (batch.size() < programs_in_object && i + 1 < cases) continue;
    judge.judge(batch);
    batch.clear();
  }
  judge.report();
}

void judge_corpus(ObjectBuilder& builder) {
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(KSC_SOURCE "/fuzz/corpus"))
    if (entry.path().extension() == ".ks") files.insert(entry.path());
  EXPECT_FALSE(files.empty());
  for (const fs::path& file : files) {
    std::ifstream in(file);
    const std::string source{std::istreambuf_iterator<char>(in), {}};
    for (uint64_t seed : {1, 24}) {
      const Verdict verdict = check_object(source, seed, 3, builder);
      EXPECT_EQ(verdict.stage, "") << file.filename() << (always_uses_dynptrs(seed) ? ", --dynptr=always\n" : "\n")
                                   << verdict.message << "\n"
                                   << verdict.world;
    }
  }
}

}  // namespace ksc::fuzz

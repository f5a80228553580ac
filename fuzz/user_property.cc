// SPDX-License-Identifier: Apache-2.0
// Random userspace programs: the generated binary, with the kernel's maps, prints what the interpreter prints and exits
// as it does. The address and undefined-behaviour sanitizers watch it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "frontend/parser.h"
#include "frontend/render.h"
#include "frontend/source.h"
#include "fuzz/check_passes.h"
#include "fuzz/environment.h"
#include "ir/interpret.h"
#include "passes/typed_program.h"

namespace ksc::fuzz {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What one program came to: where it failed ("" nowhere), and what was seen.
struct UserRun {
  std::string stage, message;
  bool ended_early = false;
};

/// Builds and runs programs in one directory: what is not new is not built again.
class UserPrograms {
 public:
  UserPrograms() {
    std::string pattern = (fs::temp_directory_path() / "ksc-user-property-XXXXXX").string();
    if (!mkdtemp(pattern.data())) std::abort();
    path_ = pattern;
  }
  ~UserPrograms() { fs::remove_all(path_); }

  UserRun run(const std::string& source) {
    Context context;
    context.kernel_types = &kernel_types();
    MemorySources sources;
    const Ir<lang::Parsed> parsed{with_library(context, sources, sources.add("random.ks", source))};
    const Program program = typed_program(parsed, context).declarations;
    const Name main = context.diagnostics.has_errors() ? Name{} : main_function(program);
    const auto& messages = context.diagnostics.all();
    const bool is_later = std::all_of(messages.begin(), messages.end(), [](const Diagnostic& d) {
      return d.severity != Severity::error || d.id == diag::Id::not_supported_yet;
    });
    if (context.diagnostics.has_errors() && is_later) return {"unsupported", "", false};
    if (!main) return {"rejected", render_text(context.diagnostics, context.locations, sources), false};
    World world;
    world.fuel = 200'000;  // maps in the kernel are slow
    const Trace expected = interpret(context, program, main, world);
    if (expected.out_of_fuel) return {"given up", "", false};
    if (!expected.fault.empty()) return {"fault", expected.fault, false};

    std::ofstream(path_ / "random.ks") << source;
    // What an earlier one pinned is not this one's, so each has its own place for pins.
    const std::string command = fmt::format(
        "cd '{0}' && '{1}/bin/ksc' compile random.ks > log 2>&1 && make -C random CC='{2}' CFLAGS='-O1 -g -Werror "
        "-fsanitize=address,undefined -fno-sanitize-recover=all' >> log 2>&1 || exit 200\n"
        "ASAN_OPTIONS=detect_leaks=0 unshare -m sh -c 'mount -t bpf bpf /sys/fs/bpf && exec timeout 60 random/random' "
        "> out 2> errors",
        path_.string(), KSC_BUILD, std::system("command -v ccache > /dev/null") == 0 ? "ccache gcc" : "gcc");
    const int status = std::system(command.c_str());
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 200) {
      const std::string log = contents(path_ / "log");
      const auto times = [&](std::string_view what) {
        size_t found = 0;
        for (size_t at = log.find(what); at != std::string::npos; at = log.find(what, at + 1)) ++found;
        return found;
      };
      // Passes behind the typed program refuse what is not compiled yet, too.
      const bool is_later_yet = times("error[") > 0 && times("error[") == times("error[KS0690]");
      return {is_later_yet ? "unsupported" : "build", log, false};
    }
    const std::string errors = contents(path_ / "errors");
    if (errors.find("Sanitizer") != std::string::npos || errors.find("runtime error") != std::string::npos)
      return {"sanitizer", errors, false};
    std::string lines;
    for (const std::string& line : expected.prints) lines += line + "\n";
    const int wanted = static_cast<int>(expected.result.value_or(0) & 0xff);
    const bool early = expected.events.count("userspace program ends early") != 0;
    if (contents(path_ / "out") == lines && WEXITSTATUS(status) == wanted) return {"", "", early};
    return {"run",
            fmt::format("expected exit status {}, found {}\nexpected:\n{}found:\n{}{}", wanted, WEXITSTATUS(status),
                        lines, contents(path_ / "out"), errors),
            early};
  }

 private:
  fs::path path_;
};

TEST(UserProperty, RandomProgramsDoWhatTheInterpreterSays) {
  if (geteuid() != 0) GTEST_SKIP() << "maps need root";
  const uint64_t cases = number_from_environment("KSC_USER_CASES", 12),
                 seed = number_from_environment("KSC_PROPERTY_SEED", 1);
  std::cout << fmt::format("{} programs from seed {}\n", cases, seed);
  UserPrograms programs;
  Statistics ends, forms, shown;
  for (uint64_t i = 0; i < cases; ++i) {
    GeneratorOptions options;
    options.attribute = "xdp";
    options.environment = false;
    options.userspace = true;
    options.size = 8;
    const Tree tree = generate_program(seed + i, options, forms);
    const UserRun ran = programs.run(tree.text());
    ++ends[ran.stage.empty() ? "agree" : ran.stage];
    if (ran.ended_early) ++ends["of them end early"];
    if (ran.stage.empty() || ran.stage == "given up" || ran.stage == "unsupported" || shown[ran.stage]++ >= 3) continue;
    const auto still_fails = [&](const std::string& source) { return programs.run(source).stage == ran.stage; };
    const std::string smallest = shrink(tree, still_fails, number_from_environment("KSC_PROPERTY_SHRINK", 60)).text();
    const UserRun last = programs.run(smallest);
    if (const char* directory = std::getenv("KSC_PROPERTY_FAILURES")) {
      fs::create_directories(directory);
      std::ofstream(fs::path(directory) / fmt::format("{}_user_{}.ks", seed + i, ran.stage)) << smallest;
    }
    ADD_FAILURE() << fmt::format("seed {}: {}\n{}\n{}", seed + i, ran.stage, last.message, smallest);
  }
  for (const auto& [end, times] : ends) std::cout << fmt::format("{:6} programs: {}\n", times, end);
  for (const auto& [end, times] : ends)
    if (end != "agree" && end != "given up" && end != "unsupported" && end != "of them end early")
      ADD_FAILURE() << fmt::format("{} programs: {}", times, end);
  EXPECT_GT(ends["agree"], 0u);
  EXPECT_LE((ends["given up"] + ends["unsupported"]) * 10, cases);
}

TEST(UserProperty, TheCorpusDoesWhatTheInterpreterSays) {
  if (geteuid() != 0) GTEST_SKIP() << "maps need root";
  UserPrograms programs;
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(KSC_SOURCE "/fuzz/corpus/user")) files.insert(entry.path());
  EXPECT_FALSE(files.empty());
  for (const fs::path& file : files) {
    const UserRun ran = programs.run(contents(file));
    EXPECT_EQ(ran.stage, "") << file.filename() << "\n" << ran.message;
  }
}

}  // namespace
}  // namespace ksc::fuzz

// SPDX-License-Identifier: Apache-2.0
// Random programs in the kernel: clang takes the generated C without a warning, the verifier accepts it, and BPF_PROG_RUN gives
// the interpreter's result, packet, maps and globals. Many programs go into one object; a failure is isolated by halving.
#include <gtest/gtest.h>

#ifdef KSC_KERNEL_RUN
#include <fmt/format.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "frontend/compile.h"
#include "frontend/parser.h"
#include "frontend/render.h"
#include "fuzz/check_passes.h"
#include "kernel/kernel_run.h"
#include "passes/passes.h"

namespace ksc::fuzz {
namespace {

namespace fs = std::filesystem;
using ksc::testing::KernelRun;

/// A directory that is gone when the test ends.
class Workspace {
 public:
  Workspace() {
    std::string pattern = (fs::temp_directory_path() / "ksc-kernel-property-XXXXXX").string();
    if (!mkdtemp(pattern.data())) std::abort();
    path_ = pattern;
  }
  ~Workspace() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Where a value of the type has bytes that mean something.
void mark_meaning(Type type, uint64_t at, Bytes& mask) {
  if (is(type, TypeKind::Struct)) {
    for (const StructField& field : type->body->fields) mark_meaning(field.type, at + field.offset, mask);
  } else if (is(type, TypeKind::Array)) {
    for (uint64_t i = 0; i < type->count; ++i) mark_meaning(type->element, at + i * size_of(type->element), mask);
  } else {
    std::fill_n(mask.begin() + static_cast<long>(at), size_of(type), 0xff);
  }
}
Bytes masked(Type type, Bytes bytes) {
  Bytes mask(bytes.size());
  mark_meaning(type, 0, mask);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] &= mask[i];
  return bytes;
}

struct Verdict {
  std::string stage;    // empty: all is well; else what failed: rejected, clang, verifier, run
  std::string message;
  std::string world;
  uint64_t runs = 0;
};

/// Compiles and loads a source, and compares each of its programs with the interpreter.
class KernelCheck {
 public:
  KernelCheck(const fs::path& directory, std::string clang) : directory_(directory), clang_(std::move(clang)) {}

  Verdict check(const std::string& source, uint64_t seed, int worlds) {
    Context context;
    context.kernel_types = &kernel_types();
    MemorySources sources;
    const uint32_t file = sources.add("random.ks", source);
    const Ir<lang::Parsed> parsed{parse(context, file, sources.text(file))};
    const Program program = infer_types(resolve_names(parsed, context), context).declarations;
    if (context.diagnostics.has_errors()) {
      std::string code;
      for (const Diagnostic& d : context.diagnostics.all())
        if (d.severity == Severity::error && code.empty()) code = d.code;
      return {"rejected " + code, render_text(context.diagnostics, context.locations, sources), "", 0};
    }

    Verdict compiled = compile_object(source);
    if (!compiled.stage.empty()) return compiled;
    KernelRun kernel;
    if (const auto loaded = kernel.load((directory_ / "random.o").string()); !loaded)
      return {"verifier", loaded.message.substr(loaded.message.size() > 3000 ? loaded.message.size() - 3000 : 0), "", 0};
    Verdict verdict;
    for (Name entry : entry_functions(program))
      for (int i = 0; i < worlds; ++i) {
        const World world = generate_world(seed * 17 + static_cast<uint64_t>(i), program);
        std::string difference;
        try {
          difference = compare(context, program, entry, world, kernel);
        } catch (const ksc::testing::KernelRunError& error) {
          difference = error.what();
        }
        ++verdict.runs;
        if (!difference.empty()) return {"run", fmt::format("program {}\n{}", entry.text(), difference), to_string(world), verdict.runs};
      }
    return verdict;
  }

 private:
  Verdict compile_object(const std::string& source) {
    std::ofstream(directory_ / "random.ks") << source;
    DiskSources sources;
    Options options;
    options.file = (directory_ / "random.ks").string();
    options.project = "random";
    options.share = KSC_BUILD "/share/ksc";
    options.makefile = false;
    const Result result = compile(sources, options);
    if (!result.ok()) {
      std::string message = render_text(result.diagnostics, result.locations, sources);
      for (const std::string& fault : result.faults) message += fault + "\n";
      const bool later = result.faults.empty() && message.find("not supported yet") != std::string::npos;
      return {later ? "unsupported" : "rejected", message, "", 0};
    }
    for (const auto& [path, text] : result.files) {
      fs::create_directories((directory_ / path).parent_path());
      std::ofstream(directory_ / path) << text;
    }
    const std::string command =
        fmt::format("cd '{}' && {} -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -O2 -g -fwrapv -funsigned-char -Wall -Wextra -Werror -I. -Iruntime -I/usr/include/$(uname -m)-linux-gnu -c random.ebpf.c -o random.o > clang.log 2>&1",
                    directory_.string(), clang_);
    if (std::system(command.c_str()) == 0) return {};
    std::ifstream log(directory_ / "clang.log");
    std::stringstream text;
    text << log.rdbuf();
    return {"clang", text.str().substr(0, 3000), "", 0};
  }

  static bool is_per_cpu(Type map) { return map->name == "percpu_hash" || map->name == "percpu_array"; }

  /// Where a pinned global lies in the one entry of its map.
  struct Pinned {
    std::string name;
    uint64_t offset, size;
  };

  std::string compare(Context& context, const Program& program, Name entry, World world, KernelRun& kernel) {
    kernel.reset();
    std::vector<Pinned> pinned;
    uint64_t pinned_size = 0;
    uint32_t pinned_align = 1;
    Bytes pinned_bytes;
    for (const Decl& d : program)
      if (const auto* global = as<GlobalDef>(d); global && global->form.storage == Storage::Pinned) {
        const uint32_t align = align_of(global->form.type);
        pinned_align = std::max(pinned_align, align);
        pinned_size = (pinned_size + align - 1) / align * align;
        pinned.push_back({std::string(global->form.name.text()), pinned_size, size_of(global->form.type)});
        pinned_size += size_of(global->form.type);
      }
    pinned_size = (pinned_size + pinned_align - 1) / pinned_align * pinned_align;
    pinned_bytes.resize(pinned_size);
    // Initial values are written by the loader of the generated program; here every pinned global is given one.
    for (const Pinned& p : pinned) {
      Bytes& value = world.globals[p.name];
      value.resize(p.size);
      std::copy(value.begin(), value.end(), pinned_bytes.begin() + static_cast<long>(p.offset));
    }
    const auto is_pinned = [&](const std::string& name) {
      return std::any_of(pinned.begin(), pinned.end(), [&](const Pinned& p) { return p.name == name; });
    };
    // The kernel wants a whole IP header behind an Ethernet header that announces one.
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d); function && function->form.name == entry && function->form.program_type == "tc")
        world.packet.resize(std::max<size_t>(world.packet.size(), 34));
    // What only eBPF sees is clang's to lay out: it keeps its first value, and nobody looks at it.
    std::set<std::string> hidden;
    for (const Decl& d : program)
      if (const auto* global = as<GlobalDef>(d); global && global->form.storage == Storage::EbpfOnly) hidden.insert(std::string(global->form.name.text()));
    for (const std::string& name : hidden) world.globals.erase(name);
    for (auto global = world.globals.begin(); global != world.globals.end();) {
      bool known = is_pinned(global->first);
      if (!known) {
        try {
          kernel.set_global(global->first, global->second);
          known = true;
        } catch (const ksc::testing::KernelRunError&) {
          // clang has left out what nothing uses
        }
      }
      global = known ? std::next(global) : world.globals.erase(global);
    }
    if (!pinned.empty() && has_map(kernel, "pinned_globals")) kernel.set("pinned_globals", Bytes(4), pinned_bytes);
    for (const Decl& d : program) {
      const auto* map = as<MapDef>(d);
      if (!map) continue;
      const std::string name(map->form.name.text());
      if (!has_map(kernel, name)) continue;
      for (const auto& [key, value] : world.maps[name]) kernel.set(name, key, is_per_cpu(map->form.type) ? on_all_cpus(value) : value);
    }
    const Trace expected = interpret(context, program, entry, world);
    if (!expected.fault.empty()) return "the interpreter's run is a fault: " + expected.fault;
    if (expected.out_of_fuel || expected.events.count("entry evicted")) return {};

    const auto ran = kernel.run(std::string(entry.text()), world.packet);
    std::string text;
    if (static_cast<int32_t>(ran.value) != static_cast<int32_t>(expected.result.value_or(-1)))
      text += fmt::format("- result {}\n+ result {}\n", expected.result.value_or(-1), static_cast<int32_t>(ran.value));
    if (ran.packet != expected.packet) text += fmt::format("- packet {}\n+ packet {}\n", hex(expected.packet), hex(ran.packet));
    for (const Decl& d : program) {
      if (const auto* map = as<MapDef>(d)) compare_map(map->form, expected, kernel, text);
      const auto* global = as<GlobalDef>(d);
      if (!global) continue;
      const std::string name(global->form.name.text());
      if (hidden.count(name)) continue;
      Bytes found;
      try {
        if (is_pinned(name)) {
          const Bytes whole = kernel.entries("pinned_globals").at(Bytes(4));
          for (const Pinned& p : pinned)
            if (p.name == name) found.assign(whole.begin() + static_cast<long>(p.offset), whole.begin() + static_cast<long>(p.offset + p.size));
        } else {
          found = kernel.global(name);
        }
      } catch (const ksc::testing::KernelRunError&) {
        continue;
      }
      const Bytes wanted = masked(global->form.type, expected.globals.at(name));
      found = masked(global->form.type, found);
      if (found != wanted) text += fmt::format("- global {}: {}\n+ global {}: {}\n", name, hex(wanted), name, hex(found));
    }
    const auto lost = expected.events.find("write lost");
    const uint64_t counted = lost_writes(kernel), wanted = lost == expected.events.end() ? 0 : lost->second;
    if (counted != wanted) text += fmt::format("- {} writes lost\n+ {} writes lost\n", wanted, counted);
    return text;
  }

  /// What the program has counted [L51]; a program that cannot lose a write has no counter.
  static uint64_t lost_writes(KernelRun& kernel) {
    try {
      uint64_t count = 0;
      const Bytes bytes = kernel.global("ks_lost_writes");
      std::copy(bytes.begin(), bytes.end(), reinterpret_cast<uint8_t*>(&count));
      return count;
    } catch (const ksc::testing::KernelRunError&) {
      return 0;
    }
  }

  void compare_map(const MapDef& map, const Trace& expected, KernelRun& kernel, std::string& text) {
    const std::string name(map.name.text());
    if (!has_map(kernel, name)) return;
    const bool is_array = map.type->name == "array" || map.type->name == "percpu_array";
    MapContents found, wanted;
    for (auto [key, value] : kernel.entries(name)) {
      value.resize(size_of(map.type->element));  // of per-CPU maps the value of the CPU that this test keeps to, the first
      value = masked(map.type->element, value);
      if (!is_array || value != Bytes(value.size())) found[key] = value;
    }
    for (const auto& [key, value] : expected.maps.at(name)) {
      const Bytes meaning = masked(map.type->element, value);
      if (!is_array || meaning != Bytes(meaning.size())) wanted[key] = meaning;
    }
    for (const auto& [key, value] : wanted)
      if (!found.count(key) || found[key] != value) text += fmt::format("- map {} [{}]: {}\n", name, hex(key), hex(value));
    for (const auto& [key, value] : found)
      if (!wanted.count(key) || wanted[key] != value) text += fmt::format("+ map {} [{}]: {}\n", name, hex(key), hex(value));
  }

  static Bytes on_all_cpus(const Bytes& value) {
    Bytes one = value, all;
    one.resize((value.size() + 7) / 8 * 8);
    std::ifstream possible("/sys/devices/system/cpu/possible");
    std::string range;
    possible >> range;
    const size_t dash = range.find('-');
    const size_t cpus = dash == std::string::npos ? 1 : std::stoul(range.substr(dash + 1)) + 1;
    for (size_t i = 0; i < cpus; ++i) all.insert(all.end(), one.begin(), one.end());
    return all;
  }
  static bool has_map(KernelRun& kernel, const std::string& name) {
    try {
      kernel.entries(name);
      return true;
    } catch (const ksc::testing::KernelRunError&) {
      return false;  // nothing uses it
    }
  }

  fs::path directory_;
  std::string clang_;
};

uint64_t number_from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Candidate {
  uint64_t seed;
  Tree tree;
};

class KernelProperty : public ::testing::TestWithParam<const char*> {};

TEST_P(KernelProperty, RandomProgramsDoWhatTheInterpreterSays) {
  if (geteuid() != 0) GTEST_SKIP() << "loading eBPF needs root";
  if (std::system(fmt::format("command -v {} > /dev/null", GetParam()).c_str()) != 0) GTEST_SKIP() << GetParam() << " is not installed";
  // Per-CPU values are compared on one CPU.
  cpu_set_t before, first;
  sched_getaffinity(0, sizeof before, &before);
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  sched_setaffinity(0, sizeof first, &first);

  const uint64_t cases = number_from_environment("KSC_KERNEL_CASES", 40), seed = number_from_environment("KSC_PROPERTY_SEED", 1);
  constexpr size_t per_object = 8;
  std::cout << fmt::format("{} programs from seed {} (KSC_KERNEL_CASES, KSC_PROPERTY_SEED)\n", cases, seed);
  Workspace workspace;
  KernelCheck kernel(workspace.path(), GetParam());
  Statistics forms, stages;
  uint64_t runs = 0;
  std::map<std::string, uint64_t> shown;

  const auto source_of = [](const std::vector<Candidate>& some) {
    std::string text;
    for (const Candidate& one : some) text += one.tree.text();
    return text;
  };
  std::function<void(const std::vector<Candidate>&)> judge = [&](const std::vector<Candidate>& some) {
    const Verdict verdict = kernel.check(source_of(some), some.front().seed, 3);
    runs += verdict.runs;
    if (verdict.stage.empty()) {
      stages["agree"] += some.size();
      return;
    }
    if (some.size() > 1) {
      const auto middle = some.begin() + static_cast<long>(some.size() / 2);
      judge({some.begin(), middle});
      judge({middle, some.end()});
      return;
    }
    ++stages[verdict.stage];
    if (verdict.stage == "unsupported" || shown[verdict.stage]++ >= 3) return;
    const std::string smallest = shrink(some[0].tree, [&](const std::string& source) { return kernel.check(source, some[0].seed, 3).stage == verdict.stage; },
                                        number_from_environment("KSC_PROPERTY_SHRINK", 150)).text();
    const Verdict last = kernel.check(smallest, some[0].seed, 3);
    std::string world;
    std::istringstream lines(last.world);
    for (std::string line; std::getline(lines, line);) world += "//! " + line + "\n";
    if (const char* directory = std::getenv("KSC_PROPERTY_FAILURES")) {
      fs::create_directories(directory);
      std::ofstream(fs::path(directory) / fmt::format("{}_kernel_{}.ks", some[0].seed, last.stage)) << smallest << world;
    }
    ADD_FAILURE() << fmt::format("seed {}: {}\n{}\n{}\n{}", some[0].seed, last.stage, last.message, smallest, world);
  };
  std::vector<Candidate> batch;
  for (uint64_t i = 0; i < cases; ++i) {
    GeneratorOptions options;
    options.attribute = (i / per_object) % 2 ? "tc" : "xdp";
    options.prefix = fmt::format("q{}_", i);
    options.environment = false;
    options.unbounded_loops = i % 4 == 3;
    options.size = 8;
    batch.push_back({seed + i, generate_program(seed + i, options, forms)});
    if (batch.size() < per_object && i + 1 < cases) continue;
    judge(batch);
    batch.clear();
  }
  sched_setaffinity(0, sizeof before, &before);
  for (const auto& [stage, times] : stages) std::cout << fmt::format("{:6} programs: {}\n", times, stage);
  std::cout << fmt::format("{:6} runs in the kernel\n", runs);
  for (const auto& [stage, times] : stages)
    if (stage != "agree" && stage != "unsupported") ADD_FAILURE() << fmt::format("{} programs: {}", times, stage);
  EXPECT_GT(stages["agree"], 0u);
}

TEST_P(KernelProperty, TheCorpusDoesWhatTheInterpreterSays) {
  if (geteuid() != 0) GTEST_SKIP() << "loading eBPF needs root";
  if (std::system(fmt::format("command -v {} > /dev/null", GetParam()).c_str()) != 0) GTEST_SKIP() << GetParam() << " is not installed";
  Workspace workspace;
  KernelCheck kernel(workspace.path(), GetParam());
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(KSC_SOURCE "/fuzz/corpus"))
    if (entry.path().extension() == ".ks") files.insert(entry.path());
  EXPECT_FALSE(files.empty());
  for (const fs::path& file : files) {
    std::ifstream in(file);
    const std::string source{std::istreambuf_iterator<char>(in), {}};
    const Verdict verdict = kernel.check(source, 1, 3);
    EXPECT_EQ(verdict.stage, "") << file.filename() << "\n" << verdict.message << "\n" << verdict.world;
  }
}

INSTANTIATE_TEST_SUITE_P(Clang, KernelProperty, ::testing::Values("clang-14", "clang-19"), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace ksc::fuzz
#endif

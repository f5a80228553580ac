// SPDX-License-Identifier: Apache-2.0
// Random programs in the kernel: clang takes the generated C without a warning, the verifier accepts it, and
// BPF_PROG_RUN gives the interpreter's result, packet, maps and globals [L65].
#include <gtest/gtest.h>

#ifdef KSC_KERNEL_RUN
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "fuzz/environment.h"
#include "fuzz/judge_objects.h"
#include "kernel/kernel_run.h"

namespace ksc::fuzz {
namespace {

namespace fs = std::filesystem;
using ksc::testing::KernelRun;
using ksc::testing::KernelRunError;

size_t possible_cpus() {
  std::ifstream possible("/sys/devices/system/cpu/possible");
  std::string range;
  possible >> range;
  const size_t dash = range.find('-');
  return dash == std::string::npos ? 1 : std::stoul(range.substr(dash + 1)) + 1;
}

class Kernel : public Machine {
 public:
  ksc::testing::LoadResult load(const std::string& object) { return kernel_.load(object); }

  void reset() override { kernel_.reset(); }
  bool has_map(const std::string& name) override { return kernel_.has_values(name); }
  bool has_global(const std::string& name) override {
    return succeeds([&] { kernel_.global(name); });
  }
  void set(const std::string& map, const Bytes& key, const Bytes& value, bool per_cpu) override {
    told([&] { kernel_.set(map, key, per_cpu ? on_all_cpus(value) : value); });
  }
  void set_global(const std::string& name, const Bytes& value) override {
    told([&] { kernel_.set_global(name, value); });
  }
  Run run(const std::string& program, const Bytes& packet) override {
    return told([&] {
      const auto ran = kernel_.run(program, packet);
      return Run{static_cast<int32_t>(ran.value), ran.packet};
    });
  }
  std::map<Bytes, Bytes> entries(const std::string& map) override {
    return told([&] { return kernel_.entries(map); });
  }
  Bytes global(const std::string& name) override {
    return told([&] { return kernel_.global(name); });
  }

 private:
  template <class Do>
  static bool succeeds(Do run) {
    try {
      run();
      return true;
    } catch (const KernelRunError&) {
      return false;
    }
  }
  template <class Do>
  static auto told(Do run) -> decltype(run()) {
    try {
      return run();
    } catch (const KernelRunError& error) {
      throw MachineError(error.what());
    }
  }
  static Bytes on_all_cpus(const Bytes& value) {
    Bytes one = value, all;
    one.resize((value.size() + 7) / 8 * 8);
    for (size_t i = 0; i < possible_cpus(); ++i) all.insert(all.end(), one.begin(), one.end());
    return all;
  }

  KernelRun kernel_;
};

class KernelBuilder : public ObjectBuilder {
 public:
  explicit KernelBuilder(std::string clang) : clang_(std::move(clang)) {}

  Verdict build(const fs::path& directory) override {
    const std::string command = fmt::format(
        "cd '{}' && {} -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -O2 -g -fwrapv -fno-strict-aliasing -funsigned-char "
        "-Wall -Wextra -Werror "
        "-I. -Iruntime -I/usr/include/$(uname -m)-linux-gnu -c random.ebpf.c -o random.o > clang.log 2>&1",
        directory.string(), clang_);
    if (std::system(command.c_str()) != 0) {
      std::ifstream log(directory / "clang.log");
      std::stringstream text;
      text << log.rdbuf();
      return {"clang", text.str().substr(0, 3000), "", 0};
    }
    const auto loaded = kernel_.load((directory / "random.o").string());
    if (loaded) return {};
    return {"verifier", loaded.message.substr(loaded.message.size() > 3000 ? loaded.message.size() - 3000 : 0), "", 0};
  }
  Machine& machine() override { return kernel_; }

 private:
  std::string clang_;
  Kernel kernel_;
};

class KernelProperty : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "loading eBPF needs root";
    if (std::system(fmt::format("command -v {} > /dev/null", GetParam()).c_str()) != 0)
      GTEST_SKIP() << GetParam() << " is not installed";
    // Per-CPU values are compared on one CPU.
    cpu_set_t first;
    sched_getaffinity(0, sizeof before_, &before_);
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    pinned_ = sched_setaffinity(0, sizeof first, &first) == 0;
  }
  void TearDown() override {
    if (pinned_) sched_setaffinity(0, sizeof before_, &before_);
  }

 private:
  cpu_set_t before_;
  bool pinned_ = false;
};

TEST_P(KernelProperty, RandomProgramsDoWhatTheInterpreterSays) {
  KernelBuilder builder(GetParam());
  judge_random_programs(builder, number_from_environment("KSC_KERNEL_CASES", 40), "kernel");
}

TEST_P(KernelProperty, TheCorpusDoesWhatTheInterpreterSays) {
  KernelBuilder builder(GetParam());
  judge_corpus(builder);
}

INSTANTIATE_TEST_SUITE_P(Clang, KernelProperty, ::testing::Values("clang-14", "clang-19"), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace ksc::fuzz
#endif

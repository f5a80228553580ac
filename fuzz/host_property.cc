// SPDX-License-Identifier: Apache-2.0
// Random programs on the host emulation: the generated eBPF C, compiled for this machine under the address and
// undefined-behaviour sanitizers, gives the interpreter's result, packet, maps and globals. Needs no rights.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "fuzz/environment.h"
#include "fuzz/judge_objects.h"

namespace ksc::fuzz {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}
Bytes bytes_of(const nlohmann::json& hexadecimal) { return read_hex(hexadecimal.get<std::string>()).value(); }

/// The emulation is a process for each run: what it begins with is its arguments, what it ends with its output.
class Host : public Machine {
 public:
  /// Takes over a program that runtime/host/run has built in the directory, and its list of maps and globals.
  void load(const fs::path& directory) {
    directory_ = directory;
    maps_.clear();
    globals_.clear();
    std::istringstream list(text_of(directory / "list"));
    for (std::string what, name; list >> what >> name;) {
      if (what == "map" && !name.ends_with("_programs")) maps_.insert(name);
      if (what == "global") globals_.insert(name);
    }
    reset();
  }

  void reset() override {
    arguments_.clear();
    entries_.clear();
    values_.clear();
  }
  bool has_map(const std::string& name) override { return maps_.count(name) != 0; }
  bool has_global(const std::string& name) override { return globals_.count(name) != 0; }
  void set(const std::string& map, const Bytes& key, const Bytes& value, bool) override {
    arguments_ += fmt::format(" --map {}:{}={}", map, hex(key), hex(value));
  }
  void set_global(const std::string& name, const Bytes& value) override {
    arguments_ += fmt::format(" --global {}={}", name, hex(value));
  }
  std::map<Bytes, Bytes> entries(const std::string& map) override { return entries_[map]; }
  Bytes global(const std::string& name) override { return values_[name]; }

  Run run(const std::string& program, const Bytes& packet) override {
    std::ofstream(directory_ / "packets") << hex(packet) << "\n";
    const std::string command = fmt::format("cd '{}' && ./host --globals{} {} packets > out 2> errors",
                                            directory_.string(), arguments_, program);
    const int status = std::system(command.c_str());
    if (status != 0)
      throw MachineError(
          fmt::format("exit code {}: {}", WEXITSTATUS(status), text_of(directory_ / "errors").substr(0, 3000)));
    Run ran;
    std::istringstream lines(text_of(directory_ / "out"));
    for (std::string line; std::getline(lines, line);) {
      const auto said = nlohmann::json::parse(line);
      if (said.contains("return"))
        ran = {static_cast<int32_t>(said["return"].get<uint32_t>()), bytes_of(said["packet"])};
      if (said.contains("global")) values_[said["global"]] = bytes_of(said["value"]);
      if (said.contains("records")) {
        size_t number = 0;
        for (const auto& record : said["records"]) {
          entries_[said["map"]][Bytes{uint8_t(number), uint8_t(number >> 8), 0, 0}] = bytes_of(record);
          ++number;
        }
      }
      if (!said.contains("entries")) continue;
      for (const auto& entry : said["entries"]) entries_[said["map"]][bytes_of(entry[0])] = bytes_of(entry[1]);
    }
    return ran;
  }

 private:
  fs::path directory_;
  std::set<std::string> maps_, globals_;
  std::string arguments_;
  std::map<std::string, std::map<Bytes, Bytes>> entries_;
  std::map<std::string, Bytes> values_;
};

class HostBuilder : public ObjectBuilder {
 public:
  HostBuilder() : objects_(fs::temp_directory_path() / fmt::format("ksc-host-objects-{}", getpid())) {}
  ~HostBuilder() override { fs::remove_all(objects_); }

  Verdict build(const fs::path& directory) override {
    const std::string command = fmt::format(
        "KSC_HOST_OBJECTS='{}' KSC_HOST_PROGRAM='{}/host' '{}/runtime/host/run' '{}' --list > '{}/list' 2> '{}/errors'",
        objects_.string(), directory.string(), KSC_SOURCE, directory.string(), directory.string(), directory.string());
    if (std::system(command.c_str()) != 0) return {"compile", text_of(directory / "errors").substr(0, 3000), "", 0};
    host_.load(directory);
    return {};
  }
  Machine& machine() override { return host_; }

 private:
  fs::path objects_;
  Host host_;
};

TEST(HostProperty, RandomProgramsDoWhatTheInterpreterSays) {
  HostBuilder builder;
  judge_random_programs(builder, number_from_environment("KSC_HOST_CASES", 40), "host");
}

TEST(HostProperty, TheCorpusDoesWhatTheInterpreterSays) {
  HostBuilder builder;
  judge_corpus(builder);
}

}  // namespace
}  // namespace ksc::fuzz

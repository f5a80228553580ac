// SPDX-License-Identifier: Apache-2.0
/// run_program OBJECT PROGRAM [--packet HEX | --packet-file FILE]... [--repeat N] [--set MAP KEY VALUE]...
///             [--global NAME VALUE]... [--dump MAP]...
/// run_program OBJECT --batch     reads [{"program", "packets": [HEX], "set": [[MAP, KEY, VALUE]], "globals": {NAME:
/// VALUE},
///                                "dump": [MAP], "repeat"}, ...] from stdin; every item starts from fresh maps
///
/// Prints a JSON line for each packet and each dumped map, in batch mode an array of them for each item.
/// Exit status: 0, 1 something failed, 2 usage, 3 the kernel does not load the object.
#include "kernel_run.h"

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

using nlohmann::ordered_json;
using namespace ksc::testing;

namespace {

struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::vector<ordered_json> run_item(KernelRun& kernel, const ordered_json& item) {
  std::vector<ordered_json> lines;
  for (const auto& entry : item.value("set", ordered_json::array()))
    kernel.set(entry.at(0), from_hex(entry.at(1).get<std::string>()), from_hex(entry.at(2).get<std::string>()));
  const ordered_json globals = item.value("globals", ordered_json::object());
  for (const auto& [name, value] : globals.items()) kernel.set_global(name, from_hex(value.get<std::string>()));
  for (const auto& packet : item.value("packets", ordered_json::array())) {
    const RunResult result =
        kernel.run(item.at("program"), from_hex(packet.get<std::string>()), item.value("repeat", 1U));
    lines.push_back({{"return", result.value}, {"packet", to_hex(result.packet)}});
  }
  for (const auto& map : item.value("dump", ordered_json::array())) {
    ordered_json entries = ordered_json::array();
    for (const auto& [key, value] : kernel.entries(map)) entries.push_back({to_hex(key), to_hex(value)});
    lines.push_back({{"map", map}, {"entries", entries}});
  }
  return lines;
}

ordered_json item_from_arguments(const std::vector<std::string>& arguments) {
  ordered_json item = {{"program", arguments.at(1)}, {"packets", ordered_json::array()}};
  size_t at = 2;
  const auto next = [&]() -> const std::string& {
    if (at >= arguments.size()) throw UsageError("an option lacks its value");
    return arguments[at++];
  };
  while (at < arguments.size()) {
    const std::string& option = next();
    if (option == "--packet") {
      item["packets"].push_back(next());
    } else if (option == "--packet-file") {
      std::ifstream file(next(), std::ios::binary);
      if (!file) throw UsageError("cannot read " + arguments[at - 1]);
      item["packets"].push_back(to_hex(Bytes(std::istreambuf_iterator<char>(file), {})));
    } else if (option == "--repeat") {
      item["repeat"] = static_cast<uint32_t>(std::stoul(next()));
    } else if (option == "--set") {
      ordered_json entry = ordered_json::array();
      for (int i = 0; i < 3; ++i) entry.push_back(next());
      item["set"].push_back(entry);
    } else if (option == "--global") {
      const std::string& name = next();
      item["globals"][name] = next();
    } else if (option == "--dump") {
      item["dump"].push_back(next());
    } else {
      throw UsageError("unknown option " + option);
    }
  }
  return item;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) throw UsageError("usage: run_program OBJECT (PROGRAM [options] | --batch)");
  const bool batch = arguments[1] == "--batch";
  const ordered_json items =
      batch ? ordered_json::parse(std::cin) : ordered_json::array({item_from_arguments(arguments)});
  KernelRun kernel;
  if (const LoadResult loaded = kernel.load(arguments[0]); !loaded) {
    std::cerr << loaded.message;
    return 3;
  }
  for (const auto& item : items) {
    const std::vector<ordered_json> lines = run_item(kernel, item);
    if (batch) {
      std::cout << ordered_json(lines).dump() << '\n';
      kernel.reset();
      continue;
    }
    for (const auto& line : lines) std::cout << line.dump() << '\n';
  }
  return std::cout.flush() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const UsageError& error) {
    fmt::print(stderr, "run_program: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "run_program: {}\n", error.what());
    return 1;
  }
}

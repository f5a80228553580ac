// SPDX-License-Identifier: Apache-2.0
#include "ir/world.h"

#include <fmt/format.h>

#include <sstream>

namespace ksc {

bool operator==(const Trace& a, const Trace& b) {
  if (!a.fault.empty() || !b.fault.empty() || a.out_of_fuel || b.out_of_fuel) return false;
  return a.result == b.result && a.packet == b.packet && a.maps == b.maps && a.globals == b.globals &&
         a.context == b.context && a.prints == b.prints;
}

std::string hex(const Bytes& bytes) {
  std::string text;
  for (uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::optional<Bytes> read_hex(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  if (text.size() % 2) return std::nullopt;
  Bytes bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    if (digit(text[i]) < 0 || digit(text[i + 1]) < 0) return std::nullopt;
    bytes.push_back(static_cast<uint8_t>(digit(text[i]) * 16 + digit(text[i + 1])));
  }
  return bytes;
}

namespace {

/// The trace as lines that can be compared one by one.
std::vector<std::pair<std::string, std::string>> lines(const Trace& trace) {
  std::vector<std::pair<std::string, std::string>> out;
  if (!trace.fault.empty()) out.emplace_back("fault", trace.fault);
  if (trace.out_of_fuel) out.emplace_back("out of fuel", "");
  out.emplace_back("result", trace.result ? std::to_string(*trace.result) : "none");
  out.emplace_back("packet", hex(trace.packet));
  for (const auto& [name, value] : trace.context) out.emplace_back("context " + name, std::to_string(value));
  for (const auto& [name, value] : trace.globals) out.emplace_back("global " + name, hex(value));
  for (const auto& [name, entries] : trace.maps)
    for (const auto& [key, value] : entries) out.emplace_back(fmt::format("map {} [{}]", name, hex(key)), hex(value));
  for (size_t i = 0; i < trace.prints.size(); ++i) out.emplace_back(fmt::format("print {}", i), trace.prints[i]);
  return out;
}

}  // namespace

std::string to_string(const Trace& trace) {
  std::string text;
  for (const auto& [what, value] : lines(trace)) text += fmt::format("{}: {}\n", what, value);
  return text;
}

std::string difference(const Trace& expected, const Trace& actual) {
  if (expected == actual) return {};
  const auto a = lines(expected), b = lines(actual);
  const std::map<std::string, std::string> left(a.begin(), a.end()), right(b.begin(), b.end());
  std::string text;
  for (const auto& [what, value] : a) {
    const auto other = right.find(what);
    if (other == right.end())
      text += fmt::format("- {}: {}\n", what, value);
    else if (other->second != value)
      text += fmt::format("- {}: {}\n+ {}: {}\n", what, value, what, other->second);
  }
  for (const auto& [what, value] : b)
    if (!left.count(what)) text += fmt::format("+ {}: {}\n", what, value);
  // Two runs with the same fault, or both given up, are not equal either.
  return text.empty() ? "both:\n" + to_string(expected) : text;
}

std::string to_string(const World& world) {
  std::string text = fmt::format("packet {}\n", hex(world.packet));
  if (world.linear) text += fmt::format("linear {}\n", *world.linear);
  for (const auto& [name, value] : world.context) text += fmt::format("context {} {}\n", name, value);
  for (const auto& [name, value] : world.globals) text += fmt::format("global {} {}\n", name, hex(value));
  for (const auto& [name, value] : world.options) text += fmt::format("option {} {}\n", name, hex(value));
  for (const auto& [name, entries] : world.maps)
    for (const auto& [key, value] : entries) text += fmt::format("map {} {} {}\n", name, hex(key), hex(value));
  text += fmt::format("clock {}\nrandom {}\ncpu {}\nfuel {}\n", world.clock, world.random, world.cpu, world.fuel);
  if (world.load_error != 0) text += fmt::format("load_error {}\n", world.load_error);
  if (world.attach_error != 0) text += fmt::format("attach_error {}\n", world.attach_error);
  return text;
}

std::optional<World> read_world(std::string_view text) {
  World world;
  std::istringstream all{std::string(text)};
  std::string line;
  bool complete = true;
  const auto bytes = [&](const std::string& digits) {
    const auto value = read_hex(digits);
    complete = complete && value;
    return value.value_or(Bytes());
  };
  while (std::getline(all, line)) {
    std::istringstream words(line);
    std::string what, name, key, value;
    words >> what;
    if (what == "packet")
      words >> value, world.packet = bytes(value);
    else if (what == "linear")
      words >> world.linear.emplace();
    else if (what == "context")
      words >> name >> world.context[name];
    else if (what == "global")
      words >> name >> value, world.globals[name] = bytes(value);
    else if (what == "option")
      words >> name >> value, world.options[name] = bytes(value);
    else if (what == "map")
      words >> name >> key >> value, world.maps[name][bytes(key)] = bytes(value);
    else if (what == "clock")
      words >> world.clock;
    else if (what == "random")
      words >> world.random;
    else if (what == "cpu")
      words >> world.cpu;
    else if (what == "fuel")
      words >> world.fuel;
    else if (what == "load_error")
      words >> world.load_error;
    else if (what == "attach_error")
      words >> world.attach_error;
  }
  return complete ? std::optional(world) : std::nullopt;
}

}  // namespace ksc

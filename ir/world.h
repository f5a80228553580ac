// SPDX-License-Identifier: Apache-2.0
// What a program runs in, and what can be seen of a run.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ksc {

using Bytes = std::vector<uint8_t>;
using MapContents = std::map<Bytes, Bytes>;

/// Everything a run of a program may depend on. The same world gives the same run.
struct World {
  std::map<std::string, MapContents> maps;  // by the developer's name; of per-CPU maps this CPU's values
  std::map<std::string, Bytes> globals;     // globals and config blocks that do not hold their initial values
  std::map<std::string, Bytes> options;     // what the command line sets of `main`'s parameter, by member [L70]
  Bytes packet;
  std::optional<uint64_t> linear;  // of a socket buffer: how many bytes lie between data and data_end; all if not given
  std::map<std::string, uint64_t> context;  // fields of the context that are not zero; `len` follows from the packet
  uint64_t clock = 1'000'000'000;           // what the clock reads first; each reading advances it by 1 µs
  uint64_t random = 1;                      // seed of bpf_get_prandom_u32
  uint32_t cpu = 0;
  int32_t load_error = 0;     // what `load` throws, if anything
  int32_t attach_error = 0;   // what `attach` gives: a negative errno, if not 0
  uint64_t fuel = 2'000'000;  // steps before the run is given up
  bool operator==(const World&) const = default;
};

/// What a run came to. It speaks of the source's things only: what passes make is invisible.
struct Trace {
  std::optional<int64_t> result;  // the verdict
  Bytes packet;
  std::map<std::string, MapContents> maps;  // of array kinds the entries that are not all zero
  std::map<std::string, Bytes> globals;
  std::map<std::string, uint64_t> context;  // the scalar fields
  std::vector<std::string> prints;
  std::string fault;  // what the program did that has no meaning; empty: nothing
  bool out_of_fuel = false;
  /// How often the rarer ways were gone: for statistics of tests, no part of equality.
  std::map<std::string, uint64_t> events;
};

/// Equality of traces is the notion of correctness. A fault equals nothing, nor does a run that was given up.
bool operator==(const Trace& a, const Trace& b);

std::string to_string(const Trace& trace);
/// The lines in which two traces differ; empty if they are equal.
std::string difference(const Trace& expected, const Trace& actual);

/// One `key value` line each; `read_world` reads it back, lines that begin with anything else are skipped.
std::string to_string(const World& world);
std::optional<World> read_world(std::string_view text);

std::string hex(const Bytes& bytes);
std::optional<Bytes> read_hex(std::string_view text);

}  // namespace ksc

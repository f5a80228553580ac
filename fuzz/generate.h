// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "fuzz/tree.h"
#include "ir/context.h"
#include "ir/lang.h"
#include "ir/world.h"

namespace ksc::fuzz {

/// What programs are drawn from.
struct GeneratorOptions {
  std::string attribute = "";   // of the entry functions: "xdp" or "tc"; empty: chosen by the seed
  std::string prefix = "";      // before every name at file level, so that many programs fit into one object
  bool unbounded_loops = true;  // while, loop, and for between variables
  bool environment = true;      // time and random numbers, which the kernel does not repeat
  bool userspace = false;       // also a `main`, and functions that it calls
  int size = 12;                // statements of an entry function, more or less
};

/// How often each form of the language was made.
using Statistics = std::map<std::string, uint64_t>;

/// A random well-typed program in KernelScript; the same seed gives the same program.
Tree generate_program(uint64_t seed, const GeneratorOptions& options, Statistics& statistics);

/// The names under which `generate_program` counts; each has to occur in a few hundred programs.
const std::vector<std::string>& counted_forms();

/// A random world for a typed program: a packet, map entries under small keys, globals.
World generate_world(uint64_t seed, const Program& program);

}  // namespace ksc::fuzz

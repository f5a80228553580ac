// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "frontend/source.h"
#include "fuzz/generate.h"
#include "ir/interpret.h"

namespace ksc::fuzz {

/// What running a source through every pass came to.
struct PassCheck {
  enum class End {
    Same,         // every pass kept every trace
    Rejected,     // the front end has errors
    Unsupported,  // a lowering says that it is not supported yet; the passes before it kept every trace
    Failed,       // a pass changed a trace, broke a rule, or the reference run is a fault
  } end = End::Same;
  std::string pass;                 // where it failed; the first error's code where it is rejected
  std::string message;              // what the compiler said, or how the traces differ
  std::string world;                // of the run that failed
  uint64_t runs = 0, given_up = 0;  // of the typed program; the second ran out of fuel
  uint64_t cut_short = 0;           // worlds in which it is not run, since it would run long
  std::map<std::string, uint64_t> events;
};

/// Whether programs of the seed are compiled with --dynptr=always: those of a quarter of all seeds, and neighbours,
/// which share an object, alike.
inline bool always_uses_dynptrs(uint64_t seed) { return seed / 8 % 4 == 3; }

/// In how many worlds each program runs. tests/property/mutation_test.cc measures what share of mistakes shows in them.
inline constexpr int property_worlds = 48;

/// Compiles a source through the trunk and the eBPF branch and interprets each of its programs after every pass, in
/// `worlds` worlds made from the seed, or in the one that is given.
PassCheck check_passes(const std::string& source, uint64_t seed, int worlds = property_worlds,
                       const World* given = nullptr);

/// The same in a process of its own: a crash is a failure like others.
PassCheck check_passes_apart(const std::string& source, uint64_t seed, int worlds = property_worlds,
                             const World* given = nullptr);

/// The program of a source, with what it asks of the standard library.
Program with_library(Context& context, MemorySources& sources, uint32_t file);

/// The user-API types that come with the compiler.
const KernelTypes& kernel_types();

}  // namespace ksc::fuzz

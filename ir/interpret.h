// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/context.h"
#include "ir/languages.h"
#include "ir/world.h"

namespace ksc {

/// How a run goes, beyond what the world says.
struct InterpretOptions {
  /// Each access to the packet has been given its check: one that leaves the packet is a fault then. Before, it leaves
  /// the program with its pass-through verdict [L146].
  bool packet_accesses_checked = false;
  /// The program says itself where data is pulled. Before, each access that fails otherwise does it, or its check
  /// [L176].
  bool packet_pulled = false;
};

/// Runs an eBPF program, or `main`, of a program in any language from `Typed` on, and tells what can be seen of it. The
/// meaning of every form is language.md's; the passes are not asked.
Trace interpret(Context& context, const Program& program, Name entry, const World& world,
                const InterpretOptions& options = {});

/// The eBPF programs of a program, in the order of their declaration.
std::vector<Name> entry_functions(const Program& program);

/// The userspace program's `main`; no name if there is none.
Name main_function(const Program& program);

}  // namespace ksc

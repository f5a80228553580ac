// SPDX-License-Identifier: Apache-2.0
#include "passes/spill_limits.h"

#include <algorithm>

#include "ir/stack_frames.h"

namespace ksc {

NameMap<uint64_t> spill_limits(const Program& program) {
  NameMap<uint64_t> limits;
  StackFrames frames(program);
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d); function && Spillable(function->form).has_forced()) {
      limits[function->form.name] = largest_ebpf_variable + 1;
      frames.spill(function->form.name, largest_ebpf_variable + 1);
    }
  for (const Decl& d : program) {
    const auto* entry = as<FunctionDef>(d);
    if (!entry || entry->form.domain != Domain::Program) continue;
    const uint64_t most = header(d).contains.has(Kind::TailCall) ? stack_limit_with_tail_calls : stack_limit;
    const std::vector<Name> reached = frames.reached_from(entry->form.name);
    for (uint64_t size = largest_ebpf_variable; size >= least_spilled && frames.chain(entry->form.name) > most;
         size /= 2)
      for (Name function : reached) {
        uint64_t& limit = limits.try_emplace(function, largest_ebpf_variable + 1).first->second;
        if (size >= limit) continue;
        limit = size;
        frames.spill(function, size);
      }
  }
  return limits;
}

}  // namespace ksc

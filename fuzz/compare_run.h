// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "fuzz/machine.h"
#include "ir/context.h"
#include "ir/lang.h"

namespace ksc::fuzz {

/// Runs one program of a typed source on the machine, which has its object loaded, and in the interpreter, in one
/// world. Gives what differs in result, packet, maps, globals and lost writes, a line each; empty if nothing does, or
/// if the interpreter's run is not comparable (fuel, evicted entries).
std::string compare_run(Context& context, const Program& program, Name entry, World world, Machine& machine);

}  // namespace ksc::fuzz

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/target.h"

namespace ksc {

/// Everything that ksc knows of one kind of eBPF program. One file in backends/program_types/ defines one.
struct ProgramType {
  std::string_view attribute;                    // `xdp` of `@xdp`
  std::span<const std::string_view> targets;     // what the attribute's argument may be; empty: it takes none
  std::string_view default_target;               // what a missing argument means, with a warning [L12]
  std::string_view context;                      // the kernel's struct behind the context parameter
  std::string_view result;                       // the declared result: a kernel enum or an integer type
  std::string_view pass_through;                 // the verdict that lets things be [L162]
  std::string_view safe;                         // the verdict when the program cannot do its work
  std::string_view section;                      // libbpf's section, by the name that libbpf 1.1 knows
  std::string_view attach_kind;                  // how the userspace runtime attaches it
  std::string_view nesting_helper{};             // within which another run of the program can begin; empty: none
  bool tail_calls = false;                       // a program array can hold it [L63]
  std::span<const std::string_view> writable;    // context fields that a program may write
  std::span<const std::string_view> unreadable;  // context fields that a program may not read
  std::span<const std::string_view> headers;     // C headers which its programs want
  uint8_t helpers = 0;                           // its bit in the table of helpers, ir/helper_signatures.h
  KernelVersion first_kernel{};
  std::string_view init_template;  // what `ksc init` writes; `{name}` is the project
};

/// All program types, sorted by attribute.
std::span<const ProgramType* const> all_program_types();
/// The program type of an attribute, or null.
const ProgramType* find_program_type(std::string_view attribute);

}  // namespace ksc

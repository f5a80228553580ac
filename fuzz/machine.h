// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <stdexcept>
#include <string>

#include "ir/world.h"

namespace ksc::fuzz {

/// The machine cannot do what was asked of it; `what()` says why.
struct MachineError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Something that runs compiled eBPF programs: the kernel, or the emulation on this host. Of an object that is loaded.
class Machine {
 public:
  virtual ~Machine() = default;

  /// What one run of a program came to: what it returned, and its packet.
  struct Run {
    int32_t result = 0;
    Bytes packet;
  };
  /// Brings maps and globals back to what they were after the load.
  virtual void reset() = 0;
  /// Whether the object has a map of that name that holds values; what no program uses may be left out of it.
  virtual bool has_map(const std::string& name) = 0;
  virtual bool has_global(const std::string& name) = 0;
  /// Writes an entry; per-CPU maps take the value of the first CPU.
  virtual void set(const std::string& map, const Bytes& key, const Bytes& value, bool per_cpu) = 0;
  virtual void set_global(const std::string& name, const Bytes& value) = 0;
  virtual Run run(const std::string& program, const Bytes& packet) = 0;
  /// After a run: the entries of a map by key; of per-CPU maps the first CPU's value comes first.
  virtual std::map<Bytes, Bytes> entries(const std::string& map) = 0;
  virtual Bytes global(const std::string& name) = 0;
};

}  // namespace ksc::fuzz

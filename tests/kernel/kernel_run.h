// SPDX-License-Identifier: Apache-2.0
#ifndef KSC_TESTS_KERNEL_KERNEL_RUN_H
#define KSC_TESTS_KERNEL_KERNEL_RUN_H

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct bpf_map;
struct bpf_object;

namespace ksc::testing {

using Bytes = std::vector<uint8_t>;

/// The kernel or libbpf refused something; `what()` says what.
struct KernelRunError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What loading an object came to.
struct LoadResult {
  int error = 0;        ///< 0 or a negative errno
  std::string message;  ///< what libbpf and the verifier said
  explicit operator bool() const { return error == 0; }
};

/// What one run of a program came to.
struct RunResult {
  uint32_t value = 0;  ///< what the program returned
  Bytes packet;        ///< the packet after the last repetition
  uint32_t nanoseconds = 0;
};

/// Loads eBPF objects into the kernel and runs their programs on packets with BPF_PROG_RUN.
class KernelRun {
 public:
  KernelRun();
  ~KernelRun();
  KernelRun(const KernelRun&) = delete;
  KernelRun& operator=(const KernelRun&) = delete;

  /// Loads all programs of an object in place of the one before, and remembers the values of its global data.
  LoadResult load(const std::string& path);

  /// Runs a program. XDP and TC programs want a packet of at least 14 bytes.
  RunResult run(const std::string& program, const Bytes& packet, uint32_t repeat = 1);

  /// Whether there is a map of that name whose entries can be read.
  bool has_values(const std::string& map) const;

  /// The entries of a map, sorted by key; global data by the name of its section, `.bss`, `.data`, `.rodata`. The value
  /// of a per-CPU map is that of all CPUs, each padded to 8 bytes. Of queues and stacks the values in the order in
  /// which they will be taken, under 32-bit numbers from 0 on; so the records of a ring buffer, which then is empty.
  std::map<Bytes, Bytes> entries(const std::string& map) const;

  /// Writes an entry; per-CPU maps take the values of all CPUs. Queues and stacks are given one more value, whatever
  /// the key.
  void set(const std::string& map, const Bytes& key, const Bytes& value);

  /// Writes a global variable that is found by its name in the object's debug information.
  void set_global(const std::string& name, const Bytes& value);

  /// The bytes of a global variable.
  Bytes global(const std::string& name) const;

  /// Brings maps and globals back to what they were after the load; program arrays stay.
  void reset();

 private:
  struct Global;
  bpf_map* map_called(const std::string& name) const;  // null if there is none
  bpf_map* find_map(const std::string& name) const;
  Global find_global(const std::string& name) const;
  std::map<Bytes, Bytes> read(const bpf_map* map) const;
  static std::vector<Bytes> take_all(const bpf_map* map);
  static std::vector<Bytes> take_records(const bpf_map* map);

  struct Close {
    void operator()(bpf_object* object) const;
  };
  std::unique_ptr<bpf_object, Close> object_;
  std::map<std::string, std::map<Bytes, Bytes>> initial_;
};

/// "0a0b" as bytes; throws KernelRunError for anything else.
Bytes from_hex(std::string_view text);
std::string to_hex(const Bytes& bytes);

}  // namespace ksc::testing

#endif

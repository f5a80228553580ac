// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ksc {

/// The value of a kernel constant: wide enough for everything from i64 to u64.
__extension__ typedef __int128 KernelValue;

/// Where a bit-field lies, counted in bits from the start of its struct, for a little-endian target.
struct BitRange {
  uint32_t offset = 0;
  uint32_t size = 0;
  bool operator==(const BitRange&) const = default;
};

/// One field of a kernel struct. Members of unnamed members appear here directly.
struct KernelField {
  std::string name;
  /// KernelScript notation: `u8`, `i64`, `char`, `*T`, `T[N]`, `struct:NAME` (unions too), `enum:NAME`.
  std::string type;
  /// Byte offset; of the storage unit for a bit-field.
  uint32_t offset = 0;
  std::optional<BitRange> bits;
  /// The header declares the field in network byte order.
  bool big_endian = false;
};

struct KernelStruct {
  std::string name;
  /// What a C program writes after `#include`, without the brackets.
  std::string header;
  uint32_t size = 0;
  bool is_union = false;
  /// The C type has no tag; the name is the path to the member, as in `icmphdr.un.echo`.
  bool is_anonymous = false;
  std::vector<KernelField> fields;

  /// The field called `name`, or null.
  const KernelField* find_field(std::string_view name) const;
};

struct KernelEnumerator {
  std::string name;
  KernelValue value = 0;
};

struct KernelEnum {
  std::string name;
  std::string header;
  /// The underlying integer: `u32`, `i32`, `u64` or `i64`.
  std::string type;
  std::vector<KernelEnumerator> values;
};

/// A macro, or an enumerator of a named or unnamed enum.
struct KernelConstant {
  std::string name;
  KernelValue value = 0;
  /// Empty if no user-API header has it: C code then carries the number.
  std::string_view header;
  /// The named enum that it belongs to; empty for all others.
  std::string_view enum_name;
};

/// The description could not be read.
struct KernelTypesError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Kernel structs, enums and constants by name. Never changes after it is made, so threads may share one.
class KernelTypes {
 public:
  KernelTypes() = default;
  KernelTypes(const KernelTypes&) = delete;
  KernelTypes& operator=(const KernelTypes&) = delete;
  KernelTypes(KernelTypes&&) = default;
  KernelTypes& operator=(KernelTypes&&) = default;

  /// Reads the description in `runtime/types/uapi.json`; throws `KernelTypesError` if it is not one.
  static KernelTypes from_json(std::string_view text);

  const KernelStruct* find_struct(std::string_view name) const;
  const KernelEnum* find_enum(std::string_view name) const;
  /// Finds macros and the enumerators of every enum.
  const KernelConstant* find_constant(std::string_view name) const;

  /// All of each kind, sorted by name.
  const std::vector<KernelStruct>& structs() const { return structs_; }
  const std::vector<KernelEnum>& enums() const { return enums_; }
  const std::vector<KernelConstant>& constants() const { return constants_; }

  /// Whether the header reaches into the C library, so that clang's bpf target needs the host's architecture
  /// macro (`-D__x86_64__`) to compile it.
  bool is_hosted_header(std::string_view header) const;

 private:
  std::vector<KernelStruct> structs_;
  std::vector<KernelEnum> enums_;
  std::vector<KernelConstant> constants_;
  std::vector<std::string> hosted_headers_;
  std::vector<std::string> constant_headers_;
};

}  // namespace ksc

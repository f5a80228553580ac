// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ksc {

/// A kernel release as far as features go: stable updates add none.
struct KernelVersion {
  int major = 0;
  int minor = 0;

  constexpr auto operator<=>(const KernelVersion&) const = default;
  /// Reads `6.1`; a patch level (`6.1.55`) is accepted and dropped.
  static std::optional<KernelVersion> parse(std::string_view text);
  /// `6.1`
  std::string to_string() const;
};

/// What generated programs may use that not every supported kernel has.
enum class Feature : uint8_t {
  TailCall,
  Subprograms,
  SubprogramsWithTailCalls,
  GlobalFunctions,
  GlobalData,
  SpinLock,
  BoundedLoops,
  MmapableArray,
  AtomicFetch,
  ForEachMapElem,
  Kfuncs,
  Timer,
  BpfLoop,
  Ringbuf,
  UserRingbuf,
  DynptrRingbuf,
  DynptrPacket,
  MapLookupPercpuElem,
  OpenCodedIterators,
  MayGoto,
  Exceptions,
  ObjectNew,
  Arena,
  SignedDivision,
  XdpLink,
  XdpFrags,
  Tcx,
  Netkit,
  TraceVprintk,
  ShortJumps,
};

/// What the generated programs will run on and be compiled by.
struct Target {
  KernelVersion kernel = {6, 1};
  /// Whether somebody asked for that kernel; otherwise a program may use what a newer one has [L171].
  bool is_kernel_given = false;
  /// Whether the packet, and records of a known size, are reached through dynptrs too [L56].
  bool always_dynptr = false;
  std::string architecture = "x86_64";
  bool little_endian = true;
  /// The oldest clang that must be able to build the output.
  int clang_version = 14;
};

/// One line of the feature table.
struct FeatureDescription {
  Feature feature;
  /// As diagnostics and the object's notes name it.
  std::string_view name;
  KernelVersion first;
  /// The same for arm64, where its JIT came later; otherwise equal to `first`.
  KernelVersion first_arm64;
  /// The first clang that can compile its use.
  int first_clang;
};

/// The whole table, in the order of `Feature`.
std::span<const FeatureDescription> features();

const FeatureDescription& describe(Feature feature);

/// The first kernel with the feature on any architecture.
KernelVersion first_kernel(Feature feature);

/// Whether the target's kernel and clang both know the feature.
bool has(const Target& target, Feature feature);

/// A target of this architecture (`x86_64`, `aarch64` or `arm64`, `s390x`, …), with its byte order.
Target target_for_architecture(std::string_view architecture);

}  // namespace ksc

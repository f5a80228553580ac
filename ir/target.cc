// SPDX-License-Identifier: Apache-2.0
#include "ir/target.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace ksc {
namespace {

constexpr FeatureDescription everywhere(Feature feature, std::string_view name, KernelVersion first,
                                        int first_clang = 14) {
  return {feature, name, first, first, first_clang};
}

// The comment names where the kernel's history says so: the commit's subject, or the release notes' entry.
constexpr std::array kFeatures = {
    everywhere(Feature::TailCall, "tail calls", {4, 2}),                // bpf: allow bpf programs to tail-call other
    everywhere(Feature::Subprograms, "calls of subprograms", {4, 16}),  // bpf: introduce function calls
    // bpf, x64: rework pro/epilogue and tailcall handling in JIT; arm64: bpf, arm64: Support tail call with bpf2bpf
    FeatureDescription{
        Feature::SubprogramsWithTailCalls, "tail calls in programs with subprograms", {5, 10}, {6, 0}, 14},
    everywhere(Feature::GlobalFunctions, "global functions",
               {5, 6}),                                           // bpf: Introduce function-by-function verification
    everywhere(Feature::GlobalData, "global variables", {5, 2}),  // bpf: implement lookup-free direct value access
    everywhere(Feature::SpinLock, "bpf_spin_lock", {5, 1}),       // bpf: introduce bpf_spin_lock
    everywhere(Feature::BoundedLoops, "bounded loops", {5, 3}),   // bpf: introduce bounded loops
    everywhere(Feature::MmapableArray, "memory-mapped arrays", {5, 5}),  // bpf: Add mmap() support for ARRAY maps
    // bpf: Add instructions for atomic_[cmp]xchg, … bitwise atomic instructions; arm64: … JIT for LSE atomics
    FeatureDescription{Feature::AtomicFetch, "atomic fetch, and, or, xor", {5, 12}, {5, 18}, 14},
    everywhere(Feature::ForEachMapElem, "bpf_for_each_map_elem", {5, 13}),  // bpf: Add bpf_for_each_map_elem() helper
    FeatureDescription{Feature::Kfuncs, "kfuncs", {5, 13}, {5, 18}, 14},    // bpf: Support bpf program calling kernel
    everywhere(Feature::Timer, "bpf_timer", {5, 15}),                       // bpf: Introduce bpf timers
    everywhere(Feature::BpfLoop, "bpf_loop", {5, 17}),                      // bpf: Add bpf_loop helper
    everywhere(Feature::Ringbuf, "ring buffers", {5, 8}),                   // bpf: Implement BPF ring buffer
    everywhere(Feature::UserRingbuf, "user ring buffers", {6, 1}),          // bpf: Define new BPF_MAP_TYPE_USER_RINGBUF
    everywhere(Feature::DynptrRingbuf, "dynptr for ring buffers", {5, 19}),  // bpf: Dynptr support for ring buffers
    everywhere(Feature::DynptrPacket, "dynptr for packets", {6, 4}),         // bpf: Add skb dynptrs, Add xdp dynptrs
    everywhere(Feature::MapLookupPercpuElem, "bpf_map_lookup_percpu_elem", {5, 19}),  // bpf: add … helper
    everywhere(Feature::OpenCodedIterators, "open-coded iterators", {6, 4}),  // bpf: add iterator kfuncs: numbers
    everywhere(Feature::MayGoto, "may_goto", {6, 9}, 19),                     // bpf: Introduce may_goto instruction
    everywhere(Feature::Exceptions, "bpf_throw", {6, 7}),                     // bpf: Implement BPF exceptions
    // bpf: Introduce bpf_obj_new (6.2), for TC alone; XDP had the generic kfuncs later
    everywhere(Feature::ObjectNew, "bpf_obj_new", {6, 4}),
    everywhere(Feature::Arena, "arena", {6, 9}, 19),                     // bpf: Introduce bpf_arena
    everywhere(Feature::SignedDivision, "signed division", {6, 6}, 18),  // bpf: Support new signed division insns
    everywhere(Feature::XdpLink, "links for XDP", {5, 9}),  // bpf, xdp: Add bpf_link-based XDP attachment API
    everywhere(Feature::XdpFrags, "XDP on packets in fragments", {5, 18}),  // bpf: introduce BPF_F_XDP_HAS_FRAGS
    everywhere(Feature::Tcx, "TCX", {6, 6}),                                // bpf: Add fd-based tcx multi-prog infra
    everywhere(Feature::Netkit, "netkit", {6, 7}),                    // netkit, bpf: Add bpf programmable net device
    everywhere(Feature::TraceVprintk, "bpf_trace_vprintk", {5, 16}),  // bpf: Add bpf_trace_vprintk helper
    everywhere(Feature::ShortJumps, "jumps on 32 bits", {5, 1}),      // bpf: jmp32: new jump instructions, -mcpu=v3
};

constexpr bool in_order() {
  for (size_t i = 0; i < kFeatures.size(); ++i) {
    if (static_cast<size_t>(kFeatures[i].feature) != i) return false;
  }
  return true;
}
static_assert(in_order(), "the table lists the features in the order of the enumeration");
static_assert(kFeatures.size() == static_cast<size_t>(Feature::ShortJumps) + 1);

/// Takes a number without sign from the front of `text`.
std::optional<int> take_number(std::string_view& text) {
  int value = 0;
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

bool take_dot(std::string_view& text) {
  if (text.empty() || text[0] != '.') return false;
  text.remove_prefix(1);
  return true;
}

bool is_arm64(std::string_view architecture) { return architecture == "aarch64" || architecture == "arm64"; }

}  // namespace

std::optional<KernelVersion> KernelVersion::parse(std::string_view text) {
  std::optional<int> major = take_number(text);
  if (!major || !take_dot(text)) return std::nullopt;
  std::optional<int> minor = take_number(text);
  if (!minor) return std::nullopt;
  if (!text.empty() && !(take_dot(text) && take_number(text) && text.empty())) return std::nullopt;
  return KernelVersion{*major, *minor};
}

std::string KernelVersion::to_string() const { return std::to_string(major) + '.' + std::to_string(minor); }

std::span<const FeatureDescription> features() { return kFeatures; }

const FeatureDescription& describe(Feature feature) { return kFeatures[static_cast<size_t>(feature)]; }

KernelVersion first_kernel(Feature feature) {
  const FeatureDescription& description = describe(feature);
  return std::min(description.first, description.first_arm64);
}

bool has(const Target& target, Feature feature) {
  const FeatureDescription& description = describe(feature);
  KernelVersion first = is_arm64(target.architecture) ? description.first_arm64 : description.first;
  return target.kernel >= first && target.clang_version >= description.first_clang;
}

Target target_for_architecture(std::string_view architecture) {
  constexpr std::array big = {"s390x", "ppc64", "ppc", "mips", "mips64", "sparc64", "armeb", "aarch64_be"};
  Target target;
  target.architecture = architecture;
  target.little_endian = std::find(big.begin(), big.end(), architecture) == big.end();
  return target;
}

}  // namespace ksc

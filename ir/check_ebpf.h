// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/check_types.h"

namespace ksc {

/// Who calls whom in an eBPF program.
class EbpfCalls {
 public:
  explicit EbpfCalls(const Program& program);
  /// Whether a function is called at several places: then it stays one.
  bool is_shared(Name function) const;
  /// Whether a helper of the kernel runs the function in turns, itself or what calls it.
  bool runs_in_turns(Name function) const { return in_turns_.count(function) != 0; }
  /// Whether the function moves the packet, itself or through others.
  bool moves_packet(Name function) const { return moving_.count(function) != 0; }

 private:
  void look_at(const Stmt& s, Name caller);
  void look_at(const Expr& e, Name caller);
  void close();

  NameMap<int> calls_;
  NameMap<NameSet> callees_;
  NameSet in_turns_, moving_;
};

/// What eBPF functions are given so that C compilers make of them what the verifier takes [PacketReread,
/// TurnsForgotten, EarlyAnswersHidden, ResultsCleared, PlacesApart, PacketTestsApart, MembersInitialised, CountersWide,
/// ShortCircuitsRaised]: as far as the tree shows that it is needed, it is there.
void check_ebpf(const FunctionDef& function, const EbpfCalls& calls, const Lang& lang, const CheckReport& report);

}  // namespace ksc

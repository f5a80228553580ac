// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ir/check_types.h"

namespace ksc {

/// The tests of packet accesses [AccessesChecked, ChecksMinimal]: how many bytes from a pointer on are known to lie in
/// the packet where the checker's walk has come to. It knows less than the passes do: tests that dominate in the tree,
/// of one and the same variable.
class PacketTests {
 public:
  /// A function begins: nothing is known. `learns_twice` if it is asked which tests are needless.
  void enter(const FunctionDef& function, bool learns_twice);
  /// A variable is declared: it may be a pointer whose tests need no second one.
  void define(const Let& let);
  /// if (!in_packet(p, n)) { leave }: what follows may touch n bytes from p on. Whether that was known of a pointer
  /// that stays what it is.
  bool learn(const Stmt& s);
  void forget(Name pointer) { tested_.erase(pointer.record()); }
  void forget_all() { tested_.clear(); }
  /// What was tested in a branch is not tested after it; what was forgotten in it stays forgotten.
  size_t mark() const { return learnt_.size(); }
  void return_to(size_t mark);
  /// Whether the packet place is tested.
  void access(const Expr& place, const CheckReport& report) const;

 private:
  std::unordered_map<const Name::Record*, uint64_t> tested_;
  std::vector<std::pair<const Name::Record*, uint64_t>> learnt_;  // what was known before
  std::unordered_set<const Name::Record*>
      roots_;  // variables with a packet pointer that is computed from no other variable
  NameSet changed_;
  bool learns_twice_ = false;
};

/// Whether in a program on socket buffers what is not linear is pulled before an access fails [PacketPulled]: that is
/// plain where a function calls nothing, so that its packet stays where it is, and of pointers that it declares itself.
void check_pulled(const FunctionDef& function, const CheckReport& report);

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/forms.h"
#include "ir/lang.h"

namespace ksc {

/// How many frames the kernel has for a program, the functions that it calls and those that run the turns of its loops:
/// MAX_CALL_FRAMES of include/linux/bpf_verifier.h.
inline constexpr size_t most_frames = 8;

/// The chains of calls of a program whose loops are functions, and which of those functions C compilers must put into
/// their callers.
class CallChains {
 public:
  explicit CallChains(const Program& program);

  /// What is called once, what has more parameters than a call has registers, and what a chain has no frame for.
  bool is_inlined(Name function) const { return inlined_.count(function) != 0; }
  /// A chain of frames, the program first, that is longer than the kernel's, whatever is inlined; empty if there is
  /// none.
  const std::vector<Name>& too_long() const { return too_long_; }
  const Node<FunctionDef>& function(Name name) const { return *functions_.at(name).node; }
  /// Whether the kernel calls the function for each turn of a loop.
  bool runs_turns(Name function) const { return functions_.at(function).runs_turns; }

 private:
  struct Function {
    const Node<FunctionDef>* node = nullptr;
    int calls = 0;  // of it
    bool runs_turns = false;
    std::vector<Name> callees;  // what it calls, and the functions that run the turns of its loops
  };
  void count(const Stmt& s, Function& caller);
  void count(const Expr& e, Function& caller);
  /// The frames of the longest chain that begins with the function; those of inlined functions are their callers'.
  const std::vector<Name>& longest_from(Name name, NameMap<std::vector<Name>>& known) const;
  std::vector<Name> longest() const;
  bool can_be_inlined(const Function& function) const;

  std::vector<Name> names_;  // in the order of the program
  NameMap<Function> functions_;
  NameSet inlined_;
  std::vector<Name> too_long_;
};

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/lang.h"

namespace ksc {

/// What a function of eBPF needs of the stack, in bytes, as its C will have it: an estimate, and never less than what C
/// compilers take (tests/property asks them).
struct StackFrame {
  uint64_t variables = 0;    // arrays, strings and structs
  uint64_t temporaries = 0;  // what helpers are given by address: keys, values, captures of loops
  uint64_t registers = 0;    // what may have to wait on the stack while registers are needed for other things
  uint64_t size() const { return variables + temporaries + registers; }
};

/// The frames of the functions of a program before its loops become functions of their own: a frame has what its
/// loops' turns need. The program must outlive them.
class StackFrames {
 public:
  explicit StackFrames(const Program& program);

  /// From now on, what is spillable in the function and has at least so many bytes lies elsewhere.
  void spill(Name function, uint64_t from);

  const StackFrame& of(Name function) const { return frames_.at(function); }
  /// A function that another calls.
  struct Callee {
    Name function;
    int calls = 0;
    bool in_loop = false;    // whether one of the calls is in a loop
    uint64_t registers = 0;  // bytes: what may have to wait on the stack at the call
  };

  /// The most that a call of the function needs, with all that it calls in turn. What is called once, and not in a
  /// loop, has no frame of its own in C: there the caller's registers that matter are those that wait for the call's
  /// end.
  uint64_t chain(Name function) const;
  /// The same of variables and temporaries alone.
  uint64_t memory_of_chain(Name function) const;
  /// The functions of the program that it calls, in the order of their first call.
  const std::vector<Name>& callees(Name function) const { return names_of_callees_.at(function); }
  /// The functions that a call of it may reach, itself first.
  std::vector<Name> reached_from(Name function) const;

 private:
  /// The most that a chain of calls below a function needs of what `size` tells of a frame.
  uint64_t most_of_chain(Name function, uint64_t (*size)(const StackFrame&)) const;

  NameMap<const FunctionDef*> functions_;
  NameMap<StackFrame> frames_;
  NameMap<std::vector<Callee>> calls_;
  NameMap<std::vector<Name>> names_of_callees_;
  NameSet called_apart_;  // functions that may keep frames of their own
};

/// What one value of a per-CPU map holds, and with that a variable of eBPF: PCPU_MIN_UNIT_SIZE of
/// include/linux/percpu.h.
inline constexpr uint64_t largest_ebpf_variable = 32768;

/// Which variables of a function may lie elsewhere: those without pointers, which maps cannot hold; with a low limit
/// also the developer's numbers that a loop changes, since the function that the loop becomes is given their address;
/// with the least one all the developer's numbers, since more of them than there are registers wait on the stack.
class Spillable {
 public:
  Spillable() = default;
  explicit Spillable(const FunctionDef& function);
  /// Whether those of so many bytes or more lie elsewhere, and the variable is one of them.
  bool is_spilled(const Let& let, uint64_t from) const;
  /// Whether a loop changes what was declared before it.
  bool is_changed_in_turns(Name local) const { return changed_in_turns_.count(local) != 0; }
  /// Whether there are variables that must lie elsewhere. The turn of a loop that is a function of its own may keep
  /// their address in a variable of the frame below, and there the verifier wants no pointer into the stack. Nor does
  /// it want atomic instructions on the stack at an offset that varies.
  bool has_forced() const { return !forced_.empty(); }

 private:
  void refer(Name pointer, const Expr& value);
  void look_at(const Stmt& s, int loops);
  void look_at(const Expr& e, int loops);
  void change(const Expr& place, int loops);

  NameMap<int> declared_in_;  // how many loops
  NameSet changed_in_turns_, forced_;
  NameMap<NameSet> referred_;  // by pointers: variables, and pointers that they are copies of
  NameSet updated_;            // pointers behind which elements are changed atomically
  NameSet bounds_;             // of loops: each turn may read them, as they were at first
};

/// From which limit on numbers that a loop changes lie elsewhere, and the least one, with which all numbers do that
/// the developer has named.
inline constexpr uint64_t turn_numbers_spilled = 8, least_spilled = 4;

/// Whether a value of the type has bytes, and no pointers, which maps cannot hold.
bool is_spillable(Type type);
/// Whether an expression makes a value that C keeps in memory for as long as the function runs.
bool makes_value_in_memory(const Expr& e);

}  // namespace ksc

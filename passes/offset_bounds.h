// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>

#include "ir/context.h"
#include "ir/forms.h"
#include "ir/lang.h"

namespace ksc {

/// The greatest values that offsets have, in all functions of a program. What a function is given, and what it gives
/// through a pointer, is bounded by all of its calls.
class OffsetBounds {
 public:
  /// What no packet pointer moves by, whatever else it is.
  static constexpr __int128 unknown = static_cast<__int128>(1) << 64;

  enum class KnownTo {
    Verifier,  // from the width of what is loaded, masks and constants; it walks through each call with what its caller
               // knows
    Types,     // from how wide values are, besides; C compilers may have dropped masks that ask for no more
  };

  OffsetBounds(const Program& program, KnownTo known_to);
  /// `unknown` or more if there is no bound. It knows nothing of remainders, and the C compiler drops a mask that a
  /// remainder makes needless.
  __int128 greatest(const Expr& e) const;

 private:
  __int128 by_form(const Expr& e) const;
  /// How far behind the packet's start a pointer leads, in bytes; C lets it lead farther than the packet reaches.
  __int128 distance(const Expr& pointer) const;
  /// A variable that points into the packet, whose distance from the start is known wherever it is given one.
  bool is_followed(const Expr& place) const;
  /// The function is called by the kernel, or through a pointer.
  void give_up_parameters(Name function);
  void find_changes(const Expr& e);
  void find_changes(const Stmt& s);
  void look_at(const Expr& e);
  void look_at(const Stmt& s);
  void raise(Name name, __int128 value);
  /// A value straight from the context, or from a packet to which nothing is written: the C compiler knows as little of
  /// it as the verifier, and keeps its mask. Of other memory it knows what has been written there.
  bool is_load(const Expr& e) const;

  const KnownTo known_to_;
  std::map<Name, const FunctionDef*, ByText> functions_;
  NameSet changed_;  // variables that something writes, besides a call that is given their address
  NameMap<__int128>
      greatest_;  // of variables and parameters; of a parameter that is a pointer: of what is written there
  bool writes_packet_ = false;
  int rounds_ = 0;
  bool rises_ = false;
};

}  // namespace ksc

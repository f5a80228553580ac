// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <utility>
#include <vector>

#include "ir/forms.h"
#include "ir/lang.h"
#include "passes/packet_walk.h"

namespace ksc {

/// The variables of a program that hold nothing but distances from the packet's start, and are used for nothing but to
/// find the pointer again: numbers of 64 bits, parameters, and parameters through which a function gives one.
class DistanceVariables {
 public:
  explicit DistanceVariables(const Program& program);

  bool has(Name variable) const { return positions_.count(variable) != 0 && !others_.count(variable); }
  /// ctx->data + x, for a variable x that may be one of them.
  static const Local* as_position(const Node<PointerAdd>& sum);

 private:
  struct Place {
    bool stays;  // control passes it once in a call of the function, and the packet stays where it is meanwhile
  };
  void look_at(const Body& body, const Place& place);
  void look_at(const Stmt& s, const Place& place);
  void look_at(const Expr& e, const Place& place);
  /// A value that becomes the variable's.
  void give(Name variable, const Expr& value, const Place& place);
  void argument(const Expr& value, Name parameter, const Place& place);
  /// What is known of one of two variables between which values go holds for both.
  void spread(NameSet& known) const;

  PacketFunctions functions_;
  NameMap<const FunctionDef*> definitions_;
  std::vector<std::pair<Name, Name>> flows_;
  NameSet positions_;  // variables by which a pointer is found again
  NameSet others_;     // variables that are, or may be, something else as well
};

}  // namespace ksc

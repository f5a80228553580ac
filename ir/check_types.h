// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>

#include "ir/lang.h"

namespace ksc {

/// What a program declares at file level, by name.
class Declarations {
 public:
  explicit Declarations(const Program& program);
  /// Null if there is no such function.
  const FunctionDef* function(Name name) const { return functions_.at(name); }
  /// Null if there is no such global.
  Type global(Name name) const { return globals_.at(name); }
  /// Whether the global holds at run time what its declaration says.
  bool is_constant(Name name) const { return constants_.at(name); }
  bool is_map(Name name) const { return maps_.at(name); }
  /// The entry that holds the pinned globals; no name if there is none.
  Name pins() const { return pins_; }
  /// The struct whose members the command line sets; null if nothing says so.
  Type options() const { return options_; }

 private:
  NameTable<const FunctionDef*> functions_;
  NameTable<Type> globals_;
  NameTable<char> maps_, constants_;
  Name pins_;
  Type options_ = nullptr;
};

/// Takes what is wrong with the node that is looked at.
using CheckReport = std::function<void(const std::string& what)>;

/// Whether the types of a node's parts fit its own and each other. `function` is the one at work; null outside
/// functions.
void check_types(const Expr& e, const Declarations& declarations, const FunctionDef* function,
                 const CheckReport& report);
void check_types(const Stmt& s, const Declarations& declarations, const FunctionDef* function,
                 const CheckReport& report);

inline bool is_invalid(Type type) { return !type || is(type, TypeKind::Invalid); }
bool is_array(Type type);
/// Whether a Maybe is, or lies in, values of the type.
bool holds_maybe(Type type);

}  // namespace ksc

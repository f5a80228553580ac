// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <set>

#include "ir/context.h"
#include "ir/lang.h"

namespace ksc {

/// What programs give when they are left early: what @on_fault says, or the pass-through verdict of their type [L146]
/// [L162].
class FaultVerdicts {
 public:
  FaultVerdicts(const Program& program, Context& context);

  /// The verdict of an entry function, as an expression of its result's type.
  Expr of(const FunctionDef& program, Loc loc) const;
  /// What it gives after a panic: its type's safe verdict [L47] [L162].
  Expr safe(const FunctionDef& program, Loc loc) const;
  /// What comes of leaving a function, for remarks: "`drop` ends with `XDP_PASS`", or what its callers end with.
  std::string ending(const FunctionDef& function) const;

 private:
  Expr constant(std::string_view name, Type type, Loc loc) const;
  std::string spelled(const FunctionDef& program) const;

  Context& context_;
  std::map<Name, Expr, ByText> given_;
  std::map<Name, std::set<Name, ByText>, ByText> callers_;
  std::map<Name, const FunctionDef*, ByText> functions_;
};

}  // namespace ksc

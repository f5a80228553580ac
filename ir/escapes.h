// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <optional>

#include "ir/lang.h"

namespace ksc {

/// Where something that ends a function begins: there, or in what is called there.
struct EscapeOrigin {
  Loc loc;
  Name callee;    // no name: it begins here
  Name constant;  // by which the developer calls the code that is thrown
};

/// What may come out of statements besides what they do: throws that nothing in them takes, failed packet checks,
/// panics.
struct Escapes {
  using Code = std::optional<int32_t>;  // nothing: any code
  std::map<Code, EscapeOrigin> throws;
  std::optional<EscapeOrigin> bounds, panic;

  bool empty() const { return throws.empty() && !bounds && !panic; }
  /// Adds the others; returns whether there were new ones.
  bool add(const Escapes& others);
};

/// What comes out of each function, found over the call graph.
class EscapeAnalysis {
 public:
  /// `are_deferred_throws_told`: those which deferred bodies let out are an error of their own, and nothing comes of
  /// them.
  explicit EscapeAnalysis(const Program& program, bool are_deferred_throws_told = false);

  const Escapes& of(Name function) const;
  /// Of statements within a function.
  Escapes of(const Body& body) const;

 private:
  void statement(const Stmt& s, Escapes& out) const;
  void expression(const Expr& e, Escapes& out) const;

  NameMap<Escapes> functions_;
  bool are_deferred_throws_told_;
};

}  // namespace ksc

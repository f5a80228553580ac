// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/languages.h"
#include "ir/rewrite.h"

namespace ksc {

/// With which the name of a function that runs the turns of another function's loop ends.
inline constexpr std::string_view loop_suffix = "_loop";

/// A loop whose turns a helper of the kernel runs: each is a call of a function.
struct OutlinedLoop {
  Loc loc;
  Body body;
  std::vector<Expr> operands;         // what each turn reads besides the body
  std::vector<Name> bound;            // the names that each turn declares itself
  std::vector<Parameter> parameters;  // what the helper gives the function, before what it captures
  /// Emits what a turn begins with; operands go through the function given.
  std::function<void(const std::function<Expr(const Expr&)>& captured)> begin_turn;
  /// Emits the call of the helper with the function and the captures.
  std::function<void(const Expr& function, const Expr& captures)> call;
};

/// Turns a loop's body into a function. What the body uses of the function around it is captured: what it changes and
/// what is large by its address, the rest by value. Return, tail calls and jumps leave a code behind, and are done
/// after the loop. So is what ends a reservation from before the loop, which the kernel does not let callbacks do: a
/// turn that does it is the last one.
class Outliner {
 public:
  using Out = To<lang::LoopsBounded>;
  Outliner(Out& to, const OutlinedLoop& loop) : to_(to), c_(to.context), t_(c_.types), loop_(loop) {}
  void emit();

 private:
  void emit_call();
  void find_exits(const Body& body);
  void find_exits(const Stmt& s);
  /// Whether the statement leaves the loop for another place of the function, or another program.
  bool jumps_out(const Stmt& s) const;
  std::vector<Stmt>::const_iterator find_jump(const Stmt& s) const;
  /// Declares what tells how the loop was left.
  void emit_exits();
  /// Declares the struct of what is captured and gives its values.
  Span<FieldValue> capture();
  void declare_function(Name name);
  /// Begins a turn that, to the verifier, may follow one which left the loop: there pulling failed, and nothing is
  /// known of the packet.
  void stop_if_left();
  void emit_leaving();
  /// Notes the reservations from before the loop that the body submits or discards.
  void find_closed(const Body& body);
  /// Submits or discards what turns have.
  void emit_closing();
  void end_turn(int stop, Loc loc);
  void leave(int code, Loc loc);
  void statements(const Body& body, bool in_inner_loop = false);
  void statement(const Stmt& s, bool in_inner_loop);
  Body converted(const Body& body, bool in_inner_loop);
  /// The value, named first if it is an effect: what was a variable is now a place behind a pointer.
  Expr named(const Expr& e);
  /// The expression with captured locals reached through the captures.
  Expr replaced(const Expr& e);
  Expr number(__int128 value, Type type) { return to_.make(Int{{value}, {}}, loop_.loc, type); }

  Out& to_;
  Context& c_;
  Types& t_;
  const OutlinedLoop& loop_;
  bool returns_ = false;
  Type result_type_ = nullptr, structure_ = nullptr, captured_type_ = nullptr;
  std::vector<Stmt> jumps_;  // out of the loop: tail calls, and to labels around it
  NameSet labels_;           // in the loop
  struct Closed {
    Expr pointer;
    std::vector<Name> helpers;  // which turns call with it
    Name which{};               // the variable that tells which of them is to be called, from 1 on
  };
  std::map<Name, Closed, ByText> closed_;
  NameMap<Expr> aliases_;  // what the body's variables are declared with
  Name left_, result_, captured_;
  std::map<Name, Expr, ByText> replacements_;
  std::vector<Parameter> contexts_;  // captured contexts
};

}  // namespace ksc

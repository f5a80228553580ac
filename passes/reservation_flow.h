// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "ir/escapes.h"
#include "ir/lang.h"

namespace ksc {

/// What a variable may hold that was given a reservation where a walk has come: nothing, since there was no room; one
/// that is open; one that has been closed. A reservation is what `reserve` gives of a ring buffer, until it is
/// submitted or discarded [L56], or what `new` gives in eBPF, until `delete` [L35].
struct Holding {
  bool absent = false, open = false, closed = false;
  bool operator==(const Holding&) const = default;
};

/// A way on which control leaves what a variable is known in.
struct WayOut {
  enum class Kind { End, Break, Continue, Jump, Return, TailCall, Throw, Bounds, Panic };
  Kind kind = Kind::End;
  Loc loc;
  const NodeHeader* statement = nullptr;  // the jump, if it is one
  Escapes::Code code{};                   // Throw
  Name callee{};                          // Throw: from what is called here
};

/// What a walk meets; the variables are those that were given the reservation when they were declared.
struct ReservationEvents {
  std::function<void(Name variable, const Holding&, const WayOut&)> leaves;
  /// A variable that points into a reservation is given something else.
  std::function<void(Name variable, Loc)> assigned;
  /// It is mentioned where it may be closed; whether it is null may be asked.
  std::function<void(Name variable, const Expr& closed_by, Loc)> used;
  /// A reservation that no variable is declared with.
  std::function<void(const Expr& reserved)> unheld;
  /// Without a variable: what is closed has not been reserved here.
  std::function<void(const Expr& call, Name variable)> released;
};

/// m.reserve()
const Node<MapCall>* reservation_in(const Expr& e);
/// m.submit(e) or m.discard(e) of a reservation e; m.submit(value) is none.
bool is_release(const Node<MapCall>& call);
const Node<MapCall>* release_in(const Expr& e);
/// Whether it reserves something, of a ring buffer or of memory.
bool reserves(const Expr& e);
/// The pointer to what the expression closes; null if it closes nothing.
const Expr* closed_in(const Expr& e);

/// Follows the reservations of a function on every way through it; a loop's turns until nothing new is known at its
/// head.
class ReservationFlow {
 public:
  /// `escapes`: what calls throw, if that is not spelled out yet.
  ReservationFlow(const EscapeAnalysis* escapes, ReservationEvents events)
      : escapes_(escapes), events_(std::move(events)) {}
  void function(const FunctionDef& in);
  /// The variable that holds what this one refers to; no name if that was not reserved here.
  Name holder(Name variable) const;

 private:
  using Held = std::map<Name, Holding, ByText>;
  using Way = std::optional<Held>;  // nothing: no control comes there
  struct Target {
    enum class Kind { Loop, Label, Try, Finally, Guarded } kind;
    size_t depth;  // how many variables are known around it
    Name label{};
    const ksc::Try* attempt = nullptr;
    Way behind{}, again{};                           // where it ends; a loop's next turn
    std::vector<Way> thrown{};                       // for each clause of a try
    std::vector<std::pair<WayOut, Held>> waiting{};  // for what a function does last
  };

  void statement(const Stmt& s);
  void body(const Body& in);
  void end_scope(size_t depth, Loc loc);
  void bind(Name name, const Expr& value);
  void expression(const Expr& e);
  void learn(const Expr& condition, bool holds);
  void learn(Name variable, bool is_there);
  void mentioned(const Local& local, Loc loc);
  void called(const Node<Call>& call);
  void exit(const WayOut& way, Held held);
  bool caught(Target& target, bool is_recorded, const WayOut& way, const Held& held);
  void drop(Held& held, size_t depth, const WayOut& way);
  void jump(Target::Kind kind, Name label, const WayOut& way);
  void try_statement(const Try& attempt);
  void finally(const Finally& last);
  /// Walks through turns; `turn` leaves what is known where the next one begins.
  void loop(const std::function<void()>& turn);
  template <class Branches, class Inside, class Otherwise>
  void choose(const Branches& branches, Inside inside, Otherwise otherwise);
  template <class Yes, class No>
  void either(const Expr& condition, Yes yes, No no);

  static void join(Way& into, const Way& other);

  const EscapeAnalysis* escapes_;
  ReservationEvents events_;
  Way now_;
  std::vector<Name> variables_;
  std::vector<Target> targets_;
  NameMap<Name> holders_;  // by each variable that points into a reservation
  NameMap<Expr> closed_by_;
  int tries_with_bounds_ = 0;
  bool is_quiet_ = false;      // a loop's turns are walked to know its head
  size_t first_recorded_ = 0;  // targets around that loop are given nothing then
};

}  // namespace ksc

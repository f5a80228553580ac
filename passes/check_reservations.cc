// SPDX-License-Identifier: Apache-2.0
/// var e = m.reserve(); …   =>   the same, with e submitted or discarded on every way out; otherwise an error
// Ways that nobody sees in the source, where a test fails that the compiler makes, discard what is open
// (discard_open_reservations).
#include <fmt/format.h>

#include "ir/places.h"
#include "passes/passes.h"
#include "passes/reservation_flow.h"

namespace ksc {
namespace {

std::string place_of(const WayOut& way) {
  switch (way.kind) {
    case WayOut::Kind::Break: return "where `break` leaves its block";
    case WayOut::Kind::Continue: return "where `continue` leaves its block";
    case WayOut::Kind::Return: return "where `return` leaves";
    case WayOut::Kind::TailCall: return "where another program takes over";
    case WayOut::Kind::Throw:
      return way.callee ? fmt::format("where `{}` may throw", way.callee.spelling()) : "where `throw` leaves";
    default: return "at the end of its block";
  }
}

/// What a call of a method says of the ring.
const MapName* ring_of(const Node<MapCall>& call) {
  const auto* map = as<MapName>(call->map);
  return map ? &map->form : nullptr;
}

std::string method_of(const Node<MapCall>& call) {
  const MapName* ring = ring_of(call);
  return fmt::format("{}.{}", ring ? ring->name.spelling() : "…", call->method.text());
}

class ReservationCheck {
 public:
  ReservationCheck(const EscapeAnalysis& escapes, Context& context) : escapes_(escapes), context_(context) {}

  void operator()(const FunctionDef& function) {
    find(function.body);
    ReservationEvents events;
    events.leaves = [&](Name variable, const Holding& holding, const WayOut& way) { leaves(variable, holding, way); };
    events.assigned = [&](Name variable, Loc loc) {
      context_.diagnostics.report(loc, diag::reservation_assigned, std::string(variable.spelling()));
    };
    events.used = [&](Name, const Node<MapCall>& closed_by, Loc loc) {
      context_.diagnostics.report(loc, diag::reservation_dead, fmt::format("`{}`", method_of(closed_by)))
          .note(closed_by.loc, "this ends it");
    };
    events.unheld = [&](const Node<MapCall>& call) {
      const MapName* ring = ring_of(call);
      context_.diagnostics.report(call.loc, diag::reservation_unheld)
          .note(fmt::format("declare one: `var e = {}.reserve()`", ring ? ring->name.spelling() : "…"));
    };
    events.released = [&](const Node<MapCall>& call, Name variable) { released(call, variable); };
    ReservationFlow(&escapes_, events).function(function);
  }

 private:
  void find(const Body& body) {
    std::function<void(const Expr&)> on_expr;
    std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) {
      if (const auto* let = as<Let>(s); let && let->form.value) note(let->form.name, *let->form.value);
      if (const auto* test = as<IfPresent>(s)) note(test->form.name, test->form.value);
      each_child_of(s, on_expr, on_stmt);
    };
    on_expr = [&](const Expr& e) {
      refuse_what_is_not_followed(e);
      each_child_of(e, on_expr, on_stmt);
    };
    for (const Stmt& s : body.statements) on_stmt(s);
  }
  /// Of a record whose size the program chooses each pointer is computed from the variable that holds it.
  void refuse_what_is_not_followed(const Expr& e) {
    constexpr FormSet followed =
        form_set_of<Local, Convert, PointerAdd, AddressOf, Null, MapCall, BlockValue, InvalidExpr>();
    if (points_into(type_of(e), Space::Dynptr) && !followed.has(kind_of(e)))
      context_.diagnostics.report(loc_of(e), diag::not_supported_yet,
                                  "choosing between pointers into records of a size that the program chooses");
    const auto* member = as<Field>(e);
    const auto* record = member ? as<Deref>(root_of(e)) : nullptr;
    if (!record || !points_into(type_of(record->form.pointer), Space::Dynptr)) return;
    const StructField* field = find_field(type_of(member->form.base), member->form.name);
    if (field && field->bit_size)
      context_.diagnostics.report(loc_of(e), diag::not_supported_yet,
                                  "bit-fields in a record of a size that the program chooses");
  }
  void note(Name variable, Expr value) {
    const auto without_conversions = [&] {
      while (const auto* converted = as<Convert>(value)) value = converted->form.value;
    };
    without_conversions();
    // m.reserve()? is held by a variable of the compiler's, which the developer's is given.
    if (const auto* block = as<BlockValue>(value); block && block->form.value) {
      value = *block->form.value;
      without_conversions();
      if (const auto* local = as<Local>(value)) names_.try_emplace(local->form.name, variable);
    }
    const auto* call = reservation_in(value);
    const MapName* ring = call ? ring_of(*call) : nullptr;
    if (ring) reserved_[variable] = {ring->name, call->loc};
  }
  /// A variable as the developer calls it: what is held by one of the compiler's has the name of its ring.
  Name developers(Name variable) const {
    const auto known = names_.find(variable);
    return known == names_.end() ? variable : known->second;
  }
  std::string spelled(Name variable) const {
    const Name name = developers(variable);
    if (!name.is_generated()) return fmt::format("`{}`", name.spelling());
    return fmt::format("what is reserved of `{}`", reserved_.at(variable).ring.spelling());
  }
  void leaves(Name variable, const Holding& holding, const WayOut& way) {
    if (!holding.open || way.kind == WayOut::Kind::Bounds || way.kind == WayOut::Kind::Panic) return;
    const Reserved& reserved = reserved_.at(variable);
    Diagnostic& message =
        context_.diagnostics.report(way.loc, diag::reservation_open, spelled(variable), place_of(way));
    message.note(reserved.loc, "reserved here");
    if (holding.closed)
      message.note("on some ways to here it is closed, on others it is not");
    else if (const Name name = developers(variable); way.statement && !name.is_generated())
      message.fix(
          before(way.loc),
          fmt::format(fmt::runtime(holding.absent ? "if ({1} != null) {{ {0}.discard({1}) }}\n" : "{0}.discard({1})\n"),
                      reserved.ring.spelling(), name.spelling()),
          "discard it first");
  }
  void released(const Node<MapCall>& call, Name variable) {
    const MapName* ring = ring_of(call);
    if (!ring) return;
    if (!variable) {
      context_.diagnostics.report(loc_of(call->arguments[0]), diag::foreign_release, method_of(call));
      return;
    }
    const Reserved& reserved = reserved_.at(variable);
    if (reserved.ring == ring->name) return;
    context_.diagnostics
        .report(call.loc, diag::wrong_ring, spelled(variable), std::string(reserved.ring.spelling()),
                std::string(ring->name.spelling()))
        .note(reserved.loc, "reserved here");
  }
  Loc before(Loc loc) {
    const LocationRecord& record = context_.locations[loc];
    return context_.locations.add({record.file, record.begin, record.begin, {}, {}});
  }

  struct Reserved {
    Name ring;
    Loc loc;
  };
  const EscapeAnalysis& escapes_;
  Context& context_;
  NameMap<Reserved> reserved_;
  NameMap<Name> names_;  // of the compiler's variables, what the developer calls them
};

}  // namespace

Ir<lang::ReservationsClosed> check_reservations(const Ir<lang::NullChecked>& in, Context& context) {
  const EscapeAnalysis escapes(in.declarations, true);
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d)) ReservationCheck(escapes, context)(function->form);
  return {in.declarations};
}

}  // namespace ksc

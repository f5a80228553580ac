// SPDX-License-Identifier: Apache-2.0
/// var e = m.reserve(); …   =>   the same, with e submitted or discarded on every way out; otherwise an error. So it is
/// with var p = new T() in eBPF, which is deleted
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

/// What a call of a method says of the ring; null if it is none, or does not say.
const MapName* ring_of(const Expr& e) {
  const auto* call = as<MapCall>(e);
  const auto* map = call ? as<MapName>(call->form.map) : nullptr;
  return map ? &map->form : nullptr;
}

/// `m.submit`, or `delete`
std::string operation_of(const Expr& e) {
  const auto* call = as<MapCall>(e);
  if (!call) return "delete";
  const MapName* ring = ring_of(e);
  return fmt::format("{}.{}", ring ? ring->name.spelling() : "…", call->form.method.text());
}

std::string reserved_thing(Type type) { return is_object(type) ? "what `new` has given" : "a reservation"; }

class ReservationCheck {
 public:
  ReservationCheck(const EscapeAnalysis& escapes, Context& context) : escapes_(escapes), context_(context) {}

  void operator()(const FunctionDef& function) {
    find(function.body);
    ReservationEvents events;
    events.leaves = [&](Name variable, const Holding& holding, const WayOut& way) { leaves(variable, holding, way); };
    events.assigned = [&](Name variable, Loc loc) {
      context_.diagnostics.report(loc, diag::reservation_assigned, std::string(variable.spelling()),
                                  reserved_thing(types_.at(variable)));
    };
    events.used = [&](Name variable, const Expr& closed_by, Loc loc) {
      if (!used_.insert(variable).second) return;  // one mistake, however often it shows
      const Loc end = loc_of(closed_by);
      if (as<BuiltinCall>(closed_by)) {
        context_.diagnostics.report(loc, diag::deleted).note(end, "this deletes it");
        return;
      }
      context_.diagnostics.report(loc, diag::reservation_dead, fmt::format("`{}`", operation_of(closed_by)))
          .note(end, "this ends it");
    };
    events.unheld = [&](const Expr& call) {
      Type type = type_of(call);
      const MapName* ring = ring_of(call);
      const std::string given = is_object(type) ? fmt::format("new {}()", spell(type->element))
                                                : fmt::format("{}.reserve()", ring ? ring->name.spelling() : "…");
      context_.diagnostics
          .report(loc_of(call), diag::reservation_unheld,
                  std::string(is_object(type) ? "what `new` gives in eBPF" : "a reservation"))
          .note(fmt::format("declare one: `var {} = {}`", is_object(type) ? 'p' : 'e', given));
    };
    events.released = [&](const Expr& call, Name variable) { released(call, variable); };
    ReservationFlow(&escapes_, events).function(function);
  }

 private:
  void find(const Body& body) {
    std::function<void(const Expr&)> on_expr;
    std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) {
      if (const auto* let = as<Let>(s)) {
        types_[let->form.name] = let->form.type;
        if (let->form.value) note(let->form.name, *let->form.value);
      }
      if (const auto* test = as<IfPresent>(s)) {
        types_[test->form.name] = type_of(test->form.value);
        note(test->form.name, test->form.value);
      }
      each_child_of(s, on_expr, on_stmt);
    };
    on_expr = [&](const Expr& e) {
      refuse_what_is_not_followed(e);
      each_child_of(e, on_expr, on_stmt);
    };
    for (const Stmt& s : body.statements) on_stmt(s);
  }
  /// Of an object, or a record whose size the program chooses, each pointer is computed from the variable that holds
  /// it.
  void refuse_what_is_not_followed(const Expr& e) {
    constexpr FormSet followed =
        form_set_of<Local, Convert, PointerAdd, AddressOf, Null, MapCall, BuiltinCall, BlockValue, InvalidExpr>();
    const auto refuse = [&](Loc loc, std::string what) {
      context_.diagnostics.report(loc, diag::not_supported_yet, std::move(what));
    };
    if (points_into(type_of(e), Space::Dynptr) && !followed.has(kind_of(e)))
      refuse(loc_of(e), "choosing between pointers into records of a size that the program chooses");
    if (is_object(type_of(e)) && !followed.has(kind_of(e)))
      refuse(loc_of(e), "choosing between pointers into what `new` has given");
    const auto* member = as<Field>(e);
    const auto* record = member ? as<Deref>(root_of(e)) : nullptr;
    if (!record || !points_into(type_of(record->form.pointer), Space::Dynptr)) return;
    const StructField* field = find_field(type_of(member->form.base), member->form.name);
    if (field && field->bit_size) refuse(loc_of(e), "bit-fields in a record of a size that the program chooses");
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
    if (!reserves(value)) return;
    const MapName* ring = ring_of(value);
    reserved_.insert_or_assign(variable, Reserved{value, ring ? ring->name : Name{}});
  }
  /// A variable as the developer calls it: what is held by one of the compiler's has the name of its ring.
  Name developers(Name variable) const {
    const auto known = names_.find(variable);
    return known == names_.end() ? variable : known->second;
  }
  std::string spelled(Name variable) const {
    const Name name = developers(variable);
    if (!name.is_generated()) return fmt::format("`{}`", name.spelling());
    const Reserved& reserved = reserved_.at(variable);
    if (is_object(type_of(reserved.call))) return "what `new` has given";
    return fmt::format("what is reserved of `{}`", reserved.ring.spelling());
  }
  void leaves(Name variable, const Holding& holding, const WayOut& way) {
    if (!holding.open || way.kind == WayOut::Kind::Bounds || way.kind == WayOut::Kind::Panic) return;
    const Reserved& reserved = reserved_.at(variable);
    const bool is_memory = is_object(type_of(reserved.call));
    Diagnostic& message =
        is_memory ? context_.diagnostics.report(way.loc, diag::object_left, spelled(variable), place_of(way))
                  : context_.diagnostics.report(way.loc, diag::reservation_open, spelled(variable), place_of(way));
    message.note(loc_of(reserved.call), is_memory ? "`new` gives it here" : "reserved here");
    const Name name = developers(variable);
    if (holding.closed)
      message.note(fmt::format("on some ways to here it is {}, on others it is not", is_memory ? "deleted" : "closed"));
    else if (way.statement && !name.is_generated() && is_memory)
      message.fix(before(way.loc), fmt::format("delete {}\n", name.spelling()), "delete it first");
    else if (way.statement && !name.is_generated())
      message.fix(
          before(way.loc),
          fmt::format(fmt::runtime(holding.absent ? "if ({1} != null) {{ {0}.discard({1}) }}\n" : "{0}.discard({1})\n"),
                      reserved.ring.spelling(), name.spelling()),
          "discard it first");
  }
  void released(const Expr& call, Name variable) {
    const MapName* ring = ring_of(call);
    const bool is_memory = as<BuiltinCall>(call) != nullptr;
    if (!ring && !is_memory) return;
    if (!variable) {
      context_.diagnostics.report(loc_of(*closed_in(call)), diag::foreign_release, operation_of(call),
                                  std::string(is_memory ? "been given by `new`" : "reserved"));
      return;
    }
    const Reserved& reserved = reserved_.at(variable);
    if (is_memory || reserved.ring == ring->name) return;
    context_.diagnostics
        .report(loc_of(call), diag::wrong_ring, spelled(variable), std::string(reserved.ring.spelling()),
                std::string(ring->name.spelling()))
        .note(loc_of(reserved.call), "reserved here");
  }
  Loc before(Loc loc) {
    const LocationRecord& record = context_.locations[loc];
    return context_.locations.add({record.file, record.begin, record.begin, {}, {}});
  }

  struct Reserved {
    Expr call;
    Name ring{};
  };
  NameSet used_;  // after they were closed
  const EscapeAnalysis& escapes_;
  Context& context_;
  NameMap<Reserved> reserved_;
  NameMap<Type> types_;  // of variables
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

// SPDX-License-Identifier: Apache-2.0
/// s = value   =>   s_value = value; s = &s_value, where s refers to an entry of a map [L50]
/// t = s; s = value   =>   t = s; t_at = s_at; if (t_at == 1) { s = &s_value_2 … } else { s = &s_value … } *s = value
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/local_references.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ValuesPlaced>;

/// A variable that can hold a value of a reference, and the number that says so.
struct Slot {
  Name variable;
  int number;
};

/// Of one function: which references are given values, and which of them may refer to one that another was given.
class Placement {
 public:
  Placement(const FunctionDef& function, const NameSet& rebound, Out& to) : to_(to) {
    // In userspace `t = s` copies what s refers to.
    const bool shares = function.domain == Domain::Program || function.domain == Domain::Shared;
    int number = 0;
    for (const SharingReferences& group :
         shares ? sharing_references(function, rebound) : std::vector<SharingReferences>())
      for (const Name& reference : group) {
        groups_[reference] = group;
        at_[reference] = to.fresh(std::string(reference.spelling()) + "_at");
      }
    for (const auto& [reference, type] : reference_types(function)) {
      if (!rebound.count(reference) || !groups_.count(reference)) continue;
      types_[reference] = type;
      // One for each reference that may hold on to a value, so that one is always free.
      for (size_t i = 0; i < groups_[reference].size(); ++i)
        slots_[reference].push_back({to.fresh(std::string(reference.spelling()) + "_value"), ++number});
    }
  }

  /// What is shared outlives the block that its reference is declared in.
  void declare(Loc loc) {
    for (const auto& [reference, at] : at_) to_.emit(Let{at, to_.context.types.u32(), {}}, loc);
    for (const auto& [reference, slots] : slots_)
      for (const Slot& slot : slots) to_.emit(Let{slot.variable, types_.at(reference)->element, {}}, loc);
  }
  /// x_at = y_at after x = y; 0 if it is no value that x refers to.
  void note(Name reference, const Option<Expr>& value, Loc loc) {
    if (!at_.count(reference)) return;
    const Name* other = value ? referred_by(*value) : nullptr;
    const bool is_shared = other && at_.count(*other);
    to_.emit(Assign{at(reference, loc), is_shared ? at(*other, loc) : number(0, loc)}, loc);
  }
  bool is_shared(Name reference) const { return slots_.count(reference) != 0; }

  /// The value goes where no other reference refers to. It is written through the reference: of writes in the branches
  /// clang 14 makes one, to an address that it puts together by an OR, which the verifier refuses for pointers.
  void place(const Expr& reference, const Expr& value, Loc loc) {
    const Name name = as<Local>(reference)->form.name;
    const Name given = to_.fresh("given");
    to_.emit(Let{given, type_of(value), value}, loc);
    std::vector<Branch> branches;
    Body last;
    const std::vector<Slot>& slots = slots_.at(name);
    for (const Slot& slot : slots) {
      const Body body = to_.collect([&] {
        refer(reference, to_.make(Local{slot.variable}, loc, type_of(value)), loc);
        to_.emit(Assign{at(name, loc), number(slot.number, loc)}, loc);
      });
      if (&slot == &slots.back())
        last = body;
      else
        branches.push_back({is_free(slot, name, loc), body});
    }
    to_.emit(If{to_.context.span(branches), last}, loc);
    to_.emit(Assign{to_.make(Deref{reference}, loc, type_of(value)), to_.make(Local{given}, loc, type_of(value))}, loc);
  }
  /// variable = value; reference = &variable
  void refer(const Expr& reference, Name variable, const Expr& value, Loc loc) {
    const Expr place = to_.make(Local{variable}, loc, type_of(reference)->element);
    to_.emit(Assign{place, value}, loc);
    refer(reference, place, loc);
  }
  /// reference = &place
  void refer(const Expr& reference, const Expr& place, Loc loc) {
    Type type = type_of(reference);
    const Expr address = to_.make(AddressOf{place}, loc, to_.context.types.pointer(type->element, Space::Stack, false));
    to_.emit(Assign{reference, to_.make(Convert{address}, loc, type)}, loc);
  }

 private:
  Expr number(int value, Loc loc) { return to_.make(Int{{value}, {}}, loc, to_.context.types.u32()); }
  Expr at(Name reference, Loc loc) { return to_.make(Local{at_.at(reference)}, loc, to_.context.types.u32()); }
  Expr is_free(const Slot& slot, Name of, Loc loc) {
    Type boolean = to_.context.types.boolean();
    Option<Expr> free;
    for (const Name& other : groups_.at(of)) {
      if (other == of) continue;
      const Expr elsewhere =
          to_.make(Compare{CompareOp::NotEqual, at(other, loc), number(slot.number, loc)}, loc, boolean);
      free = free ? Expr(to_.make(And{*free, elsewhere}, loc, boolean)) : elsewhere;
    }
    return *free;
  }

  Out& to_;
  std::map<Name, SharingReferences, ByText> groups_;
  std::map<Name, Name, ByText> at_;  // of each reference of a group, the variable with the number of its value
  std::map<Name, std::vector<Slot>, ByText> slots_;  // of each reference that is given values
  std::map<Name, Type, ByText> types_;
};

}  // namespace

Ir<lang::ValuesPlaced> place_referenced_values(const Ir<lang::NoIfPresent>& in, Context& context) {
  const NameSet rebound = rebound_references(in.declarations);
  NameMap<Name> values;  // by the reference, what holds the value that it is given
  std::optional<Placement> placement;
  const auto declare = [&](Name reference, Type type, Loc loc, Out& to) {
    if (!rebound.count(reference) || placement->is_shared(reference)) return;
    values[reference] = to.fresh(std::string(reference.spelling()) + "_value");
    to.emit(Let{values[reference], type->element, {}}, loc);
  };
  return rewrite<lang::NoIfPresent, lang::ValuesPlaced>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        form.body = to.collect([&] {
          placement.emplace(n.form, rebound, to);
          placement->declare(n.loc);
          for (const Stmt& s : to(n->body).statements) to.emit_statement(s);
        });
        to.declare(form, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        declare(n->name, n->type, n.loc, to);
        to.emit_statement(to.rebuild(n));
        placement->note(n->name, n->value, n.loc);
      }),
      on<MapLoop>([&](const Node<MapLoop>& n, Out& to) {
        MapLoop form = n.form;
        form.body = to.collect([&] {
          declare(n->entry, n->type, n.loc, to);
          placement->note(n->entry, {}, n.loc);
          to.emit(to(n->body));
        });
        to.emit(form, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const Expr* given = referenced_value(n.form);
        const auto* reference = as<Local>(n->place);
        if (!given) {
          to.emit_statement(to.rebuild(n));
          if (reference) placement->note(reference->form.name, n->value, n.loc);
        } else if (placement->is_shared(reference->form.name)) {
          placement->place(n->place, to(*given), n.loc);
        } else {
          placement->refer(n->place, values.at(reference->form.name), to(*given), n.loc);
        }
      }));
}

}  // namespace ksc

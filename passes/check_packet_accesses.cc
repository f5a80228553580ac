// SPDX-License-Identifier: Apache-2.0
/// x = p->f   =>   if (!in_packet(p, bytes up to the end of f)) { leave }; x = p->f
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::AccessesChecked>;

/// Emits a test before each packet access of a statement, and gives pointers a name so that test and access use one
/// value.
class AccessChecker {
 public:
  explicit AccessChecker(Out& to) : to_(to) {}

  /// The expression with every packet access in it tested.
  Expr checked(const Expr& e) {
    if (is_in_packet(e)) return access(e);
    if (!header(e).contains.has(Kind::Deref)) return e;
    return map_children(to_.context, e, [&](const Expr& child) { return checked(child); });
  }

 private:
  /// The place, tested; the bytes that it needs are counted from the pointer on.
  Expr access(const Expr& place) { return rebased(place, 0, size_of(type_of(place))); }
  Expr rebased(const Expr& place, uint64_t begin, uint64_t size) {
    if (const auto* f = as<Field>(place)) {
      const StructField* member = find_field(type_of(f->form.base), f->form.name);
      begin += member->offset;
      return to_.make(Field{rebased(f->form.base, begin, size), f->form.name}, f->loc, f->type);
    }
    if (const auto* index = as<Index>(place)) {
      const auto* constant = as<Int>(index->form.index);
      Type array = type_of(index->form.base);
      // An element that is chosen at run time may be any of them: all must be there.
      if (constant)
        begin += static_cast<uint64_t>(constant->form.value.value) * size_of(index->type);
      else
        size = size_of(array);
      return to_.make(Index{rebased(index->form.base, begin, size), index->form.index}, index->loc, index->type);
    }
    const auto& deref = *as<Deref>(place);
    Expr pointer = checked(deref.form.pointer);
    if (!as<Local>(pointer)) {
      const Name name = to_.fresh("at");
      to_.emit(Let{name, type_of(pointer), pointer}, deref.loc);
      pointer = to_.make(Local{name}, deref.loc, type_of(pointer));
    }
    Type boolean = to_.context.types.boolean();
    const Loc loc = to_.context.locations.derived(deref.loc, "bounds check");
    const Expr inside = to_.make(InPacket{pointer, context(loc), begin + size}, loc, boolean);
    const Body leave{to_.context.span<Stmt>({to_.make(Leave{LeaveReason::Bounds}, loc)})};
    to_.emit(If{to_.context.span<Branch>({{to_.make(Not{inside}, loc, boolean), leave}}), {}}, loc);
    return to_.make(Deref{pointer}, deref.loc, deref.type);
  }
  /// The context of the function at work: packet pointers come from it alone.
  Expr context(Loc loc) {
    for (const Parameter& p : to_.function()->parameters)
      if (is(p.type, TypeKind::Pointer) && p.type->space == Space::Context) return to_.make(Local{p.name}, loc, p.type);
    return to_.make(Null{}, loc, to_.context.types.null());
  }

  Out& to_;
};

}  // namespace

Ir<lang::AccessesChecked> check_packet_accesses(const Ir<lang::PacketPointersRooted>& in, Context& context) {
  // Of conditions only the first holds a packet access: order_operands named the others.
  const auto check = [](const auto& n, Out& to) {
    to.emit_mapped(n, [&](const Expr& e) { return AccessChecker(to).checked(e); });
  };
  return rewrite<lang::PacketPointersRooted, lang::AccessesChecked>(
      in, context, on<Let>(check), on<Evaluate>(check), on<Return>(check), on<If>(check), on<Switch>(check),
      on<MapStore>(check), on<MapDelete>(check), on<Print>(check), on<Assign>([](const Node<Assign>& n, Out& to) {
        // What is read is tested before the place that is written.
        const Expr value = AccessChecker(to).checked(n->value);
        to.emit(Assign{AccessChecker(to).checked(n->place), value}, n.loc);
      }));
}

}  // namespace ksc

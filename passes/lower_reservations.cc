// SPDX-License-Identifier: Apache-2.0
/// var e = m.reserve(); m.submit(e)   =>   var e = bpf_ringbuf_reserve(&m, size, 0); if (e != null) { memset(e, 0,
/// size) }; bpf_ringbuf_submit(e, 0); with --dynptr=always the helpers of dynptrs
// The kernel gives what was in the ring before; what is not written is zero [L144].
#include <fmt/format.h>

#include "ir/rewrite.h"
#include "passes/array_copies.h"
#include "passes/dynptr_accesses.h"
#include "passes/passes.h"
#include "passes/reservation_flow.h"

namespace ksc {
namespace {

using Out = To<lang::NoReservation>;

Expr without_conversions(Expr e) {
  while (const auto* converted = as<Convert>(e)) e = converted->form.value;
  return e;
}

/// Calls of the kernel's helpers for the reservations of a function.
class ReservationCalls {
 public:
  ReservationCalls(Context& context, bool by_dynptr) : c_(context), t_(context.types), by_dynptr_(by_dynptr) {}

  void reserve(const Node<Let>& n, const Node<MapCall>& reservation, Out& to) {
    const Loc loc = n.loc;
    Type element = reservation.type->element;
    const Expr ring =
        to.make(AddressOf{reservation->map}, loc, t_.pointer(type_of(reservation->map), Space::Kernel, false));
    const Expr size = number(size_of(element), loc);
    Body otherwise;
    if (by_dynptr_) {
      const Name dynptr = to.fresh("record");
      const Expr record = address(dynptr, loc);
      to.emit(Let{dynptr, dynptr_type(c_), {}}, loc);
      to.emit(Evaluate{call("bpf_ringbuf_reserve_dynptr", {ring, size, number(0, loc), record}, t_.i64(), loc)}, loc);
      to.emit(Let{n->name, n->type, call("bpf_dynptr_data", {record, number(0, loc), size}, reservation.type, loc)},
              loc);
      // The verifier wants an end even for what there was no room for.
      otherwise = to.collect([&] { to.emit(Evaluate{close("discard", record, loc)}, loc); });
      records_[n->name] = dynptr;
    } else {
      to.emit(Let{n->name, n->type, call("bpf_ringbuf_reserve", {ring, size, number(0, loc)}, reservation.type, loc)},
              loc);
    }
    const Expr held = to.make(Local{n->name}, loc, n->type);
    const Body clear = to.collect([&] { emit_zero(to.make(Deref{held}, loc, element), loc, to); });
    const Expr there = to.make(Present{held}, loc, t_.boolean());
    to.emit(If{c_.span<Branch>({{there, clear}}), otherwise}, loc);
  }
  /// A second name for a record.
  void name(const Let& let) {
    if (!let.value) return;
    const Expr value = without_conversions(*let.value);
    const auto* local = as<Local>(value);
    const auto record = local ? records_.find(local->form.name) : records_.end();
    if (record != records_.end()) records_[let.name] = record->second;
  }
  Expr release(const Node<MapCall>& n, const Expr& pointer) {
    const Expr held = without_conversions(pointer);
    const auto* local = as<Local>(held);
    const auto record = local ? records_.find(local->form.name) : records_.end();
    if (record != records_.end()) return close(n->method.text(), address(record->second, n.loc), n.loc);
    return call(fmt::format("bpf_ringbuf_{}", n->method.text()), {pointer, number(0, n.loc)}, n.type, n.loc);
  }

 private:
  Expr number(uint64_t value, Loc loc) { return c_.make(Int{{value}, {}}, loc, t_.u64()); }
  Expr address(Name dynptr, Loc loc) {
    Type type = dynptr_type(c_);
    return c_.make(AddressOf{c_.make(Local{dynptr}, loc, type)}, loc, t_.pointer(type, Space::Stack, false));
  }
  Expr call(std::string_view helper, std::vector<Expr> arguments, Type type, Loc loc) {
    return c_.make(HelperCall{c_.name(helper), c_.span(arguments)}, loc, type);
  }
  Expr close(std::string_view method, const Expr& record, Loc loc) {
    return call(fmt::format("bpf_ringbuf_{}_dynptr", method), {record, number(0, loc)}, t_.void_type(), loc);
  }

  Context& c_;
  Types& t_;
  bool by_dynptr_;
  NameMap<Name> records_;  // the dynptr by which a variable's record was reserved
};

}  // namespace

Ir<lang::NoReservation> lower_reservations(const Ir<lang::Ebpf>& in, Context& context) {
  ReservationCalls calls(context, context.target.always_dynptr);
  return rewrite<lang::Ebpf, lang::NoReservation>(
      in, context, on<Let>([&](const Node<Let>& n, Out& to) {
        if (const auto* reservation = n->value ? reservation_in(*n->value) : nullptr)
          return calls.reserve(n, *reservation, to);
        calls.name(n.form);
        to.emit_statement(to.rebuild(n));
      }),
      on<MapCall>([&](const Node<MapCall>& n, Out& to) -> Expr {
        return is_release(n) ? calls.release(n, to(n->arguments[0])) : to.rebuild(n);
      }));
}

}  // namespace ksc

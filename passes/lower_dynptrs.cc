// SPDX-License-Identifier: Apache-2.0
/// var e = m.reserve(n); e[i] = 1   =>   bpf_ringbuf_reserve_dynptr(&m, n, 0, &e); bpf_dynptr_write(&e, i, &one, 1, 0)
// A pointer into such a record is how far it leads behind its begin: to the verifier the memory of a dynptr has no
// size.
#include "ir/rewrite.h"
#include "passes/dynptr_accesses.h"
#include "passes/operands_in_branches.h"
#include "passes/passes.h"
#include "passes/reservation_flow.h"

namespace ksc {
namespace {

using Out = To<lang::NoDynptrPointer>;

class DynptrLowering final : DynptrAccesses<Out> {
 public:
  explicit DynptrLowering(Out& to) : DynptrAccesses(to, Space::Dynptr) {}

  bool declares(const Node<Let>& n) {
    if (!points_into(n->type, Space::Dynptr)) return false;
    const Expr value = n->value ? *n->value : Expr(c_.make(Null{}, n.loc, n->type));
    const auto* call = reservation_in(without_conversions(value));
    call ? reserve(n, *call) : point(n, value);
    return true;
  }
  /// p = null
  bool assigns(const Node<Assign>& n) {
    const auto* local = as<Local>(n->place);
    if (!local || !points_into(local->type, Space::Dynptr)) return writes(n);
    to_.emit(Assign{pointers_.at(local->form.name).present, pointer(n->value, n.loc).present}, n.loc);
    return true;
  }
  std::optional<Expr> present(const Node<Present>& n) {
    if (!points_into(type_of(n->value), Space::Dynptr)) return {};
    return pointer(n->value, n.loc).present;
  }
  std::optional<Expr> closes(const Node<MapCall>& n) {
    if (!is_release(n) || !points_into(type_of(n->arguments[0]), Space::Dynptr)) return {};
    const RecordPointer record = pointer(n->arguments[0], n.loc);
    return close(n->method == "submit" ? "bpf_ringbuf_submit_dynptr" : "bpf_ringbuf_discard_dynptr", record.at.dynptr,
                 n.loc);
  }
  std::optional<Expr> reads(const Expr& e) {
    if (!is_in_memory(e)) return {};
    return read(e);
  }

 private:
  static Expr without_conversions(Expr e) {
    while (const auto* converted = as<Convert>(e)) e = converted->form.value;
    return e;
  }
  /// A pointer into a record, and whether there is one.
  struct RecordPointer {
    Position at;
    Expr present;  // bool
  };

  /// The helpers look at 32 bits of an offset: farther than any record leads is as far as they can see.
  Expr reach(const Expr& offset) override {
    const auto* known = as<Int>(offset);
    if (known && known->form.value.value <= UINT32_MAX) return offset;
    return to_.make(RuntimeCall{c_.name("ks_record_offset"), c_.span<Expr>({offset})}, loc_of(offset), t_.u64());
  }
  Expr close(std::string_view helper, Name name, Loc loc) {
    return to_.make(HelperCall{c_.name(helper), c_.span<Expr>({dynptr(name, loc), number(0, loc)})}, loc,
                    t_.void_type());
  }

  void reserve(const Node<Let>& n, const Node<MapCall>& reservation) {
    const Loc loc = n.loc;
    const Name present = to_.fresh(std::string(n->name.spelling()) + "_present"), size = to_.fresh("size");
    const Expr is_present = to_.make(Local{present}, loc, t_.boolean());
    const Expr bytes = to_.make(Local{size}, loc, t_.u64());
    const Expr ring =
        to_.make(AddressOf{reservation->map}, loc, t_.pointer(type_of(reservation->map), Space::Kernel, false));
    to_.emit(Let{n->name, dynptr_, {}}, loc);
    to_.emit(Let{size, t_.u64(), to_(reservation->arguments[0])}, loc);
    const Expr given = to_.make(HelperCall{c_.name("bpf_ringbuf_reserve_dynptr"),
                                           c_.span<Expr>({ring, reach(bytes), number(0, loc), dynptr(n->name, loc)})},
                                loc, t_.i64());
    const Name error = to_.fresh("error");
    to_.emit(Let{error, t_.i64(), given}, loc);
    const Expr none = to_.make(Int{{0}, {}}, loc, t_.i64());
    const Expr holds =
        to_.make(Compare{CompareOp::Equal, to_.make(Local{error}, loc, t_.i64()), none}, loc, t_.boolean());
    to_.emit(Let{present, t_.boolean(), holds}, loc);
    // The verifier wants an end even for what there was no room for.
    const Body clear = to_.collect([&] {
      to_.emit(Evaluate{to_.make(RuntimeCall{c_.name("ks_clear_record"), c_.span<Expr>({dynptr(n->name, loc), bytes})},
                                 loc, t_.void_type())},
               loc);
    });
    const Body discard =
        to_.collect([&] { to_.emit(Evaluate{close("bpf_ringbuf_discard_dynptr", n->name, loc)}, loc); });
    to_.emit(If{c_.span<Branch>({{is_present, clear}}), discard}, loc);
    pointers_[n->name] = {{n->name, number(0, loc)}, is_present};
  }
  /// A variable that points into a record is a number, and a truth where it may be null.
  void point(const Node<Let>& n, const Expr& value) {
    const Loc loc = n.loc;
    RecordPointer to = pointer(value, loc);
    if (!as<Int>(to.at.offset)) {
      const Name offset = to_.fresh(std::string(n->name.spelling()) + "_offset");
      to_.emit(Let{offset, t_.u64(), to.at.offset}, loc);
      to.at.offset = to_.make(Local{offset}, loc, t_.u64());
    }
    if (n->type->nullable) {
      const Name present = to_.fresh(std::string(n->name.spelling()) + "_present");
      to_.emit(Let{present, t_.boolean(), to.present}, loc);
      to.present = to_.make(Local{present}, loc, t_.boolean());
    }
    pointers_[n->name] = to;
  }
  RecordPointer pointer(const Expr& e, Loc loc) {
    if (const auto* local = as<Local>(e)) return pointers_.at(local->form.name);
    if (const auto* converted = as<Convert>(e)) return pointer(converted->form.value, loc);
    if (as<Null>(e)) return {{{}, number(0, loc)}, to_.make(Int{{0}, {}}, loc, t_.boolean())};
    if (const auto* moved = as<PointerAdd>(e)) {
      RecordPointer to = pointer(moved->form.pointer, loc);
      to.at.offset = sum(to.at.offset, scaled(to_(moved->form.count), size_of(type_of(e)->element), loc));
      return to;
    }
    if (const auto* address = as<AddressOf>(e))
      return {place(address->form.place).at, to_.make(Int{{1}, {}}, loc, t_.boolean())};
    throw std::logic_error("a pointer into a record that is no variable");  // check_reservations refuses it
  }
  Position position(const Expr& e) override { return pointer(e, loc_of(e)).at; }
  bool writes(const Node<Assign>& n) {
    if (!is_in_memory(n->place)) return false;
    write(n->place, to_(n->value), n.loc);
    return true;
  }

  NameMap<RecordPointer> pointers_;
};

/// Such a value is computed only where it is evaluated.
bool reads_record(const Expr& e) { return reads_behind(e, Space::Dynptr); }

}  // namespace

Ir<lang::NoDynptrPointer> lower_dynptrs(const Ir<lang::ThrowsExplicit>& in, Context& context) {
  std::optional<DynptrLowering> function;
  const auto read = [&](const auto& n, Out& to) -> Expr {
    const std::optional<Expr> value = function->reads(Ref<std::remove_cvref_t<decltype(n.form)>>{&n});
    return value ? *value : to.rebuild(n);
  };
  return rewrite<lang::ThrowsExplicit, lang::NoDynptrPointer>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        function.emplace(to);
        FunctionDef form = n.form;
        form.body = to(n->body);
        to.declare(form, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        if (!function->declares(n)) to.emit_statement(to.rebuild(n));
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        if (!function->assigns(n)) to.emit_statement(to.rebuild(n));
      }),
      on<Present>([&](const Node<Present>& n, Out& to) -> Expr {
        const std::optional<Expr> truth = function->present(n);
        return truth ? *truth : to.rebuild(n);
      }),
      on<MapCall>([&](const Node<MapCall>& n, Out& to) -> Expr {
        const std::optional<Expr> call = function->closes(n);
        return call ? *call : to.rebuild(n);
      }),
      on<And>([](const Node<And>& n, Out& to) { return in_branches(n, to, reads_record); }),
      on<Or>([](const Node<Or>& n, Out& to) { return in_branches(n, to, reads_record); }),
      on<Conditional>([](const Node<Conditional>& n, Out& to) { return in_branches(n, to, reads_record); }),
      on<If>([](const Node<If>& n, Out& to) { emit_else_ifs(n, to, reads_record); }), on<Deref>(read), on<Field>(read),
      on<Index>(read));
}

}  // namespace ksc

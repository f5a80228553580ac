// SPDX-License-Identifier: Apache-2.0
/// var e = m.reserve(n); e[i] = 1   =>   bpf_ringbuf_reserve_dynptr(&m, n, 0, &e); bpf_dynptr_write(&e, i, &one, 1, 0)
// A pointer into such a record is how far it leads behind its begin: to the verifier the memory of a dynptr has no
// size.
#include <fmt/format.h>

#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/operands_in_branches.h"
#include "passes/passes.h"
#include "passes/reservation_flow.h"

namespace ksc {
namespace {

using Out = To<lang::NoDynptrPointer>;

/// A pointer into a record: which variable reaches it, how far behind its begin, and whether there is one.
struct RecordPointer {
  Name dynptr;
  Expr offset;   // u64
  Expr present;  // bool
};

/// A place in a record, and what must hold for an element of it to be there.
struct RecordPlace {
  RecordPointer at;
  std::vector<Expr> in_range{};
};

class DynptrLowering {
 public:
  explicit DynptrLowering(Out& to)
      : to_(to), c_(to.context), t_(c_.types), dynptr_(t_.structure(c_.name("bpf_dynptr"))) {
    if (dynptr_->body->complete) return;
    StructField opaque;
    opaque.name = c_.name("__opaque");
    opaque.type = t_.array(t_.u64(), 2);
    t_.complete_struct(dynptr_, {opaque}, "linux/bpf.h");
  }

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
    return close(n->method == "submit" ? "bpf_ringbuf_submit_dynptr" : "bpf_ringbuf_discard_dynptr", record.dynptr,
                 n.loc);
  }
  /// What stands at a place in a record, zero where that is not wholly in it.
  std::optional<Expr> read(const Expr& e) {
    if (!is_in_record(e)) return {};
    const Loc loc = loc_of(e);
    const RecordPlace from = place(e);
    const Name name = to_.fresh("value");
    const Expr value = to_.make(Local{name}, loc, type_of(e));
    to_.emit(Let{name, type_of(e), {}}, loc);
    where_in_range(from, loc, [&] {
      call("bpf_dynptr_read",
           {address(value), size_of_value(e), dynptr(from.at.dynptr, loc), reach(from.at.offset), number(0, loc)}, loc);
    });
    return value;
  }

  /// Whether something in it is read from a record: then it is computed only where it is evaluated.
  static bool reads_record(const Expr& e) {
    if (!header(e).contains.has(Kind::Deref)) return false;
    bool found = is_in_record(e);
    each_child_of(
        e, [&](const Expr& child) { found = found || reads_record(child); }, [](const Stmt&) {});
    return found;
  }

 private:
  static Expr without_conversions(Expr e) {
    while (const auto* converted = as<Convert>(e)) e = converted->form.value;
    return e;
  }
  static bool is_in_record(const Expr& e) {
    const auto* deref = as<Deref>(root_of(e));
    return deref && points_into(type_of(deref->form.pointer), Space::Dynptr);
  }
  Expr number(uint64_t value, Loc loc) { return to_.make(Int{{value}, {}}, loc, t_.u64()); }
  Expr size_of_value(const Expr& e) { return number(size_of(type_of(e)), loc_of(e)); }
  Expr dynptr(Name name, Loc loc) { return address(to_.make(Local{name}, loc, dynptr_)); }
  Expr address(const Expr& place) {
    return to_.make(AddressOf{place}, loc_of(place), t_.pointer(type_of(place), Space::Stack, false));
  }
  Expr sum(const Expr& left, const Expr& right) {
    const auto* first = as<Int>(left);
    const auto* second = as<Int>(right);
    if (first && second)
      return number(static_cast<uint64_t>(first->form.value.value) + static_cast<uint64_t>(second->form.value.value),
                    loc_of(left));
    if (first && first->form.value.value == 0) return right;
    if (second && second->form.value.value == 0) return left;
    return to_.make(Binary{BinaryOp::Add, left, right}, loc_of(left), t_.u64());
  }
  /// The helpers look at 32 bits of an offset: farther than any record leads is as far as they can see.
  Expr reach(const Expr& offset) {
    const auto* known = as<Int>(offset);
    if (known && known->form.value.value <= UINT32_MAX) return offset;
    return to_.make(RuntimeCall{c_.name("ks_record_offset"), c_.span<Expr>({offset})}, loc_of(offset), t_.u64());
  }
  void call(std::string_view helper, std::vector<Expr> arguments, Loc loc) {
    to_.emit(Evaluate{to_.make(HelperCall{c_.name(helper), c_.span(arguments)}, loc, t_.i64())}, loc);
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
    pointers_[n->name] = {n->name, number(0, loc), is_present};
  }
  /// A variable that points into a record is a number, and a truth where it may be null.
  void point(const Node<Let>& n, const Expr& value) {
    const Loc loc = n.loc;
    RecordPointer to = pointer(value, loc);
    if (!as<Int>(to.offset)) {
      const Name offset = to_.fresh(std::string(n->name.spelling()) + "_offset");
      to_.emit(Let{offset, t_.u64(), to.offset}, loc);
      to.offset = to_.make(Local{offset}, loc, t_.u64());
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
    if (as<Null>(e)) return {{}, number(0, loc), to_.make(Int{{0}, {}}, loc, t_.boolean())};
    if (const auto* moved = as<PointerAdd>(e)) {
      RecordPointer to = pointer(moved->form.pointer, loc);
      to.offset = sum(to.offset, scaled(to_(moved->form.count), size_of(e_element(e)), loc));
      return to;
    }
    if (const auto* address = as<AddressOf>(e)) return place(address->form.place).at;
    throw std::logic_error("a pointer into a record that is no variable");  // check_reservations refuses it
  }
  static Type e_element(const Expr& e) { return type_of(e)->element; }
  Expr scaled(const Expr& count, uint64_t size, Loc loc) {
    if (const auto* known = as<Int>(count)) return number(static_cast<uint64_t>(known->form.value.value) * size, loc);
    const Expr wide = type_of(count) == t_.u64() ? count : Expr(to_.make(Convert{count}, loc, t_.u64()));
    return size == 1 ? wide : Expr(to_.make(Binary{BinaryOp::Multiply, wide, number(size, loc)}, loc, t_.u64()));
  }
  RecordPlace place(const Expr& e) {
    const Loc loc = loc_of(e);
    if (const auto* deref = as<Deref>(e)) return {pointer(deref->form.pointer, loc)};
    if (const auto* field = as<Field>(e)) {
      RecordPlace of = place(field->form.base);
      of.at.offset = sum(of.at.offset, number(find_field(type_of(field->form.base), field->form.name)->offset, loc));
      return of;
    }
    const auto* element = as<Index>(e);
    RecordPlace of = place(element->form.base);
    Expr index = to_(element->form.index);
    if (!as<Int>(index)) {
      const Expr count = number(type_of(element->form.base)->count, loc);
      of.in_range.push_back(to_.make(Compare{CompareOp::Less, index, count}, loc, t_.boolean()));
    }
    of.at.offset = sum(of.at.offset, scaled(index, size_of(type_of(e)), loc));
    return of;
  }
  template <class Emit>
  void where_in_range(const RecordPlace& place, Loc loc, Emit emit) {
    if (place.in_range.empty()) return emit();
    Expr all = place.in_range[0];
    for (size_t i = 1; i < place.in_range.size(); ++i) all = to_.make(And{all, place.in_range[i]}, loc, t_.boolean());
    to_.emit(If{c_.span<Branch>({{all, to_.collect([&] { emit(); })}}), {}}, loc);
  }
  bool writes(const Node<Assign>& n) {
    if (!is_in_record(n->place)) return false;
    const RecordPlace into = place(n->place);
    const Name name = to_.fresh("value");
    to_.emit(Let{name, type_of(n->place), to_(n->value)}, n.loc);
    const Expr value = to_.make(Local{name}, n.loc, type_of(n->place));
    where_in_range(into, n.loc, [&] {
      call("bpf_dynptr_write",
           {dynptr(into.at.dynptr, n.loc), reach(into.at.offset), address(value), size_of_value(n->place),
            number(0, n.loc)},
           n.loc);
    });
    return true;
  }

  Out& to_;
  Context& c_;
  Types& t_;
  Type dynptr_;
  NameMap<RecordPointer> pointers_;
};

}  // namespace

Ir<lang::NoDynptrPointer> lower_dynptrs(const Ir<lang::ThrowsExplicit>& in, Context& context) {
  std::optional<DynptrLowering> function;
  const auto read = [&](const auto& n, Out& to) -> Expr {
    const std::optional<Expr> value = function->read(Ref<std::remove_cvref_t<decltype(n.form)>>{&n});
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
      on<And>([](const Node<And>& n, Out& to) { return in_branches(n, to, DynptrLowering::reads_record); }),
      on<Or>([](const Node<Or>& n, Out& to) { return in_branches(n, to, DynptrLowering::reads_record); }),
      on<Conditional>(
          [](const Node<Conditional>& n, Out& to) { return in_branches(n, to, DynptrLowering::reads_record); }),
      on<If>([](const Node<If>& n, Out& to) { emit_else_ifs(n, to, DynptrLowering::reads_record); }), on<Deref>(read),
      on<Field>(read), on<Index>(read));
}

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
/// var p: *T = null; … p != null … p->f   =>   var p = ctx->data; var p_present = false; … p_present … p->f,
///                                             where p points into the packet
// The verifier knows no packet pointer that may be null: what is a number on one way is none on the way where both
// meet.
#include <fmt/format.h>

#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PacketPointersPresent>;

bool may_be_null(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Packet && type->nullable; }

/// Whether computing it anywhere does no harm: it follows nothing.
bool is_harmless(const Expr& e) {
  if (const auto* sum = as<PointerAdd>(e)) return is_harmless(sum->form.pointer) && is_harmless(sum->form.count);
  if (const auto* converted = as<Convert>(e)) return is_harmless(converted->form.value);
  if (const auto* held = as<ValueOf>(e)) return is_harmless(held->form.value);
  return as<PacketStart>(e) || as<Local>(e) || as<Int>(e);
}

/// A pointer that may be null: a pointer into the packet in any case, and whether it counts.
struct PointerParts {
  Expr pointer, present;
};

class Splitting {
 public:
  explicit Splitting(Out& to, NameMap<Name>& bits) : to_(to), types_(to.context.types), bits_(bits) {}

  PointerParts parts(const Expr& e) {
    const Loc loc = loc_of(e);
    Type type = present_type(type_of(e));
    if (!may_be_null(type_of(e))) return {to_(e), truth(true, loc)};
    if (const auto* local = as<Local>(e))
      return {to_.make(Local{local->form.name}, loc, type),
              to_.make(Local{bits_.at(local->form.name)}, loc, types_.boolean())};
    if (const auto* converted = as<Convert>(e)) {
      const PointerParts inner = parts(converted->form.value);
      return {type_of(inner.pointer) == type ? inner.pointer : Expr(to_.make(Convert{inner.pointer}, loc, type)),
              inner.present};
    }
    if (const auto* sum = as<PointerAdd>(e)) {
      const PointerParts inner = parts(sum->form.pointer);
      return {to_.make(PointerAdd{inner.pointer, to_(sum->form.count)}, loc, type), inner.present};
    }
    if (const auto* choice = as<Conditional>(e)) {
      const PointerParts then = parts(choice->form.then), otherwise = parts(choice->form.otherwise);
      const Expr condition = to_(choice->form.condition);
      if (as<Null>(choice->form.otherwise) && is_harmless(choice->form.then) && is_true(then.present))
        return {then.pointer, condition};
      return {to_.make(Conditional{condition, then.pointer, otherwise.pointer}, loc, type),
              to_.make(Conditional{condition, then.present, otherwise.present}, loc, types_.boolean())};
    }
    return {null(type, loc), truth(false, loc)};
  }

  void declare(const Node<Let>& n) {
    Type type = present_type(n->type);
    const PointerParts given = n->value ? parts(*n->value) : PointerParts{null(type, n.loc), truth(false, n.loc)};
    const Name bit = to_.fresh(fmt::format("{}_present", n->name.spelling()));
    to_.emit(Let{n->name, type, given.pointer}, n.loc);
    to_.emit(Let{bit, types_.boolean(), given.present}, n.loc);
    bits_[n->name] = bit;
  }

  void assign(const Node<Assign>& n) {
    PointerParts given = parts(n->value);
    // What is asked may be about the pointer itself.
    if (!as<Int>(given.present) && !as<Local>(given.present)) {
      const Name held = to_.fresh("present");
      to_.emit(Let{held, types_.boolean(), given.present}, n.loc);
      given.present = to_.make(Local{held}, n.loc, types_.boolean());
    }
    const PointerParts mine = parts(n->place);
    to_.emit(Assign{mine.pointer, given.pointer}, n.loc);
    to_.emit(Assign{mine.present, given.present}, n.loc);
  }

  /// Null comes before all that is there.
  Expr compare(const Node<Compare>& n) {
    const PointerParts left = parts(n->left), right = parts(n->right);
    const bool swaps = n->op == CompareOp::Greater || n->op == CompareOp::LessEqual;
    const bool negates =
        n->op == CompareOp::NotEqual || n->op == CompareOp::LessEqual || n->op == CompareOp::GreaterEqual;
    const bool asks_equality = n->op == CompareOp::Equal || n->op == CompareOp::NotEqual;
    const PointerParts& a = swaps ? right : left;
    const PointerParts& b = swaps ? left : right;
    const auto truthful = [&](auto form) { return Expr(to_.make(form, n.loc, types_.boolean())); };
    const Expr both = truthful(And{a.present, b.present});
    const Expr inner = truthful(
        And{both, truthful(Compare{asks_equality ? CompareOp::Equal : CompareOp::Less, a.pointer, b.pointer})});
    const Expr neither = truthful(And{truthful(Not{a.present}), truthful(Not{b.present})});
    const Expr only_last = truthful(And{truthful(Not{a.present}), b.present});
    const Expr answer = truthful(Or{asks_equality ? neither : only_last, inner});
    return negates ? truthful(Not{answer}) : answer;
  }

 private:
  Type present_type(Type type) { return types_.pointer(type->element, Space::Packet, false); }
  Expr truth(bool value, Loc loc) { return to_.make(Int{{value}, {}}, loc, types_.boolean()); }
  static bool is_true(const Expr& e) { return as<Int>(e) && as<Int>(e)->form.value.value != 0; }
  /// What stands where the pointer is null, and is not followed.
  Expr null(Type type, Loc loc) {
    for (const Parameter& p : to_.function()->parameters) {
      if (!is(p.type, TypeKind::Pointer) || p.type->space != Space::Context) continue;
      Type bytes = types_.pointer(types_.u8(), Space::Packet, false);
      const Expr start = to_.make(PacketStart{to_.make(Local{p.name}, loc, p.type)}, loc, bytes);
      return type == bytes ? start : Expr(to_.make(Convert{start}, loc, type));
    }
    return to_.make(Null{}, loc, type);
  }

  Out& to_;
  Types& types_;
  NameMap<Name>& bits_;
};

}  // namespace

Ir<lang::PacketPointersPresent> split_nullable_packet_pointers(const Ir<lang::FailuresThrown>& in, Context& context) {
  NameMap<Name> bits;
  const auto split = [&](Out& to) { return Splitting(to, bits); };
  const auto pointer_of = [&]<class F>(const Node<F>& n, Out& to) -> Expr {
    return may_be_null(n.type) ? split(to).parts(Ref<F>{&n}).pointer : Expr(to.rebuild(n));
  };
  return rewrite<lang::FailuresThrown, lang::PacketPointersPresent>(
      in, context, on<Let>([&](const Node<Let>& n, Out& to) {
        if (may_be_null(n->type)) return split(to).declare(n);
        to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        if (may_be_null(type_of(n->place))) return split(to).assign(n);
        to.emit(Assign{to(n->place), to(n->value)}, n.loc);
      }),
      on<Present>([&](const Node<Present>& n, Out& to) -> Expr {
        return may_be_null(type_of(n->value)) ? split(to).parts(n->value).present : Expr(to.rebuild(n));
      }),
      on<Compare>([&](const Node<Compare>& n, Out& to) -> Expr {
        const bool may = may_be_null(type_of(n->left)) || may_be_null(type_of(n->right));
        return may ? split(to).compare(n) : Expr(to.rebuild(n));
      }),
      on<Local>([&](const Node<Local>& n, Out& to) -> Expr { return pointer_of(n, to); }),
      on<Null>([&](const Node<Null>& n, Out& to) -> Expr { return pointer_of(n, to); }),
      on<Convert>([&](const Node<Convert>& n, Out& to) -> Expr { return pointer_of(n, to); }),
      on<PointerAdd>([&](const Node<PointerAdd>& n, Out& to) -> Expr { return pointer_of(n, to); }),
      on<Conditional>([&](const Node<Conditional>& n, Out& to) -> Expr { return pointer_of(n, to); }));
}

}  // namespace ksc

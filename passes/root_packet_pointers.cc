// SPDX-License-Identifier: Apache-2.0
/// p - n   =>   ctx->data + (p - ctx->data - n), where p points into the packet; in a loop p = p + n likewise
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/packet_positions.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PacketPointersRooted>;

/// How far behind the packet's start a pointer lies: `least` bytes, and no more if `is_exact`.
struct Distance {
  __int128 least = 0;
  bool is_exact = false;
};

/// The distances of the pointers of one function.
class Distances {
 public:
  bool moves = false;  // what is looked at becomes the value of a variable, in a loop

  void begin(const FunctionDef& function) {
    changed_ = changed_locals(function.body);
    from_changed_.clear();
    known_.clear();
  }
  void define(Name name, const Expr& value) {
    moves = true;
    if (!of(value)) from_changed_.insert(name);  // such as p + 1, of which p = p + 1 + n makes a name
    moves = false;
    known_[name] = *of(value);
  }
  /// Nothing for a variable that moves on in a loop: the verifier would follow each of its steps.
  std::optional<Distance> of(const Expr& e) const {
    if (const auto* local = as<Local>(e)) {
      if (changed_.count(local->form.name) || from_changed_.count(local->form.name))
        return moves ? std::nullopt : std::optional(Distance{});
      const auto found = known_.find(local->form.name);
      return found == known_.end() ? Distance{} : found->second;
    }
    if (const auto* converted = as<Convert>(e)) return of(converted->form.value);
    if (as<PacketStart>(e)) return Distance{0, true};
    const auto* sum = as<PointerAdd>(e);
    if (!sum) return Distance{};  // no pointer lies before the start
    const auto base = of(sum->form.pointer);
    if (!base) return std::nullopt;
    if (const auto* count = as<Int>(sum->form.count))
      return moved(*base, count->form.value.value * static_cast<__int128>(size_of(type_of(e)->element)));
    return is_never_negative(sum->form.count) ? Distance{base->least, false} : Distance{};
  }
  static Distance moved(const Distance& base, __int128 bytes) {
    const __int128 least = base.least + bytes;
    if (least < 0 || least > packet_reach) return base.is_exact ? Distance{packet_reach, true} : Distance{};
    return {least, base.is_exact};
  }

 private:
  NameSet changed_, from_changed_;
  NameMap<Distance> known_;
};

/// The context of the function at work: packet pointers come from it alone.
Expr packet_start(Out& to, Loc loc) {
  for (const Parameter& p : to.function()->parameters)
    if (is(p.type, TypeKind::Pointer) && p.type->space == Space::Context)
      return to.make(PacketStart{to.make(Local{p.name}, loc, p.type)}, loc,
                     to.context.types.pointer(to.context.types.u8(), Space::Packet, false));
  return to.make(Null{}, loc, to.context.types.null());
}

/// ctx->data + bytes, as a pointer of that type.
Expr from_start(Out& to, const Expr& bytes, Loc loc, Type type) {
  const Expr start = packet_start(to, loc);
  const Expr moved = to.make(PointerAdd{start, bytes}, loc, type_of(start));
  return type == type_of(start) ? moved : Expr(to.make(Convert{moved}, loc, type));
}

Expr root(Out& to, const Expr& pointer, const Expr& count, const std::optional<Distance>& distance, Loc loc,
          Type type) {
  Types& types = to.context.types;
  const auto number = [&](__int128 value) { return to.make(Int{{value}, {}}, loc, types.i64()); };
  const __int128 size = static_cast<__int128>(size_of(type->element));
  const auto* constant = as<Int>(count);
  if (constant && distance && distance->is_exact)
    return from_start(to, number(packet_reach), loc, type);  // it would lie outside
  Expr bytes = count;
  if (constant)
    bytes = number(constant->form.value.value * size);
  else if (size != 1)
    bytes = to.make(Binary{BinaryOp::Multiply, count, number(size)}, loc, types.i64());
  if (distance && distance->is_exact && distance->least == 0) return from_start(to, bytes, loc, type);
  if (distance && distance->is_exact)
    return from_start(to, to.make(Binary{BinaryOp::Add, number(distance->least), bytes}, loc, types.i64()), loc, type);
  const Expr start = packet_start(to, loc);
  const Expr from = type == type_of(start) ? pointer : Expr(to.make(Convert{pointer}, loc, type_of(start)));
  const Expr passed = to.make(Convert{to.make(PointerDifference{from, start}, loc, types.u64())}, loc, types.i64());
  return from_start(to, to.make(Binary{BinaryOp::Add, passed, bytes}, loc, types.i64()), loc, type);
}

}  // namespace

Ir<lang::PacketPointersRooted> root_packet_pointers(const Ir<lang::PacketPointersPresent>& in, Context& context) {
  Distances distances;
  int loops = 0;
  return rewrite<lang::PacketPointersPresent, lang::PacketPointersRooted>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        distances.begin(n.form);
        FunctionDef form = n.form;
        form.body = to(form.body);
        to.declare(form, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        const Option<Expr> value = to(n->value);
        if (n->value && is(n->type, TypeKind::Pointer) && n->type->space == Space::Packet)
          distances.define(n->name, *n->value);
        to.emit(Let{n->name, n->type, value}, n.loc);
      }),
      on<Loop>([&](const Node<Loop>& n, Out& to) {
        ++loops;
        to.emit(Loop{to(n->body)}, n.loc);
        --loops;
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n, Out& to) {
        CountedLoop form = n.form;
        ++loops;
        form.body = to(form.body);
        --loops;
        to.emit(form, n.loc);
      }),
      on<MapLoop>([&](const Node<MapLoop>& n, Out& to) {
        MapLoop form = n.form;
        ++loops;
        form.body = to(form.body);
        --loops;
        to.emit(form, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const Expr place = to(n->place);
        distances.moves = loops > 0 && as<Local>(n->place);
        to.emit(Assign{place, to(n->value)}, n.loc);
        distances.moves = false;
      }),
      on<PointerAdd>([&](const Node<PointerAdd>& n, Out& to) -> Expr {
        const Expr pointer = to(n->pointer), count = to(n->count);
        const auto stays = [&] { return to.make(PointerAdd{pointer, count}, n.loc, n.type); };
        if (n.type->space != Space::Packet) return stays();
        const auto distance = distances.of(n->pointer);
        if (distance) {
          const auto* constant = as<Int>(count);
          const __int128 bytes =
              constant ? constant->form.value.value * static_cast<__int128>(size_of(n.type->element)) : 0;
          // A pointer that is computed anew behind a pull is as far as its distance says, which may be nothing to the
          // verifier: only where it is exact can something be taken off.
          const bool may_stay = distance->least + bytes >= 0 && (bytes >= 0 || distance->is_exact);
          if (constant ? may_stay : is_never_negative(count) || is_packet_start(pointer)) return stays();
        }
        return root(to, pointer, count, distance, n.loc, n.type);
      }));
}

}  // namespace ksc

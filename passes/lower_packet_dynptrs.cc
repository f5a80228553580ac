// SPDX-License-Identifier: Apache-2.0
/// if (p + 1 > data_end) … p->f   =>   if (p + 1 > length) … bpf_dynptr_read(&f, 2, &packet, p, 0), for --dynptr=always
// A packet pointer is how far it leads behind the packet's start. The kernel reads from where the data lies, so that
// nothing of a socket buffer need be pulled.
#include "ir/effects.h"
#include "ir/packet_movers.h"
#include "ir/rewrite.h"
#include "passes/as_unsigned.h"
#include "passes/dynptr_accesses.h"
#include "passes/operands_in_branches.h"
#include "passes/packet_obstacle.h"
#include "passes/packet_positions.h"
#include "passes/packet_walk.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PacketDynptrs>;

const Node<InPacket>* failing_test(const Stmt& s) {
  const auto* test = as<If>(s);
  if (!test || test->form.branches.size() != 1 || !test->form.otherwise.statements.empty()) return nullptr;
  const auto* negation = as<Not>(test->form.branches[0].condition);
  return negation ? as<InPacket>(negation->form.value) : nullptr;
}

bool pulls(const Stmt& s) {
  const auto* call = as<Evaluate>(s) ? as<HelperCall>(as<Evaluate>(s)->form.value) : nullptr;
  return call && call->form.helper == "bpf_skb_pull_data";
}

/// The packet of one function.
class PacketLowering final : DynptrAccesses<Out> {
 public:
  /// Emits the declaration of the function's dynptr, if it needs one.
  PacketLowering(const Node<FunctionDef>& n, const NameSet& replacing, Out& to)
      : DynptrAccesses(to, Space::Packet), replacing_(replacing) {
    for (const Parameter& p : n->parameters)
      if (is(p.type, TypeKind::Pointer) && p.type->space == Space::Context)
        context_ = to_.make(Local{p.name}, n.loc, p.type);
    const auto is_behind = [](const Expr& e) {
      const auto* deref = as<Deref>(e);
      return deref && points_into(type_of(deref->form.pointer), Space::Packet);
    };
    if (!context_ || !any_expression(n->body, is_behind)) return;
    packet_ = to_.fresh("packet");
  }
  void declare(Loc loc) {
    if (!packet_) return;
    to_.emit(Let{packet_, dynptr_, {}}, loc);
    open(loc);
  }

  Expr offset(const Node<PointerAdd>& n) {
    const Expr count = as_unsigned(to_(n->count), to_);
    const Expr whole = sum(to_(n->pointer), scaled(count, size_of(n.type->element), n.loc));
    if (const auto* known = as<Int>(whole)) {
      const __int128 reach = known->form.value.value;
      return number(static_cast<uint64_t>(reach < 0 || reach > packet_reach ? packet_reach : reach), n.loc);
    }
    const Expr bits = to_.make(Int{{reach_bits}, {}}, n.loc, t_.u32());
    const auto arguments = c_.span<Expr>({whole, bits});
    return to_.make(RuntimeCall{c_.name("ks_reach"), arguments}, n.loc, t_.u64());
  }
  /// How many bytes the packet has.
  Expr length(const Expr& context, Loc loc) {
    Type structure = type_of(context)->element;
    if (structure->name == "__sk_buff") {
      const Expr all = to_.make(Deref{to_(context)}, loc, structure);
      return to_.make(Convert{to_.make(Field{all, c_.name("len")}, loc, t_.u32())}, loc, t_.u64());
    }
    Type bytes = t_.pointer(t_.u8(), Space::Packet, false);
    return to_.make(PointerDifference{to_.make(PacketEnd{to_(context)}, loc, bytes),
                                      to_.make(PacketStart{to_(context)}, loc, bytes)},
                    loc, t_.u64());
  }
  Expr inside(const Node<InPacket>& n) {
    const Expr end = sum(to_(n->pointer), number(n->size, n.loc));
    return to_.make(Compare{CompareOp::LessEqual, end, length(n->context, n.loc)}, n.loc, t_.boolean());
  }
  std::optional<Expr> reads(const Expr& e) {
    if (!is_in_memory(e)) return {};
    const auto* member = as<Field>(e);
    const StructField* bits = member ? bit_field(member->form) : nullptr;
    return bits ? value_of(*bits, read_unit(member->form, *bits), loc_of(e)) : read(e);
  }
  bool writes(const Node<Assign>& n) {
    if (!is_in_memory(n->place)) return false;
    const auto* member = as<Field>(n->place);
    const StructField* bits = member ? bit_field(member->form) : nullptr;
    if (!bits) return write(n->place, to_(n->value), n.loc), true;
    const Expr value = to_(n->value);
    const Expr unit = read_unit(member->form, *bits);
    to_.emit(Assign{unit, with_value(*bits, unit, value, n.loc)}, n.loc);
    call_write(unit_of(member->form, *bits), unit, n.loc);
    return true;
  }
  /// memcpy(&p->a, …): the copy goes to a variable, and that into the packet.
  bool fills(const Node<Evaluate>& n) {
    const auto* call = as<RuntimeCall>(n->value);
    const auto* address = call && !call->form.arguments.empty() ? as<AddressOf>(call->form.arguments[0]) : nullptr;
    if (!address || !is_in_memory(address->form.place)) return false;
    std::vector<Expr> arguments;
    for (size_t i = 1; i < call->form.arguments.size(); ++i) arguments.push_back(to_(call->form.arguments[i]));
    const MemoryPlace into = place(address->form.place);
    Type type = type_of(address->form.place);
    const auto* size = as<Int>(arguments.back());
    const bool is_whole = size && size->form.value.value == static_cast<__int128>(size_of(type));
    const Expr value = is_whole ? variable(type, n.loc) : read(into, type, n.loc);
    arguments.insert(arguments.begin(), this->address(value));
    const auto filling = RuntimeCall{call->form.function, c_.span(arguments)};
    to_.emit(Evaluate{to_.make(filling, call->loc, call->type)}, n.loc);
    write(into, value, n.loc);
    return true;
  }
  Expr place_offset(const Expr& e) { return place(e).at.offset; }
  /// After what may have given the packet another length the dynptr, which knows one, is made anew.
  void reopen_after(const Stmt& s) {
    bool replaces = false;
    each_child_of(
        s, [&](const Expr& e) { replaces = replaces || may_replace(e); }, [](const Stmt&) {});
    if (replaces && packet_) open(loc_of(s));
  }

 private:
  static constexpr int reach_bits = std::bit_width(static_cast<uint64_t>(packet_reach));

  Position position(const Expr& e) override { return {packet_, to_(e)}; }
  bool may_replace(const Expr& e) const {
    const auto* call = as<Call>(e);
    bool found = replaces_packet(e) || (call && replacing_.count(call->form.function));
    each_child_of(
        e, [&](const Expr& child) { found = found || may_replace(child); }, [](const Stmt&) {});
    return found;
  }
  void open(Loc loc) {
    const bool is_socket_buffer = type_of(*context_)->element->name == "__sk_buff";
    call(is_socket_buffer ? "bpf_dynptr_from_skb" : "bpf_dynptr_from_xdp",
         {*context_, number(0, loc), dynptr(packet_, loc)}, loc);
  }

  static const StructField* bit_field(const Field& member) {
    const StructField* field = find_field(type_of(member.base), member.name);
    return field->bit_size ? field : nullptr;
  }
  Position unit_of(const Field& member, const StructField& bits) {
    Position at = place(member.base).at;
    at.offset = sum(at.offset, number(bits.offset, loc_of(member.base)));
    return at;
  }
  /// A variable with the number that the bits lie in.
  Expr read_unit(const Field& member, const StructField& bits) {
    const Loc loc = loc_of(member.base);
    Type type = t_.integer(static_cast<int>(8 * size_of(bits.type)), false);
    const Name name = to_.fresh("unit");
    const Expr unit = to_.make(Local{name}, loc, type);
    to_.emit(Let{name, type, {}}, loc);
    call_read(unit_of(member, bits), unit, loc);
    return unit;
  }
  Expr constant(uint64_t value, Type type, Loc loc) { return to_.make(Int{{value}, {}}, loc, type); }
  Expr shifted(ShiftOp op, const Expr& value, int count, Loc loc) {
    if (count == 0) return value;
    Type type = type_of(value);
    return to_.make(CShift{op, value, constant(static_cast<uint64_t>(count), type, loc)}, loc, type);
  }
  Expr value_of(const StructField& bits, const Expr& unit, Loc loc) {
    Type wide = t_.integer(64, is_signed(bits.type));
    const Expr all = to_.make(Convert{unit}, loc, wide);
    const Expr left = shifted(ShiftOp::Left, all, 64 - bits.bit_offset - bits.bit_size, loc);
    const Expr value = shifted(ShiftOp::Right, left, 64 - bits.bit_size, loc);
    return bits.type == wide ? value : Expr(to_.make(Convert{value}, loc, bits.type));
  }
  Expr with_value(const StructField& bits, const Expr& unit, const Expr& value, Loc loc) {
    const uint64_t ones = (uint64_t(2) << (bits.bit_size - 1)) - 1, mask = ones << bits.bit_offset;
    const auto both = [&](BinaryOp op, const Expr& left, const Expr& right) {
      return Expr(to_.make(Binary{op, left, right}, loc, t_.u64()));
    };
    const Expr kept = both(BinaryOp::BitAnd, to_.make(Convert{unit}, loc, t_.u64()), constant(~mask, t_.u64(), loc));
    const Expr low = both(BinaryOp::BitAnd, to_.make(Convert{value}, loc, t_.u64()), constant(ones, t_.u64(), loc));
    const Expr given = shifted(ShiftOp::Left, low, bits.bit_offset, loc);
    return to_.make(Convert{both(BinaryOp::BitOr, kept, given)}, loc, type_of(unit));
  }

  const NameSet& replacing_;
  std::optional<Expr> context_;
  Name packet_{};
};

}  // namespace

Ir<lang::PacketDynptrs> lower_packet_dynptrs(const Ir<lang::NoReservation>& in, Context& context) {
  if (!context.target.always_dynptr) return rewrite<lang::NoReservation, lang::PacketDynptrs>(in, context);
  const PacketFunctions functions(in.declarations);
  const NameSet able = functions_for_packet_dynptrs(in.declarations, context);
  Type number = context.types.u64();
  std::optional<PacketLowering> packet;  // of the function at work, if it is one of those
  const auto points_there = [&](Type type) { return packet && points_into(type, Space::Packet); };
  const auto needs = [&](const Expr& e) { return packet && reads_behind(e, Space::Packet); };
  const auto read = [&](const auto& n, Out& to) -> Expr {
    const auto value = packet ? packet->reads(Ref<std::remove_cvref_t<decltype(n.form)>>{&n}) : std::nullopt;
    return value ? *value : to.rebuild(n);
  };
  const auto simple = [&](const auto& n, Out& to) {
    to.emit_statement(to.rebuild(n));
    if (packet) packet->reopen_after(Ref<std::remove_cvref_t<decltype(n.form)>>{&n});
  };
  return rewrite<lang::NoReservation, lang::PacketDynptrs>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        packet.reset();
        if (able.count(n->name)) packet.emplace(n, functions.replacing, to);
        FunctionDef form = n.form;
        form.body = to.collect([&] {
          if (packet) packet->declare(n.loc);
          for (const Stmt& s : to(n->body).statements) to.emit_statement(s);
        });
        to.declare(form, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        if (!points_there(n->type)) return simple(n, to);
        to.emit(Let{n->name, number, n->value ? Option<Expr>(to(*n->value)) : Option<Expr>()}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        if (!packet || !packet->writes(n)) simple(n, to);
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        if (packet && (pulls(Ref<Evaluate>{&n}) || packet->fills(n))) return;
        simple(n, to);
      }),
      on<If>([&](const Node<If>& n, Out& to) {
        // The test behind a pull asks what the first one has asked.
        const Span<Stmt> body = n->branches[0].body.statements;
        if (packet && failing_test(Ref<If>{&n}) && !body.empty() && failing_test(body.back()) &&
            std::any_of(body.begin(), body.end(), pulls)) {
          const Expr fails = to(n->branches[0].condition);
          const Body then = to(as<If>(body.back())->form.branches[0].body);
          return to.emit(If{context.span<Branch>({{fails, then}}), {}}, n.loc);
        }
        emit_else_ifs(n, to, needs);
      }),
      on<Local>([&](const Node<Local>& n, Out& to) -> Expr {
        return to.make(n.form, n.loc, points_there(n.type) ? number : n.type);
      }),
      on<Convert>([&](const Node<Convert>& n, Out& to) -> Expr {
        return points_there(type_of(n->value)) ? to(n->value) : to.rebuild(n);
      }),
      on<PacketStart>([&](const Node<PacketStart>& n, Out& to) -> Expr {
        return packet ? Expr(to.make(Int{{0}, {}}, n.loc, number)) : to.rebuild(n);
      }),
      on<PacketEnd>([&](const Node<PacketEnd>& n, Out& to) -> Expr {
        return packet ? packet->length(n->context, n.loc) : to.rebuild(n);
      }),
      on<PointerAdd>([&](const Node<PointerAdd>& n, Out& to) -> Expr {
        return points_there(n.type) ? packet->offset(n) : to.rebuild(n);
      }),
      on<PointerDifference>([&](const Node<PointerDifference>& n, Out& to) -> Expr {
        if (!points_there(type_of(n->left))) return to.rebuild(n);
        return to.make(Binary{BinaryOp::Subtract, to(n->left), to(n->right)}, n.loc, n.type);
      }),
      on<AddressOf>([&](const Node<AddressOf>& n, Out& to) -> Expr {
        return points_there(n.type) ? packet->place_offset(n->place) : to.rebuild(n);
      }),
      on<InPacket>(
          [&](const Node<InPacket>& n, Out& to) -> Expr { return packet ? packet->inside(n) : to.rebuild(n); }),
      on<And>([&](const Node<And>& n, Out& to) { return in_branches(n, to, needs); }),
      on<Or>([&](const Node<Or>& n, Out& to) { return in_branches(n, to, needs); }),
      on<Conditional>([&](const Node<Conditional>& n, Out& to) -> Expr {
        if (!points_there(n.type)) return in_branches(n, to, needs);
        return to.make(Conditional{to(n->condition), to(n->then), to(n->otherwise)}, n.loc, number);
      }),
      on<Deref>(read), on<Field>(read), on<Index>(read));
}

}  // namespace ksc

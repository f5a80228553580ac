// SPDX-License-Identifier: Apache-2.0
#include "passes/packet_positions.h"

#include <fmt/format.h>

#include "ir/children.h"
#include "ir/effects.h"
#include "ir/visit.h"

namespace ksc {
namespace {

bool is_kernel_loop(const Stmt& s) { return as<Loop>(s) || as<CountedLoop>(s) || as<MapLoop>(s); }
bool is_compound(const Stmt& s) {
  return as<If>(s) || as<Block>(s) || as<Try>(s) || as<Finally>(s) || as<Guarded>(s) || as<Switch>(s) ||
         is_kernel_loop(s);
}

constexpr FormSet writing =
    form_set_of<Call, HelperCall, MapLookup, MapSlot, MapCall, MapStore, MapDelete, AtomicUpdate, Print, TailCall>();

bool clobbers_in(const Expr& e) { return !(header(e).contains & writing).empty(); }

/// Whether the C compiler must read ctx->data again after the statement, which holds no others.
bool clobbers(const Stmt& s) {
  if (!(header(s).contains & writing).empty()) return true;
  const auto* assign = as<Assign>(s);
  return assign && (header(assign->form.place).contains.has(Kind::Deref) ||
                    header(assign->form.place).contains.has(Kind::Global));
}

/// Whether what is left in the statement goes on in another part of it: in a clause, or in what was deferred.
bool goes_on(const Stmt& s) { return as<Try>(s) || as<Finally>(s) || as<Guarded>(s); }
/// Whether control never comes to what follows the body.
bool leaves(const Body& body) {
  constexpr FormSet leaving = form_set_of<Return, Leave, Throw, Raise, TailCall, Break, Continue>();
  return !body.statements.empty() && leaving.has(kind_of(body.statements[body.statements.size() - 1]));
}

}  // namespace

bool has_socket_buffer(const FunctionDef& function) {
  for (const Parameter& p : function.parameters)
    if (is(p.type, TypeKind::Pointer) && p.type->space == Space::Context && p.type->element->name == "__sk_buff")
      return true;
  return false;
}

bool is_packet_start(const Expr& e) {
  const auto* converted = as<Convert>(e);
  return converted ? is_packet_start(converted->form.value) : as<PacketStart>(e) != nullptr;
}

PacketPositions::PacketPositions(Context& context, const FunctionDef& function)
    : context_(context), pulls_(has_socket_buffer(function)), changed_(changed_locals(function.body)) {}

void PacketPositions::enter(const Stmt& s) {
  if (is_kernel_loop(s)) epoch_ = ++epochs_;  // its turns begin after its turns
  if (goes_on(s)) ++going_on_;
  if (const auto* let = as<Let>(s)) define(*let);
}

void PacketPositions::leave(const Stmt& s, uint32_t before) {
  if (goes_on(s)) --going_on_;
  epoch_ = reads_anew_behind(s, going_on_ == 0) ? ++epochs_ : before;
}

/// Whether ctx->data may be another value to C compilers behind the statement, on some way that comes there. Ways that
/// leave the function do not, if they `may_leave`.
bool PacketPositions::reads_anew_behind(const Stmt& s, bool may_leave) {
  if (!is_compound(s)) return clobbers(s);
  if (is_kernel_loop(s) || (pulls_ && packet_check(s))) return true;
  const auto [known, is_new] = reads_anew_.try_emplace(&header(s), false);
  if (!is_new) return known->second;
  may_leave = may_leave && !goes_on(s);
  bool found = false;
  const auto* choice = as<If>(s);
  const auto* selection = as<Switch>(s);
  if (choice)
    for (const Branch& branch : choice->form.branches) found = found || clobbers_in(branch.condition);
  if (selection) found = clobbers_in(selection->form.value);
  each_body_of(s, [&](const Body& body) {
    if ((choice || selection) && may_leave && leaves(body)) return;
    for (const Stmt& inner : body.statements) found = found || reads_anew_behind(inner, may_leave);
  });
  return reads_anew_[&header(s)] = found;
}

void PacketPositions::define(const Node<Let>& let) {
  if (!is(let->type, TypeKind::Pointer) || let->type->space != Space::Packet || !let->value ||
      changed_.count(let->name))
    return;
  if (kind_of(*let->value) == Kind::PacketEnd || (as<Local>(*let->value) && is_end(*let->value))) {
    ends_.insert(let->name);
    return;
  }
  const auto at = position(*let->value);
  positions_[let->name] = at ? *at : PacketPosition{let->name, 0};
}

bool PacketPositions::is_end(const Expr& e) const {
  if (const auto* converted = as<Convert>(e)) return is_end(converted->form.value);
  const auto* local = as<Local>(e);
  return kind_of(e) == Kind::PacketEnd || (local && ends_.count(local->form.name));
}

std::optional<PacketPosition> PacketPositions::position(const Expr& e) const {
  if (const auto* local = as<Local>(e)) {
    auto found = positions_.find(local->form.name);
    return found == positions_.end() ? std::nullopt : std::optional(found->second);
  }
  if (const auto* converted = as<Convert>(e)) return position(converted->form.value);
  // ctx->data is read anew at each mention [L167], but mentions with nothing between them that writes to memory give
  // one value, in C as here: the compiler reads it once, and the verifier sees that what was tested is what is used.
  if (as<PacketStart>(e)) return PacketPosition{context_.name(fmt::format("ctx->data {}", epoch_)), 0, true};
  const auto* sum = as<PointerAdd>(e);
  const auto* count = sum ? as<Int>(sum->form.count) : nullptr;
  if (!count) return std::nullopt;
  auto base = position(sum->form.pointer);
  if (base)
    base->offset += static_cast<int64_t>(count->form.value.value) * static_cast<int64_t>(size_of(type_of(e)->element));
  return base;
}

const InPacket* packet_check(const Stmt& s) {
  const auto* test = as<If>(s);
  if (!test || test->form.branches.size() != 1) return nullptr;
  const auto* negation = as<Not>(test->form.branches[0].condition);
  const auto* inside = negation ? as<InPacket>(negation->form.value) : nullptr;
  return inside ? &inside->form : nullptr;
}

}  // namespace ksc

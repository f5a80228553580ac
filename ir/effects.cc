// SPDX-License-Identifier: Apache-2.0
#include "ir/effects.h"

#include "ir/children.h"
#include "ir/languages.h"
#include "ir/visit.h"

namespace ksc {
namespace {

constexpr std::string_view pure_builtins[] = {"min",   "max",   "abs",   "bswap16", "bswap32", "bswap64",
                                              "htons", "htonl", "ntohs", "ntohl",   "loaded"};

constexpr FormSet effect_forms = FormSet()
                                     .with(Kind::Call)
                                     .with(Kind::IndirectCall)
                                     .with(Kind::HelperCall)
                                     .with(Kind::MapCall)
                                     .with(Kind::BuiltinCall)
                                     .with(Kind::MapLookup)
                                     .with(Kind::MapSlot)
                                     .with(Kind::BlockValue)
                                     .with(Kind::Match)
                                     .with(Kind::IfValue)
                                     .with(Kind::Concatenate)
                                     .with(Kind::Deref);

static_assert(
    names_all(expr_forms, lang::Sound.forms | lang::PacketPulled.forms | lang::C.forms | lang::UserC.forms,
              effect_forms.with(Kind::Index),
              form_set_of<Int, Null, Zero, StringValue, Local, Global, MapName, FunctionName, FunctionAddress, Field,
                          AddressOf, MapEntry, Present, ValueOf, Not, And, Or, Conditional, Unary, Binary, Divide,
                          Quotient, Shift, CShift, Compare, Convert, PointerAdd, PointerDifference, RuntimeCall,
                          StructValue, ArrayValue, PacketStart, PacketEnd, InPacket, FloatValue, FloatNegation,
                          FloatOperation, FloatComparison, FloatConversion, FloatTruncation>()));

/// Whether the expression reads behind a pointer that some earlier test must have found not to be null.
bool follows_nullable(const Expr& e) {
  if (!header(e).contains.has(Kind::Deref)) return false;
  if (const auto* deref = as<Deref>(e); deref && type_of(deref->form.pointer)->nullable) return true;
  bool found = false;
  each_child_of(
      e, [&](const Expr& child) { found = found || follows_nullable(child); }, [](const Stmt&) {});
  return found;
}

void collect_changes(const Stmt& s, NameSet& out);
void note_place(const Expr& place, NameSet& out) {
  if (const auto* local = as<Local>(root_of(place))) out.insert(local->form.name);
}
void collect_changes(const Expr& e, NameSet& out) {
  if (const auto* address = as<AddressOf>(e)) note_place(address->form.place, out);
  each_child_of(
      e, [&](const Expr& child) { collect_changes(child, out); }, [&](const Stmt& s) { collect_changes(s, out); });
}
void collect_changes(const Stmt& s, NameSet& out) {
  if (const auto* assign = as<Assign>(s)) note_place(assign->form.place, out);
  if (const auto* update = as<Update>(s)) note_place(update->form.place, out);
  if (const auto* attempt = as<Attempt>(s)) note_place(attempt->form.error, out);
  each_child_of(
      s, [&](const Expr& child) { collect_changes(child, out); }, [&](const Stmt& t) { collect_changes(t, out); });
}

}  // namespace

bool is_effect(const Expr& e) {
  switch (kind_of(e)) {
    case Kind::Call:
    case Kind::IndirectCall:
    case Kind::HelperCall:
    case Kind::MapCall:
    case Kind::MapLookup:
    case Kind::MapSlot:
    case Kind::BlockValue:
    case Kind::Match:
    case Kind::IfValue:
    // Statements compute it.
    case Kind::Concatenate: return true;
    case Kind::BuiltinCall: {
      const Name name = as<BuiltinCall>(e)->form.function;
      for (std::string_view pure : pure_builtins)
        if (name == pure) return false;
      return true;
    }
    // Its index is read once, before the test that guards the access: not where that operand may not run.
    case Kind::Index: return follows_nullable(as<Index>(e)->form.index);
    case Kind::Deref: {
      Type type = type_of(as<Deref>(e)->form.pointer);
      return is(type, TypeKind::Pointer) && type->space == Space::Packet;
    }
    default: return false;
  }
}

bool may_have_effect(const Expr& e) { return !(header(e).contains & effect_forms).empty(); }

bool has_effect(const Expr& e) {
  if (!may_have_effect(e)) return false;
  if (is_effect(e)) return true;
  bool found = false;
  each_child_of(
      e, [&](const Expr& child) { found = found || has_effect(child); }, [&](const Stmt&) { found = true; });
  return found;
}

bool only_reads(const Expr& e) {
  constexpr FormSet reading =
      form_set_of<Int, Zero, Null, StringValue, Local, Global, Field, Index, Deref, Convert, Unary, Binary, CShift,
                  Quotient, Compare, Present, Not, And, Or, Conditional, PacketStart, PacketEnd, PointerAdd,
                  RuntimeCall, FloatValue, FloatNegation, FloatOperation, FloatComparison, FloatConversion>();
  return header(e).contains.minus(reading).empty();
}

bool is_never_negative(const Expr& e) {
  Type type = type_of(e);
  if (const auto* number = as<Int>(e)) return number->form.value.value >= 0 && number->form.value.value <= INT64_MAX;
  if (is_integral(type) && !is_signed(type) && width_of(type) < 64) return true;
  const auto* binary = as<Binary>(e);
  if (binary && binary->form.op == BinaryOp::BitAnd)
    return is_never_negative(binary->form.left) || is_never_negative(binary->form.right);
  const auto* converted = as<Convert>(e);
  Type from = converted ? type_of(converted->form.value) : nullptr;
  // Narrowing may cut a number down to one that is negative.
  return converted && is_integral(from) && width_of(from) <= width_of(type) && is_never_negative(converted->form.value);
}

NameSet changed_locals(const Body& body) {
  NameSet out;
  for (const Stmt& s : body.statements) collect_changes(s, out);
  return out;
}

bool is_match_statement(const Expr& e) {
  const auto* match = as<Match>(e);
  return match && std::all_of(match->form.arms.begin(), match->form.arms.end(), [](const MatchArm& arm) {
           const auto* block = as<BlockValue>(arm.value);
           return block && !block->form.value;
         });
}

}  // namespace ksc

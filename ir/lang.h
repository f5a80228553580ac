// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/forms.h"

namespace ksc {

/// Rules that hold of a whole program, beyond which forms it may use. ir/check*.cc says how each is checked.
/// ThrowsExplicit is the absence of a form. LargeValuesNamed, LocalsSpilled, LargeCopiesLooped, WaysForgotten,
/// ZerosForgotten, DistancesPointed, TurnPointersDetached and KnownTestsDropped have no check yet. NullChecked cannot
/// have one: that no null is followed comes from the way that control takes, which the tree shows only until a
/// condition gets a name (`t = p != null && …` after lower_short_circuits); a pass that loses it makes the interpreter
/// fault, which follows pointers after every pass in the property tests. So it is with ReservationsClosed and
/// OpenDiscarded: the interpreter faults where a record is left open. Of others a part is looked at, which is plain in
/// the tree: TargetChecked (the licence, and what functions call that no program may reach, are left to the pass),
/// PacketPulled (functions that call nothing, and pointers of their own), ChecksMinimal (a pointer tested again in the
/// same words), LoopsCapped and ConstantsRead (until constants are folded), ConstantsFolded (until a pass makes new
/// numbers), NullTestsApart and PointersRetested (no variables that hold an answer, or a copy of a pointer, are
/// followed), PlacesApart (branches, until indexes are guarded), PacketPointersDelayed (a test of one variable that
/// returns), OffsetsBounded (constants; other bounds come from what the pass knows of variables), ObjectsByMembers (no
/// values that are copied as a whole), ObjectAccessesApart (writes), UserEntriesCopied (until lower_user_maps),
/// ShortCircuitsRaised (a branch with one assignment), Folded (`t = e; return t`).
KSC_ENUM(Rule, NamesBound, LastValuesReturned, Typed, ReturnsExplicit, TailCallsFound, NullChecked, ReservationsClosed,
         ThrowsChecked, TargetChecked, KnownTestsDropped, ResultsUnnamed, ValuesPlaced, ShortCircuitsPure,
         OperandsOrdered, PacketPointersPresent, PacketPointersRooted, AccessesChecked, ChecksRaised, ChecksMinimal,
         PacketPulled, LoopsCapped, StatusesRaised, ThrowsExplicit, AggregatesReturned, NoMaybe, PinsFlat,
         ConstantsRead, ConstantsFolded, NoArithmeticBuiltin, NoStringComparison, EnumsConverted, PaddingDropped,
         NoArrayCopy, SplitEbpf, ArgumentsPacked, ImportsUsed, PacketElementsPointed, ElementAddressesGuarded,
         PinsReached, LookupsMerged, WaysForgotten, ZerosForgotten, NullTestsApart, PointersRetested, ContextReadOnce,
         ContextAccessesApart, EarlyAnswersHidden, ResultsCleared, PlacesApart, ReboundPointersHidden, IndexesGuarded,
         OffsetsBounded, TurnPointersDetached, PacketTestsApart, PacketEqualitiesHidden, MembersInitialised,
         CountersWide, ShortCircuitsRaised, PacketReread, LargeValuesNamed, LocalsSpilled, LargeCopiesLooped,
         LoopsBounded, TurnsForgotten, Folded, Ordered, SplitUser, OptionsDeclared, ArgumentsCopied, PresenceAsked,
         UserEntriesCopied, UserIndexesGuarded, OpenDiscarded, NoDynptrPointer, ObjectsByMembers, NoReservation,
         UnreadDropped, ObjectAccessesApart, PacketDynptrs, PacketPointersDelayed, DistancesPointed, FillsApart,
         PresenceAnswered, PointersSplit, count);

/// A set of rules.
struct RuleSet {
  unsigned __int128 bits = 0;
  static_assert(static_cast<int>(Rule::count) <= 128);
  constexpr bool has(Rule rule) const { return bits >> int(rule) & 1; }
  constexpr RuleSet with(Rule rule) const { return {bits | bit(rule)}; }
  constexpr RuleSet without(Rule rule) const { return {bits & ~bit(rule)}; }
  static constexpr unsigned __int128 bit(Rule rule) { return static_cast<unsigned __int128>(1) << int(rule); }
  constexpr bool operator==(const RuleSet&) const = default;
};

/// A language: the forms a program may use and the rules it obeys. It is a value: a template argument of the passes and
/// the input of the checker.
struct Lang {
  FormSet forms;
  RuleSet rules;
  constexpr bool has(Kind kind) const { return forms.has(kind); }
  constexpr Lang operator+(Kind kind) const { return {forms.with(kind), rules}; }
  constexpr Lang operator-(Kind kind) const { return {forms.minus(FormSet().with(kind)), rules}; }
  constexpr Lang operator+(Rule rule) const { return {forms, rules.with(rule)}; }
  constexpr Lang operator-(Rule rule) const { return {forms, rules.without(rule)}; }
  constexpr bool operator==(const Lang&) const = default;
};

template <class... K>
constexpr Lang language_of(K... kinds) {
  Lang lang;
  ((lang = lang + kinds), ...);
  return lang;
}

/// A whole program of language L.
template <Lang L>
struct Ir {
  Span<Decl> declarations;
};
/// A program whose language is known at run time only.
using Program = Span<Decl>;

}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
// Every pass, in the order of passes/pipeline.cc. What each does stands at its definition.
#pragma once
#include "ir/context.h"
#include "ir/languages.h"

namespace ksc {

#define KSC_PASS_DECLARATION(name, In, Out) Ir<lang::Out> name(const Ir<lang::In>& in, Context& context);
KSC_PASS_DECLARATION(resolve_names, Parsed, Resolved)
KSC_PASS_DECLARATION(infer_types, Resolved, Typed)
KSC_PASS_DECLARATION(split_returned_values, Typed, ReturnsSplit)
KSC_PASS_DECLARATION(find_tail_calls, ReturnsSplit, TailCallsFound)
KSC_PASS_DECLARATION(check_null, TailCallsFound, NullChecked)
KSC_PASS_DECLARATION(lower_if_present, Sound, NoIfPresent)
KSC_PASS_DECLARATION(lower_match, NoIfPresent, NoMatch)
KSC_PASS_DECLARATION(lower_if_values, NoMatch, NoIfValue)
KSC_PASS_DECLARATION(lower_while, NoIfValue, NoWhile)
KSC_PASS_DECLARATION(lower_for, NoWhile, NoFor)
KSC_PASS_DECLARATION(lower_short_circuits, NoFor, ShortCircuitsPure)
KSC_PASS_DECLARATION(order_operands, ShortCircuitsPure, OperandsOrdered)
KSC_PASS_DECLARATION(lower_updates, OperandsOrdered, NoUpdate)
KSC_PASS_DECLARATION(lower_map_entries, NoUpdate, NoMapEntry)
KSC_PASS_DECLARATION(root_packet_pointers, NoMapEntry, PacketPointersRooted)
KSC_PASS_DECLARATION(check_packet_accesses, PacketPointersRooted, AccessesChecked)
KSC_PASS_DECLARATION(raise_packet_checks, AccessesChecked, ChecksRaised)
KSC_PASS_DECLARATION(remove_known_checks, ChecksRaised, ChecksMinimal)
KSC_PASS_DECLARATION(pull_packet_data, ChecksMinimal, PacketPulled)
KSC_PASS_DECLARATION(cap_loops, PacketPulled, LoopsCapped)
KSC_PASS_DECLARATION(lower_leaves, LoopsCapped, ThrowsExplicit)
KSC_PASS_DECLARATION(lower_maybe, ThrowsExplicit, NoMaybe)
KSC_PASS_DECLARATION(flatten_pinned_globals, NoMaybe, PinsFlat)
KSC_PASS_DECLARATION(fold_constants, PinsFlat, ConstantsFolded)
KSC_PASS_DECLARATION(lower_division, ConstantsFolded, NoDivide)
KSC_PASS_DECLARATION(lower_shifts, NoDivide, NoShift)
KSC_PASS_DECLARATION(lower_builtins, NoShift, NoArithmeticBuiltin)
KSC_PASS_DECLARATION(lower_string_comparisons, NoArithmeticBuiltin, NoStringComparison)
KSC_PASS_DECLARATION(lower_array_copies, NoStringComparison, NoArrayCopy)
KSC_PASS_DECLARATION(select_ebpf, NoArrayCopy, Ebpf)
KSC_PASS_DECLARATION(reread_packet, Ebpf, PacketReread)
KSC_PASS_DECLARATION(outline_loops, PacketReread, LoopsBounded)
KSC_PASS_DECLARATION(forget_turn_values, LoopsBounded, TurnsForgotten)
KSC_PASS_DECLARATION(lower_pinned_access, TurnsForgotten, PinsReached)
KSC_PASS_DECLARATION(lower_tail_calls, PinsReached, NoTailCall)
KSC_PASS_DECLARATION(merge_lookups, NoTailCall, LookupsMerged)
KSC_PASS_DECLARATION(lower_map_access, LookupsMerged, NoMapAccess)
KSC_PASS_DECLARATION(keep_null_tests_apart, NoMapAccess, NullTestsApart)
KSC_PASS_DECLARATION(keep_context_accesses_apart, NullTestsApart, ContextAccessesApart)
KSC_PASS_DECLARATION(keep_places_apart, ContextAccessesApart, PlacesApart)
KSC_PASS_DECLARATION(guard_array_index, PlacesApart, IndexesGuarded)
KSC_PASS_DECLARATION(bound_packet_offsets, IndexesGuarded, OffsetsBounded)
KSC_PASS_DECLARATION(lower_print, OffsetsBounded, NoPrint)
KSC_PASS_DECLARATION(widen_counters, NoPrint, CountersWide)
KSC_PASS_DECLARATION(fold_temporaries, CountersWide, Folded)
KSC_PASS_DECLARATION(order_declarations, Folded, C)
KSC_PASS_DECLARATION(select_user, NoArrayCopy, User)
KSC_PASS_DECLARATION(ask_for_presence, User, PresenceAsked)
KSC_PASS_DECLARATION(copy_user_entries, PresenceAsked, UserEntriesCopied)
KSC_PASS_DECLARATION(lower_user_maps, UserEntriesCopied, UserMaps)
KSC_PASS_DECLARATION(guard_user_index, UserMaps, UserIndexes)
KSC_PASS_DECLARATION(fold_user_temporaries, UserIndexes, UserC)
#undef KSC_PASS_DECLARATION

}  // namespace ksc

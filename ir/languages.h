// SPDX-License-Identifier: Apache-2.0
// The whole chain, one line each: what the last step bought.
#pragma once
#include "ir/lang.h"

namespace ksc::lang {

/// What the parser gives: names are words, types are written, broken syntax is Invalid.
inline constexpr Lang Parsed = language_of(
    Kind::InvalidType, Kind::NamedType, Kind::PointerType, Kind::ArrayType, Kind::StrType, Kind::FunctionType,
    Kind::OptionType, Kind::InvalidExpr, Kind::NameUse, Kind::IntLiteral, Kind::FloatLiteral, Kind::CharLiteral,
    Kind::BoolLiteral, Kind::NullLiteral, Kind::StringValue, Kind::Chain, Kind::Member, Kind::Apply, Kind::Subscript,
    Kind::Cast, Kind::StructLiteral, Kind::ArrayLiteral, Kind::ArrayRepeat, Kind::New, Kind::NewValue, Kind::SizeOf,
    Kind::OffsetOf, Kind::Propagate, Kind::Operation, Kind::And, Kind::Or, Kind::Not, Kind::Conditional, Kind::Match,
    Kind::IfValue, Kind::BlockValue, Kind::AddressOf, Kind::Deref, Kind::InvalidStmt, Kind::VarStmt, Kind::AssignStmt,
    Kind::IfVar, Kind::Try, Kind::Throw, Kind::Defer, Kind::Delete, Kind::ForEach, Kind::Evaluate, Kind::Block,
    Kind::If, Kind::For, Kind::While, Kind::Loop, Kind::Break, Kind::Continue, Kind::Return, Kind::InvalidDecl,
    Kind::Import, Kind::Include, Kind::Module, Kind::License, Kind::AliasDecl, Kind::StructDecl, Kind::EnumDecl,
    Kind::ConstDecl, Kind::ConfigDecl, Kind::VarDecl, Kind::MapDecl, Kind::ExternDecl, Kind::ImplDecl,
    Kind::FunctionDecl);

/// Each name is bound to one symbol: a local's is unique in the program.
inline constexpr Lang Resolved = Parsed - Kind::NameUse + Kind::Local + Kind::GlobalName + Rule::NamesBound;
/// The files are one: what an import's name leads to has a symbol of its own.
inline constexpr Lang Linked = Resolved - Kind::Import - Kind::Include - Kind::Module;
/// What a function ends with is returned.
inline constexpr Lang LastValuesReturned = Linked + Rule::LastValuesReturned;

/// Each expression has its type; conversions, places and calls are spelled out.
inline constexpr Lang Typed =
    language_of(Kind::InvalidExpr, Kind::InvalidStmt, Kind::StringValue, Kind::Local, Kind::And, Kind::Or, Kind::Not,
                Kind::Conditional, Kind::Match, Kind::IfValue, Kind::BlockValue, Kind::AddressOf, Kind::Deref,
                Kind::Int, Kind::Null, Kind::Zero, Kind::Global, Kind::MapName, Kind::FunctionName, Kind::Field,
                Kind::Index, Kind::MapLookup, Kind::MapEntry, Kind::Present, Kind::ValueOf, Kind::Unary, Kind::Binary,
                Kind::Divide, Kind::Shift, Kind::Compare, Kind::Concatenate, Kind::Convert, Kind::PointerAdd,
                Kind::PointerDifference, Kind::ElementPointer, Kind::Call, Kind::FunctionValue, Kind::IndirectCall,
                Kind::HelperCall, Kind::MapCall, Kind::BuiltinCall, Kind::StructValue, Kind::ArrayValue,
                Kind::PacketStart, Kind::PacketEnd, Kind::FloatValue, Kind::FloatNegation, Kind::FloatOperation,
                Kind::FloatComparison, Kind::FloatConversion, Kind::FloatTruncation, Kind::Evaluate, Kind::Block,
                Kind::If, Kind::For, Kind::While, Kind::Loop, Kind::Break, Kind::Continue, Kind::Return, Kind::Let,
                Kind::Assign, Kind::Update, Kind::IfPresent, Kind::Try, Kind::Throw, Kind::Defer, Kind::Leave,
                Kind::MapLoop, Kind::CpuLoop, Kind::MapDelete, Kind::CopyBytes, Kind::Print, Kind::PrintPart,
                Kind::StructDef, Kind::EnumDef, Kind::ConstDef, Kind::ConfigDef, Kind::GlobalDef, Kind::MapDef,
                Kind::FunctionDef, Kind::FaultVerdict, Kind::License) +
    Rule::NamesBound + Rule::Typed;

// A table: one line a language.
// clang-format off
inline constexpr Lang PointersSplit = Typed - Kind::ElementPointer + Rule::PointersSplit;      // a pointer that moves is one to an array, and a number
inline constexpr Lang CopiesLooped = PointersSplit - Kind::CopyBytes;                                 // memory_copy is a loop
inline constexpr Lang CallsDirect = CopiesLooped - Kind::FunctionValue - Kind::IndirectCall;         // each call names its function
inline constexpr Lang ImportsUsed = CallsDirect + Rule::ImportsUsed;                          // what of other files nothing uses is gone
inline constexpr Lang ReturnsSplit = ImportsUsed + Rule::ReturnsExplicit;                           // return match … returns in each arm
inline constexpr Lang TailCallsFound = ReturnsSplit + Kind::TailCall + Rule::TailCallsFound;  // return program(ctx) is a form of its own
inline constexpr Lang NoDefer = TailCallsFound - Kind::Defer + Kind::Finally + Kind::Guarded;                 // what is deferred stands at the end
inline constexpr Lang NullChecked = NoDefer + Rule::NullChecked;                       // no null is dereferenced
inline constexpr Lang ReservationsClosed = NullChecked + Rule::ReservationsClosed;              // each reservation is submitted or discarded
inline constexpr Lang ThrowsChecked = ReservationsClosed + Rule::ThrowsChecked;                      // no program lets a throw out
inline constexpr Lang TargetChecked = ThrowsChecked + Rule::TargetChecked;                    // the target has what is asked of it
inline constexpr Lang Sound = TargetChecked - Kind::InvalidExpr - Kind::InvalidStmt;            // nothing was wrong: lowering begins
inline constexpr Lang KnownTestsDropped = Sound + Rule::KnownTestsDropped;                    // no test of a pointer that is known
inline constexpr Lang ResultsUnnamed = KnownTestsDropped + Rule::ResultsUnnamed;                          // no result has a name
inline constexpr Lang NoIfPresent = ResultsUnnamed - Kind::IfPresent;                                  // if (var x = e) is a declaration and a test
inline constexpr Lang ValuesPlaced = NoIfPresent + Rule::ValuesPlaced;                        // what a reference refers to has a place
inline constexpr Lang NoMatch = ValuesPlaced - Kind::Match + Kind::Switch;                    // match is a switch or a chain of branches
inline constexpr Lang NoIfValue = NoMatch - Kind::IfValue;                                    // if as a value assigns in its branches
inline constexpr Lang NoWhile = NoIfValue - Kind::While;                                      // while is a loop with a break
inline constexpr Lang NoFor = NoWhile - Kind::For + Kind::CountedLoop;                        // for counts between constants or names
inline constexpr Lang ShortCircuitsPure = NoFor + Rule::ShortCircuitsPure;                    // what may not run has no effect
inline constexpr Lang OperandsOrdered = ShortCircuitsPure - Kind::BlockValue + Rule::OperandsOrdered; // one effect a statement, in order
inline constexpr Lang NoUpdate = OperandsOrdered - Kind::Update + Kind::AtomicUpdate + Kind::MapSlot; // op= is a read and a write
inline constexpr Lang NoMapEntry = NoUpdate - Kind::MapEntry + Kind::MapStore;                // map entries are written by statements
inline constexpr Lang FailuresThrown = NoMapEntry + Kind::Attempt;                            // what fails in userspace is thrown where it is taken
inline constexpr Lang PacketPointersPresent = FailuresThrown + Rule::PacketPointersPresent;         // no packet pointer is null
inline constexpr Lang PacketPointersRooted = PacketPointersPresent + Rule::PacketPointersRooted;         // no packet pointer reaches back from another
inline constexpr Lang AccessesChecked = PacketPointersRooted + Kind::InPacket + Rule::AccessesChecked; // each packet access is tested
inline constexpr Lang ChecksRaised = AccessesChecked + Rule::ChecksRaised;                    // of tests that fail alike the first asks for all
inline constexpr Lang ChecksMinimal = ChecksRaised + Rule::ChecksMinimal;                     // no test whose answer is known
inline constexpr Lang LoopsCapped = ChecksMinimal + Rule::LoopsCapped;                        // eBPF loops end after 8,388,608 turns at the latest
inline constexpr Lang NoMaybe = LoopsCapped - Kind::ValueOf + Rule::NoMaybe;                  // a Maybe is a value and a bit
inline constexpr Lang StatusesRaised = NoMaybe - Kind::Leave - Kind::Throw + Kind::Raise + Rule::StatusesRaised; // calls say why they were left
inline constexpr Lang PacketPulled = StatusesRaised + Rule::PacketPulled;                     // what is not linear is made so
inline constexpr Lang NoTry = PacketPulled - Kind::Try + Kind::Labelled + Kind::Goto;         // try is a test of what was raised
inline constexpr Lang NoFinally = NoTry - Kind::Finally - Kind::Guarded;                                      // every way out of a function ends where it is left
inline constexpr Lang OpenDiscarded = NoFinally + Rule::OpenDiscarded;                        // no reservation is left open
inline constexpr Lang ThrowsExplicit = OpenDiscarded - Kind::Raise - Kind::FaultVerdict + Kind::RuntimeCall + Rule::ThrowsExplicit; // leaving early is a return
inline constexpr Lang NoDynptrPointer = ThrowsExplicit + Rule::NoDynptrPointer;                // what has a dynptr is reached by helpers
inline constexpr Lang ObjectsByMembers = NoDynptrPointer + Rule::ObjectsByMembers;               // of what `new` gives in eBPF only numbers are accessed
inline constexpr Lang AggregatesReturned = ObjectsByMembers + Rule::AggregatesReturned;                 // no function gives an array or a string
inline constexpr Lang PinsFlat = AggregatesReturned + Kind::PinnedGlobals + Rule::PinsFlat;              // pinned globals are members of one map entry

inline constexpr Lang ConstantsRead = PinsFlat + Rule::ConstantsRead;                         // what a constant holds at a known place is a number
inline constexpr Lang ConstantsFolded = ConstantsRead + Rule::ConstantsFolded;                     // numbers alone are computed
inline constexpr Lang NoDivide = ConstantsFolded - Kind::Divide + Kind::Quotient; // no division by what may be zero
inline constexpr Lang NoShift = NoDivide - Kind::Shift + Kind::CShift;                        // shift counts are below the width
inline constexpr Lang NoArithmeticBuiltin = NoShift + Rule::NoArithmeticBuiltin;              // min, max, htons … are support code
inline constexpr Lang NoConcatenation = NoArithmeticBuiltin - Kind::Concatenate;              // texts are appended to a variable
inline constexpr Lang NoStringComparison = NoConcatenation + Rule::NoStringComparison;        // strings are compared by memcmp
inline constexpr Lang EnumsConverted = NoStringComparison + Rule::EnumsConverted;             // no enum is widened as C does it
inline constexpr Lang PaddingDropped = EnumsConverted + Rule::PaddingDropped;             // no padding is copied out of the packet
inline constexpr Lang NoArrayCopy = PaddingDropped + Rule::NoArrayCopy;                       // arrays are copied by memcpy
inline constexpr Lang ArgumentsCopied = NoArrayCopy + Rule::ArgumentsCopied;                  // arrays, strings and structs in eBPF are passed by their address, and copied

// ---- eBPF ----
inline constexpr Lang Ebpf =
    ArgumentsCopied - Kind::Attempt - Kind::BuiltinCall - Kind::Loop - Kind::CpuLoop - Kind::FloatValue - Kind::FloatNegation -
    Kind::FloatOperation - Kind::FloatComparison - Kind::FloatConversion - Kind::FloatTruncation - Kind::PrintPart + Rule::SplitEbpf; // only what runs in the kernel
inline constexpr Lang NoReservation = Ebpf + Rule::NoReservation;                              // ring buffers are reached by helpers
inline constexpr Lang PacketDynptrs = NoReservation + Rule::PacketDynptrs;                     // what has a dynptr of the packet reads by it alone
inline constexpr Lang UnreadDropped = PacketDynptrs + Rule::UnreadDropped;                             // every variable is read
inline constexpr Lang ArgumentsPacked = UnreadDropped - Rule::UnreadDropped + Rule::ArgumentsPacked;                         // no function has more parameters than a call has registers
inline constexpr Lang PacketElementsPointed = ArgumentsPacked + Rule::PacketElementsPointed;             // what is chosen in the packet is behind a pointer of its own
inline constexpr Lang ElementAddressesGuarded = PacketElementsPointed + Rule::ElementAddressesGuarded;         // no address of an element out of range is taken
inline constexpr Lang PacketReread = ElementAddressesGuarded + Rule::PacketReread;                               // what moves the packet is seen by C compilers
inline constexpr Lang LargeValuesNamed = PacketReread + Rule::LargeValuesNamed;               // what is too large for the stack has a name
inline constexpr Lang LocalsSpilled = LargeValuesNamed + Kind::Scratch + Rule::LocalsSpilled - Rule::ArgumentsPacked; // variables that the stack has no room for lie in a map
inline constexpr Lang LargeCopiesLooped = LocalsSpilled + Rule::LargeCopiesLooped;            // what C does not copy inline is copied by a loop
inline constexpr Lang FillsApart = LargeCopiesLooped + Rule::FillsApart;                      // no fills one behind another that C would call a function for
inline constexpr Lang LoopsBounded = FillsApart - Kind::MapLoop + Kind::FunctionAddress + Rule::LoopsBounded; // the verifier sees the end of every loop
inline constexpr Lang TurnsForgotten = LoopsBounded + Rule::TurnsForgotten;                   // what a turn counts is nothing to the verifier
inline constexpr Lang PinsReached = TurnsForgotten + Rule::PinsReached;                       // pinned globals are reached by a pointer
inline constexpr Lang NoTailCall = PinsReached - Kind::TailCall + Kind::ProgramArray;         // tail calls go through program arrays
inline constexpr Lang LookupsMerged = NoTailCall + Rule::LookupsMerged;                       // what was found is not looked up again
inline constexpr Lang WaysForgotten = LookupsMerged + Rule::WaysForgotten;                     // what many ways count is nothing to the verifier
inline constexpr Lang ZerosForgotten = WaysForgotten + Rule::ZerosForgotten; // of arrays that turns fill no zeros are known
inline constexpr Lang NoMapAccess =
    ZerosForgotten - Kind::MapLookup - Kind::MapSlot - Kind::MapStore - Kind::MapDelete - Kind::MapCall; // maps are reached by helpers
inline constexpr Lang PresenceAnswered = NoMapAccess + Rule::PresenceAnswered;                // what is only asked for is asked for by ks_present
inline constexpr Lang NullTestsApart = PresenceAnswered - Rule::PresenceAnswered + Rule::NullTestsApart; // no two null tests that C would make one
inline constexpr Lang PointersRetested = NullTestsApart + Rule::PointersRetested;             // no null test that C would keep the answer of
inline constexpr Lang ContextReadOnce = PointersRetested + Rule::ContextReadOnce;               // what of the context is read often is a variable
inline constexpr Lang ContextAccessesApart = ContextReadOnce + Rule::ContextAccessesApart;   // no two context accesses that C would make one
inline constexpr Lang EarlyAnswersHidden = ContextAccessesApart + Rule::EarlyAnswersHidden;   // no truth is computed before it is known
inline constexpr Lang ResultsCleared = EarlyAnswersHidden + Rule::ResultsCleared;                       // no function leaves an address for its result
inline constexpr Lang PlacesApart = ResultsCleared + Rule::PlacesApart;                 // no address is computed from a truth
inline constexpr Lang ReboundPointersHidden = PlacesApart + Rule::ReboundPointersHidden;       // no member is looked for before a pointer is replaced
inline constexpr Lang IndexesGuarded = ReboundPointersHidden + Rule::IndexesGuarded;                    // no element out of range is touched
inline constexpr Lang PacketPointersDelayed = IndexesGuarded + Rule::PacketPointersDelayed; // no packet pointer stands before a test that leaves without it
inline constexpr Lang OffsetsBounded = PacketPointersDelayed - Rule::PacketPointersDelayed + Rule::OffsetsBounded;                 // packet pointers move as far as the verifier follows
inline constexpr Lang DistancesPointed = OffsetsBounded + Rule::DistancesPointed; // no variable is a distance where it could be a pointer
inline constexpr Lang TurnPointersDetached = DistancesPointed + Rule::TurnPointersDetached; // tests in turns tell of their own pointers
inline constexpr Lang PacketTestsApart = TurnPointersDetached + Rule::PacketTestsApart;             // no tests of a loop's turns that C would make one
inline constexpr Lang PacketEqualitiesHidden = PacketTestsApart + Rule::PacketEqualitiesHidden; // C compilers conclude nothing from equal packet pointers
inline constexpr Lang MembersInitialised = PacketEqualitiesHidden + Rule::MembersInitialised;       // no struct is copied from constants
inline constexpr Lang NoPrint = MembersInitialised - Kind::Print + Kind::TraceLine;             // print is bpf_printk
inline constexpr Lang CountersWide = NoPrint + Rule::CountersWide;                            // counters that may have to wait have 64 bits
inline constexpr Lang ShortCircuitsRaised = CountersWide + Rule::ShortCircuitsRaised;         // && and || where the right only reads
inline constexpr Lang Folded = ShortCircuitsRaised + Rule::Folded;                            // temporaries that nobody needs are gone
inline constexpr Lang ObjectAccessesApart = Folded + Rule::ObjectAccessesApart;               // each access to an object is one instruction
inline constexpr Lang C = ObjectAccessesApart + Rule::Ordered;                                             // what the C printer takes

// ---- userspace ----
inline constexpr Lang User = ArgumentsCopied + Rule::SplitUser;                                   // only what runs in userspace
inline constexpr Lang NoFloatTruncation = User - Kind::FloatTruncation;                           // no number is cut to what C leaves open
inline constexpr Lang OptionsDeclared = NoFloatTruncation + Kind::CommandLine + Rule::OptionsDeclared;         // the command line's options are declared
inline constexpr Lang PresenceAsked = OptionsDeclared + Rule::PresenceAsked;                  // no entry is copied only to see whether it is there
inline constexpr Lang UserEntriesCopied = PresenceAsked + Rule::UserEntriesCopied;            // references to entries are pointers to copies
inline constexpr Lang UserMaps =
    UserEntriesCopied - Kind::MapLoop - Kind::CpuLoop - Kind::MapLookup - Kind::MapSlot - Kind::MapStore - Kind::MapDelete - Kind::MapCall; // maps are reached through the runtime
inline constexpr Lang NoAttempt = UserMaps - Kind::Attempt;                                   // what may fail says why
inline constexpr Lang UserIndexes = NoAttempt + Rule::UserIndexesGuarded;                      // an index out of range ends the program
inline constexpr Lang UserC = UserIndexes + Rule::Folded;                                     // what the C printer takes
// clang-format on

}  // namespace ksc::lang

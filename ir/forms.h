// SPDX-License-Identifier: Apache-2.0
// Each form once, its meaning in a sentence beside it. Printer, reader, checker, equality and rebuild are generic over
// fields().
#pragma once
#include <cstdint>
#include <tuple>

#include "ir/arena.h"
#include "ir/enumeration.h"
#include "ir/location.h"
#include "ir/name.h"
#include "ir/sum.h"
#include "ir/types.h"

namespace ksc {

#define KSC_TYPE_FORM(F) struct F;
#define KSC_EXPR_FORM(F) struct F;
#define KSC_STMT_FORM(F) struct F;
#define KSC_DECL_FORM(F) struct F;
#include "ir/forms.def"

enum class Kind : uint8_t {
#define KSC_TYPE_FORM(F) F,
#define KSC_EXPR_FORM(F) F,
#define KSC_STMT_FORM(F) F,
#define KSC_DECL_FORM(F) F,
#include "ir/forms.def"
  count
};
inline constexpr std::string_view kind_names[] = {
#define KSC_TYPE_FORM(F) #F,
#define KSC_EXPR_FORM(F) #F,
#define KSC_STMT_FORM(F) #F,
#define KSC_DECL_FORM(F) #F,
#include "ir/forms.def"
};

/// A set of forms.
struct FormSet {
  uint64_t words[3] = {0, 0, 0};
  static_assert(static_cast<int>(Kind::count) <= 192);
  constexpr bool has(Kind kind) const { return words[int(kind) / 64] >> (int(kind) % 64) & 1; }
  constexpr FormSet with(Kind kind) const {
    FormSet set = *this;
    set.words[int(kind) / 64] |= uint64_t(1) << (int(kind) % 64);
    return set;
  }
  constexpr FormSet operator|(const FormSet& o) const {
    return {{words[0] | o.words[0], words[1] | o.words[1], words[2] | o.words[2]}};
  }
  constexpr FormSet operator&(const FormSet& o) const {
    return {{words[0] & o.words[0], words[1] & o.words[1], words[2] & o.words[2]}};
  }
  constexpr FormSet minus(const FormSet& o) const {
    return {{words[0] & ~o.words[0], words[1] & ~o.words[1], words[2] & ~o.words[2]}};
  }
  constexpr bool empty() const { return (words[0] | words[1] | words[2]) == 0; }
  constexpr bool operator==(const FormSet&) const = default;
  /// The first form of the set; Kind::count if it is empty.
  constexpr Kind first() const {
    for (int i = 0; i < int(Kind::count); ++i)
      if (has(Kind(i))) return Kind(i);
    return Kind::count;
  }
};

using TypeExpr = SumOf<void
#define KSC_TYPE_FORM(F) , F
#include "ir/forms.def"
                       >::type;
using Expr = SumOf<void
#define KSC_EXPR_FORM(F) , F
#include "ir/forms.def"
                   >::type;
using Stmt = SumOf<void
#define KSC_STMT_FORM(F) , F
#include "ir/forms.def"
                   >::type;
using Decl = SumOf<void
#define KSC_DECL_FORM(F) , F
#include "ir/forms.def"
                   >::type;

/// Statements in order, in a scope of their own.
struct Body {
  Span<Stmt> statements;
};

/// What every node carries: its form, where it came from, the type of its value, and which forms it and what is below
/// it use.
struct NodeHeader {
  Kind kind;
  uint16_t height;  // how many nodes stand on the longest way down from here; walkers recurse that deep
  Loc loc;
  Type type;  // expressions, from infer_types on
  FormSet contains;
};
template <class F>
struct Node : NodeHeader {
  F form;
  const F* operator->() const { return &form; }
};

/// The header of the node inside a sum. A template, not four functions: for those a compiler would ask at each call
/// whether one sum can be made from another, which is a quarter of the time that the whole library takes to compile.
template <class Sum>
const NodeHeader& header(const Sum& sum);
extern template const NodeHeader& header(const TypeExpr&);
extern template const NodeHeader& header(const Expr&);
extern template const NodeHeader& header(const Stmt&);
extern template const NodeHeader& header(const Decl&);
inline Type type_of(const Expr& e) { return header(e).type; }
template <class Sum>
Loc loc_of(const Sum& sum) {
  return header(sum).loc;
}
template <class Sum>
Kind kind_of(const Sum& sum) {
  return header(sum).kind;
}

/// A name where it is declared or used, with its own place.
struct Ident {
  Name name;
  Loc loc;
};

/// An integer of any size that the language can write.
struct Integer {
  __int128 value = 0;
  bool operator==(const Integer&) const = default;
};

KSC_ENUM(BinaryOp, Add, Subtract, Multiply, BitAnd, BitOr, BitXor);
KSC_ENUM(DivideOp, Quotient, Remainder);
KSC_ENUM(ShiftOp, Left, Right);
KSC_ENUM(CompareOp, Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual);
KSC_ENUM(UnaryOp, Negate, Complement);
KSC_ENUM(FloatOp, Add, Subtract, Multiply, Divide);
/// Every operator as written; `Operation` and `AssignStmt` use it until infer_types knows which form it is.
KSC_ENUM(Operator, None, Add, Subtract, Multiply, Divide, Remainder, BitAnd, BitOr, BitXor, ShiftLeft, ShiftRight,
         Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, And, Or, Negate, Not, Complement, Dereference,
         AddressOf);
KSC_ENUM(Visibility, Default, Public, Private);
/// Where a function runs [L11].
KSC_ENUM(Domain, User, Program, Shared, Kernel, ModulePrivate, Test);
/// Who sees a global [L14].
KSC_ENUM(Storage, Shared, EbpfOnly, Pinned, Constant);
/// Why a function is left early [L146]: a failed packet check, or a panic [L47].
KSC_ENUM(LeaveReason, Bounds, Panic);
/// How the text behind an option becomes a value [L70]: a number, true or false, itself, the name of an enumerator, or
/// a floating-point number.
KSC_ENUM(OptionValue, Unsigned, Signed, Bool, Text, Choice, Float);

// x.with_fields(use) is what use(field, …) gives: a tuple of the fields would be dear to compile.
#define KSC_FIELDS(...)                         \
  template <class Use>                          \
  decltype(auto) with_fields(Use&& use) const { \
    return use(__VA_ARGS__);                    \
  }
#define KSC_FORM(F, ...)                               \
  static constexpr Kind kind = Kind::F;                \
  static constexpr const char* members = #__VA_ARGS__; \
  KSC_FIELDS(__VA_ARGS__)
#define KSC_LEAF(F)                          \
  static constexpr Kind kind = Kind::F;      \
  static constexpr const char* members = ""; \
  KSC_FIELDS()

// A table: one line a form, its members in one column. clang-format would spread each over five lines.
// clang-format off

// ---- records: parts of forms that are no forms themselves ---------------------------------------

/// name: type, as a parameter.
struct TypedName { Ident name; TypeExpr type;                                   KSC_FIELDS(name, type) };
/// name: type in a struct, and what the comment behind it or above it says, on one line; no name if there is none.
struct MemberDecl { Ident name; TypeExpr type; Name comment;                    KSC_FIELDS(name, type, comment) };
/// name [= value] in an enum.
struct EnumerationItem { Ident name; Option<Expr> value;                        KSC_FIELDS(name, value) };
/// name: type [= value] in a config block.
struct ConfigItem { Ident name; TypeExpr type; Option<Expr> value;              KSC_FIELDS(name, type, value) };
/// name: value in a struct literal or an impl; name = value in a map's options.
struct NamedExpr { Ident name; Expr value;                                      KSC_FIELDS(name, value) };
/// @name(arguments).
struct Attribute { Ident name; Span<Expr> arguments;                            KSC_FIELDS(name, arguments) };
/// What an arm of a match compares with: one value, or lo..hi; `inclusive` for lo..=hi.
struct Pattern { Expr low; Option<Expr> high; bool inclusive;                   KSC_FIELDS(low, high, inclusive) };
/// patterns: value. No pattern: the default arm.
struct MatchArm { Span<Pattern> patterns; Expr value;                           KSC_FIELDS(patterns, value) };
/// catch code { … }; without a code and with a name: catch (name); `bounds`: catch bounds; nothing at all: catch _. The
/// name's place is the clause's.
struct CatchClause { Option<Expr> code; Ident name; bool bounds; Body body;     KSC_FIELDS(code, name, bounds, body) };
/// One condition of an if and what it guards.
struct Branch { Expr condition; Body body;                                      KSC_FIELDS(condition, body) };
/// The same where branches are values.
struct ValueBranch { Expr condition; Expr value;                                KSC_FIELDS(condition, value) };
/// One operator and operand of a chain.
struct ChainLink { Operator op; Expr operand;                                   KSC_FIELDS(op, operand) };
/// One member of a struct value.
struct FieldValue { Name name; Expr value;                                      KSC_FIELDS(name, value) };
/// What the source says of a struct's member.
struct MemberComment { Name member; Name text;                                  KSC_FIELDS(member, text) };
/// --member on the command line; without a help, `help` is no name.
struct CommandOption { Name member; OptionValue value; Name help;               KSC_FIELDS(member, value, help) };
/// A parameter after typing.
struct Parameter { Name name; Type type;                                        KSC_FIELDS(name, type) };
/// Constants that lead to one body of a switch. Without a constant: the default.
struct SwitchCase { Span<Expr> values; Body body;                               KSC_FIELDS(values, body) };

// ---- types as written ---------------------------------------------------------------------------

/// Broken syntax; accepted silently by every check.
struct InvalidType  {                                                           KSC_LEAF(InvalidType) };
/// name, or module.name.
struct NamedType    { Name module; Ident name;                                  KSC_FORM(NamedType, module, name) };
/// *T
struct PointerType  { TypeExpr element;                                         KSC_FORM(PointerType, element) };
/// T[N]
struct ArrayType    { TypeExpr element; Expr count;                             KSC_FORM(ArrayType, element, count) };
/// str(N)
struct StrType      { Expr size;                                                KSC_FORM(StrType, size) };
/// fn(parameters) -> result
struct FunctionType { Span<TypeExpr> parameters; Option<TypeExpr> result;       KSC_FORM(FunctionType, parameters, result) };
/// option T
struct OptionType   { TypeExpr element;                                         KSC_FORM(OptionType, element) };

// ---- expressions as written ---------------------------------------------------------------------

/// Broken syntax or a broken type; accepted silently by every check.
struct InvalidExpr  {                                                           KSC_LEAF(InvalidExpr) };
/// A name that is not bound yet.
struct NameUse      { Ident name;                                               KSC_FORM(NameUse, name) };
/// Something declared at file level, in the prelude, or built in.
struct GlobalName   { Name name;                                                KSC_FORM(GlobalName, name) };
/// A number as written.
struct IntLiteral   { Integer value; Name spelling;                             KSC_FORM(IntLiteral, value, spelling) };
struct FloatLiteral { Name spelling;                                            KSC_FORM(FloatLiteral, spelling) };
struct CharLiteral  { uint32_t value;                                           KSC_FORM(CharLiteral, value) };
struct BoolLiteral  { bool value;                                               KSC_FORM(BoolLiteral, value) };
/// null or none.
struct NullLiteral  {                                                           KSC_LEAF(NullLiteral) };
/// first op operand op operand …, left-associative: long sums stay flat.
struct Chain        { Expr first; Span<ChainLink> rest;                         KSC_FORM(Chain, first, rest) };
/// object.name or object->name.
struct Member       { Expr object; Ident name; bool arrow;                      KSC_FORM(Member, object, name, arrow) };
/// callee(arguments), whatever the callee turns out to be.
struct Apply        { Expr callee; Span<Expr> arguments;                        KSC_FORM(Apply, callee, arguments) };
/// base[index], whatever the base turns out to be.
struct Subscript    { Expr base; Expr index;                                    KSC_FORM(Subscript, base, index) };
/// value as T; `c_style` for (T*)(value).
struct Cast         { Expr value; TypeExpr target; bool c_style;                KSC_FORM(Cast, value, target, c_style) };
/// S { f: e, g } or module.S { … }
struct StructLiteral{ Name module; Ident name; Span<NamedExpr> values;          KSC_FORM(StructLiteral, module, name, values) };
/// [a, b]
struct ArrayLiteral { Span<Expr> values;                                        KSC_FORM(ArrayLiteral, values) };
/// [v; N]
struct ArrayRepeat  { Expr value; Expr count;                                   KSC_FORM(ArrayRepeat, value, count) };
/// new T() or new T(flag)
struct New          { TypeExpr target; Span<Expr> arguments;                    KSC_FORM(New, target, arguments) };
/// S::new()
struct NewValue     { TypeExpr target;                                          KSC_FORM(NewValue, target) };
struct SizeOf       { TypeExpr target;                                          KSC_FORM(SizeOf, target) };
struct OffsetOf     { TypeExpr target; Ident field;                             KSC_FORM(OffsetOf, target, field) };
/// value?
struct Propagate    { Expr value;                                               KSC_FORM(Propagate, value) };
/// An operator and its one or two operands, before their types are known.
struct Operation    { Operator op; Span<Expr> operands;                         KSC_FORM(Operation, op, operands) };

// ---- expressions in several languages -----------------------------------------------------------

/// A string's bytes without the terminating NUL; typed: a str(N) that holds them.
struct StringValue  { Name text;                                                KSC_FORM(StringValue, text) };
/// The local variable or parameter of that name; a place.
struct Local        { Name name;                                                KSC_FORM(Local, name) };
/// left && right: right is evaluated only if left holds.
struct And          { Expr left, right;                                         KSC_FORM(And, left, right) };
/// left || right: right is evaluated only if left does not hold.
struct Or           { Expr left, right;                                         KSC_FORM(Or, left, right) };
/// !value
struct Not          { Expr value;                                               KSC_FORM(Not, value) };
/// condition ? then : otherwise
struct Conditional  { Expr condition, then, otherwise;                          KSC_FORM(Conditional, condition, then, otherwise) };
/// match (subject) { arms }: the value of the first arm with a pattern that the subject meets; void where it is a statement.
struct Match        { Expr subject; Span<MatchArm> arms;                        KSC_FORM(Match, subject, arms) };
/// if (c) { a } else { b } as a value.
struct IfValue      { Span<ValueBranch> branches; Expr otherwise;               KSC_FORM(IfValue, branches, otherwise) };
/// { statements; value } as a value. Without a value: of type void, or it leaves on every path.
struct BlockValue   { Body body; Option<Expr> value;                            KSC_FORM(BlockValue, body, value) };
/// &place
struct AddressOf    { Expr place;                                               KSC_FORM(AddressOf, place) };
/// *pointer; a place.
struct Deref        { Expr pointer;                                             KSC_FORM(Deref, pointer) };

// ---- typed expressions --------------------------------------------------------------------------

/// An integer, bool, char or enum value; `constant` is what the developer called it, if that says more than its decimal
/// digits: the name of a constant, or a hexadecimal literal, which only the C is printed by.
struct Int          { Integer value; Name constant;                             KSC_FORM(Int, value, constant) };
/// Whether it is a hexadecimal literal, and the name of no constant.
inline bool is_hexadecimal(Name name) { return name && (name.text().starts_with("0x") || name.text().starts_with("0X")); }
/// The null of its pointer type.
struct Null         {                                                           KSC_LEAF(Null) };
/// The value of its type whose bytes are all zero.
struct Zero         {                                                           KSC_LEAF(Zero) };
/// A global variable or a config block; a place.
struct Global       { Name name;                                                KSC_FORM(Global, name) };
/// A map itself.
struct MapName      { Name name;                                                KSC_FORM(MapName, name) };
/// An eBPF program or function itself.
struct FunctionName { Name name;                                                KSC_FORM(FunctionName, name) };
/// A member of a struct; a place if the base is one.
struct Field        { Expr base; Name name;                                     KSC_FORM(Field, base, name) };
/// An element of an array or string; a place if the base is one. Out of range it reads zero and writes nothing [L54].
struct Index        { Expr base, index;                                         KSC_FORM(Index, base, index) };
/// map[key] as a value: Maybe(V) for scalar V, else an entry reference, null when absent. Typed as a pointer: the entry's address, or null.
struct MapLookup    { Expr map, key;                                            KSC_FORM(MapLookup, map, key) };
/// map[key] as a place to write to, inserted (zero) when absent.
struct MapEntry     { Expr map, key;                                            KSC_FORM(MapEntry, map, key) };
/// Whether a Maybe or a pointer holds something.
struct Present      { Expr value;                                               KSC_FORM(Present, value) };
/// What a Maybe holds; zero if it holds nothing.
struct ValueOf      { Expr value;                                               KSC_FORM(ValueOf, value) };
struct Unary        { UnaryOp op; Expr value;                                   KSC_FORM(Unary, op, value) };
/// Both operands have the node's type; the result wraps at its width [L22].
struct Binary       { BinaryOp op; Expr left, right;                            KSC_FORM(Binary, op, left, right) };
/// x / 0 == 0, x % 0 == x, the most negative value divided by -1 is itself [L22].
struct Divide       { DivideOp op; Expr left, right;                            KSC_FORM(Divide, op, left, right) };
/// left shifted by `count` modulo the width; right shift of a signed type is arithmetic [L22].
struct Shift        { ShiftOp op; Expr left, count;                             KSC_FORM(Shift, op, left, count) };
/// Both operands have one type; signed or unsigned by it. Pointers and strings too.
struct Compare      { CompareOp op; Expr left, right;                           KSC_FORM(Compare, op, left, right) };
/// The texts of the parts, one behind the other, cut off where the type ends [L21]. A part is a string, or an array of
/// bytes, which is a text up to its first zero.
struct Concatenate  { Span<Expr> parts;                                         KSC_FORM(Concatenate, parts) };
/// The value in another type: integers are truncated or extended as in C; pointers keep their address.
struct Convert      { Expr value;                                               KSC_FORM(Convert, value) };
/// pointer + count elements; count is signed 64-bit.
struct PointerAdd   { Expr pointer, count;                                      KSC_FORM(PointerAdd, pointer, count) };
/// A pointer to that element of the array behind `array`, which moves [L166]; `index` is signed 64-bit, and may lead to
/// none: what is read there is zero, what is written there is lost. Its type has the number of elements.
struct ElementPointer { Expr array, index;                                      KSC_FORM(ElementPointer, array, index) };
/// left - right in elements, as u64.
struct PointerDifference { Expr left, right;                                    KSC_FORM(PointerDifference, left, right) };
/// A function as a value [L64].
struct FunctionValue { Name name;                                               KSC_FORM(FunctionValue, name) };
/// A call of the function that a value is.
struct IndirectCall { Expr function; Span<Expr> arguments;                      KSC_FORM(IndirectCall, function, arguments) };
/// A call of a function of the program.
struct Call         { Name function; Span<Expr> arguments;                      KSC_FORM(Call, function, arguments) };
/// A call of a helper of the kernel.
struct HelperCall   { Name helper; Span<Expr> arguments;                        KSC_FORM(HelperCall, helper, arguments) };
/// map.method(arguments). `m.cpu(k, i)` is what m[k] is on CPU i, of the types that a MapLookup has.
struct MapCall      { Expr map; Name method; Span<Expr> arguments;              KSC_FORM(MapCall, map, method, arguments) };
/// A call of something that the language itself defines: load, attach, sleep, min, …
struct BuiltinCall  { Name function; Span<Expr> arguments;                      KSC_FORM(BuiltinCall, function, arguments) };
/// A struct with these members; the others are zero.
struct StructValue  { Span<FieldValue> values;                                  KSC_FORM(StructValue, values) };
/// An array with these elements; what follows is zero.
struct ArrayValue   { Span<Expr> values;                                        KSC_FORM(ArrayValue, values) };
/// A floating-point number as it is written [L20]; only userspace has these and what follows.
struct FloatValue   { Name spelling;                                            KSC_FORM(FloatValue, spelling) };
struct FloatNegation { Expr value;                                              KSC_FORM(FloatNegation, value) };
/// Both operands have the node's type; the result is rounded to it as IEEE 754 says.
struct FloatOperation { FloatOp op; Expr left, right;                           KSC_FORM(FloatOperation, op, left, right) };
/// Both operands have one type. A NaN is neither equal to anything nor less nor greater.
struct FloatComparison { CompareOp op; Expr left, right;                        KSC_FORM(FloatComparison, op, left, right) };
/// An integer or a floating-point number as the nearest one of the node's type.
struct FloatConversion { Expr value;                                            KSC_FORM(FloatConversion, value) };
/// A floating-point number without its fraction, as the nearest integer that the node's type has; zero for a NaN.
struct FloatTruncation { Expr value;                                            KSC_FORM(FloatTruncation, value) };
/// ctx->data, ctx->data_end: where the packet begins and ends, read anew at each mention [L167].
struct PacketStart  { Expr context;                                             KSC_FORM(PacketStart, context) };
struct PacketEnd    { Expr context;                                             KSC_FORM(PacketEnd, context) };

// ---- what lowering puts in their place ----------------------------------------------------------

/// Whether `size` bytes from `pointer` on lie in the packet of `context`.
struct InPacket     { Expr pointer; Expr context; uint64_t size;                KSC_FORM(InPacket, pointer, context, size) };
/// A pointer to map[key], which is inserted as zero when absent; null where that fails.
struct MapSlot      { Expr map, key;                                            KSC_FORM(MapSlot, map, key) };
/// C's / and %: the divisor is not zero, and nothing overflows.
struct Quotient     { DivideOp op; Expr left, right;                            KSC_FORM(Quotient, op, left, right) };
/// C's << and >>: the count is below the width.
struct CShift       { ShiftOp op; Expr left, count;                             KSC_FORM(CShift, op, left, count) };
/// A call of the support code that the output carries.
struct RuntimeCall  { Name function; Span<Expr> arguments;                      KSC_FORM(RuntimeCall, function, arguments) };
/// The address of a function, for bpf_loop.
struct FunctionAddress { Name name;                                             KSC_FORM(FunctionAddress, name) };

// ---- statements ---------------------------------------------------------------------------------

/// Broken syntax; accepted silently by every check.
struct InvalidStmt  {                                                           KSC_LEAF(InvalidStmt) };
/// var name[: type] [= value] as written.
struct VarStmt      { Ident name; Option<TypeExpr> type; Option<Expr> value;    KSC_FORM(VarStmt, name, type, value) };
/// place = value, or place op= value, as written (op None: plain).
struct AssignStmt   { Operator op; Expr place, value;                           KSC_FORM(AssignStmt, op, place, value) };
/// if (var name[: type] = value) then else otherwise, as written.
struct IfVar        { Ident name; Option<TypeExpr> type; Expr value; Body then, otherwise; KSC_FORM(IfVar, name, type, value, then, otherwise) };
/// body; what it throws goes to the first clause that takes it, else on to the try around.
struct Try          { Body body; Span<CatchClause> clauses;                     KSC_FORM(Try, body, clauses) };
inline bool catches_bounds(const Try& attempt) {
  for (const CatchClause& clause : attempt.clauses)
    if (clause.bounds) return true;
  return false;
}
/// Ends everything up to the nearest try that takes the code, an i32.
struct Throw        { Expr code;                                                KSC_FORM(Throw, code) };
/// body, where the function is left [L46]. As written: `call` says that it is a call, whose arguments are evaluated now.
struct Defer        { Body body; bool call;                                     KSC_FORM(Defer, body, call) };
/// body; then cleanup, on whatever way the body was left. It is what a function does last.
struct Finally      { Body body, cleanup;                                       KSC_FORM(Finally, body, cleanup) };
/// body, in a cleanup; what is raised in it ends it, and is raised when the cleanup has come to its end.
struct Guarded      { Body body;                                                KSC_FORM(Guarded, body) };
/// body, whose failures in userspace do not end the program: the variable `error` holds what they throw, 0 if nothing failed.
struct Attempt      { Expr error; Body body;                                    KSC_FORM(Attempt, error, body) };
/// delete place, as written.
struct Delete       { Expr place;                                               KSC_FORM(Delete, place) };
/// for (key, value in map) body.
struct ForEach      { Ident key, value; Expr map; Body body;                    KSC_FORM(ForEach, key, value, map, body) };
/// An expression for its effect.
struct Evaluate     { Expr value;                                               KSC_FORM(Evaluate, value) };
/// { … } in a scope of its own.
struct Block        { Body body;                                                KSC_FORM(Block, body) };
/// The first branch whose condition holds, else `otherwise`.
struct If           { Span<Branch> branches; Body otherwise;                    KSC_FORM(If, branches, otherwise) };
/// for (name in low..high) body; closed if inclusive. Bounds are evaluated once; the body sees a copy of the counter.
struct For          { Ident name; Expr low, high; bool inclusive; Body body;    KSC_FORM(For, name, low, high, inclusive, body) };
struct While        { Expr condition; Body body;                                KSC_FORM(While, condition, body) };
/// loop body: until break.
struct Loop         { Body body;                                                KSC_FORM(Loop, body) };
struct Break        {                                                           KSC_LEAF(Break) };
struct Continue     {                                                           KSC_LEAF(Continue) };
struct Return       { Option<Expr> value;                                       KSC_FORM(Return, value) };
/// A local variable of that type; without a value it is zero each time [L142].
struct Let          { Name name; Type type; Option<Expr> value;                 KSC_FORM(Let, name, type, value) };
/// place = value, of one type. The place's operands are evaluated first, then the value; the access itself comes last.
struct Assign       { Expr place, value;                                        KSC_FORM(Assign, place, value) };
/// place op= value: the place is evaluated once [L40].
struct Update       { Operator op; Expr place, value;                           KSC_FORM(Update, op, place, value) };
/// if (var name = value): name is bound, and `then` runs, if the value is present (or, for other types, holds as a condition).
struct IfPresent    { Name name; Type type; Expr value; Body then, otherwise;   KSC_FORM(IfPresent, name, type, value, then, otherwise) };
/// for (key, value in map) body, for each entry that is there when its turn comes, in any order: `key` is a copy, `entry` refers to the value.
struct MapLoop      { Name key, entry; Type type; Expr map; Body body;          KSC_FORM(MapLoop, key, entry, type, map, body) };
/// for (cpu, value in map.each_cpu(key)) body, for each CPU: `value` is a copy of what map[key] is there. All are read before the first turn;
/// there is none if the key is absent.
struct CpuLoop      { Name cpu, value; Expr map, key; Body body;                KSC_FORM(CpuLoop, cpu, value, map, key, body) };
/// `size` bytes from where `source` leads to where `destination` leads, one after the other, until one of them ends [L36].
struct CopyBytes    { Expr source, destination, size;                           KSC_FORM(CopyBytes, source, destination, size) };
/// delete map[key]
struct MapDelete    { Expr map, key;                                            KSC_FORM(MapDelete, map, key) };
/// Prints a line: a format with verbs (%d, %s, …) as developers write it [L75], and its arguments.
struct Print        { Name format; Span<Expr> arguments;                        KSC_FORM(Print, format, arguments) };
/// Prints what a line begins with, in userspace; the next Print ends it.
struct PrintPart    { Name format; Span<Expr> arguments;                        KSC_FORM(PrintPart, format, arguments) };
/// return program(context): that program takes over; if it cannot, the safe verdict is returned [L63].
struct TailCall     { Name program; Expr context;                               KSC_FORM(TailCall, program, context) };
/// The body of the case that holds the value, else the default's. No falling through.
struct Switch       { Expr value; Span<SwitchCase> cases;                       KSC_FORM(Switch, value, cases) };
/// Leaves the function for a reason which is not a result: an entry function with its pass-through verdict, if no `catch bounds` is
/// around [L146].
struct Leave        { LeaveReason reason;                                       KSC_FORM(Leave, reason) };
/// Goes to the try around with that status (ir/status.h), or out of the function, whose caller is given it.
struct Raise        { Expr status;                                              KSC_FORM(Raise, status) };
/// body; a Goto of the label in it ends it.
struct Labelled     { Name label; Body body;                                    KSC_FORM(Labelled, label, body) };
/// To the end of the statement of that label, which is around.
struct Goto         { Name label;                                               KSC_FORM(Goto, label) };
/// map[key] = value: inserts or replaces; nothing if that fails.
struct MapStore     { Expr map, key, value;                                     KSC_FORM(MapStore, map, key, value) };
/// *pointer op= value in one atomic instruction; nothing if it is the address of an element that is not there.
struct AtomicUpdate { Operator op; Expr pointer, value;                         KSC_FORM(AtomicUpdate, op, pointer, value) };
/// for (name = low; name < high (or <=); name++) of C: low and high are constants or names that the body does not change.
struct CountedLoop  { Name name; Type type; Expr low, high; bool inclusive; Body body; KSC_FORM(CountedLoop, name, type, low, high, inclusive, body) };
/// bpf_printk(format, arguments) with verbs of the kernel.
struct TraceLine    { Name format; Span<Expr> arguments;                        KSC_FORM(TraceLine, format, arguments) };

// ---- declarations -------------------------------------------------------------------------------

/// Broken syntax; accepted silently by every check. `names` are those that it may have declared.
struct InvalidDecl  { Span<Name> names;                                         KSC_FORM(InvalidDecl, names) };
/// import name from "path"; once files are loaded, `path` is that of the Module.
struct Import       { Ident name; Name path;                                    KSC_FORM(Import, name, path) };
/// include "path"; `system` for <path>; once files are loaded, `path` is that of the Module.
struct Include      { Name path; bool system;                                   KSC_FORM(Include, path, system) };
/// What another file declares, which Imports and Includes of it name by its path.
struct Module       { Name path; Span<Decl> declarations;                       KSC_FORM(Module, path, declarations) };
/// license "…"
struct License      { Name text;                                                KSC_FORM(License, text) };
/// type name = target
struct AliasDecl    { Ident name; TypeExpr target; Visibility visibility;       KSC_FORM(AliasDecl, name, target, visibility) };
struct StructDecl   { Ident name; Span<MemberDecl> members_; Visibility visibility; KSC_FORM(StructDecl, name, members_, visibility) };
struct EnumDecl     { Ident name; Span<EnumerationItem> items; Visibility visibility; KSC_FORM(EnumDecl, name, items, visibility) };
struct ConstDecl    { Ident name; Option<TypeExpr> type; Expr value; Visibility visibility; KSC_FORM(ConstDecl, name, type, value, visibility) };
struct ConfigDecl   { Ident name; Span<ConfigItem> items; Visibility visibility; KSC_FORM(ConfigDecl, name, items, visibility) };
struct VarDecl      { Ident name; Option<TypeExpr> type; Option<Expr> value; Storage storage; Visibility visibility; KSC_FORM(VarDecl, name, type, value, storage, visibility) };
/// [pin] [@flags(…)] var name : map_kind<parameters>(size, options); `size` is missing for storage maps.
struct MapDecl      { Ident name; Ident map_kind; Span<TypeExpr> parameters; Option<Expr> size; Span<NamedExpr> options; Span<Expr> flags; bool pinned; Visibility visibility;
                                                                                KSC_FORM(MapDecl, name, map_kind, parameters, size, options, flags, pinned, visibility) };
struct ExternDecl   { Ident name; Span<TypedName> parameters; Option<TypeExpr> result; KSC_FORM(ExternDecl, name, parameters, result) };
struct ImplDecl     { Span<Attribute> attributes; Ident name; Span<Decl> functions; Span<NamedExpr> values; KSC_FORM(ImplDecl, attributes, name, functions, values) };
/// [attributes] [pub|priv] fn name(parameters) [-> [result_name:] result] body
struct FunctionDecl { Span<Attribute> attributes; Visibility visibility; Ident name; Span<TypedName> parameters; Ident result_name; Option<TypeExpr> result; Body body;
                                                                                KSC_FORM(FunctionDecl, attributes, visibility, name, parameters, result_name, result, body) };

/// A struct of the developer's; its members are in the type, `comments` are those that the source has on some of them.
struct StructDef    { Type type; Span<MemberComment> comments;                  KSC_FORM(StructDef, type, comments) };
/// An enum of the developer's; its items are in the type.
struct EnumDef      { Type type;                                                KSC_FORM(EnumDef, type) };
/// A constant that the generated code may name.
struct ConstDef     { Name name; Type type; Expr value;                         KSC_FORM(ConstDef, name, type, value) };
/// A config block: one struct variable [L13]; values for its members in order.
struct ConfigDef    { Name name; Type type; Span<FieldValue> values;            KSC_FORM(ConfigDef, name, type, values) };
struct GlobalDef    { Name name; Type type; Option<Expr> value; Storage storage; KSC_FORM(GlobalDef, name, type, value, storage) };
struct MapDef       { Name name; Type type; uint64_t flags; bool pinned; bool shared; KSC_FORM(MapDef, name, type, flags, pinned, shared) };
/// A function. `program_type` names the file in backends/program_types (Domain Program); `target` is the attribute's argument.
struct FunctionDef  { Name name; Domain domain; Name program_type; Name target; Span<Parameter> parameters; Name result_name; Type result; bool throws; Body body;
                                                                                KSC_FORM(FunctionDef, name, domain, program_type, target, parameters, result_name, result, throws, body) };
/// The program array through which tail calls of one program type go, with its programs in order.
struct ProgramArray { Name name; Name program_type; Span<Name> programs;        KSC_FORM(ProgramArray, name, program_type, programs) };
/// The one-entry map that holds every pinned global, and the values it starts with [L14].
struct PinnedGlobals { Name name; Type type; Span<FieldValue> values;           KSC_FORM(PinnedGlobals, name, type, values) };
/// A map in which the variables of one program lie, and of what it calls: `slots` values for each CPU, one for each run that can be
/// under way there [L60].
struct Scratch      { Name name; Type type; uint32_t slots;                     KSC_FORM(Scratch, name, type, slots) };
/// @on_fault(verdict): what a program gives when it is left early, in place of its type's pass-through verdict [L162].
struct FaultVerdict { Name program; Expr verdict;                               KSC_FORM(FaultVerdict, program, verdict) };
/// The options of the userspace program, one for each member of the struct that `main` is given; a member without its option on the
/// command line is zero [L70].
struct CommandLine  { Type type; Span<CommandOption> options;                   KSC_FORM(CommandLine, type, options) };

// clang-format on

}  // namespace ksc

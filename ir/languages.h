// SPDX-License-Identifier: Apache-2.0
// The whole chain, one line each: what the last step bought.
#pragma once
#include "ir/lang.h"

namespace ksc::lang {

/// What the parser gives: names are words, types are written, broken syntax is Invalid.
inline constexpr Lang Parsed = language_of(
    Kind::InvalidType, Kind::NamedType, Kind::PointerType, Kind::ArrayType, Kind::StrType, Kind::FunctionType, Kind::OptionType,
    Kind::InvalidExpr, Kind::NameUse, Kind::IntLiteral, Kind::FloatLiteral, Kind::CharLiteral, Kind::BoolLiteral, Kind::NullLiteral,
    Kind::StringValue, Kind::Chain, Kind::Member, Kind::Apply, Kind::Subscript, Kind::Cast, Kind::StructLiteral, Kind::ArrayLiteral,
    Kind::ArrayRepeat, Kind::New, Kind::NewValue, Kind::SizeOf, Kind::OffsetOf, Kind::Propagate, Kind::Operation, Kind::And, Kind::Or,
    Kind::Not, Kind::Conditional, Kind::Match, Kind::IfValue, Kind::BlockValue, Kind::AddressOf, Kind::Deref,
    Kind::InvalidStmt, Kind::VarStmt, Kind::AssignStmt, Kind::IfVar, Kind::Try, Kind::Throw, Kind::Defer, Kind::Delete, Kind::ForEach,
    Kind::Evaluate, Kind::Block, Kind::If, Kind::For, Kind::While, Kind::Loop, Kind::Break, Kind::Continue, Kind::Return,
    Kind::InvalidDecl, Kind::Import, Kind::Include, Kind::License, Kind::AliasDecl, Kind::StructDecl, Kind::EnumDecl, Kind::ConstDecl,
    Kind::ConfigDecl, Kind::VarDecl, Kind::MapDecl, Kind::ExternDecl, Kind::ImplDecl, Kind::FunctionDecl);

/// Each name is bound to one symbol: a local's is unique in the program.
inline constexpr Lang Resolved = Parsed - Kind::NameUse + Kind::Local + Kind::GlobalName + Rule::NamesBound;

/// Each expression has its type; conversions, places and calls are spelled out.
inline constexpr Lang Typed =
    language_of(Kind::InvalidExpr, Kind::InvalidStmt, Kind::StringValue, Kind::Local, Kind::And, Kind::Or, Kind::Not, Kind::Conditional,
                Kind::Match, Kind::IfValue, Kind::BlockValue, Kind::AddressOf, Kind::Deref, Kind::Int, Kind::Null, Kind::Zero,
                Kind::Global, Kind::MapName, Kind::FunctionName, Kind::Field, Kind::Index, Kind::MapLookup, Kind::MapEntry,
                Kind::Present, Kind::ValueOf, Kind::Unary, Kind::Binary, Kind::Divide, Kind::Shift, Kind::Compare, Kind::Convert,
                Kind::PointerAdd, Kind::PointerDifference, Kind::Call, Kind::HelperCall, Kind::MapCall, Kind::BuiltinCall,
                Kind::StructValue, Kind::ArrayValue, Kind::PacketStart, Kind::PacketEnd, Kind::Evaluate, Kind::Block, Kind::If,
                Kind::For, Kind::While, Kind::Loop, Kind::Break, Kind::Continue, Kind::Return, Kind::Let, Kind::Assign, Kind::Update,
                Kind::IfPresent, Kind::MapDelete, Kind::Print, Kind::StructDef, Kind::EnumDef, Kind::ConstDef, Kind::ConfigDef,
                Kind::GlobalDef, Kind::MapDef, Kind::FunctionDef, Kind::License) +
    Rule::NamesBound + Rule::Typed;

inline constexpr Lang NullChecked = Typed + Rule::NullChecked;                     // no null is dereferenced
inline constexpr Lang Sound = NullChecked - Kind::InvalidExpr - Kind::InvalidStmt; // nothing was wrong: lowering begins
inline constexpr Lang ReturnsSplit = Sound + Rule::ReturnsExplicit;                // return match … returns in each arm
inline constexpr Lang TailCallsFound = ReturnsSplit + Kind::TailCall + Rule::TailCallsFound;  // return program(ctx) is its own form
inline constexpr Lang NoIfPresent = TailCallsFound - Kind::IfPresent;              // if (var x = e) is a declaration and a test
inline constexpr Lang NoMatch = NoIfPresent - Kind::Match + Kind::Switch;          // match is a switch or a chain of branches
inline constexpr Lang NoIfValue = NoMatch - Kind::IfValue;                         // if as a value assigns in its branches
inline constexpr Lang NoWhile = NoIfValue - Kind::While;                           // while is a loop with a break
inline constexpr Lang NoFor = NoWhile - Kind::For + Kind::CountedLoop;             // for counts over bounds that are known names

}  // namespace ksc::lang

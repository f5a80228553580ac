// SPDX-License-Identifier: Apache-2.0
// What the parser tells the formatter about the tokens of a file: only who has understood a program knows whether `*`
// is an operator or part of a type, and whether `{` begins statements or the value of a struct.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "frontend/token.h"

namespace ksc {

/// What a token is, where its kind does not say it.
enum class Role : uint8_t {
  Plain,
  Name,        // a keyword that is a name here
  Word,        // a name that is a keyword here
  Prefix,      // before what it belongs to: an operator, the `*` of a pointer's type, the `)` of C's cast
  Suffix,      // behind what it belongs to: the `*` in C's cast
  Result,      // `->` before the type of a result
  TypeList,    // `<` and `>` around types
  Path,        // `<` before the path of an include
  Propagate,   // `?` behind a value
  Otherwise,   // `:` of a conditional
  MapKind,     // `:` before the kind of a map
  Statements,  // `{` of a block
  Members,     // `{` of a declaration
  Arms,        // `{` of a match
  Fields,      // `{` of a struct's value
  Elements,    // `[` of an array's value, its elements one by one
  Repeat,      // `;` of `[v; N]`
  Null,        // `none`
};

/// What begins with a token.
enum class Begin : uint8_t {
  Nothing,
  Declaration,
  Modifier,   // an attribute or another word before a declaration, or the declaration's keyword behind them
  Statement,  // also the functions of an impl
  Item,       // a member, an arm, a field
};

/// Tokens from `begin` up to `end`, which is the first behind them.
struct TokenRange {
  size_t begin = 0, end = 0;
};

/// A type with its dimensions. In `[T; N]` and `[T N]` the type of the elements begins behind `begin`.
struct TypeSpelling {
  TokenRange all;
  size_t dimensions = 0;  // where those of `T[N]` begin
  TokenRange count;       // N of `[T; N]`; empty: the type does not begin with `[`
};

/// The head of a `for`, behind the word.
struct ForSpelling {
  TokenRange head;
  bool in_parentheses = false;            // (k, v in m)
  std::vector<size_t> inner_parentheses;  // those of (k, v) in m and ((k, v) in m)
};

/// The words before `fn` or `var`, an attribute with its arguments being one.
struct ModifierList {
  std::vector<TokenRange> words;
};

/// A file without syntax errors, as the formatter needs it.
struct Outline {
  Tokens tokens;
  std::vector<Role> roles;    // of each token
  std::vector<Begin> begins;  // with each token
  std::vector<TypeSpelling> types;
  std::vector<ForSpelling> loops;
  std::vector<ModifierList> modifiers;
  std::vector<TokenRange> bare_conditions;  // without parentheses [L41]
  std::vector<TokenRange> bare_bodies;      // without braces [L41]
  std::vector<size_t> superfluous;          // words that may be left out
};

}  // namespace ksc

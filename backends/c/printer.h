// SPDX-License-Identifier: Apache-2.0
// The one C printer: all C backends share it.
#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/context.h"
#include "ir/languages.h"

namespace ksc::c {

/// The forms that some C backend prints.
inline constexpr Lang Printed{lang::C.forms | lang::UserC.forms, {}};

/// By FloatOp.
inline constexpr std::string_view float_operators[] = {"+", "-", "*", "/"};

/// How tightly a piece of C binds; in a tighter place it gets parentheses.
enum class Binding {
  Assign,
  Conditional,
  Or,
  And,
  BitOr,
  BitXor,
  BitAnd,
  Equality,
  Relation,
  Shift,
  Sum,
  Product,
  Unary,
  Postfix
};

/// How an operator is written.
struct OperatorText {
  std::string_view text;
  Binding binding;
};
OperatorText c_operator(BinaryOp op);

/// What the backends say differently of the same forms.
struct Dialect {
  bool ebpf = true;
  std::map<Name, std::string, ByText> globals;  // how functions reach a global, where not by its name
  std::set<Name, ByText> maps;                  // whose names have to do for the object's skeleton as well
  /// Prints a call that only this backend knows; the arguments are typed expressions.
  std::function<std::string(const Node<BuiltinCall>&)> builtin;
};

/// The names of a program's maps.
std::set<Name, ByText> map_names(const Program& program);

/// Prints types, expressions and functions as C that people read. One object prints one file.
class Printer {
 public:
  Printer(const Context& context, Dialect dialect);

  /// A declaration of `name`, or the type alone: `__u32 n`, `char s[16]`, `struct iphdr *ip`.
  std::string declaration(Type type, const std::string& name);
  /// What a thing at file level is called in C.
  std::string global_name(Name name) const;
  /// What a struct's member is called in C: a keyword of C may be a member's name in KernelScript.
  std::string member_name(Type structure, Name name) const;
  /// What a local of the function at work is called in C.
  std::string local_name(Name name);
  /// An expression; in parentheses if it binds less tightly than `least`.
  std::string expression(const Expr& e, Binding least = Binding::Assign);
  /// The same where C converts to `target` by itself: casts that lose nothing are left out.
  std::string value(const Expr& e, Type target, Binding least = Binding::Assign);
  /// As a condition: pointers stand for themselves.
  std::string condition(const Expr& e, Binding least = Binding::Assign);
  /// An initialiser: `= {.a = 1}`.
  std::string initialiser(const Expr& e);

  /// A function's header without `;` or body.
  std::string header(const FunctionDef& f, const std::string& prefix);
  /// A function's body in braces.
  std::string body(const FunctionDef& f);
  void statement(const Stmt& s);
  void statements(const Body& body);
  std::string struct_definition(Type type);
  std::string enum_definition(Type type);
  std::string constant_definition(const ConstDef& constant);

  /// `#line` for what comes next, unless C compilers count on to that line themselves.
  void line_mark(Loc loc);
  /// Writes one indented line.
  void line(const std::string& text);
  /// A string literal of C.
  std::string quoted(std::string_view text);
  std::string take() { return std::exchange(out_, {}); }
  /// Sets which file `#line` names, by index of the source; without one no marks are written.
  std::function<std::pair<std::string, uint32_t>(Loc)> locate;

  /// Lets C call a constant by its name: it is declared, and no macro.
  void know_constant(Name name) { constants_.emplace(name.text(), name); }

  /// Keeps a name at file level free of locals: a local would hide it.
  void reserve(Name name) { reserved_.insert(global_name(name)); }

  /// Structs, enums and constants that what was printed names.
  std::set<std::string, std::less<>> used;
  /// C headers that what was printed needs.
  std::set<std::string, std::less<>> headers;
  int depth = 0;

 private:
  std::string basic_type(Type type);
  static std::string zero_text(Type type);
  std::string named_constant(std::string_view name);
  std::string literal(const Node<Int>& n, bool typed);
  std::string cast(Type type, const std::string& text) { return "(" + declaration(type, "") + ")" + text; }
  std::string wrapped(const std::string& text, Binding own, Binding least) {
    return own < least ? "(" + text + ")" : text;
  }
  std::string operand(const Expr& e, Binding least, bool is_left);
  std::string sibling(const Expr& e, const Expr& other, Binding least, bool is_left);
  std::string narrow(Type type, const std::string& text, Binding own, Binding least);
  std::string place(const Expr& e, Binding least);
  std::string call(std::string_view function, Span<Expr> arguments);
  std::string new_object(Type type);
  std::string in_packet(const InPacket& test, bool holds, Binding least);
  void print(std::string_view function, Name text_of_line, const Span<Expr>& values);
  void let(const Let& n);
  void mark_unused(Name name);
  void branches(const Node<If>& n);
  void switch_statement(const Node<Switch>& n);

  const Context& context_;
  Dialect dialect_;
  std::string out_;
  std::string marked_file_;
  uint32_t next_line_ = 0;  // which line of that file C compilers take the next one for
  NameMap<std::string> locals_;
  std::set<std::string, std::less<>> taken_, reserved_;
  std::map<std::string, int> next_number_;      // of a local, by its spelling: numbers below it are taken
  NameSet reads_;                               // locals of the function at work that something reads
  std::map<std::string_view, Name> constants_;  // the developer's constants and enumerators that C knows by name
  bool truncates_ = false;                      // what is printed next is cut to its width by where it goes
};
std::string integer_text(__int128 value);
/// The constant that a number is called by, also where it is called by what is made of one: bpf_htons(PORT) or
/// KS_THROW(PORT).
std::string_view constant_within(std::string_view name);
bool is_byte_pointer(Type type);
/// Bytes of a packet are a `void *` in C, as everybody writes it.
bool is_void_pointer(Type type);

}  // namespace ksc::c

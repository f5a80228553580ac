// SPDX-License-Identifier: Apache-2.0
// The unit behind infer_types: one class, its members in one file a nonterminal (inference_*.cc).
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/builtins.h"
#include "ir/helper_signatures.h"
#include "ir/languages.h"
#include "ir/map_kind.h"
#include "ir/program_type.h"
#include "ir/rewrite.h"
#include "passes/ways_out.h"

namespace ksc {

/// Something declared at file level.
struct Entity {
  enum class Kind { Unknown, Alias, Struct, Enum, Constant, Variable, Config, Map, Function };
  Kind kind = Kind::Unknown;
  Decl declaration;
  Type type = nullptr;                        // of its value; of a function: its function type
  Integer value;                              // Constant
  Option<Expr> initial;                       // Constant that has a place [L17]
  Storage storage = Storage::Shared;          // Variable; Constant if it has a place [L17]
  uint64_t flags = 0;                         // Map
  Domain domain = Domain::User;               // Function
  bool runs_nowhere = false;                  // Function: its attribute has been reported
  const ProgramType* program_type = nullptr;  // Function of Domain::Program
  Name target;                                // its attribute's argument
  enum class State { Waiting, AtWork, Done } state = State::Waiting;
};

/// A function as it is declared: with these types of parameters, and with the context behind them if that has a type.
struct Instance {
  Name function, name;  // as written, and in the program
  std::vector<Type> parameters;
  Type context;
  Type result = nullptr;  // of one that gives a pointer: what it gives, once that is known
  bool is_at_work = false;
  std::vector<Decl> declared{};
};

/// Whether this is a pointer of which the type does not say where it leads.
inline bool is_open(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Any; }
inline bool may_lead(Type type) { return is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef); }
/// Whether arithmetic may move the pointer within a variable: the program says how large that is.
inline bool has_known_size(Type pointer) {
  return points_into(pointer, Space::Stack) || points_into(pointer, Space::MapValue) ||
         points_into(pointer, Space::ReadOnly);
}
inline bool is_in_packet(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Packet; }

/// Whether this is a choice between values, whose type is what those meet at.
inline bool is_choice(const Expr& e) {
  return kind_of(e) == Kind::Conditional || kind_of(e) == Kind::IfValue || kind_of(e) == Kind::Match;
}

/// Whether an array is one of characters or bytes: `%s` shows it [L75], and it converts to a string [L21].
inline bool is_text_array(Type type) {
  if (is(type, TypeKind::EntryRef)) type = type->element;
  if (!is(type, TypeKind::Array)) return false;
  return is(type->element, TypeKind::Char) ||
         (is(type->element, TypeKind::Int) && type->element->bits == 8 && !type->element->is_signed);
}

/// What a value is wanted for. An operand takes nothing from what the whole is wanted as, since its operation has the
/// width of the operands [L23]; only choices between constants have no width of their own, and take that.
struct Expected {
  Type type = nullptr;
  bool of_constants = false;
  Expected() = default;
  Expected(Type wanted) : type(wanted) {}
  Expected(std::nullptr_t) {}
  operator Type() const { return type; }
  Type operator->() const { return type; }
  /// The same for an operand.
  Expected for_constants() const {
    Expected changed(type);
    changed.of_constants = true;
    return changed;
  }
};

/// Gives every expression its type, and spells out what the source leaves to the reader: conversions, places, kinds of
/// calls.
class Inference {
 public:
  explicit Inference(Context& context) : c(context), t(context.types) {}
  Program program(const Program& in);

 private:
  // ---- declarations (inference_declarations.cc)
  void collect(const Decl& d);
  /// The names that a broken declaration may have declared: nothing is said about them.
  void collect_broken(const Decl& d);
  Entity* find_entity(Name name);
  bool is_constant(Name global) const {
    const auto entity = entities_.find(global);
    return entity != entities_.end() && entity->second.kind == Entity::Kind::Constant;
  }
  void complete(Entity& entity);
  /// Says, once, that too many declarations wait for one another or are within one another.
  void report_chain(const Ident& name, int most);
  /// How many structs are within one another, this one counted.
  int nesting_of(Type type) const;
  template <class Item>
  std::vector<StructField> members(const Span<Item>& items, Type whole, std::string_view what);
  void complete_struct(const Node<StructDecl>& n, Entity& entity);
  void complete_enum(const Node<EnumDecl>& n, Entity& entity);
  void complete_constant(const Node<ConstDecl>& n, Entity& entity);
  void complete_config(const Node<ConfigDecl>& n, Entity& entity);
  void complete_variable(const Node<VarDecl>& n, Entity& entity);
  void declare(const Decl& d, std::vector<Decl>& out);
  void declare_global(Name name, const Option<Expr>& value, const Entity& entity, Loc loc, std::vector<Decl>& out);
  /// Whether the value is known when the program is compiled; reports what is not.
  bool initial_value(const Expr& e);

  // ---- maps (inference_maps.cc)
  void complete_map(const Node<MapDecl>& n, Entity& entity);
  uint64_t map_flags(const Node<MapDecl>& n, const MapKind& kind);
  void declare_map(const Node<MapDecl>& n, const Entity& entity, std::vector<Decl>& out);

  // ---- functions (inference_functions.cc)
  void complete_function(const Node<FunctionDecl>& n, Entity& entity);
  /// The name of a verdict that only programs of other types give; no name for other values.
  Name foreign_verdict(const Expr& verdict);
  /// Warns of one among the values that a program may give.
  void warn_of_foreign_verdicts(const Expr& value);
  void declare_fault_verdict(const Node<FunctionDecl>& n, std::vector<Decl>& out);
  void declare_function(const Node<FunctionDecl>& n, std::vector<Decl>& out);
  // inference_instances.cc
  void declare_body(const FunctionDecl& n, Loc loc, const Entity& entity, Instance& one, std::vector<Decl>& out);
  /// One attempt, which is the last one unless `is_learning_`.
  std::vector<Decl> typed_body(const FunctionDecl& n, Loc loc, const Entity& entity, const Instance& one);
  void declare_instance(Instance& one);
  void declare_parameters(const FunctionDecl& n, const Instance& one, std::vector<Parameter>& parameters,
                          std::vector<Stmt>& first);
  /// What calls of helpers with pointers have asked for.
  void declare_instances(std::vector<Decl>& out);
  bool takes_pointers(const Entity& entity);
  /// Whether the function is compiled once for each memory that this parameter, counted from 0, leads into.
  bool is_specialised(const Entity& entity, size_t parameter);
  /// Whether it gives a pointer, into a memory that its body tells.
  static bool gives_pointer(const Entity& entity);
  Instance& instance(Name function, const std::vector<Type>& parameters, Type context);
  /// A call of a function that gives a pointer, as what it gives.
  Expr pointer_given(const Instance& called, const std::vector<Expr>& arguments, Loc loc);
  /// What a function with such a result is declared to give.
  Type passed_result(Type result);
  void return_pointer(const Expr& given, Loc loc);
  /// Where the pointers lead that the function gives which was looked at last.
  Type result_memory(const Instance& one, Loc loc);
  // inference_memories.cc
  /// Notes which memory a variable points into that was declared without saying.
  void learn_memory(const Local& local, const Expr& given);
  void learn_result(const Expr& given);
  /// The same pointer or reference, which may be null.
  Type nullable(Type pointer);
  /// One memory that holds both; null if there is none.
  Type common_memory(Type known, Type given);
  /// The type of a variable, where its declaration does not say which memory it points into.
  Type remembered(Name local, Type declared) const;
  Expr call_instance(const Entity& entity, Name function, const std::vector<Expr>& values, Loc loc);
  // inference_element_pointers.cc
  /// Whether some function of that name moves that parameter by arithmetic, counted from 0.
  bool moves_parameter(std::string_view function, size_t parameter) const;
  void find_moved_parameters();
  void find_moved_variables(const FunctionDecl& function);
  bool is_moved(Name local) const { return moved_.count(local) && !(local == result_name_); }
  /// The pointer as one that moves in its array; reports and gives Invalid where nothing tells how large that is.
  Expr moving(const Expr& pointer);
  Expr moving_choice(const Expr& choice);
  /// Two pointers as ones that move in arrays of one size; reports and gives nothing if they do not.
  std::optional<std::pair<Expr, Expr>> both_moving(const Expr& left, const Expr& right);
  /// A pointer that moves as one that does not: null where it leads to no element. Other values themselves.
  Expr resting(const Expr& pointer);
  void report_two_arrays(const Expr& pointer, Type type);
  // inference_offsets.cc
  /// How far behind the packet's start a pointer leads.
  Expr packet_offset(const Expr& pointer);
  /// The same of an argument, with the proof that it is not null.
  Expr passed_offset(const Expr& pointer);
  /// The same without measuring it, where what the pointer is computed from tells it.
  std::optional<Expr> known_offset(const Expr& pointer);
  /// Notes how far a variable leads that is given nothing else.
  void note_offset(Name local, const Expr& pointer);
  /// What a function gave as it gave it, a distance that may be absent; nothing for other pointers.
  std::optional<Expr> given_offset(const Expr& pointer);
  /// A variable's value, behind what is computed for it, which stays in sight: what a function gave is known by its
  /// distance from then on.
  Expr held_pointer(Name local, const Expr& value);
  /// Where the packet of the function at work begins.
  Expr packet_start(Loc loc);
  /// How many bytes the packet of a context has.
  Expr packet_size(const Expr& context, Loc loc);
  /// Whether the program has its type's context; reports what is wrong with its header.
  void check_program_signature(const Node<FunctionDecl>& n, const ProgramType& type, std::vector<Type>& parameters,
                               Type& result);
  void check_main(const Node<FunctionDecl>& n, const Entity& entity);
  /// Reports members of the struct of options that are options of every program [L70].
  void report_taken_options(Type arguments);

  // ---- types (inference_types.cc)
  Type resolve(const TypeExpr& type);
  /// The type of that name; that of a module does not exist, since modules are linked.
  Type named_type(Name module, const Ident& name, Loc loc);
  /// The type of something that is kept where `what` says: reports types that cannot be kept there.
  Type stored_type(const TypeExpr& type, std::string_view what);
  Type function_type(const Node<FunctionType>& n);
  Type kernel_struct(const KernelStruct& description);
  Type kernel_enum(const KernelEnum& description);
  Type kernel_notation(std::string_view notation);
  uint64_t size_constant(const Expr& e, uint64_t limit);
  std::optional<Integer> constant_value(const Expr& e);
  /// A constant expression as what it comes to [L23], and so what structs and arrays hold; other expressions
  /// themselves.
  Expr computed(const Expr& e);

  // ---- statements (inference_statements.cc)
  Body body(const Body& in);
  void statements(const Body& in);
  void statement(const Stmt& s);
  void var_statement(const Node<VarStmt>& n);
  void assign_statement(const Node<AssignStmt>& n);
  void if_var(const Node<IfVar>& n);
  /// With branches that are not statements alone; they are called where the variable has its type.
  void if_var(const Node<IfVar>& n, const std::function<std::pair<Body, Body>()>& branches);
  void for_statement(const Node<For>& n);
  void for_each(const Node<ForEach>& n);
  /// for (cpu, v in m.each_cpu(k)).
  void for_each_cpu(const Node<ForEach>& n, const Expr& map, const Node<Apply>& call);
  void return_statement(const Node<Return>& n);
  void delete_statement(const Node<Delete>& n);
  /// delete p: what `new` gave ends.
  void delete_pointer(const Node<Delete>& n);
  // inference_errors.cc
  void throw_statement(const Node<Throw>& n);
  void try_statement(const Node<Try>& n);
  void defer_statement(const Node<Defer>& n);
  /// The call, whose arguments have been evaluated before it.
  Body with_arguments_evaluated(const Body& call);
  void report_leaving(std::string_view what, Loc loc);
  /// panic(message) or assert(condition, message) [L47]: a block without a value.
  Expr infer_panic(bool asserts, Span<Expr> arguments, Loc loc);
  /// ip4, ip6 and mac [L4].
  Expr infer_address(std::string_view name, Span<Expr> arguments, Loc loc);
  /// e?: what is there behind a test that leaves where nothing is [L34].
  Expr infer_propagate(const Node<Propagate>& n, Expected expected);
  /// An expression as a statement.
  void evaluate(const Expr& e);
  // inference_print.cc
  void print_statement(const Node<Apply>& n);
  void memory_copy_statement(const Node<Apply>& n);
  /// Where one side of a copy lies, as a pointer; reports and gives nothing if it cannot be copied.
  std::optional<Expr> copied_memory(const Expr& e, bool is_written);
  /// Of a variable that holds the value.
  Expr address_of_copy(const Expr& value);
  Expr rest_of_array(const Expr& pointer);
  /// Says that what stands from a `%` on is no verb.
  void report_verb(const Node<StringValue>& literal, size_t from, size_t end);
  bool print_all(const std::vector<Expr>& arguments, std::string& format, std::vector<Expr>& values);
  void print_piece(const Expr& value, std::string& piece, std::vector<Expr>& values);
  void print_parts(const Expr& value, std::string& piece, std::vector<Expr>& values);
  /// The value, in a variable.
  Expr held(const Expr& e);
  Expr printed_argument(const Expr& argument, std::vector<Expr>& earlier);
  Expr printed_place(const Expr& value, std::vector<Expr>& earlier);
  Expr text_of_entry(const Expr& value, std::vector<Expr>& earlier);
  Expr text_of_array(const Expr& array, std::vector<Expr>& earlier);
  Loc part_of_literal(const Node<StringValue>& literal, size_t from, size_t count);
  template <class F>
  void emit(F form, Loc loc) {
    sink_->push_back(c.make(std::move(form), loc));
  }
  template <class Fill>
  Body collect_statements(Fill&& fill) {
    std::vector<Stmt> out;
    std::vector<Stmt>* outer = std::exchange(sink_, &out);
    fill();
    sink_ = outer;
    return {c.span(out)};
  }

  // ---- expressions (inference_expressions.cc, _operators.cc, _places.cc, _match.cc, _block_values.cc)
  /// The type of the value, or of what an option holds.
  static Type present_type(const Expr& e) { return is(type_of(e), TypeKind::Maybe) ? type_of(e)->element : type_of(e); }
  /// The typed expression; `expected` only helps literals that have no type of their own.
  /// What an operand beside `other` is wanted as: constants take the type of that, if it has one.
  Expected operand_type(const Expr& other, Expected whole);
  /// Both operands of an operation that is wanted as `whole`; `meet`: they meet at one type.
  /// Whether this is a number without a type of its own: a literal, a constant of the kernel's, what operators make of
  /// those, a choice of those.
  bool is_plain_number(const Expr& e);
  std::pair<Expr, Expr> infer_operands(const Expr& left, const Expr& right, Expected whole, bool meet);
  Expr infer(const Expr& e, Expected expected = {});
  /// The value of a constant that has a place, as if it were written there.
  Expr used_at(Loc loc, const Expr& value);
  Expr infer_global(const Node<GlobalName>& n, Expected expected);
  Expr infer_operation(const Node<Operation>& n, Expected expected);
  Expr infer_chain(const Node<Chain>& n, Expected expected);
  Expr infer_member(const Node<Member>& n);
  Expr infer_subscript(const Node<Subscript>& n);
  Expr zero(Type type, Loc loc);
  /// What stands at that place of a constant array or string; the index is a number, or that it is none is reported.
  Expr element_of_constant(const Expr& whole, const Expr& index, Type element, Loc loc);
  /// The array or string in a map entry that `e` refers to; other expressions as they are.
  Expr entry_value(const Expr& e);
  /// What m[k] has, read in place: zero when absent [L50], [L173].
  Expr entry_copy(const Expr& e);
  /// map[key] as a value; whether it may be read is not asked.
  Expr map_lookup(const Expr& map, const Node<Subscript>& n);
  /// What a reading of an entry gives: a number that may be absent, or a reference.
  Type entry_type(const Expr& map);
  /// Whether m[k] is one value here. Userspace sees the values of all CPUs, which it adds if they are numbers [L51].
  bool has_whole_value(Type map) const;
  /// The name of a map as it is written.
  static std::string map_text(const Expr& map);
  /// Whether this is one CPU's value as userspace sees it, or a part of it: a copy.
  bool is_cpu_value(const Expr& e) const;
  /// Whether this side may read or write the map, as its flags say; reports if not.
  bool may_access(const Expr& map, bool writes, Loc loc);
  Expr infer_cast(const Node<Cast>& n);
  Expr infer_struct_literal(const Node<StructLiteral>& n);
  Expr infer_array_literal(Span<Expr> values, Expected expected, Loc loc);
  Expr repeat_named(const Expr& value, uint64_t count, Expected expected, Loc loc);
  Expr infer_match(const Node<Match>& n, Expected expected, bool used);
  std::optional<Pattern> infer_pattern(const Pattern& p, Type type);
  Expr infer_if_value(const Node<IfValue>& n, Expected expected);
  Expr infer_block_value(const Node<BlockValue>& n, Expected expected);
  /// A block whose value is that of the `if (var …)` which it ends with.
  Expr infer_if_var_value(const Node<BlockValue>& n, const Node<IfVar>& test, Expected expected);
  /// new T(): zeros in memory of its own, or null.
  Expr infer_new(const Node<New>& n);
  /// Whether eBPF can reach all of an object of that type; reports why not.
  bool can_be_object(Type type, Loc loc);
  Expr infer_address_of(const Node<AddressOf>& n);
  /// The address of a place: null where an index is not in range, or where the map has no such entry [L166].
  Expr address_of_part(const Expr& place, Type pointer, Loc loc);
  /// Whether the form of an index says that it is below `count`.
  bool is_in_range(const Expr& index, uint64_t count) const;
  Expr field_of(const Expr& object, const Ident& name, Loc loc);
  /// A binary operator on two typed operands.
  Expr binary(Operator op, Expr left, Expr right, Loc loc);
  Expr compare(CompareOp op, Expr left, Expr right, Operator spelled, Loc loc);
  /// Says that no type holds both operands; of two integers, the fix converts the signed one.
  Diagnostic& report_no_meeting(Operator op, const Expr& left, const Expr& right, Loc loc);
  /// A string literal as one of the size of what it is compared with; reports one that is longer. Other expressions
  /// themselves.
  Expr fit_text(const Expr& e, Type target);
  /// Whether a sum of strings, or the string of an array, ends before all of it is there.
  static bool is_cut_off(const Node<Concatenate>& texts);
  Expr concatenate(const std::vector<Expr>& sides, Loc loc);
  Expr shift(ShiftOp op, Expr left, Expr right, Operator spelled, Loc loc, bool assigns = false);
  /// An integer that a constant expression gives, exactly: it has no type of its own to wrap at [L23].
  static const Node<Int>* exact(const Expr& e);
  Expr fold(Operator op, const Integer& left, const Integer& right, Loc loc);
  /// Warns of a comparison with a constant that no value of the type can change.
  void warn_of_known_answer(CompareOp op, const Expr& value, const Integer& number, Loc loc);
  /// ctx->data_end, or a variable that holds it: it is only compared with.
  bool is_packet_end(const Expr& e) const;
  /// Whether a place lies in the context.
  static bool in_context(const Expr& place);
  /// Whether memory may be reached through this pointer, as far as its type says; reports why not.
  bool can_follow(const Expr& pointer, Loc loc);
  /// `known`: what may have been meant beside members.
  void report_no_member(Type type, const Ident& name, std::vector<std::string_view> known = {});
  /// An arm whose value nobody takes: its last expression is a statement.
  Expr unused_value(const Expr& e);
  /// Makes an arm's value one of `type`, unless the arm jumps away; reports one that does neither.
  bool fit_arm(Expr& value, Type type);
  /// The typed expression as a place that may be written; reports and gives nothing if it is none.
  /// `is_written`: it need not be one that may, else.
  std::optional<Expr> place(const Expr& e, bool is_written = true);
  /// Whether nothing is written there: a part of a constant, a character.
  bool is_read_only(const Expr& place) const;
  /// A literal, or a character of one, as a place: a constant of its own. Other expressions themselves.
  Expr in_constant(const Expr& e);
  void declare_literals(std::vector<Decl>& out);
  /// Common type of arms; null if they have none.
  Type join(const std::vector<Expr>& values, Expected expected);

  // ---- conversions (inference_conversions.cc)
  /// The value as a `target`, by the conversions that lose nothing [L23]; reports and gives Invalid otherwise.
  Expr coerce(const Expr& e, Type target);
  bool converts(const Expr& e, Type target);
  /// A value that is no Maybe and no bare constant: what `var x = e` would hold.
  Expr settle(const Expr& e);
  Expr value_of_maybe(const Expr& e);
  /// As a bool [L25].
  Expr condition(const Expr& e);
  Expr truth(const Expr& typed);
  Type meet(Type a, Type b);
  Type smallest_integer(const Integer& value);
  Type default_type(const Integer& value);
  bool fits(const Integer& value, Type type) const;
  Expr convert(const Expr& e, Type target);
  Expr integer(const Integer& value, Type type, Loc loc, Name constant = {});
  /// Reports why the value does not become a `target`, with the fix.
  Expr refuse_conversion(const Expr& e, Type target);
  /// The block with its value changed: a conversion of a block is one of its value.
  Expr with_block_value(const Node<BlockValue>& block, const std::function<Expr(const Expr&)>& change);
  /// What gives a block its value; other expressions themselves.
  static const Expr& innermost_value(const Expr& e);
  /// Adds the change that puts ` as target` behind an expression.
  void fix_with_cast(Diagnostic& message, const Expr& e, Type target);
  /// Adds the change that widens the first operand of a chain of operators.
  void fix_with_wider_operand(Diagnostic& message, const Expr& e, Type target);
  /// [L142] widening the result of + - * << on 8 or 16 bits
  void warn_of_lost_bits(const Expr& e, Type target);
  /// Whether this is `!` of an integer, which people confuse with `~`.
  static bool negates_integer(const Expr& e);
  void report_logical_not(const Node<Not>& negation, Diagnostic& message);
  /// The empty range before or after another.
  Loc before(Loc loc);
  /// The range from where the first begins to where the second does.
  Loc between(Loc first, Loc second);
  Loc after(Loc loc);

  // ---- floating point (inference_floats.cc)
  Expr float_value_of(const Node<FloatLiteral>& n, Expected expected);
  /// The literal as one of another floating-point type, if that has a number so large.
  Expr retyped(const Expr& literal, Type type);
  /// Whether the value is exactly one of a floating-point type, or a literal.
  bool converts_to_float(const Expr& e, Type target) const;
  Expr to_float(const Expr& e, Type target);
  /// Two sides, one of which is of floating point, in the type where they meet; nothing if there is none, which is
  /// reported.
  std::optional<std::pair<Expr, Expr>> meet_as_floats(const Expr& left, const Expr& right, Operator spelled, Loc loc);
  /// The floating-point type that holds all values, of which one has such a type; null if none has, or no type does.
  Type join_as_floats(const std::vector<Expr>& values);
  Expr float_operation(Operator op, const Expr& left, const Expr& right, Loc loc);
  Expr float_comparison(CompareOp op, const Expr& left, const Expr& right, Operator spelled, Loc loc);
  /// `value as T`, where one of the two is of floating point.
  Expr cast_of_float(const Expr& value, Type target, Loc loc);
  /// An operation on literals as the number that it gives; else itself.
  Expr computed_float(const Expr& e);
  /// Whether the type is none for eBPF because of a floating-point number, which is reported.
  bool refuse_floats(Type type, Loc loc);

  // ---- calls (inference_calls.cc)
  Expr infer_apply(const Node<Apply>& n, Expected expected);
  /// What a method is called of.
  struct Receiver {
    Expr value, written;
  };
  Expr call_function(const Entity& entity, Name name, Span<Expr> arguments, Loc loc,
                     const Receiver* receiver = nullptr);
  // inference_overloads.cc
  /// A function at file level, by the name and the file that it stands in.
  using FunctionKey = std::pair<uint32_t, std::string_view>;
  FunctionKey function_key(Name function, Loc loc) const { return {c.locations[loc].file, function.spelling()}; }
  /// The functions that have this one's name in its file, itself among them [L172].
  const std::vector<Name>& overloads(Name function);
  /// Of functions with one name the one whose first parameter takes the value; none where no one does.
  Name chosen_overload(const std::vector<Name>& functions, const Expr& value);
  Expr report_no_overload(const std::vector<Name>& functions, const Expr& value, Loc loc);
  Expr call_overloaded(const std::vector<Name>& functions, Span<Expr> arguments, Loc loc);
  /// The functions that are methods of a value of the type where the call stands: those of its file, else those of the
  /// file that declares the type.
  std::vector<Name> methods(const Ident& method, Type type, Loc loc);
  /// The files in which those are, the own one first.
  std::vector<uint32_t> files_with_methods(Type type, uint32_t own_file);
  /// What the methods of a value of just that type are called; `as_members`: those that need no parentheses.
  std::vector<std::string_view> names_of_methods(Type type, bool as_members, Loc loc);
  /// Whether it stands in the standard library.
  bool is_of_library(const Decl& d) const;
  /// A pointer that the library gave, without null: the function is left where there is none [L55]. Others as they are.
  Expr there(const Expr& pointer);
  /// `v.name` where that is `v.name()`: a method of the library's.
  std::optional<Expr> library_member(const Expr& object, const Node<Member>& n);
  Expr call_method(const std::vector<Name>& functions, Receiver receiver, Span<Expr> arguments, Loc loc);
  // inference_function_values.cc
  Expr call_indirectly(const Expr& function, Span<Expr> arguments, Loc loc);
  /// A function as a value; of several with its name the one of the type that is expected.
  Expr function_value(Name name, Expected expected, Loc loc);
  Expr refuse_side(const Entity& entity, Name name, Loc loc);
  /// The arguments of a call as the parameters take them; nothing if one of them is wrong, which is reported.
  std::optional<std::vector<Expr>> passed(std::string_view name, const TypeData& function, Span<Expr> arguments,
                                          Loc loc, const Receiver* receiver = nullptr);
  /// An array or a string that is passed where a pointer is wanted, as the address of its first element [L23]; other
  /// values themselves.
  Expr passed_address(const Expr& value, const Expr& written, Type wanted);
  Expr call_helper(const HelperSignature& helper, Span<Expr> arguments, Loc loc);
  /// A helper that the kernel has, and ksc cannot call yet.
  Expr refuse_helper(std::string_view name, const std::string& what, Span<Expr> arguments, Loc loc);
  Expr helper_without_signature(std::string_view name, Span<Expr> arguments, Loc loc);
  Expr call_builtin(std::string_view name, Span<Expr> arguments, Expected expected, Loc loc);
  Expr call_map_method(const Expr& map, const Ident& method, Span<Expr> arguments, Loc loc);
  /// Adds the change to `m[k]`, `m[k] = v` or `delete m[k]` for methods that maps have elsewhere.
  void fix_old_method(Diagnostic& message, const Expr& map, const Ident& method, Span<Expr> arguments, Loc loc);
  bool argument_count(std::string_view name, size_t given, size_t wanted, Loc loc);

  /// load(f), where f is a function and no eBPF program.
  Expr refuse_load(const Entity& function, const Node<GlobalName>& name);

  // ---- shared
  /// Says that a value had to be known to the compiler.
  Diagnostic& report_not_constant(Loc loc) {
    return at_file_level_ ? c.diagnostics.report(loc, diag::not_constant_at_file_level)
                          : c.diagnostics.report(loc, diag::not_constant);
  }
  bool in_ebpf() const { return domain_ == Domain::Program || domain_ == Domain::Shared; }
  Expr invalid(Loc loc) { return c.make(InvalidExpr{}, loc, t.invalid()); }
  static bool is_invalid(const Expr& e) { return is(type_of(e), TypeKind::Invalid); }
  static const Node<Int>* constant(const Expr& e) { return is(type_of(e), TypeKind::Constant) ? as<Int>(e) : nullptr; }
  Expr unsupported(Loc loc, std::string what) {
    c.diagnostics.report(loc, diag::not_supported_yet, what);
    return invalid(loc);
  }

  Context& c;
  Types& t;
  std::map<Name, Entity, ByText> entities_;
  std::map<FunctionKey, std::vector<Name>> functions_;
  NameMap<Type> locals_;
  std::vector<Stmt>* sink_ = nullptr;
  Domain domain_ = Domain::User;
  const ProgramType* program_type_ = nullptr;
  std::deque<Instance> instances_;
  NameMap<Type> memories_;       // of variables that are declared without their memory: what was learned of it
  Type given_memory_ = nullptr;  // of the pointers that the function at work gives
  Loc given_loc_;                // of the last one that says so
  bool gives_null_ = false;      // as well
  bool is_learning_ = false;     // the function at work is to be looked at again
  std::map<Name, Expr, ByText> literals_;  // strings whose address was taken, by the constant that holds each
  std::set<Name, ByText> moved_;  // variables of the function at work that arithmetic moves, if they are pointers
  std::map<const FunctionDecl*, std::set<Name, ByText>> moved_in_;  // of the functions as they are written
  using MovedParameter = std::pair<std::string_view, size_t>;
  std::set<MovedParameter> moved_parameters_;  // of functions of that name
  NameMap<__int128> counters_;                 // of loops between constants: the greatest value, if none is below zero
  NameSet assigned_;             // variables of the function at work that are given another value somewhere
  NameMap<Expr> offsets_;        // of packet pointers: how far they lead
  NameMap<Expr> given_offsets_;  // of those that a function gave, which may be null
  std::set<const NodeHeader*> from_library_;   // pointers that functions of the library gave
  NameSet held_from_library_;                  // variables that were declared with such a pointer
  std::vector<Instance*> wanted_;              // by the function at work: what those give is not known yet
  Parameter context_{};                        // the context of the function at work
  const ProgramType* context_type_ = nullptr;  // what the context of the function at work says about its program
  Type result_ = nullptr;
  Loc result_loc_;                                   // where the function at work says its result
  Name result_name_;                                 // if it has one: `return` alone gives it
  NameSet packet_ends_;                              // locals that hold ctx->data_end
  std::map<Name, NameSet, ByText> refused_members_;  // of structs and config blocks: those whose type was refused
  bool had_errors_ = false;                          // before anything was typed: not all that was written is there
  NameSet no_pointers_;                              // variables that were followed, and are none
  NameSet unknown_types_;                            // that have been reported
  bool declares_anything_ = false;                   // a broken declaration whose name is not known
  NameMap<Expr> keys_only_;  // the values of loops over these maps: userspace sees one for each CPU
  Loc statement_call_;       // the call at work whose value nobody takes
  int loop_depth_ = 0;
  bool in_deferred_ = false;       // in a deferred body
  bool in_deferred_call_ = false;  // whose arguments are evaluated where the `defer` stands
  int try_depth_ = 0;              // bodies of `try` around the statement at work
  int waiting_ = 0;                // declarations that wait for the one at work, each for the next
  bool chain_reported_ = false;
  NameMap<int> nesting_;       // of structs: how many are within one another
  bool at_file_level_ = true;  // outside of the bodies of functions
};

/// The most bytes that a string has, with the one that ends it.
inline constexpr uint64_t largest_string = 1 << 16;

/// The memory that a pointer or a reference leads into, in words.
std::string memory_of(Type pointer);
/// What an operator looks like in the source.
std::string_view operator_text(Operator op);
/// A number as text.
std::string integer_text(const Integer& value);

}  // namespace ksc

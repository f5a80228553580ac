// SPDX-License-Identifier: Apache-2.0
// The generator of random programs as its files share it; what others need of it is in fuzz/generate.h.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fuzz/generate.h"
#include "fuzz/random.h"

namespace ksc::fuzz {

using Texts = std::vector<std::string>;

/// A type, as far as the generator tells types apart.
struct T {
  enum class Kind { Int, Bool, Char, Enum, Float, Struct, Array, Str, Packet, Pointer, Option } kind = Kind::Int;
  int bits = 32;
  bool is_signed = false;
  std::string name;        // Enum, Struct; Packet: the header
  uint64_t count = 0;      // Array, Str
  std::vector<T> element;  // Array, Pointer, Option: one
  bool operator==(const T& o) const {
    return kind == o.kind && name == o.name && count == o.count && element == o.element &&
           ((kind != Kind::Int && kind != Kind::Float) || (bits == o.bits && is_signed == o.is_signed));
  }
  std::string spelled() const {
    switch (kind) {
      case Kind::Int: return fmt::format("{}{}", is_signed ? 'i' : 'u', bits);
      case Kind::Float: return fmt::format("f{}", bits);
      case Kind::Bool: return "bool";
      case Kind::Char: return "char";
      case Kind::Enum:
      case Kind::Struct: return name;
      case Kind::Array: return fmt::format("{}[{}]", element[0].spelled(), count);
      case Kind::Str: return fmt::format("str({})", count);
      case Kind::Packet: return "*" + name;
      case Kind::Pointer: return "*" + element[0].spelled();
      case Kind::Option: return "option " + element[0].spelled();
    }
    return {};
  }
};
inline T integer(int bits, bool is_signed = false) { return {T::Kind::Int, bits, is_signed, {}, 0, {}}; }
inline const T boolean{T::Kind::Bool, 8, false, {}, 0, {}}, character{T::Kind::Char, 8, false, {}, 0, {}};

struct StructMember {
  std::string name;
  T type;
};
struct Struct {
  std::string name;
  std::vector<StructMember> members;
};
struct Enumeration {
  std::string name;
  std::vector<std::pair<std::string, int64_t>> items;
};
struct Variable {
  std::string name;
  T type;
  bool is_const = false;  // a constant, or a loop counter that keeps a loop finite
};
/// Something that can be read, and mostly written, by that text.
struct Place {
  std::string text;
  T type;
};
/// What is asked of a type.
using Wanted = std::function<bool(const T&)>;
struct Map {
  std::string name, kind;
  T key, value;
  bool is_array() const { return kind == "array" || kind == "percpu_array"; }
};
struct Helper {
  std::string name;
  std::vector<T> parameters;
  T result;
  bool with_context = false, throws = false;
  bool shares_name = false;  // with another function, whose first parameter is of another type
  bool takes_pointer() const {
    return std::any_of(parameters.begin(), parameters.end(),
                       [](const T& t) { return t.kind == T::Kind::Pointer || t.kind == T::Kind::Packet; });
  }
  bool has_option() const {
    return result.kind == T::Kind::Option ||
           std::any_of(parameters.begin(), parameters.end(), [](const T& t) { return t.kind == T::Kind::Option; });
  }
};

/// A helper that gives a pointer: into the packet, or to what a map has.
struct PointerGiver {
  std::string name;
  T pointee;             // Packet: the header
  std::string map;       // empty: the packet
  std::optional<T> key;  // its parameter; without one, it takes the context
  bool throws = false;
};

/// A helper that gives the address of an element of a global, or of a part of an entry, or null.
struct ElementGiver {
  std::string name, map;  // map: if it is an entry's
  T pointee, key;
};

/// A function that moves the pointer which it takes, to numbers of that type.
struct Walker {
  std::string name;
  T element;
  bool writes;  // through it
};

struct Header {
  const char* name;
  int offset;
  std::vector<StructMember> fields;
  Texts bit_fields;
};
/// The packet headers that programs read, and how far from the start they lie.
const std::vector<Header>& headers();

/// Draws one program. Each file fuzz/generate_*.cc has the members that make one kind of thing.
class Generator {
 public:
  Generator(uint64_t seed, const GeneratorOptions& options, Statistics& statistics)
      : random_(seed), options_(options), statistics_(statistics) {
    is_xdp_ = options.attribute.empty() ? random_.once_in(2) : options.attribute == "xdp";
  }
  Tree program();

 private:
  void count(const std::string& form) { ++statistics_[form]; }
  std::string global_name(const std::string& name) const { return options_.prefix + name; }

  // ---- types and declarations
  T any_integer() { return integer(8 << random_.below(4), random_.once_in(3)); }
  T array_of_integers() { return {T::Kind::Array, 0, false, {}, 2 + random_.below(4), {any_integer()}}; }
  T string(uint64_t size) { return {T::Kind::Str, 0, false, {}, size, {}}; }
  T floating(int bits = 0) { return {T::Kind::Float, bits ? bits : random_.once_in(3) ? 32 : 64, false, {}, 0, {}}; }
  T scalar() {
    switch (random_.below(8)) {
      case 3: return in_user_ ? floating() : any_integer();
      case 0: return boolean;
      case 1: return character;
      case 2: return enum_type(random_.pick(enums_));
      default: return any_integer();
    }
  }
  T enum_type(const Enumeration& e) const { return {T::Kind::Enum, 32, true, e.name, 0, {}}; }
  T struct_type(const Struct& s) const { return {T::Kind::Struct, 0, false, s.name, 0, {}}; }
  const Struct& find_struct(const T& type) const {
    return *std::find_if(structs_.begin(), structs_.end(), [&](const Struct& s) { return s.name == type.name; });
  }
  const Enumeration& find_enum(const T& type) const {
    return *std::find_if(enums_.begin(), enums_.end(), [&](const Enumeration& e) { return e.name == type.name; });
  }
  Tree declaration(std::string text) {
    Tree tree(std::move(text));
    tree.may_drop = true;
    tree.after = "\n";
    return tree;
  }
  void declare_types(Tree& out);
  void declare_structs(Tree& out);
  T member_type();
  bool is_any_bytes(const T& type) const;
  int height(const T& type) const;
  uint64_t bytes(const T& type) const;
  /// Constants that are no numbers.
  void declare_constants(Tree& out);
  std::string constant_text(const T& type);
  void declare_globals(Tree& out);
  void declare_maps(Tree& out);
  void declare_array_maps(Tree& out);
  Tree array_map_statement(int depth);

  // ---- queues and stacks (generate_queues.cc)
  void declare_queues(Tree& out);
  Tree queue_statement(int depth);
  Tree ring_statement(int depth);
  Tree heap_statement(int depth);
  /// A record of a ring buffer, or without a ring what `new` gives in eBPF.
  struct Reserved {
    std::string ring;
    T value;
    std::string name;
    bool is_object() const { return ring.empty(); }
    std::string given() const { return is_object() ? "new " + value.spelled() + "()" : ring + ".reserve()"; }
  };
  Reserved something_reserved();
  Tree reservation(int depth);
  Tree sized_record(int depth);
  Tree while_reserved(const Reserved& reserved, int depth, bool may_throw);
  Tree record_use(const Reserved& reserved, int depth);
  Tree closed(const Reserved& reserved);
  Tree closing(const Reserved& reserved, int depth);
  /// What adds a value to a map without keys; its result may be kept.
  Tree adding_statement(const Map& map, const std::string& method, int depth);
  T key_type();
  Tree helper(size_t index);
  /// What a function gives: mostly `usual`, sometimes an array, a string or a struct.
  T any_result(const T& usual);
  /// eBPF has 512 bytes for a function and what it calls, and each copy takes some [L60].
  bool fits_stack(const T& type) const { return in_user_ || bytes(type) <= 64; }
  /// A function that others may call from then on.
  Tree function(Helper helper, const std::string& attribute);
  static bool tells_itself_apart(const Helper& helper);
  void share_name(Helper& helper);
  std::string options_of_main(Tree& out);
  void userspace(Tree& out);
  Tree one_cpus_value(const Map& map, int depth);
  Tree per_cpu_statement(int depth);
  Tree per_cpu_loop(int depth);
  Tree entry(size_t index, size_t total);

  // ---- expressions
  std::string literal(const T& type);
  std::string zero(const T& type);
  std::vector<std::string> places_of(const T& type, bool writable);
  std::vector<Place> places_where(const Wanted& wanted, bool writable);
  std::string unknown_index_;  // of the elements that `places_where` finds; empty: they have constant ones
  std::vector<Place> parts_where(const T& type, const Wanted& wanted);
  void add_parts(const std::string& text, const T& type, const Wanted& wanted, std::vector<Place>& found);
  void count_place(const std::string& place);
  std::string any_text();
  Tree struct_literal(const T& type);
  /// An element of an array, or of any part that is one, at an index that the compiler does not know.
  Tree element_of(const std::string& array, int depth);
  /// A random part of something of the type, and its type; elements often at an index that is not known.
  Tree any_part(const std::string& of, T& type, int depth);
  /// An expression of exactly that type, not a bare number.
  Tree solid(const T& type, int depth);
  /// The same, or a number that takes the type from where it stands.
  Tree value(const T& type, int depth);
  Tree leaf(const T& type);
  Tree whole(const T& type, int depth);
  /// A string in a variable or in an entry; no text if there is none.
  Tree any_string(int depth);
  Tree concatenation(int depth);
  /// What the compiler does not take for a constant.
  Tree unknown(const T& type) {
    const auto places = places_of(type, false);
    if (places.empty() || random_.once_in(4)) return binary("+", leaf(type), leaf(type), type);
    return Tree(random_.pick(places));
  }
  Tree integer_expression(const T& type, int depth);
  Tree condition(int depth);
  /// The texts of the strings that may be read here.
  Texts strings_in_sight();
  Tree key(const Map& map, int depth);
  /// What is called may end the entries that references are held into.
  bool can_call(const Helper& helper) {
    const bool is_taken = may_throw() || (may_give_up() && helper.result.kind != T::Kind::Option);
    if (helper.throws && (!is_taken || commutes_)) return false;
    if (helper.takes_pointer()) return can_point(helper);
    return frozen_.empty() && (has_context_ || !helper.with_context);
  }
  bool catches_all() const {
    return std::any_of(caught_.begin(), caught_.end(), [](const Caught& c) { return c.all; });
  }
  /// Whether any code may be thrown: a function may let it out, an entry function may not.
  bool may_throw() const { return catches_all() || (!in_entry_ && !stays()); }
  /// Whether e? leaves the entry function where something is thrown.
  bool may_give_up() const { return in_entry_ && !in_user_ && caught_.empty() && !in_deferred_ && !reserved_in_try_; }
  /// Whether nothing here may leave the function so that the source shows it.
  bool stays() const { return in_deferred_ || holds_reservation_; }
  /// A map's entry, now and then as (m[k]?).
  Tree entry_or_leave(Tree entry);
  Tree call(const Helper& helper, int depth);
  Tree match_value(const T& type, int depth);
  Tree if_var_value(const T& type, int depth);
  Tree match(int depth, const std::function<Tree(int)>& arm);
  Tree binary(const std::string& op, Tree left, Tree right, const T& type, bool swap_hoist = true);
  Tree expression(Tree tree, const T& type) {
    if (type.kind != T::Kind::Struct && type.kind != T::Kind::Array && type.kind != T::Kind::Str)
      tree.simpler = zero(type);
    return tree;
  }

  // ---- floating point (generate_floats.cc)
  void declare_floats(Tree& out);
  std::string float_literal();
  Tree float_expression(const T& type, int depth);

  // ---- what may be absent (generate_options.cc)
  /// An option of a number, or of a struct that the stack has room for.
  T any_option();
  /// What an option may be given.
  Tree option_value(const T& type, int depth);
  Tree option_statement(int depth);
  /// What gives a number that may be absent, which is zero then; nothing if there is none.
  Tree optional_number(const T& type, int depth);

  // ---- helpers with pointers (generate_pointers.cc)
  /// A helper of eBPF that takes pointers, and ends no map entry.
  Tree pointer_helper(size_t index);
  /// The texts of what a parameter of the type can be given here.
  Texts pointers_to(const T& pointer);
  // generate_pointer_results.cc
  void pointer_givers(Tree& out);
  /// What is pointed to is used where it is there.
  Tree given_pointer(int depth);
  /// The view of the packet, and what it tells.
  Tree packet_view(int depth);
  /// The packet begins or ends elsewhere; before anything points into it.
  Tree moved_packet();
  Tree through_pointer(const std::string& pointer, const T& type, bool may_be_passed, int depth);
  Tree element_address(int depth);
  void element_givers(Tree& out);
  /// A helper of an entry's part or of an element, called; what it gives is of `type`. No text if there is none.
  Tree given_element(T& type, int depth);
  // generate_moved_pointers.cc
  Tree walker(size_t index, const std::string& attribute);
  Tree moved_use(const std::string& pointer, const std::string& first, const T& type, int depth);
  Tree constant_pointer(int depth);
  /// A pointer into an array, which moves.
  Tree moved_pointer(int depth);
  Tree view_use(const std::string& view, int depth);
  /// A packet pointer that is null until it is given something.
  Tree late_pointer(int depth);
  bool can_point(const Helper& helper);
  /// Calls such a helper with a reference to an entry, if there is one for it; no text otherwise.
  Tree call_with_reference(const std::string& reference, const T& type, int depth);

  // ---- functions as values (generate_functions.cc)
  std::vector<const Helper*> of_same_type(const Helper& helper) const;
  bool can_call_value(const Helper& helper);
  Tree function_value(const Helper& helper, int depth);
  /// A variable that is one function, or another, and a call of it.
  Tree changed_function(int depth);
  void declare_function_variable(Tree& out);
  Tree function_variable_statement(int depth);

  // ---- statements
  Tree block(int depth, int statements, const std::vector<Variable>& with = {});
  /// A block of statements that `make` makes, in a scope of their own that begins with some variables.
  Tree block_of(int statements, const std::function<Tree()>& make, const std::vector<Variable>& with = {});
  Tree statement(int depth);
  Tree simple_statement(int depth);
  Tree var_statement(int depth);
  Tree whole_assignment();
  Tree element_assignment(const Place& array, int depth);
  Tree assignment(int depth);
  Tree map_statement(int depth);
  Tree if_statement(int depth);
  Tree loop_statement(int depth);
  /// A loop over a map. In which order it goes is open: what its turns do commutes, and nothing else sees them.
  Tree map_loop(int depth);
  Tree map_loop_turn(const Map& map, const std::string& entry, const std::vector<std::pair<std::string, T>>& totals,
                     int depth);
  Tree caught_access(int depth);
  Tree memory_copy(int depth);
  /// One side of a copy; empty if nothing is in sight.
  Tree copied_memory(int depth);
  Tree packet_statement(int depth);
  Tree packet_loop(int depth);
  Tree array_loop(int depth);
  Tree large_variable(int depth);
  Tree context_branches(int depth);
  Tree print_statement(int depth);
  Tree entry_reference(int depth);
  Tree reference_use(const std::string& reference, const T& type, int depth);
  Tree rebound_reference(int depth);
  Tree defer_statement(int depth);
  Tree throw_statement(int depth);
  Tree try_statement(int depth);
  Tree panic_statement(int depth);
  Tree repeated_lookup(int depth);
  Tree returned(int depth);
  std::string verdict();
  Tree line(Tree tree) {
    Tree out;
    out.before = std::string(2 * static_cast<size_t>(indent_), ' ');
    out.parts.push_back(std::move(tree));
    out.after = "\n";
    out.may_drop = true;
    return out;
  }
  std::string fresh_local(bool& shadows);
  bool visible(const std::string& name) const {
    for (const auto& scope : scopes_)
      for (const Variable& v : scope)
        if (v.name == name) return true;
    return false;
  }

  Random random_;
  const GeneratorOptions& options_;
  Statistics& statistics_;
  bool is_xdp_ = true;
  std::vector<Struct> structs_;
  std::vector<Enumeration> enums_;
  std::vector<Variable> globals_;  // config fields under `block.field`
  std::vector<std::pair<std::string, T>> constants_;
  std::vector<Map> maps_;
  std::vector<PointerGiver> givers_;
  std::vector<Walker> walkers_;
  std::vector<ElementGiver> element_givers_;
  std::vector<Map> queues_;                     // and stacks
  std::map<std::string, std::string> fillers_;  // by the ring, the function that writes to its records
  std::vector<Map> rings_;
  std::vector<Map> array_maps_;                                     // whose values are arrays or strings
  std::vector<Map> per_cpu_maps_;                                   // of which userspace asks one CPU's value
  std::vector<Helper> helpers_;                                     // those that may be called from here
  std::vector<std::pair<std::string, Helper>> function_variables_;  // globals, and what they are first
  bool may_call_values_ = false;
  std::vector<std::string> targets_;  // programs that may take over from here
  std::vector<std::vector<Variable>> scopes_;
  std::set<std::string> frozen_;  // maps into which a reference is held
  bool has_context_ = false, in_entry_ = false, in_user_ = false;
  std::set<std::string> local_globals_;
  /// What a try around takes.
  struct Caught {
    std::vector<int64_t> codes;
    bool all = false;
  };
  std::vector<Caught> caught_;
  bool throws_ = false;    // the function at work lets a throw out
  bool commutes_ = false;  // in a body whose turns come in any order
  T result_;
  bool in_deferred_ = false, holds_reservation_ = false, reserved_in_try_ = false;
  uint64_t deferrals_ = 1;  // how often the loops around turn at most; 0 if nothing can be deferred in them
  bool is_counted_ = true;  // the loops around count between constants
  int loops_ = 0, indent_ = 0, temporaries_ = 0, nested_loops_ = 0;
  bool has_long_loop_ = false;
};

}  // namespace ksc::fuzz

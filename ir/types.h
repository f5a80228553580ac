// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/arena.h"
#include "ir/enumeration.h"
#include "ir/name.h"

namespace ksc {

KSC_ENUM(TypeKind, Invalid, Void, Bool, Char, Int, Float, Constant, Str, Array, Pointer, Null, EntryRef, Maybe,
         Function, Map, Struct, Enum, Handle, Program, Module);

/// Which memory a pointer points into [L166]; ReadOnly: any, and nothing is written through it. Reservation: a record
/// of a ring buffer; Dynptr: one whose size the program chooses; Heap: what `new` gives in userspace; Object: in eBPF.
KSC_ENUM(Space, Any, Packet, Stack, MapValue, Context, Kernel, User, ReadOnly, Reservation, Dynptr, Heap, Object);

struct TypeData;
/// An interned type: two types are equal when their pointers are.
using Type = const TypeData*;

/// A struct's member. Offsets are those of the target's C.
struct StructField {
  Name name;
  Type type = nullptr;
  uint32_t offset = 0;
  uint8_t bit_offset = 0, bit_size = 0;  // of a bit-field; bit_size 0: an ordinary member
};

struct EnumItem {
  Name name;
  int64_t value = 0;
};

/// What is known of a struct or an enum besides its name; filled once, when its declaration has been typed.
struct TypeBody {
  Span<StructField> fields;
  Span<EnumItem> items;
  uint64_t size = 0;
  uint32_t align = 1;
  Type underlying = nullptr;  // of an enum
  Type signature = nullptr;   // of an enum whose values are functions: their type
  std::string_view header;    // the C header that declares it; empty: the developer's own
  bool complete = false;
};

/// One type. Which members mean something depends on `kind`; the others are zero.
struct TypeData {
  TypeKind kind = TypeKind::Invalid;
  uint8_t bits = 0;          // Int, Float: 8, 16, 32, 64
  bool is_signed = false;    // Int
  bool nullable = false;     // Pointer, EntryRef: may be null
  bool throws = false;       // Function
  Space space = Space::Any;  // Pointer
  Type element = nullptr;    // Array, Pointer, EntryRef, Maybe; Function: the result; Map: the value
  Type key = nullptr;        // Map
  uint64_t count = 0;        // Str, Array: how many; Map: max_entries; Pointer: elements of the array that it moves in
  Name name{};               // Struct, Enum; Map: its kind; EntryRef: its map; Program: the program
  Span<Type> parameters{};   // Function
  TypeBody* body = nullptr;  // Struct, Enum
};

inline bool is(Type type, TypeKind kind) { return type && type->kind == kind; }
inline bool points_into(Type type, Space space) { return is(type, TypeKind::Pointer) && type->space == space; }
/// A pointer into a record of a ring buffer that is reserved, whoever chooses its size.
inline bool is_reservation(Type type) {
  return points_into(type, Space::Reservation) || points_into(type, Space::Dynptr);
}
/// A pointer into what `new` has given in eBPF [L35].
inline bool is_object(Type type) { return points_into(type, Space::Object); }
/// A pointer into what the kernel wants back on every way out.
inline bool must_be_released(Type type) { return is_reservation(type) || is_object(type); }
/// A pointer that arithmetic moves within an array, or out of it: it knows how many elements there are [L166].
inline bool is_element_pointer(Type type) { return is(type, TypeKind::Pointer) && type->count != 0; }
/// A value that is a function: one of an enum of functions [L64].
inline bool is_function_value(Type type) { return is(type, TypeKind::Enum) && type->body->signature; }
/// An enum whose values are numbers by name.
inline bool is_enumeration(Type type) { return is(type, TypeKind::Enum) && !type->body->signature; }
/// Integers, and what is stored and compared as one: bool, char, enum.
bool is_integral(Type type);
bool is_integer(Type type);
/// Struct or array: what is copied bytewise and handled through references in maps.
bool is_aggregate(Type type);
/// A value that fits a register: integral, pointer, floating point.
bool is_scalar(Type type);
/// Whether it is of floating point, or has a part that is: what only userspace has [L20].
bool holds_float(Type type);
/// An integer's width in bits, signedness: also of bool, char, and enums.
uint8_t width_of(Type type);
bool is_signed(Type type);

/// Size and alignment in bytes, as C lays the type out on a 64-bit target.
uint64_t size_of(Type type);
uint32_t align_of(Type type);
/// Whether one of the developer's structs, or one that the type holds, has bytes that belong to no member.
bool has_padding(Type type);
/// The member of that name of a struct, or null.
const StructField* find_field(Type type, Name name);

/// As the developer writes it: `*u8`, `str(16)`, `hash<u32, u64>(1024)`.
std::string spell(Type type);

/// The types of one compilation.
class Types {
 public:
  Types(Arena& arena, Names& names) : arena_(arena), names_(names) {}

  Type invalid() { return simple(TypeKind::Invalid); }
  Type void_type() { return simple(TypeKind::Void); }
  Type boolean() { return simple(TypeKind::Bool); }
  Type character() { return simple(TypeKind::Char); }
  Type null() { return simple(TypeKind::Null); }
  Type handle() { return simple(TypeKind::Handle); }
  /// An exact integer that has not met a type yet [L23].
  Type constant() { return simple(TypeKind::Constant); }
  Type integer(int bits, bool is_signed);
  Type u8() { return integer(8, false); }
  Type u16() { return integer(16, false); }
  Type u32() { return integer(32, false); }
  Type u64() { return integer(64, false); }
  Type i32() { return integer(32, true); }
  Type i64() { return integer(64, true); }
  Type floating(int bits);
  Type str(uint64_t size);
  Type array(Type element, uint64_t count);
  Type pointer(Type element, Space space, bool nullable);
  /// One that moves in an array of `count` elements.
  Type element_pointer(Type element, Space space, bool nullable, uint64_t count);
  /// The same pointer, which may be null or not.
  Type pointer_with_null(Type pointer, bool nullable);
  Type entry_ref(Type element, Name map, bool nullable);
  Type maybe(Type element);
  Type function(std::vector<Type> parameters, Type result, bool throws);
  /// The enum of the functions of a type; its items are known when all the program's are.
  Type function_value(Type signature);
  /// Makes an enum one of functions of that type.
  void set_signature(Type enumeration, Type signature);
  /// Each enum of functions, in the order in which they were made.
  const std::vector<Type>& function_values() const { return function_values_; }
  Type map(Name kind, Type key, Type value, uint64_t max_entries);
  Type program(Name name);
  Type module(Name name);
  /// The struct or enum of that name; its body is empty until `complete_struct` or `complete_enum`.
  Type structure(Name name);
  Type enumeration(Name name);
  /// Gives a struct its members, laid out as C does it unless their offsets are given with `size`.
  void complete_struct(Type type, std::vector<StructField> fields, std::string_view header = {}, uint64_t size = 0);
  void complete_enum(Type type, std::vector<EnumItem> items, std::string_view header = {});

 private:
  Type simple(TypeKind kind);
  Type intern(const TypeData& data);
  using Key = std::tuple<int, int, int, int, int, int, const void*, const void*, uint64_t, const void*,
                         std::vector<const void*>>;
  Arena& arena_;
  Names& names_;
  std::map<Key, Type> interned_;
  std::vector<Type> function_values_;
};

}  // namespace ksc

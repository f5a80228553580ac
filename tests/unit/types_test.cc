// SPDX-License-Identifier: Apache-2.0
// Rules: [L141]
#include "ir/types.h"

#include <gtest/gtest.h>

namespace ksc {
namespace {

class TypesTest : public testing::Test {
 protected:
  Name name(std::string_view text) { return names.intern(text); }
  Arena arena;
  Names names{arena};
  Types types{arena, names};
};

TEST_F(TypesTest, EqualTypesAreOne) {
  EXPECT_EQ(types.u32(), types.integer(32, false));
  EXPECT_NE(types.u32(), types.i32());
  EXPECT_EQ(types.pointer(types.u8(), Space::Packet, true), types.pointer(types.u8(), Space::Packet, true));
  EXPECT_NE(types.pointer(types.u8(), Space::Packet, true), types.pointer(types.u8(), Space::Packet, false));
  EXPECT_NE(types.pointer(types.u8(), Space::Packet, true), types.pointer(types.u8(), Space::Stack, true));
  EXPECT_EQ(types.array(types.u16(), 3), types.array(types.u16(), 3));
  EXPECT_NE(types.array(types.u16(), 3), types.array(types.u16(), 4));
  EXPECT_EQ(types.map(name("hash"), types.u32(), types.u64(), 8), types.map(name("hash"), types.u32(), types.u64(), 8));
  EXPECT_NE(types.map(name("hash"), types.u32(), types.u64(), 8),
            types.map(name("array"), types.u32(), types.u64(), 8));
  EXPECT_EQ(types.function({types.u8()}, types.u16(), true), types.function({types.u8()}, types.u16(), true));
  EXPECT_NE(types.function({types.u8()}, types.u16(), true), types.function({types.u8()}, types.u16(), false));
  EXPECT_NE(types.function({types.u8()}, types.u16(), true),
            types.function({types.u8(), types.u8()}, types.u16(), true));
  EXPECT_NE(types.entry_ref(types.u8(), name("m"), true), types.entry_ref(types.u8(), name("n"), true));
  EXPECT_EQ(types.structure(name("S")), types.structure(name("S")));
  EXPECT_NE(types.structure(name("S")), types.enumeration(name("S")));
}

TEST_F(TypesTest, SizesAreThoseOfC) {
  EXPECT_EQ(size_of(types.u8()), 1u);
  EXPECT_EQ(size_of(types.i64()), 8u);
  EXPECT_EQ(size_of(types.boolean()), 1u);
  EXPECT_EQ(size_of(types.character()), 1u);
  EXPECT_EQ(size_of(types.str(16)), 16u);
  EXPECT_EQ(size_of(types.array(types.u32(), 5)), 20u);
  EXPECT_EQ(align_of(types.array(types.u32(), 5)), 4u);
  EXPECT_EQ(size_of(types.pointer(types.u8(), Space::Any, false)), 8u);
}

TEST_F(TypesTest, StructsAreLaidOutAsInC) {
  struct InC {
    uint8_t a;
    uint32_t b;
    uint8_t c[3];
    uint64_t d;
    uint16_t e;
  };
  Type type = types.structure(name("S"));
  EXPECT_FALSE(type->body->complete);
  types.complete_struct(type, {{name("a"), types.u8()},
                               {name("b"), types.u32()},
                               {name("c"), types.array(types.u8(), 3)},
                               {name("d"), types.u64()},
                               {name("e"), types.u16()}});
  EXPECT_TRUE(type->body->complete);
  EXPECT_EQ(size_of(type), sizeof(InC));
  EXPECT_EQ(align_of(type), alignof(InC));
  EXPECT_EQ(find_field(type, name("b"))->offset, offsetof(InC, b));
  EXPECT_EQ(find_field(type, name("c"))->offset, offsetof(InC, c));
  EXPECT_EQ(find_field(type, name("d"))->offset, offsetof(InC, d));
  EXPECT_EQ(find_field(type, name("e"))->offset, offsetof(InC, e));
  EXPECT_EQ(find_field(type, name("f")), nullptr);
}

TEST_F(TypesTest, GivenOffsetsStay) {
  Type type = types.structure(name("K"));
  types.complete_struct(type, {{name("a"), types.u8(), 4}, {name("b"), types.u32(), 12}}, "linux/k.h", 40);
  EXPECT_EQ(size_of(type), 40u);
  EXPECT_EQ(find_field(type, name("a"))->offset, 4u);
  EXPECT_EQ(find_field(type, name("b"))->offset, 12u);
  EXPECT_EQ(type->body->header, "linux/k.h");
}

TEST_F(TypesTest, EnumsAreAsWideAsTheirValues) {  // [L142]
  const auto width = [&](const char* text, std::vector<EnumItem> items) {
    Type type = types.enumeration(name(text));
    types.complete_enum(type, std::move(items));
    return std::pair<int, bool>(width_of(type), is_signed(type));
  };
  EXPECT_EQ(width("small", {{name("A"), 0}, {name("B"), 7}}), std::pair(32, true));
  EXPECT_EQ(width("negative", {{name("C"), -1}}), std::pair(32, true));
  EXPECT_EQ(width("unsigned", {{name("D"), 0xffffffff}}), std::pair(32, false));
  EXPECT_EQ(width("wide", {{name("E"), int64_t(1) << 40}}).first, 64);
}

TEST_F(TypesTest, WhatKindOfTypeItIs) {
  EXPECT_TRUE(is_integer(types.u8()));
  EXPECT_FALSE(is_integer(types.boolean()));
  EXPECT_TRUE(is_integral(types.boolean()));
  EXPECT_TRUE(is_integral(types.character()));
  EXPECT_FALSE(is_integral(types.str(4)));
  EXPECT_TRUE(is_scalar(types.pointer(types.u8(), Space::Any, true)));
  EXPECT_TRUE(is_aggregate(types.array(types.u8(), 2)));
  EXPECT_TRUE(is_aggregate(types.structure(name("S"))));
  EXPECT_FALSE(is_aggregate(types.u64()));
  EXPECT_FALSE(is(nullptr, TypeKind::Int));
  EXPECT_EQ(width_of(types.character()), 8);
  EXPECT_FALSE(is_signed(types.u64()));
  EXPECT_TRUE(is_signed(types.i32()));
}

TEST_F(TypesTest, SpelledAsDevelopersWrite) {
  EXPECT_EQ(spell(types.pointer(types.u8(), Space::Packet, true)), "*u8");
  EXPECT_EQ(spell(types.str(16)), "str(16)");
  EXPECT_EQ(spell(types.array(types.u32(), 4)), "u32[4]");
  EXPECT_EQ(spell(types.array(types.array(types.u32(), 4), 2)), "u32[2][4]");
  EXPECT_EQ(spell(types.map(name("hash"), types.u32(), types.u64(), 1024)), "hash<u32, u64>(1024)");
  EXPECT_EQ(spell(types.structure(name("S"))), "S");
  EXPECT_EQ(spell(types.boolean()), "bool");
}

}  // namespace
}  // namespace ksc

// SPDX-License-Identifier: Apache-2.0
#include "ir/name.h"

#include <gtest/gtest.h>

#include <string>

namespace ksc {
namespace {

TEST(Names, EqualTextsAreOneName) {
  Arena arena;
  Names names(arena);
  std::string text = "count";
  const Name first = names.intern(text);
  text[0] = 'm';  // the name keeps its own copy
  EXPECT_EQ(first.text(), "count");
  EXPECT_TRUE(first == names.intern("count"));
  EXPECT_FALSE(first == names.intern("mount"));
  EXPECT_TRUE(first == "count");
}

TEST(Names, NoNameIsNotTheEmptyName) {
  Arena arena;
  Names names(arena);
  EXPECT_FALSE(Name());
  EXPECT_TRUE(names.intern(""));
  EXPECT_FALSE(Name() == names.intern(""));
}

TEST(Names, SpellingLeavesOutTheNumber) {
  Arena arena;
  Names names(arena);
  EXPECT_EQ(names.intern("x").spelling(), "x");
  EXPECT_EQ(names.intern("x.12").spelling(), "x");
  EXPECT_EQ(names.intern("x.y").spelling(), "x.y");
  EXPECT_EQ(names.intern("x.").spelling(), "x.");
  EXPECT_EQ(names.intern("12").spelling(), "12");
}

TEST(Names, FreshNamesAreNew) {
  Arena arena;
  Names names(arena);
  const Name taken = names.intern("x.2");
  const Name first = names.fresh("x"), second = names.fresh("x.1"), third = names.fresh("x");
  EXPECT_EQ(first.text(), "x.1");
  EXPECT_EQ(second.text(), "x.3") << "x.2 is taken";
  EXPECT_EQ(third.text(), "x.4");
  EXPECT_EQ(second.spelling(), "x");
  EXPECT_FALSE(taken == second);
}

TEST(Names, DevelopersAreToldFromGenerated) {
  Arena arena;
  Names names(arena);
  const Name first = names.intern("n"), second = names.another("n"), made = names.fresh("n"),
             third = names.another("n#1");
  EXPECT_EQ(second.text(), "n#1");
  EXPECT_EQ(made.text(), "n.2") << "no number twice: n_1 is one word";
  EXPECT_EQ(third.text(), "n#3");
  for (const Name& name : {first, second, third}) EXPECT_FALSE(name.is_generated()) << name.text();
  EXPECT_TRUE(made.is_generated());
  EXPECT_EQ(second.spelling(), "n");
  EXPECT_EQ(word_of(second), "n_1");
  EXPECT_EQ(word_of(made), "n_2");
  EXPECT_FALSE(Name().is_generated());
}

TEST(Names, OrderIsTheTexts) {
  Arena arena;
  Names names(arena);
  const Name b = names.intern("b"), a = names.intern("a");
  EXPECT_TRUE(ByText()(a, b));
  EXPECT_FALSE(ByText()(b, a));
  EXPECT_FALSE(ByText()(a, a));
}

}  // namespace
}  // namespace ksc

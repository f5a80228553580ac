// SPDX-License-Identifier: Apache-2.0
// Rules: [L2] [L3] [L16] [L20] [L41] [L42]
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "frontend/format/upgrade.h"
#include "unit/formatting.h"

namespace ksc::test {
namespace {

namespace fs = std::filesystem;

/// What stands in a function becomes this.
void expect_statements(const std::string& before, const std::string& after) {
  EXPECT_EQ(formatted("fn f() {\n" + before + "\n}"), "fn f() {\n" + after + "\n}\n");
}

TEST(Format, BlanksAreCanonical) {
  EXPECT_EQ(formatted("fn   f( a :u32,b:*u8 , )->u32{return  a+b [ 1 ]}"),
            "fn f(a: u32, b: *u8) -> u32 { return a + b[1] }\n");
  EXPECT_EQ(formatted("@tc( \"egress\" )fn p(ctx:*__sk_buff)->i32{return-1}"),
            "@tc(\"egress\") fn p(ctx: *__sk_buff) -> i32 { return -1 }\n");
  EXPECT_EQ(formatted("var m:hash < u32,u64 > ( 16 )\nvar v:u32=1"), "var m : hash<u32, u64>(16)\nvar v: u32 = 1\n");
  EXPECT_EQ(formatted("type F=fn(a:u32)->*u8"), "type F = fn(a: u32) -> *u8\n");
  EXPECT_EQ(formatted("include<a / b>"), "include <a / b>\n");
  expect_statements("x=-a- -b*c", "    x = -a - -b * c");
  expect_statements("x=& &a&&!b", "    x = & &a && !b");
  expect_statements("x=a?b:c", "    x = a ? b : c");
  expect_statements("x=a? ==b", "    x = a? == b");
  expect_statements("x=m[k]?.y->z", "    x = m[k]?.y->z");
  expect_statements("x=S{a:1,b}", "    x = S { a: 1, b }");
  expect_statements("x=S::new()as u8", "    x = S::new() as u8");
  expect_statements("x=match(y){1|2:3,4 .. 5:6,default:7}", "    x = match (y) { 1 | 2: 3, 4..5: 6, default: 7 }");
  expect_statements("x=[0 ;4]", "    x = [0; 4]");
  expect_statements("x=e.match (1)+sizeof (u8)", "    x = e.match(1) + sizeof(u8)");
}

TEST(Format, AlternativeSpellingsBecomeOne) {
  EXPECT_EQ(formatted("var a: [u8; 4]\nvar b: [u8 4]\nvar c: [[u8; 2] 3]\nvar d: [*u8; 2]\nvar e: [[u8; 2]; 3][4]"),
            "var a: u8[4]\nvar b: u8[4]\nvar c: u8[3][2]\nvar d: (*u8)[2]\nvar e: u8[4][3][2]\n");  // [L20]
  expect_statements("if x > 1 { y() }\nif (x) y(); else z()\nloop break",
                    "    if (x > 1) { y() }\n    if (x) { y() } else { z() }\n    loop { break }");  // [L41]
  expect_statements("if (a) && b { c() }", "    if ((a) && b) { c() }");
  expect_statements("match x { 1: 2, default: 3 }", "    match (x) { 1: 2, default: 3 }");
  expect_statements("for (k, v) in m { }\nfor ((k, v) in m) { }\nfor i in 0..4 { }",
                    "    for (k, v in m) {}\n    for (k, v in m) {}\n    for (i in 0..4) {}");  // [L42]
  expect_statements("x = none", "    x = null");                                                // [L3]
  EXPECT_EQ(formatted("@flags(A) pin var m : hash<u32, u64>(16)"),
            "pin @flags(A) var m : hash<u32, u64>(16)\n");  // [L16]
  EXPECT_EQ(formatted("pub @helper fn f() {}"), "@helper pub fn f() {}\n");
  EXPECT_EQ(formatted("extern fn f(a: u32)"), "extern f(a: u32)\n");
}

TEST(Format, StatementsStandInLinesOfTheirOwn) {
  expect_statements("a = 1; b = 2;", "    a = 1\n    b = 2");
  EXPECT_EQ(formatted("fn f() { a(); b() }"), "fn f() {\n    a()\n    b()\n}\n");
  EXPECT_EQ(formatted("fn f() { a() }\nfn g()\n{ a()\n}\nfn h() {\n}"),
            "fn f() { a() }\nfn g() {\n    a()\n}\nfn h() {}\n");
  expect_statements("if (a) { b() }\nelse {\nc() }", "    if (a) {\n        b()\n    } else {\n        c()\n    }");
  expect_statements("if (a)\nreturn // why\nb()", "    if (a) {\n        return // why\n    }\n    b()");
  EXPECT_EQ(formatted("\n\n\nvar a = 1\n\n\n\nvar b = 2\n\n"), "var a = 1\n\nvar b = 2\n");
  EXPECT_EQ(formatted("fn f() {\n\n  a()\n\n\n  b()\n\n}"), "fn f() {\n    a()\n\n    b()\n}\n");
  EXPECT_EQ(formatted("@xdp\nfn f() {}\n@helper fn g() {}"), "@xdp\nfn f() {}\n@helper fn g() {}\n");
  EXPECT_EQ(formatted(""), "");
}

TEST(Format, ListsGetTheirCommas) {
  EXPECT_EQ(formatted("struct A { a: u8; b: u8; }\nstruct B {\na: u8\nb: u8 }"),
            "struct A { a: u8, b: u8 }\nstruct B {\n    a: u8,\n    b: u8,\n}\n");
  EXPECT_EQ(formatted("enum E {\nA = 1\nB }"), "enum E {\n    A = 1,\n    B,\n}\n");
  EXPECT_EQ(formatted("config c { a: u8 = 1, }"), "config c { a: u8 = 1 }\n");
  expect_statements("x = match (y) {\n1: { a() },\n2: b(),\ndefault: c(),\n}",
                    "    x = match (y) {\n        1: { a() }\n        2: b(),\n        default: c()\n    }");
  expect_statements("x = S {\na: 1 }", "    x = S {\n        a: 1,\n    }");
  expect_statements("x = [\n1,\n2]", "    x = [\n        1,\n        2,\n    ]");
  EXPECT_EQ(formatted("@struct_ops(\"t\") impl i { fn f() {}\nname: \"n\" }"),
            "@struct_ops(\"t\") impl i {\n    fn f() {}\n    name: \"n\",\n}\n");
}

TEST(Format, CommentsStayWhereTheyAre) {
  EXPECT_EQ(formatted("// a\n\n/* b */ var x = 1 // c\n  // d\nvar y /* e */ = 2 /* f */"),
            "// a\n\n/* b */ var x = 1 // c\n// d\nvar y /* e */ = 2 /* f */\n");
  EXPECT_EQ(formatted("struct S {\na: u8, // one\nlonger: u16 // two\n       // of b\nb: u8 }"),
            "struct S {\n    a: u8,       // one\n    longer: u16, // two\n    // of b\n    b: u8,\n}\n");
  EXPECT_EQ(formatted("struct S {\na: u8, // one\n       // goes on\nb: u16 // two\n}"),
            "struct S {\n    a: u8,  // one\n            // goes on\n    b: u16, // two\n}\n");
  expect_statements("a(1, // one\n2)", "    a(1, // one\n      2)");
  expect_statements("if (a) { // why\n}\n// then\nelse { b() }",
                    "    if (a) { // why\n    }\n    // then\n    else {\n        b()\n    }");
  expect_statements("      /* a\n       * b\n     * c */\nd()", "    /* a\n     * b\n     * c */\n    d()");
  expect_statements("  /* a\n     b */\nd()", "    /* a\n       b */\n    d()");
  expect_statements("a() // last", "    a() // last");
  EXPECT_EQ(formatted("// only"), "// only\n");
  EXPECT_EQ(format_problem("struct S { a: u8\n, /* of a\n */ b: u8 }"), "");
}

TEST(Format, LineBreaksOfTheAuthorStayBetweenBracketsAndBehindOperators) {  // [L2]
  expect_statements("f(a,\nb)", "    f(a,\n      b)");
  expect_statements("f(\na, b)", "    f(\n        a, b\n    )");
  expect_statements("x = a +\nb", "    x = a +\n        b");
  expect_statements("x = a\n|| b", "    x = a\n        || b");
  expect_statements("x = y\n.f()\n.g()", "    x = y\n        .f()\n        .g()");
  expect_statements("if (a &&\nb) { c() }", "    if (a &&\n        b) { c() }");
  // A `?` at the end of a line propagates.
  expect_statements("f(a?\n- b)", "    f(a?\n      - b)");
  // On one line this would be a cast.
  expect_statements("f((u8)\n(x))", "    f((u8)\n      (x))");
}

TEST(Format, LongLinesAreBroken) {
  const std::string a(40, 'a'), b(40, 'b'), c(40, 'c');
  expect_statements("f(" + a + ", " + b + ", " + c + ")", "    f(" + a + ", " + b + ",\n      " + c + ")");
  expect_statements("x = " + a + " && " + b + " || " + c, "    x = " + a + " && " + b + " ||\n        " + c);
  expect_statements("x = S { a: " + a + ", b: " + b + ", c: " + c + " }",
                    "    x = S {\n        a: " + a + ",\n        b: " + b + ",\n        c: " + c + ",\n    }");
  expect_statements("if (" + a + " == " + b + ") { return " + c + " }",
                    "    if (" + a + " == " + b + ") {\n        return " + c + "\n    }");
  expect_statements(a + b + "." + c + "(d, e)", "    " + a + b + "." + c + "(\n        d, e\n    )");
  expect_statements("x = " + a + b + c, "    x = " + a + b + c);
}

TEST(Format, WhatIsOldIsRewritten) {  // [L130]
  EXPECT_EQ(upgrade("map<u32, u64> m : HashMap(16) { pinned: \"p\" };"), "pin var m : hash<u32, u64>(16)");
  EXPECT_EQ(upgrade("program p : tc {\n  // why\n  var n: u32\n  fn main(ctx: TcContext) -> TcAction { return f() }\n"
                    "  fn f() -> int { return 0 }\n}"),
            "// why\nvar n: u32\n@tc(\"ingress\")\nfn p(ctx: *__sk_buff) -> i32 { return f() }\n"
            "@helper\nfn f() -> i32 { return 0 }");
  EXPECT_EQ(upgrade("map<u32, u64> m : HashMap(16) { // kept\n};"), "// kept\nvar m : hash<u32, u64>(16)");
  EXPECT_EQ(upgrade("@tc fn f(ctx: *__sk_buff) -> i32 { return (u32)x }"),
            "@tc(\"ingress\") fn f(ctx: *__sk_buff) -> i32 { return (x as u32) }");
  EXPECT_EQ(upgrade("@tc(\"egress\") fn f() {}"), "@tc(\"egress\") fn f() {}");
}

std::vector<std::string> programs_of_the_tree() {
  std::vector<std::string> texts;
  for (const char* folder : {"examples", "fuzz", "tests"})
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(fs::path(KSC_SOURCE) / folder)) {
      if (entry.path().extension() != ".ks") continue;
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      texts.push_back(text.str());
    }
  return texts;
}

TEST(Format, ProgramsOfTheTreeKeepTheirMeaning) {
  const std::vector<std::string> programs = programs_of_the_tree();
  EXPECT_GT(programs.size(), 300u);
  for (const std::string& program : programs) EXPECT_EQ(format_problem(program), "") << program;
}

// What stands behind the end of a comment of several lines has no column that another comment could go on in.
TEST(Format, CommentsBehindOthersStayWhereTheyAre) {
  EXPECT_EQ(format_problem("fn also(x: /* y\n * z */ // e\n  // f\ni32) -> i32 { // line\n  return x }\n"), "");
}

TEST(Format, ScrambledProgramsKeepTheirMeaning) {
  size_t formats = 0;
  uint64_t seed = 0;
  for (const std::string& program : programs_of_the_tree())
    for (int round = 0; round < 12; ++round) {
      const std::string text = scrambled(program, ++seed);
      ASSERT_EQ(format_problem(text), "") << text;
      formats += formatted(text) != "errors";
    }
  EXPECT_GT(formats, 500u);
}

TEST(Format, ADifferenceIsSeen) {
  EXPECT_EQ(difference("fn f() { a() } // b", "fn f() {\n    a()\n} // b\n"), "");
  EXPECT_EQ(difference("fn f() { a() }", "fn f() { b() }"), "the formatted text is another program");
  EXPECT_EQ(difference("fn f() { a() } // b", "fn f() { a() }"), "the formatted text has other comments");
  EXPECT_EQ(difference("fn f() { a() }", "fn f() { a("), "the formatted text has syntax errors");
}

}  // namespace
}  // namespace ksc::test

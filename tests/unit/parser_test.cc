// SPDX-License-Identifier: Apache-2.0
// Rules: [L3] [L17] [L36]
#include <gtest/gtest.h>

#include <chrono>
#include <regex>

#include "unit/parsing.h"

namespace ksc::test {
namespace {

using Messages = std::vector<std::string>;
std::string e(const std::string& text) { return brief(expression(text)); }
std::string s(const std::string& text) { return brief(statements(text)); }
std::string d(const std::string& text) { return brief(tree(text)); }
Messages errors(const std::string& text) { return ParsedText(text).messages(); }

TEST(Expressions, BindAsTheTableSays) {  // [L30]
  EXPECT_EQ(e("a + b * c"), "(Operation Add (a (Operation Multiply (b c))))");
  EXPECT_EQ(e("a * b + c"), "(Operation Add ((Operation Multiply (a b)) c))");
  EXPECT_EQ(e("a - b - c"), "(Operation Subtract ((Operation Subtract (a b)) c))");
  EXPECT_EQ(e("a & b == c"), "(Operation Equal ((Operation BitAnd (a b)) c))");
  EXPECT_EQ(e("a | b ^ c & d << e + f"),
            "(Operation BitOr (a (Operation BitXor (b (Operation BitAnd (c (Operation ShiftLeft (d (Operation Add (e "
            "f))))))))))");
  EXPECT_EQ(e("a < b == c"), "(Operation Equal ((Operation Less (a b)) c))");
  EXPECT_EQ(e("a || b && c || d"), "(Or (Or a (And b c)) d)");
  EXPECT_EQ(e("-a as u64 * b"), "(Operation Multiply ((Cast (Operation Negate (a)) (NamedType - u64) false) b))");
  EXPECT_EQ(e("!a.b && ~c[d]"), "(And (Not (Member a b false)) (Operation Complement ((Subscript c d))))");
  EXPECT_EQ(e("*p.q"), "(Deref (Member p q false))");
  EXPECT_EQ(e("&a[1]"), "(AddressOf (Subscript a 1))");
  EXPECT_EQ(e("a ? b : c ? d : e"), "(Conditional a b (Conditional c d e))");
  EXPECT_EQ(e("(a + b) * c"), "(Operation Multiply ((Operation Add (a b)) c))");
}

TEST(Expressions, QuestionMarkIsPostfixOrConditional) {  // [L30]
  EXPECT_EQ(e("f(a?)"), "(Apply f ((Propagate a)))");
  EXPECT_EQ(e("a?.b?->c"), "(Member (Propagate (Member (Propagate a) b false)) c true)");
  EXPECT_EQ(e("a? == b"), "(Operation Equal ((Propagate a) b))");
  EXPECT_EQ(e("a ? -b : c"), "(Conditional a (Operation Negate (b)) c)");
  EXPECT_EQ(e("a ? b? : c"), "(Conditional a (Propagate b) c)");
  EXPECT_EQ(s("x = a?\ny = b"), "(AssignStmt None x (Propagate a)) (AssignStmt None y b)");
  EXPECT_EQ(e("a\n ? b\n : c"), "(Conditional a b c)");
}

TEST(Expressions, ComparisonsDoNotChain) {
  EXPECT_EQ(errors("fn f() { x = a < b < c }"), Messages{"1:20-21 KS0334"});
  EXPECT_EQ(errors("fn f() { x = a == b != c == d }"), Messages{"1:21-23 KS0334"});
}

TEST(Expressions, LiteralsOfStructsAndArrays) {  // [L33]
  EXPECT_EQ(e("S { a: 1, type: 2, g, }"), "(StructLiteral - S ((a 1) (type 2) (g g)))");
  EXPECT_EQ(e("m.S { a: 1 }"), "(StructLiteral m S ((a 1)))");
  EXPECT_EQ(e("S {}"), "(StructLiteral - S ())");
  EXPECT_EQ(e("S::new()"), "(NewValue (NamedType - S))");
  EXPECT_EQ(e("[a, b,]"), "(ArrayLiteral (a b))");
  EXPECT_EQ(e("[0; N]"), "(ArrayRepeat 0 N)");
  EXPECT_EQ(e("new S(GFP_ATOMIC)"), "(New (NamedType - S) (GFP_ATOMIC))");
  EXPECT_EQ(e("sizeof(*S[2])"), "(SizeOf (PointerType (ArrayType (NamedType - S) 2)))");
  EXPECT_EQ(e("offsetof(S, type)"), "(OffsetOf (NamedType - S) type)");
  EXPECT_EQ(e("a.type + b->match"), "(Operation Add ((Member a type false) (Member b match true)))");
  EXPECT_EQ(expression("'a'"), "(CharLiteral 97)");
  EXPECT_EQ(expression("none"), "(NullLiteral)");
  EXPECT_EQ(expression("true"), "(BoolLiteral true)");
  EXPECT_EQ(expression("\"t\""), "(StringValue t)");
  EXPECT_EQ(expression("0x10"), "(IntLiteral 16 \"0x10\")");
}

TEST(Expressions, CastsInTheSpellingOfC) {  // [L23]
  const ParsedText parsed("fn f() { x = (iphdr*)(p + 1) }");
  EXPECT_EQ(parsed.messages(), Messages{"1:14-29 KS0113"});
  EXPECT_EQ(parsed.context.diagnostics.all()[0].fixes[0].replacement, "((p + 1) as *iphdr)");
  EXPECT_NE(squeezed(print(parsed.program)).find("(PointerType (NamedType - iphdr)) true)"), std::string::npos);
  EXPECT_EQ(e("(a)(b)"), "(Apply a (b))");
}

TEST(Expressions, MatchHasEveryPattern) {  // [L32]
  EXPECT_EQ(e("match (a) { 1 | 2: b, 3..5: c, 'a'..='z': d, E.X: g, -1: h, default: i }"),
            "(Match a ((((1 - false) (2 - false)) b) (((3 5 false)) c) ((((CharLiteral 97) (CharLiteral 122) true)) d) "
            "((((Member E X false) - false)) g) ((((Operation Negate (1)) - false)) h) (() i)))");
  EXPECT_EQ(
      e("match (a) {\n 1: { f()\n b }\n 2: return c\n, default: { g = 1 } }"),
      "(Match a ((((1 - false)) (BlockValue ((Evaluate (Apply f ()))) b)) (((2 - false)) (BlockValue ((Return c)) -)) "
      "(() (BlockValue ((AssignStmt None g 1)) -))))");
}

TEST(Expressions, IfIsAValue) {  // [L31]
  EXPECT_EQ(e("if (a) { b } else if (c) { f()\n d } else { g }"),
            "(IfValue ((a b) (c (BlockValue ((Evaluate (Apply f ()))) d))) g)");
  EXPECT_EQ(e("match (a) { default: { if (b) { 1 } else { 2 } } }"), "(Match a ((() (IfValue ((b 1)) 2))))");
  EXPECT_EQ(errors("fn f() { x = if (a) { b } }"), Messages{"1:14-16 KS0111"});
}

TEST(Lines, OperatorsThatEndOrBeginALineContinueIt) {  // [L2]
  for (const char* op : {"+", "/", "%", "|", "^", "<<", ">>", "&&", "||", "==", "!=", "<", "<=", ">", ">="}) {
    const std::string one = e(std::string("a ") + op + " b");
    EXPECT_EQ(e(std::string("a ") + op + "\n b"), one) << op;
    EXPECT_EQ(e(std::string("a\n ") + op + " b"), one) << op;
  }
  for (const char* op : {"-", "*", "&"})
    EXPECT_EQ(e(std::string("a ") + op + "\n b"), e(std::string("a ") + op + " b")) << op;
  EXPECT_EQ(e("a\n .b\n ->c"), "(Member (Member a b false) c true)");
  EXPECT_EQ(e("a.\n b"), "(Member a b false)");
  EXPECT_EQ(e("\n a"), "a");
  EXPECT_EQ(e("f(\n a,\n b\n)"), "(Apply f (a b))");
  EXPECT_EQ(e("a\n as u8"), "(Cast a (NamedType - u8) false)");
}

TEST(Lines, OperatorsThatCanBeginAnExpressionEndTheLineBefore) {  // [L2]
  EXPECT_EQ(s("x = a\n-b"), "(AssignStmt None x a) (Evaluate (Operation Negate (b)))");
  EXPECT_EQ(s("x = a\n*b = c"), "(AssignStmt None x a) (AssignStmt None (Deref b) c)");
  EXPECT_EQ(s("x = a\n&b"), "(AssignStmt None x a) (Evaluate (AddressOf b))");
  EXPECT_EQ(s("f\n(a)"), "(Evaluate f) (Evaluate a)");
  EXPECT_EQ(s("x = a\n[b]"), "(AssignStmt None x a) (Evaluate (ArrayLiteral (b)))");
  EXPECT_EQ(s("x = S\n{ }"), "(AssignStmt None x S) (Block ())");
  EXPECT_EQ(s("return\nf()"), "(Return -) (Evaluate (Apply f ()))");
  EXPECT_EQ(s("x = (a\n -b)"), "(AssignStmt None x (Operation Subtract (a b)))");  // nothing can end between brackets
}

TEST(Lines, BreaksAreIgnoredAroundHeaders) {  // [L2]
  EXPECT_EQ(s("if (a)\n b()\nelse\n c()"), s("if (a) b() else c()"));
  EXPECT_EQ(s("if (a)\n{\n b()\n}\nelse if (c)\n{\n}"), s("if (a) { b() } else if (c) { }"));
  EXPECT_EQ(s("for (i in 0..2)\n f(i)"), s("for (i in 0..2) f(i)"));
  EXPECT_EQ(s("while (a)\n f()"), s("while (a) f()"));
  EXPECT_EQ(s("try\n{ }\ncatch 1\n{ }"), s("try { } catch 1 { }"));
  EXPECT_EQ(d("fn f()\n -> u32\n{ }"), d("fn f() -> u32 { }"));
  EXPECT_EQ(s("a(); b();; c()"), s("a()\nb()\nc()"));
  EXPECT_EQ(s("if (a) return; else return 1"), s("if (a) return\nelse return 1"));
}

TEST(Statements, ConditionsEndAtTheirBracket) {  // [L41]
  EXPECT_EQ(s("if (a) *p = 1"), "(If ((a ((AssignStmt None (Deref p) 1)))) ())");
  EXPECT_EQ(s("if (a) -b"), "(If ((a ((Evaluate (Operation Negate (b)))))) ())");
  EXPECT_EQ(s("if (a) && (b) { }"), "(If (((And a b) ())) ())");
  EXPECT_EQ(s("if (a).b == c { }"), "(If (((Operation Equal ((Member a b false) c)) ())) ())");
  EXPECT_EQ(s("if (a) as u8 { }"), "(If (((Cast a (NamedType - u8) false) ())) ())");
  EXPECT_EQ(s("if (a)\n .b()"), "messages: 3:2-3 KS0100");
  EXPECT_EQ(s("if a == S { }"), "(If (((Operation Equal (a S)) ())) ())");
  EXPECT_EQ(s("if (a == S { b: 1 }) { }"), "(If (((Operation Equal (a (StructLiteral - S ((b 1))))) ())) ())");
  EXPECT_EQ(s("while a { b }"), "(While a ((Evaluate b)))");
  EXPECT_EQ(errors("fn f() { if a return }"), Messages{"1:15-21 KS0100"});
}

TEST(Statements, EveryForm) {
  EXPECT_EQ(s("var a: u32 = 1\nvar b: u32\nvar c = 2"),
            "(VarStmt a (NamedType - u32) 1) (VarStmt b (NamedType - u32) -) (VarStmt c - 2)");
  EXPECT_EQ(
      s("m[k] += 1\np->f <<= 2\n*q = 3"),
      "(AssignStmt Add (Subscript m k) 1) (AssignStmt ShiftLeft (Member p f true) 2) (AssignStmt None (Deref q) 3)");
  EXPECT_EQ(s("if (var x = m[k]) { } else if (a) { } else { b() }"),
            "(IfVar x - (Subscript m k) () ((If ((a ())) ((Evaluate (Apply b ()))))))");
  EXPECT_EQ(s("if (a) { } else if (var x: u8 = b) { }"), "(If ((a ())) ((IfVar x (NamedType - u8) b () ())))");
  EXPECT_EQ(s("for (i in a..b) { }"), "(For i a b false ())");
  EXPECT_EQ(s("for i in 0..=n + 1 { }"), "(For i 0 (Operation Add (n 1)) true ())");
  for (const char* header : {"(k, v in m)", "((k, v) in m)", "(k, v) in m", "k, v in m"})
    EXPECT_EQ(s(std::string("for ") + header + " { }"), "(ForEach k v m ())") << header;
  EXPECT_EQ(s("while (a) { continue }\nloop { break }"), "(While a ((Continue))) (Loop ((Break)))");
  EXPECT_EQ(s("throw 5\ndelete m[k]\n{ }"), "(Throw 5) (Delete (Subscript m k)) (Block ())");
  EXPECT_EQ(s("defer f(a)\ndefer { g() }"),
            "(Defer ((Evaluate (Apply f (a)))) true) (Defer ((Evaluate (Apply g ()))) false)");
  EXPECT_EQ(s("try { } catch 1 { } catch N { } catch (e) { } catch bounds { } catch _ { }"),
            "(Try () ((1 - false ()) (N - false ()) (- e false ()) (- - true ()) (- - false ())))");
  EXPECT_EQ(s("match (a) { default: f() }"), "(Evaluate (Match a ((() (Apply f ())))))");
}

TEST(Declarations, EveryForm) {
  EXPECT_EQ(d("import a from \"a.ks\""), "(Import a a.ks)");
  EXPECT_EQ(d("include \"a.kh\"\ninclude <linux/tcp.h>"), "(Include a.kh false) (Include linux/tcp.h true)");
  EXPECT_EQ(d("license \"MIT\""), "(License MIT)");
  EXPECT_EQ(d("priv type A = *u8"), "(AliasDecl A (PointerType (NamedType - u8)) Private)");
  EXPECT_EQ(d("struct S { type: u8, fn: u8\n last: u8 }"),
            "(StructDecl S ((type (NamedType - u8) -) (fn (NamedType - u8) -) (last (NamedType - u8) -)) Default)");
  EXPECT_EQ(d("pub enum E { A = 1, B\n C }"), "(EnumDecl E ((A 1) (B -) (C -)) Public)");
  EXPECT_EQ(d("const N: u32 = 1 + 2"), "(ConstDecl N (NamedType - u32) (Operation Add (1 2)) Default)");
  EXPECT_EQ(d("config c { a: u64 = 1, b: bool }"),
            "(ConfigDecl c ((a (NamedType - u64) 1) (b (NamedType - bool) -)) Default)");
  EXPECT_EQ(d("var a = 1\nlocal var b: u8\npin var c: u8"),
            "(VarDecl a - 1 Shared Default) (VarDecl b (NamedType - u8) - EbpfOnly Default) (VarDecl c (NamedType - "
            "u8) - Pinned Default)");
  const std::string map =
      "(MapDecl m hash ((NamedType - u32) (NamedType - u64)) 16 ((numa_node 1)) ((Operation BitOr (A B))) true "
      "Default)";
  EXPECT_EQ(d("pin @flags(A | B) var m : hash<u32, u64>(16, numa_node = 1)"), map);
  EXPECT_EQ(d("@flags(A | B)\npin var m : hash<u32, u64>(16, numa_node = 1)"), map);
  EXPECT_EQ(d("var s : sk_storage<*sock, u64>()"),
            "(MapDecl s sk_storage ((PointerType (NamedType - sock)) (NamedType - u64)) - () () false Default)");
  EXPECT_EQ(d("extern f(a: *u8) -> u32"), "(ExternDecl f ((a (PointerType (NamedType - u8)))) (NamedType - u32))");
  EXPECT_EQ(tree("@struct_ops(\"t\") impl i { fn a() { }\n name: \"n\", b: c }"),
            "(ImplDecl ((struct_ops ((StringValue t)))) i ((FunctionDecl () Default a () - - ())) ((name (StringValue "
            "n)) (b (NameUse c))))");
  EXPECT_EQ(
      d("@helper priv fn f(a: u8, type: E) -> r: u8 { }"),
      "(FunctionDecl ((helper ())) Private f ((a (NamedType - u8)) (type (NamedType - E))) r (NamedType - u8) ())");
}

TEST(Declarations, CommentsOnMembers) {  // [L70]
  const auto comments = [](const std::string& members) {
    const std::string text = d("struct S {" + members + "}");
    static const std::regex comment(R"re(\(NamedType - u8\) ("([^"\\]|\\.)*"|[^ ()]+)\))re");
    std::string found;
    for (std::sregex_iterator at(text.begin(), text.end(), comment), end; at != end; ++at) found += at->str(1) + "|";
    return found;
  };
  EXPECT_EQ(comments("\n a: u8 // the first\n b: u8\n"), "\"the first\"|-|");
  EXPECT_EQ(comments("\n a: u8, // the first\n b: u8, /* the second */\n"), "\"the first\"|\"the second\"|");
  EXPECT_EQ(comments("\n // the\n // first\n a: u8\n\n /** the\n  * second\n  */\n b: u8\n"),
            "\"the first\"|\"the second\"|");
  EXPECT_EQ(comments(" a: u8 /* first */, b: u8 /* second */ "), "first|second|");
  EXPECT_EQ(comments(" /* first */ a: u8, /* second */ b: u8 "), "first|second|");
  EXPECT_EQ(comments(" a: u8, b: u8, /* second */ "), "-|second|");
  // Behind the member is nearer than above it.
  EXPECT_EQ(comments("\n // above\n a: u8 // behind\n"), "behind|");
  // A comment in the same column goes on; others are the next member's.
  EXPECT_EQ(comments("\n a: u8 // one\n       // two\n b: u8\n"), "\"one two\"|-|");
  EXPECT_EQ(comments("\n a: u8 // one\n // two\n b: u8\n"), "one|two|");
  // What is about the struct, apart from the members, or only drawn.
  EXPECT_EQ(comments(" // all\n a: u8\n // the end\n"), "-|");
  EXPECT_EQ(comments(" // all\n           // of it\n a: u8\n"), "-|");
  EXPECT_EQ(comments("\n // a part\n\n a: u8\n //\n // ----\n b: u8 //\n"), "-|-|");
  EXPECT_EQ(d("struct S { a: u8, b: u8 } // all"),
            "(StructDecl S ((a (NamedType - u8) -) (b (NamedType - u8) -)) Default)");
  EXPECT_EQ(d("// all\nstruct S { a: u8 }\n// end"), "(StructDecl S ((a (NamedType - u8) -)) Default)");
  EXPECT_EQ(comments("\n a: u8 // it's \"100\\t%\"\tor\r\n"), "\"it's \\\"100\\\\t%\\\" or\"|");
}

TEST(Types, EveryForm) {  // [L20]
  const auto t = [](const std::string& text) {
    const std::string whole = d("type A = " + text);
    return whole.substr(13, whole.size() - 13 - 9);
  };
  EXPECT_EQ(t("u8[4]"), "(ArrayType (NamedType - u8) 4)");
  EXPECT_EQ(t("[u8; 4]"), t("u8[4]"));
  EXPECT_EQ(t("[u8 4]"), t("u8[4]"));
  EXPECT_EQ(t("u8[4][2]"), "(ArrayType (ArrayType (NamedType - u8) 2) 4)");
  EXPECT_EQ(t("str(16)"), "(StrType 16)");
  EXPECT_EQ(t("option *u8"), "(OptionType (PointerType (NamedType - u8)))");
  EXPECT_EQ(t("fn(a: u8, *u8) -> bool"),
            "(FunctionType ((NamedType - u8) (PointerType (NamedType - u8))) (NamedType - bool))");
  EXPECT_EQ(t("m.T"), "(NamedType m T)");
}

TEST(Errors, ManyInOneRunAndNoneCausedByAnother) {
  EXPECT_EQ(
      errors("fn f() {\n"
             "  foo(a b, c)\n"
             "  var = 5\n"
             "  x = = 3\n"
             "  good()\n"
             "  if (a = b) { c() }\n"
             "  y = (1 + 2\n"
             "  z = 3\n"
             "  return 5 6\n"
             "}\n"
             "struct S { a u32, b: u8, c: }\n"
             "x = 5\n"
             "fn g(a: ) { y = = 1 }\n"
             "fn h() { good() }\n"),
      (Messages{"2:9-10 KS0124", "3:7-8 KS0100", "4:7-8 KS0100", "6:9-10 KS0110", "7:13-13 KS0101", "9:12-13 KS0107",
                "11:14-17 KS0100", "11:29-30 KS0100", "12:1-2 KS0105", "13:9-10 KS0100", "13:17-18 KS0100"}));
}

TEST(Statements, NeedNoIndentation) {
  EXPECT_EQ(d("fn f() {\nvar a = 1\nif (a) {\nvar b = 2\n}\n}\nvar c = 3"),
            "(FunctionDecl () Default f () - - ((VarStmt a - 1) (If ((a ((VarStmt b - 2)))) ()))) (VarDecl c - 3 "
            "Shared Default)");
}

TEST(Errors, AnUnclosedBlockIsReportedOnce) {
  EXPECT_EQ(errors("fn f() {\n  if (a) {\n    b()\n}\n\nfn g() {\n  x = = 1\n}\n"),
            (Messages{"4:2-2 KS0101", "7:7-8 KS0100"}));
  EXPECT_EQ(errors("fn f() {\n  g(\n}\nfn h() { }\n"), Messages{"3:1-2 KS0100"});
  EXPECT_EQ(errors("fn f() { }\n}\nfn g() { }\n"), Messages{"2:1-2 KS0106"});
  EXPECT_EQ(errors("fn f() {"), Messages{"1:9-9 KS0101"});
}

TEST(Errors, WithFixes) {
  const auto fix = [](const std::string& text) {
    const ParsedText parsed(text);
    const auto& all = parsed.context.diagnostics.all();
    return all.size() == 1 && all[0].fixes.size() == 1 ? all[0].fixes[0].replacement
                                                       : fmt::format("{} messages", all.size());
  };
  EXPECT_EQ(fix("fn f() { i++ }"), " += 1");
  EXPECT_EQ(fix("fn f() { --i }"), "i -= 1");
  EXPECT_EQ(fix("fn f() { if (a = b) { } }"), "==");
  EXPECT_EQ(fix("fn f() { x = match (a) { 1 => 2, default: 3 } }"), ":");
  EXPECT_EQ(fix("fn f() { x = match (a) { 1: 2, _: 3 } }"), "default");
  EXPECT_EQ(fix("fn f() { x = E::A }"), ".");
  EXPECT_EQ(fix("fn f() { const a = 1 }"), "var");
  EXPECT_EQ(fix("fn f() { var type = 1 }"), "type_");
  EXPECT_EQ(fix("pin local var a: u8"), "");
}

TEST(Errors, OldSpellings) {  // [L130]
  const auto fix = [](const std::string& text) {
    const ParsedText parsed(text);
    const auto& all = parsed.context.diagnostics.all();
    return all.size() == 1 && all[0].fixes.size() == 1 ? all[0].fixes[0].replacement
                                                       : fmt::format("{} messages", all.size());
  };
  EXPECT_EQ(fix("program p : xdp {\n fn main(c: XdpContext) -> XdpAction { return XDP_PASS }\n}"),
            "@xdp\nfn p(c: *xdp_md) -> xdp_action { return XDP_PASS }");
  EXPECT_EQ(fix("map<u32, u64> m : HashMap(16) { pinned: \"/x\" };"), "pin var m : hash<u32, u64>(16)");
  EXPECT_EQ(fix("map<u32, u64> m : PerCpuArray(16)\n"), "var m : percpu_array<u32, u64>(16)");
  EXPECT_EQ(fix("kernel fn f() { }"), "@helper");
  EXPECT_EQ(fix("fn f(c: TcContext) { }"), "*__sk_buff");
  EXPECT_EQ(fix("fn f() -> TcAction { }"), "i32");
  EXPECT_EQ(fix("fn f(p: *[u8]) { }"), "*u8");
  EXPECT_EQ(fix("fn f() { x = GlobalMaps::m() }"), "m");
  EXPECT_EQ(fix("fn f(a: int) { }"), "i32");
  EXPECT_EQ(errors("fn f(a: string, b: LsmContext) { }"), (Messages{"1:9-15 KS0152", "1:20-30 KS0152"}));
}

/// Parses, in a time that only something worse than linear would exceed.
Messages quickly(const std::string& text) {
  const auto began = std::chrono::steady_clock::now();
  const Messages found = errors(text);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  return found;
}
std::string repeated(const std::string& text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(Nesting, HasALimitAndOneMessage) {
  EXPECT_EQ(e(repeated("(", 150) + "a" + repeated(")", 150)), "a");
  for (const std::string& text :
       {repeated("(", 10'000'000), "fn f() { x = " + repeated("(", 10'000'000),
        "fn f() { x = " + repeated("!", 100'000) + "a }",
        "fn f() {" + repeated("{", 100'000) + repeated("}", 100'000) + "}",
        "fn f() { x = " + repeated("a ? b : ", 100'000) + "c }", "fn f() { x = a" + repeated(".b", 100'000) + " }",
        "fn f() { x = " + repeated("f(g[", 100'000), "fn f() { var t: " + repeated("*", 100'000) + "u8 }",
        "fn f() { " + repeated("if (a) ", 100'000) + "b() }", "fn f() { " + repeated("match (x) { 1: ", 100'000),
        "fn f() { x = a" + repeated(" as u8", 100'000) + " }"})
    EXPECT_EQ(quickly(text).size(), 1u) << text.substr(0, 40);
}

TEST(Nesting, WhatFollowsIsStillUnderstood) {
  EXPECT_EQ(errors("fn f() {\n" + repeated("{", 300) + repeated("}", 300) + "\nx = = 1 }\nfn g() { y = = 2 }"),
            (Messages{"2:200-201 KS0102", "3:5-6 KS0100", "4:14-15 KS0100"}));
}

TEST(LongPrograms, StayFlat) {
  std::string sum = "fn f() { x = 0", both = "fn f() { x = a", arms = "fn f() { x = match (a) { default: 0",
              branches = "fn f() { ";
  for (int i = 0; i < 100'000; ++i) sum += fmt::format(" + {}", i), both += " && a";
  for (int i = 0; i < 10'000; ++i)
    arms += fmt::format(", {}: {}", i, i), branches += fmt::format("if (a == {}) {{ }} else ", i);
  for (const std::string& text : {sum + " }", both + " }", arms + " } }", branches + "{ } }"}) {
    const ParsedText parsed(text);
    EXPECT_TRUE(parsed.messages().empty()) << text.substr(0, 40);
    EXPECT_LT(header(parsed.program[0]).height, 40) << text.substr(0, 40);
  }
  EXPECT_EQ(e("a+b+c+d+e+f+g+h").find("Chain"), std::string::npos);
  EXPECT_EQ(e("a+b-c+d+e+f+g+h+i"), "(Chain a ((Add b) (Subtract c) (Add d) (Add e) (Add f) (Add g) (Add h) (Add i)))");
}

TEST(BadInput, NeverCrashes) {
  // Every prefix of a program with every form, and the program with each character replaced.
  const std::string program =
      "@xdp fn f(c: *xdp_md) -> r: u32 { var a: str(4) = \"x\"; if (var v = m[k]) { v += 1 } else if (b) { } "
      "for ((k, v) in m) { } x = match (y) { 1 | 2..3: { z }, default: S { g } } try { } catch 1 { } return a?.b as u8 "
      "}\n"
      "pin var m : hash<u32, u64>(1) config c { a: u8 = 1 } enum E { A } @s(\"t\") impl i { n: 1 }\n";
  for (size_t i = 0; i < program.size(); ++i) {
    (void)errors(program.substr(0, i));
    for (const char* other : {"(", "}", "\"", ":", "fn", "\n"}) {
      std::string changed = program;
      changed.replace(i, 1, other);
      const ParsedText parsed(changed);
      EXPECT_LT(parsed.messages().size(), 12u) << changed;
    }
  }
  EXPECT_LE(errors(repeated("x = = 1\n", 100'000)).size(), 201u);
}

}  // namespace
}  // namespace ksc::test

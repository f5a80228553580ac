// SPDX-License-Identifier: Apache-2.0
// For each rule: a program that obeys it passes, and one that breaks it is reported [L166].
#include "unit/checking.h"

namespace ksc {
namespace {

TEST_F(CheckTest, Forms) {
  expect(lang::NoWhile, "(Loop ((Break)))" + one, "(While (Int:bool 1 -) ((Break)))" + one,
         "While is not in the language");
}

TEST_F(CheckTest, OptionsAreDeclared) {
  const std::string types =
      "(types (struct S 8 (a u32 0 0 0) (b u8 4 0 0)))\n(StructDef (struct S) ((a \"the first\")))\n";
  const std::string main = "(FunctionDef main User - - ((args (struct S))) - void false ())\n";
  const std::string options = "(CommandLine (struct S) ((a Unsigned \"the first\") (b Unsigned -)))\n";
  const std::string fewer = "(CommandLine (struct S) ((a Unsigned \"the first\")))\n";
  expect_programs(lang::OptionsDeclared, types + options + main, types + main, "no options are declared");
  expect_programs(lang::OptionsDeclared, types + options + main, types + fewer + main, "are not the members");
}

TEST_F(CheckTest, NamesAreDeclaredOnce) {
  expect(lang::Sound, "(Let a u32 -) (Let b u32 -)" + one, "(Let a u32 -) (Let a u32 -)" + one,
         "`a` is declared twice");
  expect(lang::Sound, one, "(Let i u32 -)" + one, "`i` is declared twice");
}

TEST_F(CheckTest, NamesAreDeclaredBeforeTheyAreUsed) {
  const std::string use = "(Evaluate (Local:u32 a))";
  expect(lang::Sound, "(Let a u32 -)" + use + one, use + "(Let a u32 -)" + one, "`a` is used where it is not declared");
  expect(lang::Sound, "(Block ((Let a u32 -)" + use + "))" + one, "(Block ((Let a u32 -)))" + use + one,
         "`a` is used where it is not declared");
  expect(lang::Sound, one, "(Let a u32 (Local:u32 a))" + one, "`a` is used where it is not declared");
  expect(lang::NoFor, "(CountedLoop a u32 (Int:u32 0 -) (Int:u32 4 -) false (" + use + "))" + one,
         "(CountedLoop a u32 (Int:u32 0 -) (Int:u32 4 -) false ())" + use + one,
         "`a` is used where it is not declared");
  const std::string lookup = "(MapLookup:(maybe u64) (MapName:(map hash u32 u64 4) m) (Int:u32 1 -))";
  const std::string present = "(Evaluate (Present:bool (Local:(maybe u64) a)))";
  expect(lang::Sound, "(IfPresent a (maybe u64) " + lookup + " (" + present + ") ())" + one,
         "(IfPresent a (maybe u64) " + lookup + " () (" + present + "))" + one, "`a` is used where it is not declared");
}

TEST_F(CheckTest, NamesHaveOneType) {
  expect(lang::Sound, "(Let a u32 -) (Evaluate (Local:u32 a))" + one, "(Let a u32 -) (Evaluate (Local:u64 a))" + one,
         "declared as u32 and used as u64");
}

TEST_F(CheckTest, TypesOfOperandsAgree) {
  const auto returns = [](const std::string& value) { return "(Return " + value + ")"; };
  expect(lang::Sound, returns("(Binary:u32 Add (Local:u32 i) (Int:u32 1 -))"),
         returns("(Binary:u32 Add (Local:u32 i) (Int:u64 1 -))"), "the right operand is u64");
  expect(lang::Sound, returns("(Divide:u32 Quotient (Local:u32 i) (Int:u32 1 -))"),
         returns("(Divide:u32 Quotient (Int:u8 3 -) (Local:u32 i))"), "the left operand is u8");
  expect(lang::Sound, returns("(Shift:u32 Left (Local:u32 i) (Int:u64 1 -))"),
         returns("(Shift:u64 Left (Local:u32 i) (Int:u64 1 -))"), "what is shifted is u32");
  expect(lang::Sound, returns("(Compare:bool Less (Local:u32 i) (Int:u32 1 -))"),
         returns("(Compare:bool Less (Local:u32 i) (Int:i32 1 -))"), "the right side of a comparison", "bool");
  expect(lang::Sound, returns("(Conditional:u32 (Int:bool 1 -) (Local:u32 i) (Int:u32 2 -))"),
         returns("(Conditional:u32 (Local:u32 i) (Local:u32 i) (Int:u32 2 -))"), "a condition is u32");
  expect(lang::Sound, returns("(Conditional:u32 (Int:bool 1 -) (Local:u32 i) (Int:u32 2 -))"),
         returns("(Conditional:u32 (Int:bool 1 -) (Int:u8 1 -) (Int:u32 2 -))"), "a choice is u8");
  expect(lang::Sound, returns("(Unary:u32 Negate (Local:u32 i))"), returns("(Unary:u32 Negate (Int:i32 1 -))"),
         "the operand is i32");
  expect(lang::Sound, returns("(Not:bool (Int:bool 1 -))"), returns("(Not:bool (Local:u32 i))"), "a condition is u32",
         "bool");
  expect(lang::Sound, returns("(And:bool (Int:bool 1 -) (Int:bool 1 -))"),
         returns("(And:bool (Int:bool 1 -) (Local:u32 i))"), "a condition is u32", "bool");
  expect(lang::Sound, returns("(Field:u32 (Global:(struct S) s) a)"), returns("(Field:u32 (Global:(struct S) s) b)"),
         "a member is u32, not u8");
  expect(lang::Sound, returns("(Field:u32 (Global:(struct S) s) a)"), returns("(Field:u32 (Global:(struct S) s) c)"),
         "a struct has no such member");
  expect(lang::Sound, returns("(Index:u32 (Global:(array u32 4) list) (Int:u64 1 -))"),
         returns("(Index:u32 (Local:u32 i) (Int:u64 1 -))"), "what is indexed is no array");
  expect(lang::Sound, returns("(Deref:u8 (Local:(ptr u8 Packet) p))"), returns("(Deref:u32 (Local:u32 i))"),
         "no pointer is followed", "u8");
  expect(lang::Sound, returns("(Global:u32 x)"), returns("(Global:u32 y)"), "a global is not declared");
  expect(lang::Sound, returns("(ValueOf:u64 (MapLookup:(maybe u64) (MapName:(map hash u32 u64 4) m) (Int:u32 1 -)))"),
         returns("(ValueOf:u64 (MapLookup:(maybe u64) (MapName:(map hash u32 u64 4) m) (Int:u8 1 -)))"), "a key is u8",
         "u64");
}

TEST_F(CheckTest, TypesOfStatementsAgree) {
  expect(lang::Sound, "(Let a u32 (Int:u32 1 -))" + one, "(Let a u32 (Int:u64 1 -))" + one,
         "what a variable starts with is u64");
  expect(lang::Sound, "(Assign (Global:u32 x) (Int:u32 1 -))" + one, "(Assign (Global:u32 x) (Int:u8 1 -))" + one,
         "what is assigned is u8");
  expect(lang::Sound, "(If (((Int:bool 1 -) ())) ())" + one, "(If (((Int:u32 1 -) ())) ())" + one,
         "a condition is u32");
  expect(lang::Sound, one, "(Return (Int:u64 1 -))", "what is returned is u64");
  expect(lang::Sound, one, "(Return -)", "a return without a value");
  expect(lang::NoMatch, "(Switch (Local:u32 i) ((((Int:u32 1 -)) ())))" + one,
         "(Switch (Local:u32 i) ((((Int:u8 1 -)) ())))" + one, "a case is u8");
}

TEST_F(CheckTest, TypesOfCallsAgree) {
  expect(lang::Sound, "(Return " + call + ")", "(Return (Call:u32 g ((Int:u8 1 -))))", "an argument is u8");
  expect(lang::Sound, "(Return " + call + ")", "(Return (Call:u32 g ()))", "the wrong number of arguments");
  expect(lang::Sound, "(Return " + call + ")", "(Return (Call:u32 h ((Int:u32 1 -))))", "a function is not declared");
}

TEST_F(CheckTest, LastValuesReturned) {
  const auto ends_in = [](const std::string& last) {
    return "(FunctionDecl () Default f () - (NamedType - u32) ((If (((BoolLiteral true) (" + last +
           "))) ((Return (IntLiteral 3 \"3\"))))))";
  };
  expect_programs(lang::LastValuesReturned, ends_in("(Return (IntLiteral 4 \"4\"))"),
                  ends_in("(Evaluate (IntLiteral 4 \"4\"))"), "the value that a function ends with is not returned");
}

TEST_F(CheckTest, TargetChecked) {
  Target old;
  old.kernel = {5, 4};
  EXPECT_EQ(problems("(GlobalDef a u32 - Pinned)", lang::Sound, old), "");  // nobody has asked for it
  old.is_kernel_given = true;
  const auto program = [](const std::string& helper) {
    return fmt::format(
        "(types (struct xdp_md 24 (data u32 0 0 0)))(FunctionDef p Program xdp - ((ctx {})) - u32 false ((Evaluate "
        "(HelperCall:u64 {} ()))(Return (Int:u32 1 -))))",
        context_type, helper);
  };
  EXPECT_EQ(problems(program("bpf_ktime_get_ns"), lang::Sound, old), "");
  EXPECT_EQ(problems(program("bpf_loop"), lang::Sound), "");
  EXPECT_EQ(problems(program("bpf_loop"), lang::Sound, old), "in `p`: the target's kernel has no such helper\n");
  EXPECT_EQ(problems(program("bpf_skb_pull_data"), lang::Sound), "in `p`: a program may not call the helper\n");
  const std::string pinned = "(GlobalDef a u32 - Pinned)", map = "(MapDef m (map hash u32 u64 4) 0 false true)";
  EXPECT_EQ(problems(pinned + map, lang::Sound), "");
  EXPECT_NE(problems(pinned, lang::Sound, old).find("the target lacks"), std::string::npos);
  old.kernel = {3, 1};
  EXPECT_EQ(problems(map, lang::Sound, old), "the target's kernel has no such map\n");
}

TEST_F(CheckTest, ValuesPlaced) {
  const std::string reference = "(nullable-entry (struct S) m)";
  const auto given = [&](const std::string& value) {
    return "(Let r " + reference + " -)(Let v (struct S) -)(Assign (Local:" + reference + " r) (Convert:" + reference +
           " " + value + "))" + one;
  };
  expect(lang::ValuesPlaced, given("(AddressOf:(ptr (struct S) Stack) (Local:(struct S) v))"),
         given("(Local:(struct S) v)"), "a reference refers to what has no place");
}

TEST_F(CheckTest, ConstantsRead) {
  const auto reads = [](const std::string& index) {
    return "(GlobalDef t (array u32 2) (ArrayValue:(array u32 2) ((Int:u32 5 -))) Constant)(FunctionDef f Shared - - "
           "((i "
           "u64)) - u32 false ((Return (Index:u32 (Global:(array u32 2) t) " +
           index + "))))";
  };
  expect_programs(lang::ConstantsRead, reads("(Local:u64 i)"), reads("(Int:u64 1 -)"),
                  "what a constant holds is not read");
}

TEST_F(CheckTest, ArgumentsCopied) {
  const auto takes = [](const std::string& type, const std::string& domain) {
    return "(types (struct S 8 (a u32 0 0 0) (b u8 4 0 0)))(FunctionDef f " + domain + " - - ((a " + type +
           ")) - void false ())";
  };
  const std::string words = "a function is given an array, or a struct in eBPF";
  expect_programs(lang::ArgumentsCopied, takes("(ptr char ReadOnly)", "User"), takes("(str 4)", "User"), words);
  expect_programs(lang::ArgumentsCopied, takes("(struct S)", "User"), takes("(struct S)", "Shared"), words);
}

TEST_F(CheckTest, PointersSplit) {
  const auto declares = [](const std::string& type) { return "(Let q " + type + " -)" + one; };
  expect(lang::PointersSplit, declares("(ptr (array u32 4) Stack)"), declares("(ptr u32 Stack 4)"),
         "`q` moves in an array");
  const auto leads = [](const std::string& pointer) {
    return "(Let list (array u32 4) -)(Evaluate (Present:bool " + pointer + "))" + one;
  };
  const std::string whole = "(AddressOf:(ptr (array u32 4) Stack) (Local:(array u32 4) list))";
  const std::string element = "(ElementPointer:(ptr u32 Stack 4) " + whole + " (Int:i64 1 -))";
  expect(lang::PointersSplit, leads(whole), leads(element), "a pointer moves in an array");
}

TEST_F(CheckTest, ArgumentsPacked) {
  const auto takes = [](const std::string& parameters) {
    return "(FunctionDef f Shared - - (" + parameters + ") - void false ())";
  };
  const std::string five = "(a u32) (b u32) (c u32) (d u32) (e u32)";
  expect_programs(lang::ArgumentsPacked, takes(five), takes(five + " (g u32)"),
                  "a function has more parameters than a call has registers");
}

TEST_F(CheckTest, PacketDynptrs) {
  const std::string opens =
      fmt::format("(Evaluate (HelperCall:i64 bpf_dynptr_from_xdp ((Local:{} ctx) (Int:u64 0 -))))", context_type);
  const std::string test = fmt::format(
      "(If (((Not:bool (InPacket:bool (Local:(ptr u8 Packet) p) (Local:{} ctx) 1)) ((Return (Int:u32 0 -))))) ())",
      context_type);
  const std::string access = "(Let a u8 (Deref:u8 (Local:(ptr u8 Packet) p)))";
  expect(lang::PacketDynptrs, test + access + one, opens + test + access + one,
         "the packet is accessed beside its dynptr");
}

TEST_F(CheckTest, PacketPointersDelayed) {
  const std::string pointer = fmt::format(
      "(Let q (ptr u8 Packet) (PointerAdd:(ptr u8 Packet) (PacketStart:(ptr u8 Packet) (Local:{} ctx)) (Int:i64 4 -)))",
      context_type);
  const std::string test = "(If (((Local:bool b) ((Return (Int:u32 0 -))))) ())";
  const std::string truth = "(Let b bool (Int:bool 1 -))";
  expect(lang::PacketPointersDelayed, truth + test + pointer + one, truth + pointer + test + one,
         "a packet pointer is computed before a test that leaves without it");
}

TEST_F(CheckTest, FillsApart) {
  const auto with = [](const std::string& between) {
    const std::string fill =
        "(Evaluate (RuntimeCall:void __builtin_memset ((AddressOf:(ptr (array u8 700) MapValue) "
        "(Global:(array u8 700) a)) (Int:i32 0 -) (Int:u64 700 -))))";
    return "(GlobalDef a (array u8 700) - Shared)(FunctionDef f Shared - - () - void false (" + fill + between + fill +
           "))";
  };
  expect_programs(lang::FillsApart, with("(Evaluate (RuntimeCall:void barrier ()))"), with(""),
                  "fills one behind another are too large");
}

TEST_F(CheckTest, UnreadDropped) {
  const auto with = [](const std::string& statements) {
    return "(FunctionDef f Shared - - ((a u32)) - u32 false (" + statements + "))";
  };
  const std::string declared = "(Let b u32 (Local:u32 a))";
  expect_programs(lang::UnreadDropped, with(declared + "(Return (Local:u32 b))"),
                  with(declared + "(Return (Local:u32 a))"), "a variable is not read");
}

TEST_F(CheckTest, ReturnsExplicit) {
  const std::string match = "(Match:u32 (Local:u32 i) ((() (Int:u32 1 -))))";
  expect(lang::ReturnsSplit, "(Let a u32 " + match + ")" + one, "(Return " + match + ")",
         "a return of a match or an if is not split");
}

TEST_F(CheckTest, TailCallsFound) {
  const std::string program = fmt::format(
      "(types (struct xdp_md 24 \"linux/bpf.h\" (data u32 0 0 0)))\n"
      "(FunctionDef q Program xdp - ((c {})) - u32 false ((Return (Int:u32 1 -))))\n",
      context_type);
  const std::string head = fmt::format("(FunctionDef f Program xdp - ((ctx {})) - u32 false (", context_type);
  const std::string argument = fmt::format("(Local:{} ctx)", context_type);
  expect_programs(lang::Sound, program + head + "(TailCall q " + argument + ")))",
                  program + head + "(Return (Call:u32 q (" + argument + ")))))", "a program is called");
  expect_programs(lang::Sound, program + head + "(TailCall q " + argument + ")))",
                  program + head + "(TailCall f2 " + argument + ")))", "a tail call of what is no program");
}

TEST_F(CheckTest, ShortCircuitsPure) {
  const std::string test = "(Compare:bool Equal " + call + " (Int:u32 1 -))";
  expect(lang::ShortCircuitsPure, "(Return (And:bool " + test + " (Int:bool 1 -)))",
         "(Return (And:bool (Int:bool 1 -) " + test + "))", "an operand that may not run has an effect", "bool");
  expect(lang::ShortCircuitsPure, "(Return " + call + ")",
         "(Return (Conditional:u32 (Int:bool 1 -) " + call + " (Int:u32 2 -)))",
         "an operand that may not run has an effect");
}

TEST_F(CheckTest, OperandsOrdered) {
  const std::string words = "a statement has effects in its operands";
  expect(lang::OperandsOrdered, "(Return " + call + ")", "(Return (Binary:u32 Add " + call + " " + call + "))", words);
  expect(lang::OperandsOrdered, "(Let a u32 " + call + ")" + one, "(Let a u32 (Call:u32 g (" + call + ")))" + one,
         words);
  expect(lang::OperandsOrdered, "(Let a u32 -) (Assign (Local:u32 a) " + call + ")" + one,
         "(Assign (Global:u32 x) " + call + ")" + one, words);
  expect(lang::OperandsOrdered, one, "(If (((Compare:bool Equal " + call + " (Int:u32 1 -)) ())) ())" + one, words);
  expect(lang::OperandsOrdered, one, "(Print \"%d\" (" + call + "))" + one, words);
}

TEST_F(CheckTest, AccessesChecked) {
  const auto checked = [](std::string_view pointer, int size) {
    return fmt::format(
        "(If (((Not:bool (InPacket:bool (Local:(ptr u8 Packet) {}) (Local:{} ctx) {})) ((Leave Bounds)))) ())", pointer,
        context_type, size);
  };
  const std::string access = "(Let a u8 (Deref:u8 (Local:(ptr u8 Packet) p)))";
  const std::string words = "a packet access is not tested";
  expect(lang::AccessesChecked, checked("p", 1) + access + one, access + one, words);
  expect(lang::AccessesChecked, checked("p", 1) + access + one, checked("p", 0) + access + one, words);
  expect(lang::AccessesChecked, one, "(If (((Int:bool 1 -) (" + checked("p", 1) + "))) ())" + access + one, words);
  expect(lang::AccessesChecked, one,
         checked("p", 1) +
             "(Assign (Local:(ptr u8 Packet) p) (PointerAdd:(ptr u8 Packet) (Local:(ptr u8 Packet) p) (Int:i64 1 -)))" +
             access + one,
         words);
  expect(lang::AccessesChecked, one, checked("p", 1) + "(Loop (" + access + "))" + one, words);
  expect(lang::AccessesChecked, one,
         "(Let a u8 (Deref:u8 (PointerAdd:(ptr u8 Packet) (Local:(ptr u8 Packet) p) (Int:i64 1 -))))" + one,
         "a packet is accessed through what has no name");
  // One test covers a whole struct behind the pointer, and the last member of it.
  const std::string whole =
      "(Let q (ptr (struct S) Packet) (Convert:(ptr (struct S) Packet) (Local:(ptr u8 Packet) p)))";
  const auto test = [&](int size) {
    return fmt::format(
        "(If (((Not:bool (InPacket:bool (Local:(ptr (struct S) Packet) q) (Local:{} ctx) {})) ((Leave Bounds)))) ())",
        context_type, size);
  };
  const std::string member = "(Let a u8 (Field:u8 (Deref:(struct S) (Local:(ptr (struct S) Packet) q)) b))";
  expect(lang::AccessesChecked, whole + test(5) + member + one, whole + test(4) + member + one, words);
}

TEST_F(CheckTest, ChecksMinimal) {
  const std::string words = "a packet is tested for what is known";
  const std::string pointer =
      fmt::format("(Let q (ptr u8 Packet) (PacketStart:(ptr u8 Packet) (Local:{} ctx)))", context_type);
  const auto test = [](int size) {
    return fmt::format(
        "(If (((Not:bool (InPacket:bool (Local:(ptr u8 Packet) q) (Local:{} ctx) {})) ((Leave Bounds)))) ())",
        context_type, size);
  };
  expect(lang::ChecksMinimal, pointer + test(1) + test(2) + one, pointer + test(2) + test(1) + one, words);
  // What one branch has found is not known after it; what a call may have moved is not known either.
  expect(lang::ChecksMinimal, pointer + "(If (((Int:bool 1 -) (" + test(1) + "))) ())" + test(1) + one,
         pointer + test(1) + "(If (((Int:bool 1 -) (" + test(1) + "))) ())" + one, words);
  expect(lang::ChecksMinimal, pointer + test(1) + "(Evaluate " + call + ")" + test(1) + one,
         pointer + "(Evaluate " + call + ")" + test(1) + test(1) + one, words);
  const std::string moves = "(Assign (Local:(ptr u8 Packet) q) (Local:(ptr u8 Packet) p))";
  expect(lang::ChecksMinimal, pointer + test(1) + moves + test(1) + one, pointer + test(1) + test(1) + one, words);
}

TEST_F(CheckTest, LoopsCapped) {
  expect(lang::LoopsCapped, one, "(Loop ((Break)))" + one, "a loop runs on");
  const auto loop = [](const std::string& high) {
    return "(CountedLoop turn u32 (Int:u32 0 -) " + high + " false ())";
  };
  const std::string words = "a loop may run too often";
  expect(lang::LoopsCapped, loop("(Int:u32 9 -)") + one, loop("(Local:u32 i)") + one, words);
  const auto test = [](const std::string& then) {
    return "(If (((Compare:bool Greater (Local:u32 i) (Int:u32 99 -)) (" + then + "))) ())";
  };
  expect(lang::LoopsCapped, test("(Leave Bounds)") + loop("(Local:u32 i)") + one,
         test("(Evaluate (Int:u32 1 -))") + loop("(Local:u32 i)") + one, words);
  expect(lang::ThrowsExplicit, test(one) + loop("(Local:u32 i)") + one, loop("(Local:u32 i)") + test(one) + one, words);
  const auto distance = [](const std::string& of) {
    return "(Let far u64 (Convert:u64 (Convert:" + of +
           " (Local:u32 i))))(CountedLoop turn u64 (Int:u64 0 -) (Local:u64 far) false ())";
  };
  expect(lang::LoopsCapped, distance("u16") + one, distance("i32") + one, words);
  // What runs in userspace may run for ever.
  EXPECT_EQ(problems(around("(Loop ((Break)))" + loop("(Local:u32 i)") + one, "u32", "User - -"), lang::LoopsCapped),
            "");
}

TEST_F(CheckTest, ConstantsFolded) {
  const auto returns = [](const std::string& value) { return "(Return " + value + ")"; };
  const std::string words = "a constant is not folded", five = "(Int:u32 5 -)", named = "(Int:u32 5 FIVE)";
  expect(lang::ConstantsFolded, returns("(Binary:u32 Add " + five + " (Local:u32 i))"),
         returns("(Binary:u32 Add " + five + " " + five + ")"), words);
  expect(lang::ConstantsFolded, returns("(Binary:u32 Add " + named + " " + five + ")"),
         returns("(Divide:u32 Quotient " + five + " " + five + ")"), words);
  expect(lang::ConstantsFolded, returns("(Unary:u32 Complement (Local:u32 i))"),
         returns("(Unary:u32 Complement " + five + ")"), words);
  expect(lang::ConstantsFolded, returns("(Convert:u32 " + named + ")"), returns("(Convert:u32 (Int:u8 5 -))"), words);
}

TEST_F(CheckTest, OffsetsBounded) {
  const auto moved = [](const std::string& by) {
    return "(Let q (ptr u8 Packet) (PointerAdd:(ptr u8 Packet) (Local:(ptr u8 Packet) p) (Int:i64 " + by + " -)))";
  };
  expect(lang::OffsetsBounded, moved("14") + one, moved("70000") + one,
         "a packet pointer moves out of the verifier's sight");
}

TEST_F(CheckTest, Folded) {
  const std::string words = "could be folded", value = "(Binary:u32 Add (Local:u32 i) (Int:u32 1 -))";
  const auto named = [&](const std::string& name) { return "(Let " + name + " u32 " + value + ")"; };
  expect(lang::Folded, named("t") + "(Return (Local:u32 t))", named("t.1") + "(Return (Local:u32 t.1))", words);
  expect(lang::Folded, named("t#1") + "(Return (Local:u32 t#1))",
         "(If (((Int:bool 1 -) (" + named("t.1") + "(Return (Local:u32 t.1))))) ())" + one, words);
  // Named twice, or not by the next statement.
  expect(lang::Folded, named("t.1") + "(Assign (Global:u32 x) (Local:u32 t.1)) (Return (Local:u32 t.1))",
         named("t.1") + "(Let a u32 (Local:u32 t.1)) (Return (Local:u32 a))", words);
  expect(lang::Folded, named("t.1") + "(Evaluate " + call + ") (Return (Local:u32 t.1))",
         "(Evaluate " + call + ")" + named("t.1") + "(Return (Local:u32 t.1))", words);
}

TEST_F(CheckTest, AggregatesReturned) {
  expect_programs(lang::AggregatesReturned, "(FunctionDef f User - - () - u32 false ((Return (Int:u32 0 -))))",
                  "(FunctionDef f User - - () - (str 4) false ((Return (StringValue:(str 4) ab))))",
                  "a function gives an array, or a struct in eBPF");
}

TEST_F(CheckTest, NoMaybe) {
  expect(lang::NoMaybe, one, "(Let a (maybe u64) -)" + one, "`a` is a Maybe");
  expect(lang::NoMaybe, one, "(Let a bool (Present:bool (Null:(maybe u64))))" + one, "a Maybe is left");
}

TEST_F(CheckTest, Pins) {
  expect_programs(lang::PinsFlat, "(GlobalDef a u32 - Shared)", "(GlobalDef a u32 - Pinned)",
                  "a pinned global has a place of its own");
  const std::string pins =
      "(types (struct pins 4 (a u32 0 0 0)))(PinnedGlobals pins (struct pins) ())(FunctionDef f Shared - - () - u32 "
      "false (";
  expect_programs(lang::PinsReached, pins + one + "))", pins + "(Return (Field:u32 (Global:(struct pins) pins) a))))",
                  "pinned globals are not reached by a pointer");
}

TEST_F(CheckTest, NoArithmeticBuiltin) {
  expect(lang::NoArithmeticBuiltin, "(Return (RuntimeCall:u32 ks_min_u32 ((Local:u32 i) (Int:u32 1 -))))",
         "(Return (BuiltinCall:u32 min ((Local:u32 i) (Int:u32 1 -))))",
         "arithmetic of the language is no support code");
}

TEST_F(CheckTest, NoArrayCopy) {
  const std::string list = "(Global:(array u32 4) list)";
  expect(lang::NoArrayCopy, "(Let a (array u32 4) -)" + one, "(Assign " + list + " (Zero:(array u32 4)))" + one,
         "an array is assigned");
  expect(lang::NoArrayCopy, "(Let a (array u32 4) (Zero:(array u32 4)))" + one,
         "(Let a (array u32 4) " + list + ")" + one, "an array is copied by its declaration");
  const auto rows = [](const std::string& row) {
    return "(Let rows (array (array u32 4) 1) (ArrayValue:(array (array u32 4) 1) (" + row + ")))";
  };
  expect(lang::NoArrayCopy, rows("(Zero:(array u32 4))") + one, rows(list) + one, "an array is copied within an array");
}

TEST_F(CheckTest, Splits) {
  const std::string
      nothing = " - - () - void false ())",
      program =
          fmt::format("(types (struct xdp_md 24 (data u32 0 0 0)))(FunctionDef p Program xdp - ((ctx {})) - u32 false ",
                      context_type);
  expect_programs(lang::Ebpf, "(FunctionDef h Shared" + nothing, "(FunctionDef main User" + nothing,
                  "a function does not run in the kernel");
  expect_programs(lang::User, "(FunctionDef main User" + nothing, "(FunctionDef h Shared" + nothing,
                  "a function does not run in userspace");
  expect_programs(lang::User, program + "())", program + "(" + one + "))",
                  "an eBPF program keeps more than its tail calls");
}

TEST_F(CheckTest, IndexesGuarded) {
  const auto element = [](const std::string& index) {
    return "(Return (Index:u32 (Global:(array u32 4) list) " + index + "))";
  };
  expect(lang::IndexesGuarded, element("(Int:u64 3 -)"), element("(Int:u64 4 -)"), "an index is out of range");
  expect(lang::IndexesGuarded, element("(Convert:u64 (Local:u32 i))"),
         element("(Binary:u64 Add (Convert:u64 (Local:u32 i)) (Int:u64 1 -))"),
         "an index is no name that can be tested");
}

TEST_F(CheckTest, LoopsBounded) {
  expect(lang::LoopsBounded, one, "(Loop ((Break)))" + one, "Loop is not in the language");
  const auto loop = [](const std::string& high) {
    return "(CountedLoop turn u32 (Int:u32 0 -) " + high + " false ())";
  };
  expect(lang::LoopsBounded, loop("(Int:u32 9 -)") + one, loop("(Local:u32 i)") + one,
         "the verifier does not see the end of a loop");
}

TEST_F(CheckTest, ThrowsExplicit) {
  expect(lang::ThrowsExplicit, one, "(Leave Bounds)", "Leave is not in the language");
}

TEST_F(CheckTest, Ordered) {
  const std::string callee = "(FunctionDef a Shared - - () - u32 false ((Return (Int:u32 1 -))))",
                    caller = "(FunctionDef b Shared - - () - u32 false ((Return (Call:u32 a ()))))";
  expect_programs(lang::C, callee + caller, caller + callee, "a function is called before it is declared");
}

TEST_F(CheckTest, MistakesOfTheDeveloperAreNoFaults) {
  // Before the gate a program that is wrong goes on, so that everything wrong with it is reported.
  EXPECT_EQ(problems(around("(Let a u32 (InvalidExpr:invalid)) (InvalidStmt)" + one), lang::NullChecked), "");
}

TEST_F(CheckTest, SaysWhichFunctionAndStopsInTime) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "(Evaluate (Local:u32 nothing))";
  Context context;
  ReadError error;
  const auto program = read_program(context, around(many + one), error);
  ASSERT_TRUE(program);
  const auto found = check(*program, lang::Sound);
  EXPECT_EQ(found.size(), 20u);
  EXPECT_TRUE(found[0].starts_with("in `f`: ")) << found[0];
}

}  // namespace
}  // namespace ksc

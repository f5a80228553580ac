// SPDX-License-Identifier: Apache-2.0
// Rules of eBPF programs: one that obeys the rule passes, and one that breaks it is reported.
#include "unit/checking.h"

namespace ksc {
namespace {

class CheckEbpfTest : public CheckTest {
 protected:
  static std::string local(std::string_view type, std::string_view name) {
    return fmt::format("(Local:{} {})", type, name);
  }
  static std::string hides(const std::string& variable) {
    return "(Evaluate (RuntimeCall:void barrier_var (" + variable + ")))";
  }
  static std::string hidden(const std::string& value, std::string_view type = "bool") {
    return fmt::format("(RuntimeCall:{} ks_hide ({}))", type, value);
  }
  static std::string if_then(const std::string& condition, const std::string& body) {
    return "(If ((" + condition + " (" + body + "))) ())";
  }
  static std::string counted(std::string_view type, int turns, const std::string& body) {
    return fmt::format("(CountedLoop turn {0} (Int:{0} 0 -) (Int:{0} {1} -) false ({2}))", type, turns, body);
  }
  const std::string nullable = "(nullable u64 MapValue)";
  const std::string declared = "(Let q " + nullable + " -)(Let r " + nullable + " -)(Let b bool -)";
  const std::string q = local(nullable, "q"), r = local(nullable, "r"), b = local("bool", "b");
  const std::string asks_q = "(Present:bool " + q + ")", asks_r = "(Present:bool " + r + ")";
  const std::string context = local(context_type, "ctx");
  const std::string length = "(Field:u32 (Deref:(struct xdp_md) " + context + ") data)";
  const std::string no = "(Int:bool 0 -)";
};

TEST_F(CheckEbpfTest, PacketPulled) {
  const auto program = [](const std::string& body) {
    return "(types (struct __sk_buff 192 (len u32 0 0 0)))(FunctionDef p Program tc ingress ((ctx (ptr (struct "
           "__sk_buff) Context))) - i32 false ((Let a (ptr u8 Packet) (PacketStart:(ptr u8 Packet) (Local:(ptr (struct "
           "__sk_buff) Context) ctx)))" +
           body + "(Return (Int:i32 0 -))))";
  };
  const auto test = [](const std::string& body) {
    return "(If (((Not:bool (InPacket:bool (Local:(ptr u8 Packet) a) (Local:(ptr (struct __sk_buff) Context) ctx) 14)) "
           "(" +
           body + "))) ())";
  };
  const std::string leave = test("(Raise (Int:u64 8589934592 KS_BOUNDS))"),
                    pull =
                        "(Evaluate (HelperCall:i64 bpf_skb_pull_data ((Local:(ptr (struct __sk_buff) Context) ctx) "
                        "(Int:u32 14 -))))";
  expect_programs(lang::PacketPulled, program(test(pull + leave)), program(leave),
                  "the packet behind `a` is not pulled before an access fails");
}

TEST_F(CheckEbpfTest, PacketReread) {
  const std::string words = "the context is the old one after what may have moved the packet";
  const std::string moves = "(Evaluate (HelperCall:i64 bpf_xdp_adjust_head (" + context + " (Int:i32 4 -))))",
                    rereads = hides(context);
  expect(lang::PacketReread, moves + rereads + one, moves + one, words);
  const std::string tests =
      counted("u32", 9,
              hides(local("(ptr u8 Packet)", "p")) +
                  if_then("(InPacket:bool " + local("(ptr u8 Packet)", "p") + " " + context + " 1)", "(Break)"));
  expect(lang::PacketReread, tests + rereads + one, tests + hides(local("u32", "i")) + one, words);
  // What it gave is put away before, also where it is forgotten on the way, but nothing else is.
  const auto kept = [&](const std::string& value) {
    return "(Let to (ptr i64 Stack) -)(Let code i64 (HelperCall:i64 bpf_xdp_adjust_head (" + context +
           " (Int:i32 4 -))))(Assign (Deref:i64 (Local:(ptr i64 Stack) to)) " + value + ")";
  };
  const auto forgotten = [](const std::string& value) { return "(RuntimeCall:i64 ks_forget (" + value + "))"; };
  const std::string read = "(Convert:i64 " + length + ")";
  expect(lang::PacketReread, kept(local("i64", "code")) + rereads + one, kept(read) + rereads + one, words);
  expect(lang::PacketReread, kept(forgotten(local("i64", "code"))) + rereads + one,
         kept(forgotten(read)) + rereads + one, words);
}

TEST_F(CheckEbpfTest, TurnsForgotten) {
  const auto program = [](const std::string& value) {
    return "(FunctionDef h Shared - - ((n (ptr u32 Stack)) (i u32)) - i64 false ((Assign (Deref:u32 (Local:(ptr u32 "
           "Stack) n)) " +
           value +
           ")(Return (Int:i64 0 -))))(FunctionDef f Shared - - () - u32 false ((Evaluate (HelperCall:i64 bpf_loop "
           "((Int:u32 9 -) (FunctionAddress:(ptr u8 Any) h) (Null:null) (Int:u64 0 -))))(Return (Int:u32 1 -))))";
  };
  const std::string i = local("u32", "i");
  expect_programs(lang::TurnsForgotten, program("(RuntimeCall:u32 ks_forget (" + i + "))"), program(i),
                  "the verifier knows what a turn counts");
}

TEST_F(CheckEbpfTest, PresenceAnswered) {
  const std::string answer = "(RuntimeCall:bool ks_present (" + q + "))";
  expect(lang::PresenceAnswered, declared + if_then(answer, one) + one, declared + if_then(asks_q, one) + one,
         "nothing follows `q`, and its test is no number");
  // What is read as well is no mere question.
  const std::string read = "(Return (Convert:u32 (Deref:u64 " + q + ")))";
  expect(lang::PresenceAnswered, declared + if_then(asks_q, read) + one,
         declared + if_then(asks_q, read) + if_then(asks_r, one) + one, "nothing follows `r`");
}

TEST_F(CheckEbpfTest, NullTestsApart) {
  const std::string words = "null tests may become one", number = "a null test goes on as a number";
  expect(lang::NullTestsApart, declared + if_then("(Or:bool " + hidden(asks_q) + " " + hidden(asks_r) + ")", one) + one,
         declared + if_then("(Or:bool " + asks_q + " " + hidden(asks_r) + ")", one) + one, words);
  expect(lang::NullTestsApart, declared + if_then("(And:bool " + asks_q + " " + asks_r + ")", one) + one,
         declared + if_then("(And:bool (Not:bool " + asks_q + ") (Not:bool " + asks_r + "))", one) + one, words);
  // What raise_short_circuits puts beside one test is no other pointer.
  expect(lang::ShortCircuitsRaised, declared + if_then("(Or:bool " + asks_q + " " + b + ")", one) + one,
         declared + if_then("(Or:bool " + asks_q + " " + asks_r + ")", one) + one, words);
  expect(lang::NullTestsApart, declared + "(Return " + hidden(asks_q) + ")",
         declared + "(Return (Not:bool " + asks_q + "))", number, "bool");
  expect(lang::NullTestsApart, declared + "(Print \"%d\" (" + hidden(asks_q) + "))" + one,
         declared + "(Print \"%d\" (" + asks_q + "))" + one, number);
  expect(lang::NullTestsApart, declared + "(Let c u32 (Convert:u32 " + hidden(asks_q) + "))" + one,
         declared + "(Let c u32 (Convert:u32 " + asks_q + "))" + one, number);
}

TEST_F(CheckEbpfTest, PointersRetested) {
  const std::string words = "a pointer's null test is far from an earlier one";
  const std::string test = if_then(asks_q, one), calls = "(Evaluate " + call + ")", prints = "(Print \"x\" ())";
  expect(lang::PointersRetested, declared + test + calls + hides(q) + test + one, declared + test + calls + test + one,
         words);
  expect(lang::PointersRetested, declared + test + test + one, declared + test + prints + test + one, words);
  const std::string taken = "(Assign " + q + " " + r + ")";
  expect(lang::PointersRetested, declared + test + calls + taken + test + one,
         declared + test + taken + test + calls + test + one, words);
  const std::string cleared = "(Assign " + q + " (Null:" + nullable + "))";
  expect(lang::PointersRetested, declared + cleared + hides(q) + test + one, declared + cleared + test + one, words);
}

TEST_F(CheckEbpfTest, ContextAccessesApart) {
  const std::string words = "accesses to the context may become one",
                    apart = "(RuntimeCall:u32 ks_read (" + length + "))";
  const auto program = [](const std::string& body) {
    return fmt::format(
        "(types (struct xdp_md 24 (data u32 0 0 0)))(FunctionDef p Program xdp - ((ctx {}) (i u32)) - u32 false "
        "({}(Return (Int:u32 1 -))))",
        context_type, body);
  };
  const auto reads = [](const std::string& name, const std::string& from) {
    return "(Let " + name + " u32 " + from + ")";
  };
  expect_programs(lang::ContextAccessesApart, program(reads("a", length)),
                  program(reads("a", length) + reads("c", length)), words);
  const auto equals = [](const std::string& value) { return "(Compare:bool Equal " + value + " (Int:u32 3 -))"; };
  const auto otherwise_if = [&](const std::string& first, const std::string& second) {
    return "(If ((" + equals(first) + " ()) (" + equals(second) + " ())) ())";
  };
  const std::string i = local("u32", "i");
  expect_programs(lang::ContextAccessesApart, program(otherwise_if(length, i)), program(otherwise_if(i, length)),
                  words);
  expect(lang::ContextAccessesApart, reads("a", apart) + one, reads("a", length) + one, words);
  const std::string write = "(Assign " + length + " (Int:u32 1 -))", stays = "(Evaluate (RuntimeCall:void barrier ()))";
  expect(lang::ContextAccessesApart, write + stays + one, write + one,
         "nothing keeps a write to the context where it is");
}

TEST_F(CheckEbpfTest, EarlyAnswersHidden) {
  const std::string early = "(Let b bool -)" + counted("u32", 9, "(Return " + b + ")");
  expect(lang::EarlyAnswersHidden, early + "(Return " + hidden(no) + ")", early + "(Return " + no + ")",
         "a truth that leaves a loop may be mixed with a constant", "bool");
}

TEST_F(CheckEbpfTest, ResultsCleared) {
  const std::string clears = "(Evaluate (RuntimeCall:void ks_clear_result ()))", returns = "(Return (Int:u32 1 -))";
  const auto program = [](const std::string& body, const std::string& type) {
    return "(FunctionDef k Shared - - () - " + type + " false (" + body +
           "))(FunctionDef f Shared - - () - u32 false "
           "((Evaluate (Call:" +
           type + " k ()))(Evaluate (Call:" + type + " k ()))(Return (Int:u32 1 -))))";
  };
  expect_programs(lang::ResultsCleared, program(clears + returns, "u32"), program(returns, "u32"),
                  "a result's register is not cleared before a return");
  expect_programs(lang::ResultsCleared, program(clears, "void"), program("", "void"),
                  "a result's register is not cleared at the end");
}

TEST_F(CheckEbpfTest, PlacesApart) {
  const auto chosen = [](const std::string& condition) {
    return "(Let b bool -)(Return (Conditional:u32 " + condition +
           " (Field:u32 (Global:(struct S) s) a) (Global:u32 x)))";
  };
  expect(lang::PlacesApart, chosen(hidden(b)), chosen(b), "a truth that was kept chooses between two places");
}

TEST_F(CheckEbpfTest, PacketTestsApart) {
  const std::string p = local("(ptr u8 Packet)", "p");
  const auto tests = [&](const std::string& before) {
    return counted("u32", 9, before + if_then("(InPacket:bool " + p + " " + context + " 1)", "(Break)")) +
           hides(context) + one;
  };
  expect(lang::PacketTestsApart, tests(hides(p)), tests(hides(local("u32", "i"))),
         "tests of the packet in a loop's turns may become one");
}

TEST_F(CheckEbpfTest, MembersInitialised) {
  const auto declares = [](const std::string& last) {
    return "(Let l (array u32 3) (ArrayValue:(array u32 3) ((Int:u32 1 -) (Int:u32 2 -) " + last + ")))" + one;
  };
  expect(lang::MembersInitialised, declares(local("u32", "i")), declares("(Int:u32 3 -)"),
         "an aggregate of constants is copied");
}

TEST_F(CheckEbpfTest, CountersWide) {
  const std::string calls = "(Evaluate " + call + ")";
  expect(lang::CountersWide, counted("u64", 9, calls) + one, counted("u32", 9, calls) + one,
         "a counter that may have to wait has not 64 bits");
  expect(lang::CountersWide, counted("u64", 2, hides(local("u64", "turn")) + calls) + one,
         counted("u64", 2, calls) + one, "a counter of two turns is a truth to C compilers");
}

TEST_F(CheckEbpfTest, ShortCircuitsRaised) {
  const auto chooses = [&](const std::string& value) {
    const std::string t = local("bool", "t.1");
    return "(Let b bool -)(Let t.1 bool " + b + ")" + if_then(t, "(Assign " + t + " " + value + ")") + one;
  };
  const std::string reads = "(Compare:bool Equal (Global:u32 x) (Int:u32 1 -))",
                    calls = "(Compare:bool Equal " + call + " (Int:u32 1 -))";
  expect(lang::ShortCircuitsRaised, chooses(calls), chooses(reads), "a branch only chooses what is read");
}

}  // namespace
}  // namespace ksc

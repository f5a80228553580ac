// SPDX-License-Identifier: Apache-2.0
// The reference interpreter on small programs, each with what language.md says of it.
#include "ir/interpret.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "frontend/parser.h"
#include "frontend/render.h"
#include "ir/memory.h"
#include "ir/sexpr.h"
#include "passes/typed_program.h"

namespace ksc {
namespace {

const KernelTypes& kernel_types() {
  static const KernelTypes types = [] {
    std::ifstream file(KSC_SOURCE "/runtime/types/uapi.json");
    std::stringstream text;
    text << file.rdbuf();
    return KernelTypes::from_json(text.str());
  }();
  return types;
}

/// Runs the last eBPF program of a source; without one, `main`.
Trace run(const std::string& source, World world = {}) {
  Context context;
  context.kernel_types = &kernel_types();
  MemorySources sources;
  const uint32_t file = sources.add("test.ks", source);
  const Ir<lang::Parsed> parsed{parse(context, file, sources.text(file))};
  const auto typed = typed_program(parsed, context);
  if (context.diagnostics.has_errors()) {
    ADD_FAILURE() << render_text(context.diagnostics, context.locations, sources);
    return {};
  }
  if (world.packet.empty()) world.packet = Bytes(64);
  const std::vector<Name> programs = entry_functions(typed.declarations);
  const Trace trace = interpret(context, typed.declarations,
                                programs.empty() ? main_function(typed.declarations) : programs.back(), world);
  EXPECT_EQ(trace.fault, "") << source;
  return trace;
}

/// The value of an expression of a type, computed from variables so that nothing of it is constant.
uint64_t value_of(const std::string& type, const std::string& expression, const std::string& before = "") {
  const Trace trace =
      run(fmt::format("var out: {}\n@xdp fn p(ctx: *xdp_md) -> xdp_action {{ {}\n  out = {}\n  return XDP_PASS\n}}\n",
                      type == "bool" ? "bool = false" : type + " = 0",
                      std::regex_replace(before, std::regex("\n"), "\n  "), expression));
  uint64_t value = 0;
  if (!trace.globals.count("out")) return 0xdead;
  const Bytes& bytes = trace.globals.at("out");
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t(bytes[i]) << (8 * i);
  return value;
}

TEST(Interpret, ArithmeticWrapsAtTheWidth) {  // [L22]
  EXPECT_EQ(value_of("u8", "a + b", "var a: u8 = 255\nvar b: u8 = 2"), 1u);
  EXPECT_EQ(value_of("i32", "-a", "var a: i32 = -2147483648"), 0x80000000u);
  EXPECT_EQ(value_of("u64", "a * a", "var a: u64 = 0xffffffffffffffff"), 1u);
  EXPECT_EQ(value_of("u16", "~a", "var a: u16 = 1"), 0xfffeu);
}

TEST(Interpret, OptionsAreTheParameterOfMain) {  // [L70]
  const std::string source =
      "struct Args { name: str(4), count: u16 }\n"
      "fn main(args: Args) -> i32 {\n  print(\"%s %d\", args.name, args.count)\n  return 0\n}\n";
  EXPECT_EQ(run(source).prints, std::vector<std::string>{" 0"});
  World world;
  world.options = {{"count", {3, 1}}};
  EXPECT_EQ(run(source, world).prints, std::vector<std::string>{" 259"});
  world.options["name"] = {'a', 'b', 0, 0};
  EXPECT_EQ(run(source, *read_world(to_string(world))).prints, std::vector<std::string>{"ab 259"});
}

TEST(Interpret, DivisionHasTheRulesOfTheInstructionSet) {  // [L22]
  EXPECT_EQ(value_of("u32", "a / z", "var a: u32 = 7\nvar z: u32 = 0"), 0u);
  EXPECT_EQ(value_of("u32", "a % z", "var a: u32 = 7\nvar z: u32 = 0"), 7u);
  EXPECT_EQ(value_of("i64", "a / z", "var a: i64 = -9223372036854775808\nvar z: i64 = -1"), 0x8000000000000000u);
  EXPECT_EQ(value_of("i64", "a % z", "var a: i64 = -9223372036854775808\nvar z: i64 = -1"), 0u);
  EXPECT_EQ(value_of("i32", "a / z", "var a: i32 = -7\nvar z: i32 = 2"), uint32_t(-3));
  EXPECT_EQ(value_of("i32", "a % z", "var a: i32 = -7\nvar z: i32 = 2"), uint32_t(-1));
}

TEST(Interpret, ShiftsCountModuloTheWidth) {  // [L22]
  EXPECT_EQ(value_of("u32", "a << n", "var a: u32 = 3\nvar n: u32 = 33"), 6u);
  EXPECT_EQ(value_of("u8", "a << n", "var a: u8 = 0x81\nvar n: u8 = 9"), 2u);
  EXPECT_EQ(value_of("i8", "a >> n", "var a: i8 = -128\nvar n: u8 = 7"), 0xffu);
  EXPECT_EQ(value_of("u64", "a >> n", "var a: u64 = 0x8000000000000000\nvar n: i32 = -1"), 1u);
}

TEST(Interpret, ConversionsTruncateAndExtend) {  // [L23]
  EXPECT_EQ(value_of("u64", "a as u64", "var a: i8 = -1"), 0xffffffffffffffffu);
  EXPECT_EQ(value_of("i64", "a", "var a: u32 = 0xffffffff"), 0xffffffffu);
  EXPECT_EQ(value_of("u8", "a as u8", "var a: u32 = 0x1ff"), 0xffu);
  EXPECT_EQ(value_of("bool", "a < b", "var a: i32 = -1\nvar b: i32 = 1"), 1u);
  EXPECT_EQ(value_of("bool", "a < b", "var a: u32 = 0xffffffff\nvar b: u32 = 1"), 0u);
}

TEST(Interpret, RightOperandsAreEvaluatedWhenTheyMatter) {
  const std::string counting = R"(
var calls: u32 = 0
@helper fn yes(v: u32) -> bool { calls += v
 return true }
@xdp fn p(ctx: *xdp_md) -> xdp_action {
  var no = calls == 99
  if (no && yes(1)) { calls += 100 }
  if (yes(10) || yes(1)) { calls += 1000 }
  return XDP_DROP
}
)";
  const Trace trace = run(counting);
  EXPECT_EQ(trace.result, 1);
  EXPECT_EQ(trace.globals.at("calls"), (Bytes{0xf2, 3, 0, 0}));  // 1010
}

TEST(Interpret, MapsKeepPresenceAndInsert) {  // [L50] [L51] [L40]
  World world;
  world.maps["m"][{1, 0, 0, 0}] = {5, 0, 0, 0, 0, 0, 0, 0};
  const Trace trace = run(R"(
struct S { a: u32, b: u32 }
var m : hash<u32, u64>(3)
var s : hash<u32, S>(4)
var r: u32 = 0
@xdp fn p(ctx: *xdp_md) -> xdp_action {
  m[1] += 2
  m[2] += 3
  s[7].b = 9
  if (var x = m[3]) { r += 1 }
  if (m[1] != null) { r += 10 }
  var absent = m[9]
  r += absent as u32
  m[3] = 1
  m[4] = 1
  if (m.contains_key(4)) { r += 100 }
  delete m[3]
  delete m[77]
  if (m.insert_new(1, 1) != 0) { r += 1000 }
  return XDP_PASS
}
)",
                          world);
  EXPECT_EQ(trace.maps.at("m"),
            (MapContents{{{1, 0, 0, 0}, {7, 0, 0, 0, 0, 0, 0, 0}}, {{2, 0, 0, 0}, {3, 0, 0, 0, 0, 0, 0, 0}}}));
  EXPECT_EQ(trace.maps.at("s"), (MapContents{{{7, 0, 0, 0}, {0, 0, 0, 0, 9, 0, 0, 0}}}));
  EXPECT_EQ(trace.globals.at("r"), (Bytes{0xf2, 3, 0, 0}));  // 1010
}

TEST(Interpret, UserspaceSeesTheValuesOfAllCpus) {  // [L51]
  World world;
  world.cpu = 1;
  world.maps["m"][{1, 0, 0, 0}] = {7, 0, 0, 0};
  world.maps["s"][{2, 0, 0, 0}] = {8, 0, 0, 0};
  const Trace trace = run(R"(
struct S { n: u32 }
var m : percpu_hash<u32, u32>(4)
var s : percpu_hash<u32, S>(4)
fn main() -> i32 {
  print("%u %u %u", m.cpu(1, 0), m.cpu(1, 1), m[1])
  if (var x = m.cpu(1, 3)) { print("zero %u", x) }
  if (m.cpu(1, 4) == null) { print("no such CPU") }
  if (var x = m.cpu(2, 1)) { print("never") }
  if (var x = s.cpu(2, 1)) { print("struct %u", x.n) }
  print("absent %u %u", s.cpu(3, 1).n, s.cpu(2, 9).n)
  for (cpu, v in m.each_cpu(1)) {
    m[1] = 9
    print("%u has %u", cpu, v)
    if (cpu == 2) { break }
  }
  for (cpu, v in m.each_cpu(2)) { print("never") }
  for (k, ignored in s) { print("key %u", k) }
  return 0
}
)",
                          world);
  EXPECT_EQ(trace.prints, (std::vector<std::string>{"0 7 7", "zero 0", "no such CPU", "struct 8", "absent 0 0",
                                                    "0 has 0", "1 has 7", "2 has 0", "key 2"}));
}

TEST(Interpret, ArrayMapsHaveTheirEntriesAndNoOthers) {  // [L51]
  const Trace trace = run(R"(
var m : array<u32, u32>(2)
var r: u32 = 0
@xdp fn p(ctx: *xdp_md) -> xdp_action {
  var k: u32 = 5
  m[k] = 3
  m[1] = 4
  if (var x = m[0]) { r += 1 }
  if (var x = m[k]) { r += 10 }
  return XDP_PASS
}
)");
  EXPECT_EQ(trace.maps.at("m"), (MapContents{{{1, 0, 0, 0}, {4, 0, 0, 0}}}));
  EXPECT_EQ(trace.globals.at("r"), (Bytes{1, 0, 0, 0}));
}

TEST(Interpret, IndexesOutOfRangeReadZeroAndWriteNothing) {  // [L54]
  EXPECT_EQ(value_of("u32", "a[i] + a[3]", "var a: u32[4] = [1, 2, 3, 4]\nvar i: u32 = 4\na[i] = 9\ni -= 5\na[i] = 7"),
            4u);
}

TEST(Interpret, ThePacketIsChecked) {  // [L55] [L146]
  const std::string source = R"(
var seen: u32 = 0
@helper fn first(ctx: *xdp_md) -> u8 {
  var p = ctx->data + 20
  return *p
}
@xdp fn p(ctx: *xdp_md) -> xdp_action {
  seen = 1
  var eth = ctx->data as *ethhdr
  eth->h_proto = 0x1234
  var b = first(ctx)
  seen = 2
  if (b == 7) { return XDP_DROP }
  return XDP_TX
}
)";
  World world;
  world.packet = Bytes(21);
  world.packet[20] = 7;
  Trace trace = run(source, world);
  EXPECT_EQ(trace.result, 1);
  EXPECT_EQ(trace.packet[12], 0x34);
  world.packet.resize(20);
  trace = run(source, world);
  EXPECT_EQ(trace.result, 2);  // passes
  EXPECT_EQ(trace.globals.at("seen"), (Bytes{1, 0, 0, 0}));
  world.packet.resize(13);
  EXPECT_EQ(run(source, world).packet, Bytes(13));
}

TEST(Interpret, PacketPointersReachBackToTheStart) {  // [L24] [L55]
  const auto byte = [](const std::string& pointer) {
    World world;
    for (uint8_t i = 0; i < 40; ++i) world.packet.push_back(i);
    const Trace trace = run(fmt::format("var seen: u32 = 99\nvar back: i32 = 8\nvar wide: u64 = 20000\n@xdp fn p(ctx: "
                                        "*xdp_md) -> xdp_action {{\n  var p = ctx->data + 10\n"
                                        "  seen = {} as u32\n  return XDP_DROP\n}}\n",
                                        pointer),
                            world);
    EXPECT_EQ(trace.result, trace.globals.at("seen")[0] == 99 ? 2 : 1) << pointer;
    return static_cast<int>(trace.globals.at("seen")[0]);
  };
  EXPECT_EQ(byte("p[-10]"), 0);
  EXPECT_EQ(byte("p[-11]"), 99);
  EXPECT_EQ(byte("p[0 - back]"), 2);
  EXPECT_EQ(byte("*(p - back)"), 2);
  EXPECT_EQ(byte("*((p as *u16) - 5)"), 0);
  EXPECT_EQ(byte("p[29]"), 39);
  EXPECT_EQ(byte("p[30]"), 99);
  EXPECT_EQ(byte("*(p + wide - 19990)"), 99);  // out of reach is for good
  EXPECT_EQ(byte("*(p - 12 + 10)"), 99);
  EXPECT_EQ(byte("*(p + (p - (ctx->data + 12)))"), 8);  // an unsigned difference wraps
}

TEST(Interpret, SocketBuffersArePulledBeforeAnAccessFails) {  // [L176]
  const std::string source = R"(
var linear: u64 = 0
var before: bool = false
@helper fn byte(ctx: *__sk_buff, at: u32) -> u8 { return *(ctx->data + at) }
@tc("ingress") fn p(ctx: *__sk_buff) -> i32 {
  var end = ctx->data_end
  var eth = ctx->data as *ethhdr
  before = ctx->data + 30 > end
  var b = byte(ctx, 29)
  linear = end - ctx->data
  return b == 7 ? TC_ACT_SHOT : 3
}
)";
  World world;
  world.packet = Bytes(40);
  world.packet[29] = 7;
  world.linear = 14;
  Trace trace = run(source, world);
  EXPECT_EQ(trace.result, 2);
  EXPECT_EQ(trace.globals.at("before")[0], 1);   // the developer's own tests see what is linear
  EXPECT_EQ(trace.globals.at("linear")[0], 30);  // as much as the access needs
  EXPECT_EQ(trace.events.at("packet data pulled"), 1u);
  world.linear = 35;
  trace = run(source, world);
  EXPECT_EQ(trace.result, 2);
  EXPECT_EQ(trace.globals.at("before")[0], 0);
  EXPECT_EQ(trace.globals.at("linear")[0], 35);
  world.packet.resize(29);
  trace = run(source, world);
  EXPECT_EQ(trace.result, 0);  // the whole packet is too short
  EXPECT_EQ(trace.globals.at("linear")[0], 0);
}

TEST(Interpret, ProgramsSayWhatTheyGiveWhenLeftEarly) {  // [L162]
  const std::string source = R"(
@helper fn first(ctx: *xdp_md) -> u8 { return *ctx->data }
@on_fault(XDP_DROP) @xdp fn p(ctx: *xdp_md) -> xdp_action { return first(ctx) == 0 ? XDP_TX : XDP_PASS }
@xdp fn q(ctx: *xdp_md) -> xdp_action {
  if (ctx->rx_queue_index == 1) { return p(ctx) }
  return first(ctx) == 0 ? XDP_TX : XDP_PASS
}
)";
  World world;
  world.packet = Bytes(1);
  EXPECT_EQ(run(source, world).result, 3);
  world.packet = {};
  const auto of_nothing = [&] {
    Context context;
    context.kernel_types = &kernel_types();
    MemorySources sources;
    const uint32_t file = sources.add("test.ks", source);
    const auto typed = typed_program({parse(context, file, sources.text(file))}, context);
    const auto split = lower_memory_copies(split_element_pointers(typed, context), context);
    const auto used = drop_unused_imports(dispatch_function_values(split, context), context);
    const Ir<lang::TailCallsFound> found = find_tail_calls(split_returned_values(used, context), context);
    return interpret(context, found.declarations, entry_functions(found.declarations).back(), world).result;
  };
  EXPECT_EQ(of_nothing(), 2);  // passes
  world.context["rx_queue_index"] = 1;
  EXPECT_EQ(of_nothing(), 1);  // the program that took over drops
}

TEST(Interpret, LoopsAndMatches) {  // [L32] [L42] [L142]
  EXPECT_EQ(value_of("u32", "s", R"(var s: u32 = 0
for (i in 0..5) { i += 1
 s += i }
for (i in 250..=255) { var fresh: u32
 fresh += 1
 s += fresh }
var n: u8 = 3
while (n > 0) { n -= 1
 if (n == 1) { continue }
 s += 100 }
loop { s += 1000
 if (s > 3000) { break } })"),
            3221u);
  EXPECT_EQ(
      value_of("u32", "match (x) { 1 | 2: 10, 3..6: 20, 6..=7: { var y = x * 2\n y }, default: 0 }", "var x: u32 = 7"),
      14u);
}

TEST(Interpret, LoopsOverMaps) {  // [L42] [L50]
  const std::string maps = R"(
struct S { n: u32 }
var counts : hash<u32, u32>(8)
var slots : array<u32, S>(4)
var out: u32 = 0
@helper fn first_above(limit: u32) -> u32 {
  for (k, v in counts) { if (v > limit) { return k } }
  return 99
}
)";
  const auto out = [&](const std::string& body) {
    const Trace trace =
        run(maps + "@xdp fn p(ctx: *xdp_md) -> xdp_action {\n counts[1] = 10\n counts[2] = 20\n counts[7] = 30\n" +
            body + "\n return XDP_PASS\n}\n");
    return trace.globals.at("out")[0];
  };
  EXPECT_EQ(out("for (k, v in counts) { out += k + v }"), 70);
  EXPECT_EQ(out("for (k, v in counts) { v += 1\n k += 1\n out += k + v }"), 76) << "both are copies";
  EXPECT_EQ(out("for (k, v in counts) { if (k == 2) { continue }\n out += v }"), 40);
  EXPECT_EQ(out("for (k, v in counts) { out += 1\n break }"), 1);
  EXPECT_EQ(out("for (k, v in counts) { delete counts[k]\n out += 1 }\n for (k, v in counts) { out += 100 }"), 3)
      << "the current entry may go";
  EXPECT_EQ(out("for (k, v in counts) { delete counts[1]\n delete counts[2]\n delete counts[7]\n out += 1 }"), 1)
      << "what is gone is not visited";
  EXPECT_EQ(out("for (k, s in slots) { s.n += k }\n for (k, s in slots) { out += s.n + 10 }"), 46)
      << "an array has all its entries";
  EXPECT_EQ(out("out = first_above(25) + first_above(30)"), 106);
}

TEST(Interpret, TailCallsTakeOver) {  // [L61] [L63]
  const std::string source = R"(
var n: u32 = 0
@xdp fn a(ctx: *xdp_md) -> xdp_action { n += 1
 return b(ctx) }
@xdp fn b(ctx: *xdp_md) -> xdp_action { n += 1
 return match (n) { 5: XDP_TX, default: a(ctx) } }
)";
  EXPECT_EQ(run(source).result, 3);
  World world;
  world.globals["n"] = {100, 0, 0, 0};
  const Trace trace = run(source, world);
  EXPECT_EQ(trace.result, 0);  // the safe verdict, after 33 of them
  EXPECT_EQ(trace.globals.at("n"), (Bytes{134, 0, 0, 0}));
}

TEST(Interpret, PrintsAndHelpers) {  // [L75] [L149]
  const Trace trace = run(R"(
@xdp fn p(ctx: *xdp_md) -> xdp_action {
  var small: i8 = -1
  var name: str(8) = "ab"
  print("%d %u %x %s|%c", small, small, small, name, 'z')
  var a = bpf_ktime_get_ns()
  var b = bpf_ktime_get_ns()
  print("took", b - a, "ns")
  return XDP_PASS
}
)");
  EXPECT_EQ(trace.prints, (std::vector<std::string>{"-1 255 ff ab|z", "took 1000 ns"}));
}

TEST(Interpret, TextsOfArraysAndCopiesOfEntries) {  // [L75] [L173]
  const auto prints_of = [](const std::string& path) {
    std::ifstream file(KSC_SOURCE "/fuzz/corpus/" + path);
    std::stringstream text;
    text << file.rdbuf();
    // Without its program, userspace is what runs.
    const bool of_user = path.starts_with("user/");
    return run(of_user ? std::regex_replace(text.str(), std::regex("@xdp.*|load.first."), "") : text.str()).prints;
  };
  EXPECT_EQ(prints_of("texts_of_arrays.ks"), (std::vector<std::string>{"abcd|", " yz.", "off 7"}));
  EXPECT_EQ(prints_of("user/texts_of_arrays.ks"),
            (std::vector<std::string>{"abcd|", "ab and text.", "x yz 3", "ab", "4 3 0 ", "3 0", "0", "on", "off",
                                      "unknown", "y"}));
}

TEST(Interpret, TextsAreCutOff) {  // [L21]
  const std::string body = R"(
  var x: str(8) = "xyz"
  var s = "longer!!" as str(8)
  print("%s|", s)
  s = ("ab" + x) as str(4)
  var t = ("ab" + x) as str(4) + "c"
  var u = "" as str(1)
  print("%s|%s|%s|", s, t, u)
  var bytes: u8[6] = [97, 98, 99, 100, 101, 102]
  s = bytes as str(4)
  x = (bytes as str(4)) + "-"
  print("%s|%s|", s, x)
)";
  const std::vector<std::string> wanted{"longer!|", "abx|abxc||", "abc|abc-|"};
  EXPECT_EQ(run("@xdp fn p(ctx: *xdp_md) -> xdp_action {" + body + "  return XDP_PASS\n}\n").prints, wanted);
  EXPECT_EQ(run("fn main() -> i32 {" + body + "  return 0\n}\n").prints, wanted);
}

TEST(Interpret, GivenUpRunsAndFaultsEqualNothing) {
  World world;
  world.packet = Bytes(64);
  world.fuel = 1000;
  const Trace endless = run("@xdp fn p(ctx: *xdp_md) -> xdp_action { loop { } }\n", world);
  EXPECT_TRUE(endless.out_of_fuel);
  EXPECT_FALSE(endless == endless);
  EXPECT_NE(difference(endless, endless), "");
  const Trace normal = run("@xdp fn p(ctx: *xdp_md) -> xdp_action { return XDP_PASS }\n", world);
  EXPECT_TRUE(normal == normal);
  EXPECT_EQ(difference(normal, normal), "");
}

TEST(Interpret, LoweredFormsRunFromTheirText) {
  Context context;
  context.kernel_types = &kernel_types();
  ReadError error;
  const auto program = read_program(context, R"(
(GlobalDef g u32 - Shared)
(FunctionDef p Program xdp - () - i32 false (
  (CountedLoop i u32 (Int:u32 0 -) (Int:u32 3 -) true (
    (Update Add (Global:u32 g) (Local:u32 i))))
  (Switch (Global:u32 g) (
    (((Int:u32 6 -)) ((Return (RuntimeCall:i32 ks_mod_s32 ((Int:i32 -7 -) (Int:i32 4 -))))))))
  (Return (Int:i32 5 -))))
)",
                                    error);
  ASSERT_TRUE(program) << error.message << " at " << error.offset;
  World world;
  const Trace trace = interpret(context, *program, context.name("p"), world);
  EXPECT_EQ(trace.fault, "");
  EXPECT_EQ(trace.result, -3);
}

TEST(Interpret, ReadingWhatIsNotThereIsAFault) {
  Context context;
  context.kernel_types = &kernel_types();
  ReadError error;
  const auto fault_of = [&](const std::string& statements) {
    const auto program =
        read_program(context, "(FunctionDef p Program xdp - () - i32 false (" + statements + "))", error);
    if (!program) return error.message;
    return interpret(context, *program, context.name("p"), {}).fault;
  };
  EXPECT_NE(fault_of("(Return (Local:i32 x))"), "");
  EXPECT_NE(fault_of("(Block ((Let x i32 -))) (Return (Local:i32 x))"), "");
  EXPECT_NE(fault_of("(Return (Quotient:i32 Quotient (Int:i32 1 -) (Int:i32 0 -)))"), "");
  EXPECT_NE(fault_of("(Return (CShift:i32 Left (Int:i32 1 -) (Int:u32 32 -)))"), "");
  EXPECT_NE(fault_of(""), "");
  EXPECT_EQ(fault_of("(Return (Int:i32 1 -))"), "");
}

TEST(Memory, AccessesLieInLivingObjects) {
  Memory memory;
  const Address a = memory.allocate({1, 2, 3}, "a"), b = memory.allocate_unwritten(2, "b");
  EXPECT_EQ(memory.load(a + 1, 2), (Bytes{2, 3}));
  EXPECT_THROW(memory.load(a + 2, 2), Fault);
  EXPECT_THROW(memory.load(a - 1, 1), Fault);
  EXPECT_THROW(memory.load(b, 1), Fault);
  memory.store(b, {7});
  EXPECT_EQ(memory.load(b, 1), Bytes{7});
  EXPECT_THROW(memory.load(b, 2), Fault);
  memory.release(a);
  EXPECT_THROW(memory.load(a, 1), Fault);
  EXPECT_THROW(memory.load(0, 1), Fault);
}

TEST(World, ReadsBackWhatIsWritten) {
  World world;
  world.packet = {1, 2, 255};
  world.maps["m"][{1}] = {2, 3};
  world.globals["g"] = {9};
  world.context["mark"] = 4;
  world.random = 77;
  EXPECT_EQ(read_world(to_string(world)), world);
  EXPECT_FALSE(read_world("packet 0g"));
}

}  // namespace
}  // namespace ksc

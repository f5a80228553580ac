#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What userspace code means: functions, structs by value, loops, maps, globals before and after the load, bad indexes.
# Rules: [L13] [L16] [L20] [L21] [L44] [L45] [L46] [L47] [L50] [L54] [L140]
# shellcheck source=tests/kernel/network.sh disable=SC2154
source "$(dirname "$0")/network.sh"

cat >"$work/userspace.ks" <<'SOURCE'
struct Args {
    index: i32,
    big: u64,
}
struct Point { x: i32, y: i32 }
struct Key { address: u32, port: u16 }
struct Stats { packets: u64, bytes: u64 }
struct OnlyInEbpf { unused_in_userspace: u64 }
enum Color { RED, GREEN = 5 }
const ONLY_SWAPPED: u16 = 0x1234
enum Service { HTTP = 80 }
config tuning {
    limit: u32 = 7,
    ratio: u8 = 3,
}
var zero: u64
var preset: i32 = -5
var table: u32[4] = [10, 20, 30, 40]
var counts : hash<u32, u64>(8)
var stats : hash<Key, Stats>(8)
var slots : array<u32, Stats>(4)
var per_cpu : percpu_hash<u32, u64>(8)
struct Name { text: str(8) }
var names : hash<u32, Name>(4)
var label: str(300) = "red"
var long_label: str(400) = "green"
var recent : lru_hash<u32, OnlyInEbpf>(8)

@xdp fn probe(ctx: *xdp_md) -> xdp_action {
    recent[1] = OnlyInEbpf { unused_in_userspace: 1 }
    zero += 1
    if (label == long_label) { return XDP_DROP }
    if (label == "blue") { return XDP_TX }
    return XDP_PASS
}

fn add(a: Point, b: Point) -> Point {
    return Point { x: a.x + b.x, y: a.y + b.y }
}
fn changed(p: Point) -> i32 {
    var q = p
    q.x = 100
    return p.x + q.x
}
fn is_even(n: u32) -> bool {
    if (n == 0) { return true }
    return !is_even(n - 1)
}
fn first_above(limit: u64) -> u64 {
    for (k, v in counts) {
        for (index, slot in slots) {
            if (v > limit && slot.bytes == 128) { return k as u64 * 10 + index as u64 }
        }
    }
    return 0
}
fn printf(puts: i32) -> i32 {
    var malloc = puts
    return malloc * 2
}

// References to entries: copies that know their keys [L169].
fn references() -> i32 {
    slots[0] = Stats { packets: 1, bytes: 10 }
    slots[1] = Stats { packets: 2, bytes: 20 }
    var s = slots[0]
    if (s == null) { return 1 }
    s.packets = 100
    var t = s
    if (t == null) { return 2 }
    s = slots[1]
    if (s == null) { return 3 }
    s.packets += 200
    t.bytes = 30
    print("first %u %u second %u %u", slots[0].packets, slots[0].bytes, slots[1].packets, slots[1].bytes)
    for (i in 0..3) {
        if (var one = slots[i]) { one.bytes = (i as u64) * 7 }
    }
    slots[0].packets = 5
    s.bytes += 1
    print("bytes %u %u %u copy %u packets %u", slots[0].bytes, slots[1].bytes, slots[2].bytes, t.bytes, slots[0].packets)
    if (var gone = stats[Key { address: 1, port: 81 }]) {
        delete stats[Key { address: 1, port: 81 }]
        gone.packets = 1
    }
    return 0
}

fn one_more(k: u32) -> u64 { return (counts[k]?) + 1 }
fn main(args: Args) -> i32 {
    if (args.index == 2) {
        var ignored = load(probe)
        stats[Key { address: 1, port: 81 }] = Stats { packets: 9 }
        return references()
    }
    zero = 41
    tuning.limit += 1
    var program = load(probe)
    zero += 1
    preset -= 1
    print("globals %u %d limit %u ratio %u", zero, preset, tuning.limit, tuning.ratio)

    print("swapped %x %x", htons(ONLY_SWAPPED), htons(HTTP))

    var sum = add(Point { x: 1, y: 2 }, Point { x: 3, y: -4 })
    print("sum %d %d unchanged %d", sum.x, sum.y, changed(sum))
    print("even %d odd %d named %d", is_even(10), is_even(7), printf(21))

    counts[1] = 5
    counts[1] += 2
    counts[2] += 3
    counts[3] = counts[1] * counts[2] + counts[99]
    print("counts %u %u %u len %u", counts[1], counts[2], counts[3], counts.len())
    delete counts[2]
    delete counts[98]
    print("contains %d %d", counts.contains_key(1), counts.contains_key(2))
    if (var found = counts[3]) {
        print("found %u", found)
    }
    try {
        print("one more %u", one_more(1))
        print("one more %u", one_more(2))
    } catch ENOENT {
        print("one more of nothing")
    }
    if (counts[2] == null) {
        print("gone")
    }

    var key = Key { address: 1, port: 80 }
    stats[key].bytes += 100
    stats[key].packets = 4
    key.port = 81
    stats[key] = Stats { packets: 9 }
    var both = stats[Key { address: 1, port: 80 }].packets + stats[key].packets
    print("stats %u bytes %u len %u", both, stats[Key { address: 1, port: 80 }].bytes, stats.len())
    slots[2].bytes = 8
    slots[2].bytes <<= 4
    print("slots %u %u", slots[2].bytes, slots[3].bytes)

    per_cpu[7] = 6
    per_cpu[7] += 5
    print("per cpu %u %u", per_cpu[7], per_cpu[8])

    var name: str(16) = "eth0"
    var short: str(5) = "eth0"
    print("same %d %d %d %d", name == short, name == "eth", label == "red", name != label)
    label = "eth0"
    print("now %d text %d", short == label, match (label) { "eth" | "": 1, "eth0": 2, default: 3 })
    if (var found = names[1]) { print("never") }
    names[1].text = "on"
    print("entry %d absent %d %d", names[1].text == "on", names[2].text == "on", names[2].text == "")

    var entries: u64 = 0
    for (k, v in counts) { entries += k as u64 * 100 + v }
    for ((k, s) in stats) {
        s.packets += 1
        k.port = 0
        entries += s.packets
        if (s.packets == 10) { delete stats[Key { address: 1, port: 81 }] }
    }
    for (k, v) in per_cpu { entries += v }
    print("entries %u first %u left %u", entries, first_above(2), stats.len())
    var seen: u32 = 0
    for (k, s in slots) {
        if (k == 0) { continue }
        seen += 1
        if (k == 2) { break }
    }
    print("seen %u bytes %u", seen, stats[Key { address: 1, port: 80 }].packets)

    var total: u32 = 0
    for (i in 0..4) { total += table[i] }
    var turns = 0
    while (true) {
        turns += 1
        if (turns == 3) { continue }
        if (turns > 5) { break }
    }
    print("total %u turns %u", total, turns)
    var color = GREEN
    print("match %s", match (color) { RED: "ruddy", GREEN: "green" })
    var shift = args.big
    print("shift %u divide %u rest %u", (1 as u64) << shift, total as u64 / shift, total as u64 % shift)
    table[args.index] = 1
    print("element %u", table[args.index])
    print("in place", slots[1], names[77])
    return 0
}
SOURCE
build "$work/userspace.ks"
program=$work/userspace/userspace
"$program" --index=3 >"$work/out" 2>&1
check "it ends well" 0 $?
while read -r line; do has "$line" "^$line\$" "$work/out"; done <<'LINES'
globals 42 -6 limit 8 ratio 3
sum 4 -2 unchanged 104
even 1 odd 0 named 42
swapped 3412 5000
counts 7 3 21 len 3
contains 1 0
found 21
one more 8
one more of nothing
gone
stats 13 bytes 100 len 2
slots 128 0
per cpu 11 0
same 1 0 1 1
now 1 text 2
entry 1 absent 0 1
entries 454 first [13]2 left 1
seen 2 bytes 5
total 100 turns 6
match green
shift 1 divide 0 rest 100
element 1
in place {packets: [0-9]+, bytes: 0} {text: }
LINES
"$program" --index=2 >"$work/out" 2>&1
check "a write to an entry that is gone ends the program" 1 $?
has "references" '^first 100 30 second 202 20$' "$work/out"
has "references in a loop" '^bytes 0 21 14 copy 30 packets 5$' "$work/out"
has "what is gone" 'cannot write map stats: No such file or directory; the key is not there' "$work/out"
for index in 4 -1; do
  "$program" --index=$index >"$work/out" 2>&1
  check "index $index ends the program" 134 $?
  has "and says where" "source/userspace.ks:[0-9]+: index $index is out of range: the array has 4 elements" "$work/out"
done

# A file without programs: its globals live in the object all the same.
printf 'var count: u32 = 3\nfn main() -> i32 {\n  count += 4\n  print("count %%u", count)\n  return 0\n}\n' >"$work/alone.ks"
build "$work/alone.ks"
"$work/alone/alone" >"$work/out" 2>&1
has "globals without a program" '^count 7$' "$work/out"
check "a type of the eBPF part alone" 0 "$(grep -c OnlyInEbpf "$work/userspace/userspace.c")"
echo "--- errors"
cat >"$work/errors.ks" <<'SOURCE'
struct Args { n: i32 }
const WEIRD: i32 = 12
var m : hash<u32, u64>(4)
fn third(n: i32) -> i32 {
    for (k, v in m) { if (n == 3) { throw WEIRD } }
    if (n == 4) { throw n }
    return n + 1
}
fn second(n: i32) -> i32 {
    try {
        for (k, v in m) {
            try { if (n == 7) { throw 8 } if (n == 8) { throw 6 } } catch 6 { return -6 }
        }
        return third(n)
    } catch WEIRD { return -1 } catch 8 { return -8 }
}
@xdp fn prog(ctx: *xdp_md) -> xdp_action { return XDP_PASS }
fn main(args: Args) -> i32 {
    load(prog)
    m[1] = 2
    assert(args.n != 9, "nine is not allowed")
    print("second", second(args.n))
    if (args.n == 5) { throw args.n }
    return 0
}
SOURCE
build "$work/errors.ks"
ends() { # N STATUS OUTPUT
  "$work/errors/errors" "--n=$1" >"$work/out" 2>&1
  check "$1 ends with" "$2" $?
  has "$1 says" "$3" "$work/out"
}
ends 1 0 '^second 2$'
ends 3 0 '^second -1$'
ends 7 0 '^second -8$'
ends 8 0 '^second -6$'
ends 9 134 'source/errors.ks:21: panic: nine is not allowed$'
ends 4 1 'source/errors.ks:22: nothing catches error 4$'
ends 5 1 'source/errors.ks:23: nothing catches error 5$'
echo "--- indexes"
cat >"$work/indexes.ks" <<'SOURCE'
struct Args { n: u32 }
var v: u16[3]
var i: u64 = 1000
fn main(args: Args) -> i32 {
    if (args.n == 1) { if (v[i] % 1) { } }
    if (args.n == 2) { print("%u", (v[i] & 0) as u32) }
    if (args.n == 3 && v[i] < 0) { print("never") }
    if (args.n == 4) { v[i] = v[i] }
    if (args.n == 5 && v[1] < 0) { print("never") }
    return 0
}
SOURCE
build "$work/indexes.ks"
# What is read ends the process at a bad index, also where nothing depends on it [L54].
for n in 1 2 3 4; do
  "$work/indexes/indexes" "--n=$n" >"$work/out" 2>&1
  check "a bad index, $n" 134 $?
done
"$work/indexes/indexes" --n=5 >"$work/out" 2>&1
check "no bad index" 0 $?
echo "--- before the load"
cat >"$work/before.ks" <<'SOURCE'
struct Args { read: bool }
pin var starts: u32 = 100
pin var kept : hash<u32, u64>(4)

@xdp fn counts(ctx: *xdp_md) -> xdp_action {
    starts += 0
    return XDP_PASS
}

fn main(args: Args) -> i32 {
    starts += 1
    if (args.read) {
        print("%d", kept[1])
    }
    var program = load(counts)
    kept[1] = starts as u64
    print("start %u", starts)
    return 0
}
SOURCE
build "$work/before.ks"
for run in 1 2 3; do
  at_far "$work/before/before" >"$work/out" 2>&1
  has "a pinned global that is written before the load, at start $run" "^start 10$run\$" "$work/out"
done
at_far "$work/before/before" --read >"$work/out" 2>&1
check "a map is no map before the load" 1 $?
has "its message" 'cannot read map kept: .*; there is no map before a program is loaded' "$work/out"
"$work/before/before" --unpin
echo "--- floating point"
cat >"$work/floats.ks" <<'SOURCE'
struct Args { rate: f64, share: f32, count: u32 }
struct Sample { mean: f64, parts: f32[2] }
const HALF = 0.5
const THIRD: f32 = 1.0 / 3.0
fn average(sum: u64, count: u32) -> f64 {
    return sum as f64 / count
}
fn bits(x: f64) -> u8 {
    return x as u8
}
fn main(args: Args) -> i32 {
    print("rate %f share %f", args.rate, args.share)
    print("average %f third %f", average(10, 4), THIRD)
    var s = Sample { mean: 2 * HALF, parts: [0.1, 3] }
    s.mean += args.count
    s.parts[1] /= 4
    print("sample", s)
    print("cut %d %d %d %d", bits(255.9), bits(1e10), bits(-1.5), bits(0.0 / 0.0))
    print("signed %d %d %d", -1.9 as i32, -1e30 as i32, 1e30 as i64)
    print("widest %u %d", 1.9e19 as u64, 0.1 as f32 as f64 == 0.1)
    var nan = 0.0 / 0.0
    print("nan %f %d %d %d inf %f", -nan, nan == nan, nan < 1, nan != nan, 1 / 0.0)
    print("rounded %f %f", 16777217 as f32, 9007199254740993 as f64)
    return args.rate > 1.25 ? 1 : 0
}
SOURCE
build "$work/floats.ks"
"$work/floats/floats" --rate=1.5 --share 1e-1 --count=7 >"$work/out" 2>&1
check "a comparison of floating point" 1 $?
check "floating point" "rate 1.500000 share 0.100000|average 2.500000 third 0.333333|\
sample {mean: 8.000000, parts: [0.100000, 0.750000]}|cut 255 255 0 0|signed -1 -2147483648 9223372036854775807|\
widest 18446744073709551615 0|nan nan 0 0 1 inf inf|rounded 16777216.000000 9007199254740992.000000|" \
  "$(tr '\n' '|' <"$work/out")"
for wrong in 1.5x "" x 1e999; do
  "$work/floats/floats" "--rate=$wrong" >"$work/out" 2>&1
  check "'$wrong' is no number" 2 $?
  has "its message" "floats: --rate: '$wrong' is not a number" "$work/out"
done
"$work/floats/floats" --help >"$work/out" 2>&1
has "its help" '--rate <f64>' "$work/out"
echo "--- deferred"
cat >"$work/deferred.ks" <<'SOURCE'
struct Args { code: i32 }
fn risky(code: i32) -> i32 {
    defer print("leaves with", code)
    if (code > 1) { throw code }
    code += 10
    return code
}
fn main(args: Args) -> i32 {
    var at: u32 = 2
    defer print("first", at)
    if (at > 1) {
        var text: str(8) = "abc"
        defer { print("inner", text, at) }
        text = "changed"
    }
    for (i in 0..3) { defer print("turn", i) }
    at = 7
    return risky(args.code)
}
SOURCE
build "$work/deferred.ks"
"$work/deferred/deferred" --code=1 >"$work/out" 2>&1
check "what main returns" 11 $?
check "what is deferred, in its order" "leaves with 1|turn 2|turn 1|turn 0|inner abc 7|first 2|" "$(tr '\n' '|' <"$work/out")"
"$work/deferred/deferred" --code=5 >"$work/out" 2>"$work/error"
check "an error that comes out of main" 1 $?
check "what is deferred before it" "leaves with 5|turn 2|turn 1|turn 0|inner abc 7|first 2|" "$(tr '\n' '|' <"$work/out")"

done_testing

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What userspace sees of per-CPU maps [L51]: a program counts on two CPUs, userspace reads one CPU's value, each and their sum.
# shellcheck source=tests/kernel/network.sh disable=SC2154
source "$(dirname "$0")/network.sh"

cat >"$work/cpus.ks" <<'SOURCE'
struct Args { first: u32, second: u32 }
// 12 bytes: the kernel exchanges such values in slots of 16.
struct Seen { packets: u32, bytes: u32, last: u32 }
var counts : percpu_array<u32, u64>(2)
var small : percpu_array<u32, u16>(1)
var seen : percpu_hash<u32, Seen>(8)
var runs: u64

@xdp fn count(ctx: *xdp_md) -> xdp_action {
    counts[1] += 1
    small[0] += 40000
    seen[7].packets += 1
    seen[7].bytes += 100
    seen[7].last = 5
    runs += 1
    return XDP_PASS
}

fn sum_of(key: u32, limit: u32) -> u32 {
    var sum: u32 = 0
    for (k, ignored in seen) {
        if (k != key) { continue }
        for (cpu, s in seen.each_cpu(k)) {
            sum += s.packets
            s.packets = 99
            if (sum >= limit) { return sum }
        }
    }
    return sum
}

fn main(args: Args) -> i32 {
    var program = load(count)
    while (runs < 5) { sleep(20) }
    print("first %u second %u sum %u", counts.cpu(1, args.first), counts.cpu(1, args.second), counts[1])
    print("small %u %u sum %u", small.cpu(0, args.first), small.cpu(0, args.second), small[0])
    var cpus: u32 = 0
    for (cpu, v in counts.each_cpu(1)) {
        cpus += 1
        if (v == 0) { continue }
        print("cpu %u has %u", cpu, v)
        cpu += 100
    }
    print("cpus %u", cpus)

    if (var s = seen.cpu(7, args.second)) { print("packets %u bytes %u last %u", s.packets, s.bytes, s.last) }
    var one = seen.cpu(7, args.second)
    if (one == null) { return 1 }
    one = seen.cpu(7, args.first)
    if (one != null) { print("then %u, in place %u", one.bytes, seen.cpu(7, args.second).bytes) }
    if (var n = counts.cpu(0, 0)) { print("there is a zero: %u", n) }
    if (var n = counts.cpu(1, cpus)) { print("never %u", n) } else { print("no such CPU") }
    if (seen.cpu(8, args.first) == null) { print("no such key") }
    print("absent %u %u", seen.cpu(8, args.first).packets, counts.cpu(1, 4000000000))
    for (cpu, s in seen.each_cpu(8)) { print("never %u", s.packets) }
    print("walked %u, at most %u", sum_of(7, 1000), sum_of(7, 1))

    counts[1] = 40
    var holders: u32 = 0
    for (cpu, v in counts.each_cpu(1)) { if (v != 0) { holders += 1 } }
    counts[1] += 2
    print("written %u on %u", counts[1], holders)
    if (seen.insert(9, Seen { packets: 3 }) == 0) { print("inserted %u", sum_of(9, 1000)) }
    delete seen[7]
    print("deleted %u left %u", sum_of(7, 1000), seen.len())
    return 0
}
SOURCE
build "$work/cpus.ks"

# One CPU where there is no second one.
read -r first second <<<"$(python3 -c 'import os; cpus = sorted(os.sched_getaffinity(0)); print(cpus[0], cpus[-1])')"
possible=$(python3 -c '
ranges = open("/sys/devices/system/cpu/possible").read().strip().split(",")
print(sum(int(r.split("-")[-1]) - int(r.split("-")[0]) + 1 for r in ranges))')
head -c 64 /dev/zero >"$work/packet"

"$work/cpus/cpus" --first="$first" --second="$second" >"$work/out" 2>&1 &
pid=$!
started+=("$pid")
program=
for _ in $(seq 200); do
  program=$(cat /proc/"$pid"/fdinfo/* 2>"$work/null" | sed -n 's/^prog_id:\s*//p' | head -1)
  [ -n "$program" ] && break
  sleep 0.05
done
[ -n "$program" ] || { cat "$work/out"; echo "FAILED: the program is not loaded"; exit 1; }
# A test run stays on the CPU that asks for it.
taskset -c "$first" bpftool prog run id "$program" data_in "$work/packet" data_size_out 64 repeat 3 >"$work/null"
taskset -c "$second" bpftool prog run id "$program" data_in "$work/packet" data_size_out 64 repeat 2 >"$work/null"
wait "$pid"
check "it ends well" 0 $?

if [ "$first" = "$second" ]; then a=5 b=5; else a=3 b=2; fi
has "one CPU's and the sum" "^first $a second $b sum 5\$" "$work/out"
has "16 bits" "^small $((a * 40000 % 65536)) $((b * 40000 % 65536)) sum $((5 * 40000 % 65536))\$" "$work/out"
check "each CPU" "$(for one in "$first $a" "$second $b"; do echo "cpu ${one% *} has ${one#* }"; done | uniq)" "$(grep '^cpu ' "$work/out")"
has "all CPUs" "^cpus $possible\$" "$work/out"
has "a struct" "^packets $b bytes ${b}00 last 5\$" "$work/out"
has "another CPU's" "^then ${a}00, in place ${b}00\$" "$work/out"
while read -r line; do has "$line" "^$line\$" "$work/out"; done <<'LINES'
there is a zero: 0
no such CPU
no such key
absent 0 0
written 42 on 1
inserted 3
deleted 0 left 1
LINES
has "a way out of the loops" "^walked 5, at most [1-9]\$" "$work/out"
check "what is absent is not walked through" 0 "$(grep -c never "$work/out")"
done_testing

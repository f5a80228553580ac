#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What fails in userspace is thrown where something takes it, and ends the program elsewhere: writes to maps, load, attach.
# Rules: [L45] [L46] [L51] [L71] [L169] [L181]
# shellcheck source=tests/kernel/network.sh disable=SC2154
source "$(dirname "$0")/network.sh"

cat >"$work/failing.ks" <<'SOURCE'
struct Args { n: u32, interface: str(16) }
struct Stats { packets: u64, bytes: u64 }
var small : hash<u32, u32>(2)
var stats : hash<u32, Stats>(2)
var slots : array<u32, u32>(2)
var own : percpu_hash<u32, u64>(1)

@xdp fn watch(ctx: *xdp_md) -> xdp_action {
    slots[0] += 1
    return XDP_PASS
}

fn fill(turns: u32) -> u32 {
    defer print("filled up to", turns)
    for (i in 0..turns) { small[i] = i }
    return turns
}
fn write_gone() {
    stats[1] = Stats { packets: 1 }
    var s = stats[1]
    if (s == null) { return }
    delete stats[1]
    s.packets += 1
    print("never")
}
fn start(interface: str(16)) -> i32 {
    attach(load(watch), interface, 0)
    return 1
}
fn tried(what: u32, interface: str(16)) -> i32 {
    try {
        if (what == 1) { print("filled", fill(9)) }
        if (what == 2) { write_gone() }
        if (what == 3) { slots[what + 7] = 1 }
        if (what == 4) { stats[1].bytes += 1; stats[2].bytes += 1; stats[3].bytes += 1 }
        if (what == 5) { own[1] = 1; own[2] += 1 }
        if (what == 6) { print("started", start("no such one")) }
        if (what == 7) {
            print("started", start(interface))
            print("started again", start(interface))
        }
        if (what == 8) {
            try { small[1] = 1; small[2] = 2; small[3] = 3 } catch 1 { print("never") }
        }
        return 0
    } catch E2BIG {
        return -1
    } catch ATTACH_ERROR_NO_TARGET {
        return -2
    } catch ATTACH_ERROR_BUSY {
        return -3
    } catch (code) {
        return code
    }
}
fn main(args: Args) -> i32 {
    if (args.n == 20) {
        try { load(watch) } catch LOAD_ERROR_PERMISSION {
            print("no rights")
            return 3
        }
    }
    load(watch)
    if (args.n < 10) {
        print("result", tried(args.n, args.interface))
        return 0
    }
    if (args.n == 10) { print("filled", fill(9)) }
    if (args.n == 11) {
        small[1] = 1
        small[2] = 2
        small[3] = 3
    }
    if (args.n == 12) { start("no such one") }
    defer print("left")
    defer { small[3] = 3; print("small has", small.len()) }
    small[1] = 1
    small[2] = 2
    if (args.n == 13) { return 4 }
    slots[args.n] = 1
    return 5
}
SOURCE
build "$work/failing.ks"
ends() { # N STATUS PATTERN...
  local n=$1 status=$2
  KS_NO_WAIT=1 at_far "$work/failing/failing" "--n=$n" --interface=far0 >"$work/out" 2>&1
  check "$n ends with" "$status" $?
  shift 2
  for pattern in "$@"; do has "$n says" "$pattern" "$work/out"; done
}
ends 0 0 '^result 0$'
ends 1 0 '^filled up to 9$' '^result -1$'
check "it says no more" 2 "$(wc -l <"$work/out")"
ends 2 0 '^result 2$'
ends 3 0 '^result -1$'
ends 4 0 '^result -1$'
ends 5 0 '^result -1$'
ends 6 0 '^result -2$'
ends 7 0 '^started 1$' '^result -3$'
ends 8 0 '^result -1$'
check "and of the attach nothing is left" 0 "$(ip -n "$far" link show far0 | grep -c xdp)"
echo "--- nothing takes it"
ends 10 1 '^filled up to 9$' 'source/failing.ks:[0-9]+: nothing catches error 7: cannot write map small: .*; the map is full$'
ends 11 1 'cannot write map small: .*; the map is full$'
ends 12 1 'cannot attach watch to no such one: '
ends 13 1 '^left$' 'source/failing.ks:[0-9]+: nothing catches error 7: cannot write map small: .*; the map is full$'
ends 14 1 '^left$' 'source/failing.ks:[0-9]+: nothing catches error 7: cannot write map small: .*; the map is full$'
check "a deferred block ends where it fails" 0 "$(grep -c 'small has' "$work/out")"
echo "--- without rights"
setpriv --reuid 65534 --regid 65534 --clear-groups "$work/failing/failing" --n=20 >"$work/out" 2>&1
check "a load without rights" 3 $?
has "is caught" '^no rights$' "$work/out"

done_testing

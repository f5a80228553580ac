#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [L60] A run of a TC program begins within another one of it, on one CPU: bpf_clone_redirect to the interface on whose way out it is
# attached. Each has variables of its own, for which the stack has no room; the fifth within four finds none, and lets the packet pass.
# shellcheck source=tests/kernel/network.sh disable=SC2154
source "$(dirname "$0")/network.sh"

cat >"$work/nested.ks" <<'SOURCE'
struct Args { interface: str(16), index: u32 }
var interface_index: u32
var totals: array<u32, u64>(2)
var depths: hash<u32, u64>(64)

@tc("egress") fn nested(ctx: *__sk_buff) -> i32 {
    // The packets of the test have 142 bytes: 14 of Ethernet, 20 of IPv4, 8 of ICMP and 100.
    if (ctx->len != 142) {
        return TC_ACT_OK
    }
    var own: u64[80]
    var mine: u64 = totals[0]
    totals[0] += 1
    for (i in 0..80) {
        own[i] = mine * 1000 + (i as u64)
    }
    if (mine % 8 < 7) {
        bpf_clone_redirect(ctx, interface_index, 0)
    }
    for (i in 0..80) {
        if (own[i] != mine * 1000 + (i as u64)) {
            totals[1] += 1
        }
    }
    depths[mine as u32] = own[79]
    return TC_ACT_OK
}

fn main(args: Args) -> i32 {
    interface_index = args.index
    var program = load(nested)
    attach(program, args.interface, 0)
    return 0
}
SOURCE
build "$work/nested.ks"
index=$(at_far ip -o link show far0 | cut -d: -f1)
start "$work/out" 1 "$work/nested/nested" --interface=far0 --index="$index"
at_far ping -q -c 1 -W 1 -s 100 10.66.0.1 >"$work/null" 2>&1
total() { # KEY
  at_far bpftool -j map lookup name totals key "$1" 0 0 0 | python3 -c 'import json, sys
print(json.load(sys.stdin)["formatted"]["value"])'
}
check "four runs were under way at once, and no fifth" 4 "$(total 0)"
check "each kept what it wrote" 0 "$(total 1)"
check "each came to its end" 4 "$(at_far bpftool -j map dump name depths | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')"
at_far ping -q -c 1 -W 1 -s 100 10.66.0.1 >"$work/null" 2>&1
check "all four are free again" 8 "$(total 0)"
check "each kept what it wrote" 0 "$(total 1)"

finish INT

done_testing

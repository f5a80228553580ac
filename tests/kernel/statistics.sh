#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What fails in the kernel without anybody being told is counted there, and reported when the program ends [L51] [L63].
# Rules: [L170]
# shellcheck source=tests/kernel/network.sh disable=SC2154
source "$(dirname "$0")/network.sh"

cat >"$work/lossy.ks" <<'KS'
// One entry is too few for pings of two sizes.
var sizes : hash<u32, u64>(1)

@tc("ingress") fn note_size(ctx: *__sk_buff) -> i32 {
  if (ctx->protocol == htons(ETH_P_IP) as u32) { sizes[ctx->len] += 1 }
  return TC_ACT_OK
}

// Hands over to itself until the kernel ends it.
@tc("egress") fn circle(ctx: *__sk_buff) -> i32 {
  if (ctx->len != 242) { return TC_ACT_OK }
  return circle(ctx)
}

struct Args { interface: str(16), circle: bool }

fn main(args: Args) -> i32 {
  var noting = load(note_size)
  var circling = load(circle)
  attach(noting, args.interface, 0)
  if (args.circle) { attach(circling, args.interface, 0) }
  return 0
}
KS
build "$work/lossy.ks"

start "$work/out" 1 "$work/lossy/lossy" --interface=far0
check "pings of one size" 2 "$(pings 2 -s 100)"
finish INT
check "SIGINT" 0 $status
check "nothing was lost" 0 "$(grep -c failed "$work/out")"

start "$work/out" 2 "$work/lossy/lossy" --interface=far0 --circle
check "pings of the first size" 1 "$(pings 1 -s 100)"
check "pings of another size" 2 "$(pings 2 -s 50)"
check "what a failed tail call gives" 0 "$(pings 1 -s 200)"
finish INT
check "SIGINT" 0 $status
has "lost writes are reported" '3 writes to maps failed in the kernel and were dropped' "$work/out"
has "failed tail calls are reported" '1 tail call failed in the kernel' "$work/out"

done_testing

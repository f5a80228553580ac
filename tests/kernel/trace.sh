#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Where tracefs is not mounted, --trace mounts it for itself alone, and leaves no buffer behind [L72].
# shellcheck source=tests/kernel/network.sh disable=SC2154
source "$(dirname "$0")/network.sh"

tracing=/sys/kernel/tracing
kind_of_tracing() { stat -f -c %T "$tracing"; }
buffers() { # of this program, in the kernel
  unshare -m sh -c "mount -t tracefs tracefs $tracing && ls $tracing/instances" | grep -c '^ks_tell_'
}

cat >"$work/tell.ks" <<'SOURCE'
struct Args { interface: str(16) }

@xdp fn tell(ctx: *xdp_md) -> xdp_action {
    var bytes = ctx->data_end - ctx->data
    if (bytes == 77) {
        print("a packet of %d bytes", bytes)
    }
    return XDP_PASS
}

fn main(args: Args) -> i32 {
    var program = load(tell)
    attach(program, args.interface, 0)
    return 0
}
SOURCE
build "$work/tell.ks"

# These mounts are the test's own: nobody else sees them go.
while [ "$(kind_of_tracing)" = tracefs ]; do umount -l "$tracing" || skip "cannot unmount tracefs"; done
unshare -m mount -t tracefs tracefs "$tracing" || skip "cannot mount tracefs"

start "$work/out" 1 "$work/tell/tell" --trace --interface far0
check "while it runs, others see no tracefs" sysfs "$(kind_of_tracing)"
check "while it runs, it has one buffer" 1 "$(buffers)"
# 14 of Ethernet, 20 of IPv4, 8 of ICMP.
at_near ping -q -c 2 -i 0.2 -s 35 10.66.0.2 >"$work/null" 2>&1
finish INT
check "SIGINT" 0 "$status"
has "the prints are shown" '^a packet of 77 bytes$' "$work/out"
check "afterwards there is no buffer" 0 "$(buffers)"
check "afterwards there is no tracefs" sysfs "$(kind_of_tracing)"

[ $failures = 0 ] && echo "all passed"
exit $((failures > 0))

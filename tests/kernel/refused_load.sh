#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A generated program that the verifier refuses [L71] [L181]: exit code 1, a message that names the program, and the verifier's log with
# the lines of the .ks file. ksc makes no such program, so a packet test is taken out of the C before make.
# shellcheck source=tests/kernel/network.sh disable=SC2154
source "$(dirname "$0")/network.sh"

cat >"$work/broken.ks" <<'SOURCE'
struct Args { interface: str(16), both: bool }
var counts : hash<u32, u64>(16)

@xdp fn counter(ctx: *xdp_md) -> xdp_action {
    counts[ctx->ingress_ifindex] += 1
    var eth = ctx->data as *ethhdr
    if (eth->h_proto == htons(ETH_P_ARP)) {
        return XDP_DROP
    }
    return XDP_PASS
}

@xdp fn other(ctx: *xdp_md) -> xdp_action {
    return XDP_PASS
}

fn main(args: Args) -> i32 {
    if (args.both) {
        var first = load(other)
        attach(first, args.interface, 0)
        print("other is attached")
    }
    var second = load(counter)
    print("counter is loaded")
    return 0
}
SOURCE

for clang in clang-14 clang-19; do
  command -v $clang >"$work/null" || continue
  tried=yes
  echo "--- $clang"
  rm -rf "$work/broken"
  "$ksc" compile "$work/broken.ks" -o "$work/broken" || exit 1
  made() {
    make -C "$work/broken" CLANG=$clang >"$work/log" 2>&1 || { cat "$work/log"; echo "FAILED: it is not built"; exit 1; }
  }
  broken() { KS_NO_WAIT=1 nsenter "--net=/run/netns/$far" "$work/broken/broken" --interface=far0 "$@" >"$work/out" 2>"$work/errors"; }

  made
  broken --both
  check "as ksc made it" 0 $?
  check "it says nothing" "" "$(cat "$work/errors")"

  python3 - "$work/broken/broken.ebpf.c" <<'PYTHON' || { echo "FAILED: there is no packet test to take out"; exit 1; }
import re, sys
with open(sys.argv[1]) as file:
    text = file.read()
changed, count = re.subn(r"\tif \(\(void \*\)\(eth \+ 1\) > ks_data_end\(ctx\)\) \{\n(?:#line[^\n]*\n)?\t\treturn XDP_PASS;\n\t\}\n", "", text)
with open(sys.argv[1], "w") as file:
    file.write(changed)
sys.exit(count != 1)
PYTHON
  made

  broken
  check "the refused program alone" 1 $?
  check "it goes no further" "" "$(cat "$work/out")"
  has "which program it is" '^broken: cannot load counter: Permission denied$' "$work/errors"
  has "what the verifier says" 'invalid access to packet' "$work/errors"
  has "the line of the .ks file that it says it of" '^; *if \(eth->h_proto == htons\(ETH_P_ARP\)\) \{' "$work/errors"
  has "the lines before it" '^; *counts\[ctx->ingress_ifindex\] \+= 1' "$work/errors"
  check "it shows no line of the C" 0 "$(grep -cE '^;.*(ks_data|bpf_htons|bpf_map_)' "$work/errors")"
  # It stands right before the instruction that is refused, not anywhere in the log.
  awk '/^; / { last = $0 } /invalid access to packet/ { print last; exit }' "$work/errors" >"$work/last"
  has "no other line is between that and the refusal" '^; *if \(eth->h_proto == htons\(ETH_P_ARP\)\) \{' "$work/last"

  broken --both
  check "a refused program beside a good one" 1 $?
  check "the good one was loaded" "other is attached" "$(cat "$work/out")"
  has "which program it is" '^broken: cannot load counter: the kernel rejected it, as shown above$' "$work/errors"
  has "the verifier's log" '^; *if \(eth->h_proto == htons\(ETH_P_ARP\)\) \{' "$work/errors"
  for _ in $(seq 100); do
    [ -z "$(attached)" ] && break
    sleep 0.05
  done
  check "what was attached is detached" "" "$(attached)"
done
[ "${tried:-}" = yes ] || skip "neither clang-14 nor clang-19 is installed"

done_testing

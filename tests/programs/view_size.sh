#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the packet's view costs: the instructions that a program runs for a packet, beside those of what by_hand/ has for the same. No more
# than two more for each header. Extension headers of IPv6 are not there yet: they are counted in a loop, whose turns the verifier must not
# tell apart.
# Rules: [L55]
set -u

source_dir=${KSC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
ksc=${KSC:-$source_dir/build/release/bin/ksc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

for tool in make python3 clang-14 clang-19; do
  command -v $tool >"$work/null" || { echo "SKIPPED: $tool is not installed"; exit 77; }
done

ethernet=020000000001020000000002
datagram=1000003500140000000000000000000000000000
ipv4=4500002800010000401100000a0000010a000002$datagram
ipv6=0000000000000000000000000000000100000000000000000000000000000002
declare -A packets=(
  [untagged]=${ethernet}0800$ipv4
  [tagged]=${ethernet}8100000a0800$ipv4
  [twice_tagged]=${ethernet}88a800018100000a0800$ipv4
  [tcp]=${ethernet}0800${ipv4/4011/4006}
  [ipv6]=${ethernet}86dd6000000000141140$ipv6$datagram
  [ipv6_options]=${ethernet}86dd60000000001c0040${ipv6}1100010400000000$datagram
)

# compare NAME MOST PACKET...: no more than MOST instructions more than by hand, for each packet, and the same verdict.
compare() {
  local name=$1 most=$2 clang packet ours by_hand verdict by_hands_verdict
  shift 2
  "$ksc" compile "$source_dir/tests/programs/by_hand/$name.ks" -o "$work/$name" 2>"$work/notes" || { cat "$work/notes"; exit 1; }
  for clang in clang-14 clang-19; do
    make -s -B -C "$work/$name" CLANG=$clang $name.ebpf.o || exit 1
    $clang -target bpf -mcpu=v3 -O2 -g -I"/usr/include/$(uname -m)-linux-gnu" -c "$source_dir/tests/programs/by_hand/$name.bpf.c" \
      -o "$work/by_hand.o" || exit 1
    for packet in "$@"; do
      read -r verdict ours < <("$source_dir/tests/programs/count_instructions.py" "$work/$name/$name.ebpf.o" "${packets[$packet]}")
      read -r by_hands_verdict by_hand < <("$source_dir/tests/programs/count_instructions.py" "$work/by_hand.o" "${packets[$packet]}")
      echo "$name, $clang, $packet: ${ours:-none} instructions, ${by_hand:-none} by hand"
      if [ -z "${ours:-}" ] || [ -z "${by_hand:-}" ] || [ "$verdict" != "$by_hands_verdict" ] || [ "$by_hand" -lt 12 ] ||
        [ "$ours" -gt $((by_hand + most)) ]; then
        echo "FAILED: more than $most instructions more, or another verdict ($verdict, by hand $by_hands_verdict)"
        failures=$((failures + 1))
      fi
    done
  done
}

compare ipv4_protocol 4 untagged tagged twice_tagged tcp ipv6
compare udp_port 6 untagged tagged twice_tagged tcp ipv6
compare udp_port 60 ipv6_options
exit $((failures > 0))

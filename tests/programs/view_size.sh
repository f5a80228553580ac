#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A program that asks the packet's view for its Ethernet and its IPv4 header has at most eight instructions more than what by_hand/ has for
# the same, two for each way of a frame through it: without a tag, with one and with two; and the end that they share.
# Rules: [L55]
set -u

source_dir=${KSC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
ksc=${KSC:-$source_dir/build/release/bin/ksc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

for tool in make readelf clang-14 clang-19; do
  command -v $tool >"$work/null" || { echo "SKIPPED: $tool is not installed"; exit 77; }
done

# instructions OBJECT: of all its programs and functions, eight bytes each.
instructions() {
  local bytes total=0
  while read -r bytes; do
    total=$((total + 16#$bytes / 8))
  done < <(readelf -SW "$1" | sed -nE 's/^ *\[ *[0-9]+\] (xdp|\.text) +PROGBITS +[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) .*/\2/p')
  echo $total
}

name=ipv4_protocol
"$ksc" compile "$source_dir/tests/programs/by_hand/$name.ks" -o "$work/$name" || exit 1
for clang in clang-14 clang-19; do
  make -s -B -C "$work/$name" CLANG=$clang $name.ebpf.o || exit 1
  $clang -target bpf -mcpu=v3 -O2 -g -I"/usr/include/$(uname -m)-linux-gnu" -c "$source_dir/tests/programs/by_hand/$name.bpf.c" \
    -o "$work/by_hand.o" || exit 1
  ours=$(instructions "$work/$name/$name.ebpf.o")
  by_hand=$(instructions "$work/by_hand.o")
  echo "$name, $clang: $ours instructions, $by_hand by hand"
  if [ "$by_hand" -lt 20 ] || [ "$ours" -gt $((by_hand + 8)) ]; then
    echo "FAILED: $name, $clang: more than eight instructions more"
    failures=$((failures + 1))
  fi
done
exit $((failures > 0))

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tries run_program, with which the other tests run eBPF objects in the kernel, on an object written by hand.
set -u

source_dir=${KSC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

skip() {
  echo "SKIPPED: $1"
  exit 77
}

check() { # NAME WANTED FOUND
  if [ "$2" = "$3" ]; then
    echo "ok: $1"
  else
    printf 'FAILED: %s: wanted\n%s\nfound\n%s\n' "$1" "$2" "$3"
    failures=$((failures + 1))
  fi
}

[ "$(id -u)" = 0 ] || skip "loading eBPF needs root"
clang=$(command -v clang-19 || command -v clang-14 || command -v clang) || skip "clang is not installed"
compile=("${KSC_CXX:-g++}" -std=c++20 -O1 -Wall -Wextra -Werror)
command -v ccache >"$work/null" && compile=(ccache "${compile[@]}")
for part in kernel_run run_program; do
  "${compile[@]}" -c "$source_dir/tests/kernel/$part.cc" -o "$work/$part.o" || exit 1
done
"${KSC_CXX:-g++}" "$work"/*.o -lbpf -lfmt -o "$work/run_program" || exit 1

cat >"$work/twice.bpf.c" <<'SOURCE'
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

__u32 calls = 3;

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8);
  __type(key, __u16);
  __type(value, __u32);
} lengths SEC(".maps");

int target(struct xdp_md *ctx);

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 1);
  __uint(key_size, 4);
  __array(values, int(void *));
} targets SEC(".maps") = {.values = {[0] = (void *)&target}};

SEC("xdp") int target(struct xdp_md *ctx)
{
  __u8 *data = (void *)(long)ctx->data;
  __u16 length = (__u16)(ctx->data_end - ctx->data);
  __u32 *seen = bpf_map_lookup_elem(&lengths, &length);
  __u32 count = seen ? *seen + 1 : 1;

  calls++;
  bpf_map_update_elem(&lengths, &length, &count, BPF_ANY);
  if (data + 1 > (__u8 *)(long)ctx->data_end)
    return XDP_ABORTED;
  data[0]++;
  return calls;
}

SEC("xdp") int entry(struct xdp_md *ctx)
{
  bpf_tail_call(ctx, &targets, 0);
  return XDP_ABORTED;
}

#ifdef REJECTED
SEC("xdp") int rejected(struct xdp_md *ctx)
{
  return *(char *)(long)ctx->data;
}
#endif

char LICENSE[] SEC("license") = "GPL";
SOURCE
include=/usr/include/$(gcc -print-multiarch)
"$clang" -g -O2 -Wall -target bpf "-I$include" -c "$work/twice.bpf.c" -o "$work/twice.bpf.o" || exit 1
"$clang" -g -O2 -Wall -target bpf "-I$include" -DREJECTED -c "$work/twice.bpf.c" -o "$work/rejected.bpf.o" || exit 1

run() { "$work/run_program" "$@" 2>"$work/errors"; }
a=01$(printf '00%.0s' $(seq 13))
b=07$(printf '00%.0s' $(seq 14))
check "packets, tail calls, maps, globals" "{\"return\":4,\"packet\":\"02${a:2}\"}
{\"return\":5,\"packet\":\"08${b:2}\"}
{\"map\":\"lengths\",\"entries\":[[\"0e00\",\"0b000000\"],[\"0f00\",\"01000000\"]]}
{\"map\":\".data\",\"entries\":[[\"00000000\",\"05000000\"]]}" \
  "$(run "$work/twice.bpf.o" entry --packet "$a" --packet "$b" --set lengths 0e00 0a000000 --dump lengths --dump .data)"
printf '\1\0\0\0\0\0\0\0\0\0\0\0\0\0' >"$work/packet"
check "a packet file, a global, repetitions" "{\"return\":12,\"packet\":\"04${a:2}\"}" \
  "$(run "$work/twice.bpf.o" target --packet-file "$work/packet" --global calls 09000000 --repeat 3)"
item="{\"program\":\"entry\",\"packets\":[\"$a\"],\"dump\":[\"lengths\"]}"
line="[{\"return\":4,\"packet\":\"02${a:2}\"},{\"map\":\"lengths\",\"entries\":[[\"0e00\",\"01000000\"]]}]"
check "batch items start afresh" "$line
$line" "$(echo "[$item,$item]" | run "$work/twice.bpf.o" --batch)"
run "$work/rejected.bpf.o" entry
check "a rejected object" 3 $?
check "the verifier's log" 1 "$(grep -c 'invalid access to packet' "$work/errors")"
run "$work/twice.bpf.o" absent --packet "$a"
check "no such program" 1 $?
run "$work/twice.bpf.o" entry --nonsense
check "a wrong option" 2 $?
exit $((failures > 0))

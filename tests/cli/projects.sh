#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What programs give builds without a word of gcc's or clang's, where C is of another opinion than KernelScript: types that stand
# behind their use [L17], 64-bit enums, empty lines and `??` in print [L75]. A project that cannot be called what it is called is
# refused before make says something else [L180].
set -u
ksc=${KSC:?the path of ksc}
export PATH=$PATH:/usr/sbin
for tool in make clang bpftool; do
  command -v $tool >/dev/null || command -v $tool-14 >/dev/null || { echo "SKIPPED: there is no $tool"; exit 77; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0
fail() {
  echo "$*"
  failures=$((failures + 1))
}
# builds NAME: NAME.ks gives a project that `make` builds without a warning.
builds() {
  "$ksc" build "$1.ks" >log 2>&1 || { fail "$1: $(grep -m 3 -E 'error|too long' log || tail -n 3 log)"; return; }
  ! grep -q 'warning:' log || fail "$1: $(grep -m 2 'warning:' log)"
}

cat >order.ks <<'SOURCE'
config limits { first: Outer2[2], last: u32 = 3 }
struct Args { mode: Mode }
struct Outer { inner: Inner[2], kind: Mode }
struct Outer2 { outer: Outer, count: u32 }
struct Inner { a: u32 }
enum Mode { OFF, ON }
pin var kept: Outer2
var m : hash<u32, Outer>(4)
@xdp fn p(ctx: *xdp_md) -> xdp_action {
    m[1].inner[0].a += 1
    return limits.last == kept.count ? XDP_DROP : XDP_PASS
}
fn main(args: Args) -> i32 {
    var x = Outer { kind: args.mode }
    load(p)
    m[1] = x
    print("%d", limits.first[1].outer.inner[0].a)
    return 0
}
SOURCE
builds order

cat >lines.ks <<'SOURCE'
enum Size { SMALL = 1, HUGE = 0x1_0000_0000 }
var g: Size = HUGE
@xdp fn p(ctx: *xdp_md) -> xdp_action {
    print("%d", g)
    print("really??!")
    return XDP_PASS
}
fn main() -> i32 {
    var s = SMALL
    if (g == HUGE) { s = g }
    print("%lld %u %d %x", s, s, s, s)
    print(s)
    var at: u32[2] = [1, 2]
    if (&s == null || &at[1] == null) { return 1 }
    print()
    print("")
    print("really??! ??= ???")
    load(p)
    return 0
}
SOURCE
builds lines
KS_NO_WAIT=1 ./lines/lines >output 2>/dev/null
[ "$(sed -n 's/$/;/; 3,5p' output)" = ";
;
really??! ??= ???;" ] || fail "lines prints $(cat output)"

# Numbers are called in the C what they are called here.
cat >numbers.ks <<'SOURCE'
const PORT: u16 = 0x00_35
@xdp fn p(ctx: *xdp_md) -> xdp_action {
    var eth = ctx->data as *ethhdr
    if (eth->h_proto == htons(0x86DD)) { return XDP_TX }
    var udp = (eth + 1) as *udphdr
    return udp->dest == htons(PORT) || udp->len == 0x0A && udp->check != 10 ? XDP_DROP : XDP_PASS
}
SOURCE
builds numbers
for words in 'enum { PORT = 0x0035 };' 'eth->h_proto == bpf_htons(0x86DD)' 'udp->dest == bpf_htons(PORT)' 'udp->len == 0x0A' \
  'udp->check != 10'; do
  grep -qF "$words" numbers/numbers.ebpf.c || fail "the C does not say $words: $(grep -F "${words%% *}" numbers/numbers.ebpf.c)"
done

# Not every compiler tells where the headers of the architecture lie in the same way.
for compiler in gcc clang clang-14 clang-19; do
  command -v $compiler >/dev/null || continue
  for variable in CC CLANG; do
    [ "$variable $compiler" != "CLANG gcc" ] || continue
    make -C order clean >log 2>&1
    make -C order "$variable=$compiler" >log 2>&1 || fail "make $variable=$compiler: $(grep -m 3 -E 'error|Error' log)"
    ! grep -q 'warning:' log || fail "make $variable=$compiler: $(grep -m 2 'warning:' log)"
  done
done

program='@xdp fn p(ctx: *xdp_md) -> xdp_action { return XDP_PASS }'
for name in Makefile runtime source all run unpin clean; do
  printf '%s\nfn main() -> i32 {\n    load(p)\n    return 0\n}\n' "$program" >"$name.ks"
  "$ksc" compile "$name.ks" -o out >log 2>&1
  [ $? -eq 1 ] || fail "$name.ks is compiled"
  grep -q KS0608 log || fail "$name.ks: $(cat log)"
  [ ! -e out ] || fail "$name.ks: something is written"
  "$ksc" compile --project=another "$name.ks" -o out >log 2>&1 || fail "$name.ks with another name: $(cat log)"
  rm -rf out
  "$ksc" init xdp "$name" >log 2>&1
  [ $? -eq 2 ] || fail "init calls a program $name"
  # Without `main` there is no binary.
  echo "$program" >"$name.ks"
  "$ksc" compile "$name.ks" -o out >log 2>&1 || fail "$name.ks without main: $(cat log)"
  rm -rf out
done

[ $failures = 0 ] && echo "all passed"
exit $((failures > 0))

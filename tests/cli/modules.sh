#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Several files [L18]: where they are looked for, what of them gets into the output, their copies in it, messages with their names,
# and dumps that know which file a place is in.
set -eu

source_dir=${KSC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
ksc=${KSC:-$source_dir/build/release/bin/ksc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
  echo "FAILED: $*"
  failed=$((failed + 1))
}
# Each line of a file that is one of those asked for.
count() { grep -cE "$1" "$2" || true; }

modules=$source_dir/tests/kernel/packets
"$ksc" compile "$modules/modules.ks" -o "$work/all" --dump-after=infer_types --dump-dir "$work/dumps" 2>"$work/messages"
c=$work/all/modules.ebpf.c
[ "$(count never_used "$c")" = 0 ] || fail "a map of another file that nothing uses is in the output"
[ "$(count not_loaded "$c")" = 0 ] || fail "a program of another file that nothing uses is in the output"
[ "$(count 'SEC\("xdp"\)' "$c")" = 2 ] || fail "the program that is a tail call's target is not in the output"
[ "$(count '^} results_1 SEC' "$c")" = 1 ] || fail "the second map of one name has no number"
[ "$(count '^#line [0-9]+ "source/deep.ks"$' "$c")" -gt 0 ] || fail "what is written in another file does not say so"
for copy in modules library deep; do
  cmp -s "$(find "$modules" -name "$copy.ks")" "$work/all/source/$copy.ks" || fail "the output lacks its copy of $copy.ks"
done

# A compilation that goes on from a dump knows all the files.
"$ksc" compile "$work"/dumps/*infer_types.ksir --start-after=infer_types --project modules -o "$work/again" 2>"$work/messages"
diff -r "$work/all" "$work/again" || fail "from a dump comes something else"

# Beside the file, then in the folders of -I in their order, then in the library.
mkdir -p "$work/a b/part" "$work/first" "$work/second"
program='@xdp fn p(ctx: *xdp_md) -> xdp_action { return ctx->rx_queue_index == lib.N ? XDP_DROP : XDP_PASS }'
printf 'import lib from "part/lib.ks"\ninclude <tc.kh>\ninclude "xdp.kh"\n%s\n' "$program" >"$work/a b/main.ks"
n_of() { "$ksc" compile "$work/a b/main.ks" "$@" -o "$work/n" --emit ebpf.c 2>"$work/messages" && grep -o 'N = [0-9]*' "$work/n/main.ebpf.c"; }
n_of && fail "a file that is not there is found"
grep -q '^.*main.ks:1:1: error\[KS0210\]: cannot read `part/lib.ks`: No such file or directory$' "$work/messages" || fail "no message says what is missing"
mkdir "$work/second/part" && echo 'const N: u32 = 2' >"$work/second/part/lib.ks"
[ "$(n_of -I "$work/first" -I "$work/second")" = 'N = 2' ] || fail "-I is not searched"
mkdir "$work/first/part" && echo 'const N: u32 = 1' >"$work/first/part/lib.ks"
[ "$(n_of -I "$work/first" -I "$work/second")" = 'N = 1' ] || fail "the folders of -I are not searched in their order"
echo 'const N: u32 = 0' >"$work/a b/part/lib.ks"
[ "$(n_of -I "$work/first" -I "$work/second")" = 'N = 0' ] || fail "the file's own folder is not first"

# Messages name the file that they are about.
echo 'const N: u32 = true' >"$work/a b/part/lib.ks"
n_of && fail "an error in another file is none"
grep -q '^.*/a b/part/lib.ks:1:16: error\[' "$work/messages" || fail "a message does not name the other file"
"$ksc" check "$work/a b/main.ks" --error-format json 2>&1 | grep -q '"file": *"[^"]*/a b/part/lib.ks"' || fail "a message in JSON does not name the other file"

# Two files of one name get two copies.
mkdir "$work/x" "$work/y"
echo '@helper fn f(a: u32) -> u32 { return a + 1 }' >"$work/x/same.ks"
echo '@helper fn f(a: u32) -> u32 { return a + 2 }' >"$work/y/same.ks"
printf 'import x from "x/same.ks"\nimport y from "y/same.ks"\n@xdp fn p(ctx: *xdp_md) -> xdp_action { return x.f(1) == y.f(2) ? XDP_DROP : XDP_PASS }\n' >"$work/same.ks"
"$ksc" compile "$work/same.ks" -o "$work/same" 2>"$work/messages"
[ "$(ls "$work/same/source" | tr '\n' ' ')" = 'same.ks same_1.ks same_2.ks ' ] || fail "copies: $(ls "$work/same/source")"
[ "$(grep -hc 'a + [12] }' "$work"/same/source/same_*.ks | tr -d '\n')" = 11 ] || fail "the copies are not those of the files"

exit $((failed > 0))

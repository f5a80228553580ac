#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [L140] A name that means something else in C is legal: the generated programs compile, whatever the developer calls things, and
# however long the name of the file is. [L180] So do those of `ksc init`.
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
# program GLOBAL HELPER MEMBER STRUCT CONFIG ENUMERATOR LOCAL PROGRAM: a program that uses the words.
program() {
  cat <<SOURCE
struct $4 { $3: u32, other: u32 }
enum Kind { $6 = 3, Last = 4 }
config $5 { $3: u32 = 1 }
var $1: u32
var kept : hash<u32, $4>(4)
@helper fn $2(x: u32) -> u32 { return x + 1 }
@xdp fn $8(ctx: *xdp_md) -> xdp_action {
  var $7: u32 = $1
  var s: $4
  s.$3 = $7
  kept[$7] = s
  $1 = $2($7) + $5.$3
  if ($1 == $6) { return XDP_DROP }
  return XDP_PASS
}
fn main() -> i32 {
  var $7: u32 = $1
  if ($7 == $6) { return 1 }
  var k = Kind.Last
  if (k == $6) { return 1 }
  var p = load($8)
  attach(p, "lo", 0)
  return 0
}
SOURCE
}

program _Bool _Atomic _Generic _Noreturn _Static_assert _Thread_local _Alignof _Complex >keywords.ks
builds keywords
program _Imaginary _Alignas _Bool _Generic _Atomic _Noreturn _Static_assert _Alignof >more_keywords.ks
builds more_keywords
program BUFSIZ uint32_t EOF timeval INT_MAX SIGINT EXIT_FAILURE UINT32_MAX >macros.ks
builds macros
program FILE EOF SEEK_SET nlattr RAND_MAX SIGTERM BUFSIZ size_t >types.ks
builds types
# A name and what it would become in C, beside each other.
{
  program errno printf errno_ FILE stdin SIGINT SIGTERM EOF
  cat <<'SOURCE'
struct FILE_ { errno: u32, errno_: u32, errno__: u32 }
config stdin_ { errno: u32 = 2, errno_: u32 = 3 }
enum Other { SIGINT_ = 5, SIGINT__ = 6 }
var errno_: u32
var errno__: u32
@helper fn printf_(x: u32) -> u32 { return x + errno + errno_ + errno__ + stdin_.errno + stdin_.errno_ }
@xdp fn EOF_(ctx: *xdp_md) -> xdp_action {
  var f: FILE_
  var EOF: u32 = errno
  var EOF_: u32 = errno_
  f.errno = EOF
  f.errno_ = EOF_
  if (EOF == SIGINT_ || EOF_ == SIGINT__) { return XDP_DROP }
  f.errno__ = 3
  if (printf_(f.errno + f.errno_ + f.errno__) == printf(3)) { return XDP_DROP }
  return XDP_PASS
}
SOURCE
} >neighbours.ks
builds neighbours

# What the userspace C uses itself: as functions, as locals where it uses them, and as maps, of which the skeleton has
# members beside those for the sections of the object. Maps beside each other, and beside globals of the same family.
cat >own.ks <<'SOURCE'
struct own_bpf { a: u32, KS_INDEX: u32, XDP_FLAGS_UPDATE_ONLY: u32, LIBBPF_OPTS: u32, _Pragma: u32 }
struct Args { args: u32, options: u32, argv: bool }
var zero: u32
var one: u32 = 1
pin var kept: u32
var data : hash<u32, u32>(4)
var bss : hash<u32, own_bpf>(4)
pin var rodata : array<u32, u32>(4)
var kconfig : hash<u32, u32>(4)
var maps : hash<u32, u32>(4)
var progs : hash<u32, u32>(4)
var links : hash<u32, u32>(4)
var obj : hash<u32, u32>(4)
var skeleton : hash<u32, u32>(4)
var data_ : hash<u32, u32>(4)
var bss_ : u32
var found : u32 = 3
@xdp fn P(ctx: *xdp_md) -> xdp_action {
  zero += one
  kept += 1
  bss_ += 1
  data[1] += 1
  data_[1] = 5
  bss[1].a += 1
  rodata[1] += 1
  kconfig[1] += 1
  maps[1] = progs[1] + links[1] + obj[1] + skeleton[1]
  return XDP_PASS
}
fn skel(a: u32) -> u32 { return a + one }
fn free(a: u32) -> u32 { return a + 1 }
fn open_object(a: u32) -> u32 { return a + kept }
fn find_pinned_globals(a: u32) -> u32 { return a + 1 }
fn tail_calls(a: u32) -> u32 { return a + 1 }
fn own_bpf__open(a: u32) -> u32 { return a + 1 }
fn locals() -> u32 {
  var skel: u32 = 3
  var free: u32 = 4
  var object: u32 = 5
  var uint64_t: u32 = 1
  var list: u32[4] = [1, 2]
  list[uint64_t] = list[free & 3]
  var LIBBPF_OPTS: u32 = list[uint64_t & 3] / uint64_t
  var programs = skel + free + object
  for (k, v in data) { programs += k + v + zero }
  for (k, v in bss) {
    if (k == skel) { return free }
    programs += v.a
  }
  return LIBBPF_OPTS + programs + one + rodata[1] + found
}
fn main(args: Args) -> i32 {
  var own_bpf: u32 = args.args + args.options
  var P_ = load(P)
  for (k, v in kconfig) { own_bpf += k + v }
  zero = skel(own_bpf) + free(2) + open_object(3) + find_pinned_globals(4) + tail_calls(5) + own_bpf__open(6) + locals()
  data[2] = zero + bss_
  return 0
}
SOURCE
builds own
# Globals keep such names, as everything else does [L141].
cat >kept.ks <<'SOURCE'
var data: u32 = 1
var bss: u32
var rodata: u32
@xdp fn kconfig(ctx: *xdp_md) -> xdp_action {
  bss += data + rodata
  return XDP_PASS
}
fn main() -> i32 {
  load(kconfig)
  bss = data + rodata
  return 0
}
SOURCE
builds kept
for name in data bss rodata kconfig; do
  bpftool btf dump file kept/kept.ebpf.o | grep -qE "(VAR|FUNC) '$name'" || fail "the object has no $name"
done

# bpftool's names have an end; the project keeps its own.
long=$(printf 'x%.0s' {1..70})
program a b c S d E e f >"$long.ks"
builds "$long"
[[ -x $long/$long ]] || fail "a long name: there is no $long/$long"

# Each of these words is something else in the template, or in the language.
for type in xdp tc; do
  for name in main Args args packets print load attach type fn program plain; do
    rm -rf "$name"
    "$ksc" init $type $name >log 2>&1 || { fail "init $type $name: $(cat log)"; continue; }
    "$ksc" check $name/$name.ks >log 2>&1 || fail "init $type $name gives a program with errors: $(head -n 3 log)"
  done
done
grep -q '@tc("[a-z]*") fn plain(' plain/plain.ks || fail "a program that can be called as it is wanted to is not: $(grep ' fn ' plain/plain.ks)"
"$ksc" init xdp 9x >log 2>&1 && fail "init xdp 9x succeeds"
grep -q 'begins with no digit' log || fail "9x: $(cat log)"
"$ksc" init xdp -- -x >log 2>&1 && fail "init xdp -- -x succeeds"
grep -q '`-x` cannot name a program' log || fail "-- -x: $(cat log)"

[ $failures -eq 0 ] && echo "all passed"
exit $((failures > 0))

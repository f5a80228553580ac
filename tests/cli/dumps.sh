#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every pass can be looked at and started after: a compilation that goes on from the dump of any pass gives the same C as one that
# runs through, but for #line, since a dump has no locations. A pass of one branch gives that branch's file [L70].
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
  echo "$*"
  failed=$((failed + 1))
}
c_of() {
  cat "$1/packet.ebpf.c"
  [[ ! -f $1/packet.c ]] || cat "$1/packet.c"
}

cat >"$work/packet.ks" <<'KS'
struct Args {
  interface: str(16)  // where to attach, "lo" if nothing else
  /* how much
   * may pass */
  limit: u64
}
struct Seen { count: u64, last: u8 }
config limits { size: u32 = 1000, }
pin var kept: u64 = 7
var total: u32
var recent: u32[4]
var seen : hash<u32, Seen>(16)
var counts : percpu_array<u32, u64>(2)

@helper fn first(ctx: *xdp_md) -> u8 {
  var data = ctx->data
  return data[0]
}

@xdp fn drop(ctx: *xdp_md) -> xdp_action { return XDP_DROP }

@xdp fn filter(ctx: *xdp_md) -> xdp_action {
  var size = ctx->data_end - ctx->data
  if (size > limits.size && first(ctx) == 3) { return drop(ctx) }
  if (var s = seen[total]) {
    s->count += 1
    recent[total] = (s->count >> 2) as u32
  } else {
    seen[total].last = first(ctx)
  }
  for (i in 0..4) { total += recent[i] / (i + 1) }
  kept = min(kept, 9)
  counts[1] += 1
  print("%d bytes\t\"seen\"", total)
  return match (total) { 1 | 2: XDP_DROP, 3..=9: drop(ctx), default: XDP_PASS }
}

fn main(args: Args) -> i32 {
  limits.size = args.limit as u32
  if (counts[0] > 3) { print("%d passed", counts[0]) }
  var program = load(filter)
  attach(program, "lo", 0)
  return 0
}
KS

cd "$work"
"$KSC" compile packet.ks -o whole --dump-after=all --dump-dir dumps >/dev/null 2>log || { cat log; exit 1; }
c_of whole >whole.c
grep -q 'KS_OPTION(KS_STR, args.interface, "interface", "where to attach, ..lo.. if nothing else")' whole.c ||
  fail "the comment behind an option is not its help: $(grep KS_OPTION whole.c)"
grep -q 'KS_OPTION(KS_UNSIGNED, args.limit, "limit", "how much may pass")' whole.c ||
  fail "the comment above an option is not its help: $(grep KS_OPTION whole.c)"
passes=$("$KSC" compile --list-passes | sed -n 's/^  \([a-z_]\+\) .*/\1/p')
[[ $(wc -w <<<"$passes") -gt 30 ]] || fail "--list-passes names too few passes: $passes"
[[ -f dumps/parse.ksir ]] || fail "there is no dump of what the parser gives"

for pass in parse $passes; do
  dump=$(find dumps -name "*_$pass.ksir" -o -name "$pass.ksir" | head -n 1)
  [[ -n $dump ]] || { fail "$pass: there is no dump"; continue; }

  # One pass alone: the same dump, then nothing more.
  "$KSC" compile packet.ks -o stopped --dump-after="$pass" --stop-after="$pass" >one.ksir 2>log || fail "$pass: --stop-after fails: $(cat log)"
  diff <(sed 1d one.ksir | grep .) <(grep . "$dump") >log || fail "$pass: --dump-after=$pass is not what --dump-after=all gives: $(head -n 5 log)"
  [[ ! -e stopped ]] || fail "$pass: --stop-after wrote files"

  rm -rf again
  cp "$dump" packet.ksir
  if ! "$KSC" compile packet.ksir --start-after="$pass" --project packet -o again >/dev/null 2>log; then
    fail "$pass: --start-after fails: $(head -n 5 log)"
    continue
  fi
  # What comes after a pass of a branch is that branch alone.
  for file in packet.ebpf.c packet.c; do
    [[ -f again/$file ]] || continue
    diff "whole/$file" "again/$file" >log || fail "$pass: $file differs: $(head -n 10 log)"
  done
  case $(sed -n "/^  $pass /q;s/^\([a-z]*\):\$/\1/p" <("$KSC" compile --list-passes) | tail -n 1) in
    ebpf) [[ -f again/packet.ebpf.c ]] || fail "$pass: no eBPF C" ;;
    user) [[ -f again/packet.c ]] || fail "$pass: no userspace C" ;;
    *) [[ -f again/packet.ebpf.c && -f again/packet.c ]] || fail "$pass: not both files" ;;
  esac
done

# So do all examples, and the source beside the C is the source.
for example in "$KSC_SOURCE"/examples/*.ks; do
  name=$(basename "$example" .ks)
  rm -rf example
  mkdir example
  "$KSC" compile "$example" -o example/whole --dump-after=all --dump-dir example/dumps >/dev/null 2>log || fail "$name: $(head -n 3 log)"
  for pass in parse infer_types lower_while fold_user_temporaries; do
    rm -rf example/again
    "$KSC" compile "$(find example/dumps -name "*$pass.ksir" | head -n 1)" --start-after=$pass --project "$name" -o example/again >/dev/null 2>log ||
      fail "$name after $pass: $(head -n 3 log)"
    for file in "$name.ebpf.c" "$name.c" "source/$name.ks"; do
      [[ ! -f example/again/$file ]] || diff "example/whole/$file" "example/again/$file" >log || fail "$name after $pass: $file differs: $(head -n 4 log)"
    done
  done
done

# What is before a pass is what came out of the one before it.
"$KSC" compile packet.ks -o none --dump-before=lower_match --stop-after=lower_match 2>/dev/null | sed 1d | grep . >before.ksir
diff before.ksir <(grep . dumps/*_lower_if_present.ksir) >log || fail "--dump-before=lower_match: $(head -n 5 log)"

# A grammar has a form until the pass that removes it.
"$KSC" compile packet.ks -o none --grammar-after=lower_if_present --stop-after=lower_if_present 2>/dev/null >before
"$KSC" compile packet.ks -o none --grammar-after=lower_match --stop-after=lower_match 2>/dev/null >after
grep -q '^expression: (Match subject, arms)' before || fail "--grammar-after=lower_if_present has no Match: $(head -n 3 before)"
! grep -q '(Match' after || fail "--grammar-after=lower_match still has Match"
grep -q '^rule: Typed' after || fail "--grammar-after tells no rules"

# Names of no pass are a mistake of the command, told at once.
for option in --dump-after --dump-before --grammar-after --stop-after --start-after; do
  code=0
  "$KSC" compile packet.ks -o none "$option=lower_nothing" >/dev/null 2>log || code=$?
  [[ $code == 2 ]] || fail "$option=lower_nothing: exit code $code"
  grep -q lower_nothing log || fail "$option=lower_nothing: the message does not name it: $(cat log)"
done
echo '(FunctionDef' >broken.ksir
code=0
"$KSC" compile broken.ksir --start-after=lower_match -o none >/dev/null 2>log || code=$?
[[ $code == 1 ]] || fail "a broken dump: exit code $code"
grep -q 'broken.ksir' log || fail "a broken dump: $(cat log)"

# So is a dump that another pass has made, that somebody has broken, or that comes from a file with errors: no mistake of ksc.
# refused FILE PASS TEXT
refused() {
  code=0
  "$KSC" compile "$1" --start-after="$2" -o none >/dev/null 2>log || code=$?
  [[ $code == 1 ]] || fail "$1 after $2: exit code $code"
  grep -q 'error\[KS0606\]\|KS0606' log || fail "$1 after $2 has no KS0606: $(cat log)"
  grep -qF -- "$3" log || fail "$1 after $2: '$3' is not in $(cat log)"
  ! grep -q 'mistake in ksc' log || fail "$1 after $2 is called a mistake in ksc"
}
cp dumps/*_infer_types.ksir typed.ksir
cp dumps/*_lower_match.ksir matched.ksir
refused typed.ksir lower_match 'in `filter`'
refused matched.ksir resolve_names 'is not in the language'
sed 's/(Let size /(Let other /' matched.ksir >unbound.ksir
refused unbound.ksir lower_match 'size'
sed 's/var total: u32/var total: u23/' packet.ks >wrong.ks
"$KSC" check wrong.ks --dump-after=infer_types --stop-after=infer_types >wrong.ksir 2>/dev/null || true
refused wrong.ksir infer_types 'it was made from a file with errors'

((failed == 0))

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/rules.md has one line for each rule that the tree names by its tag, and tests/rules.md lists the tests that name each: a rule
# has one, or is not compiled yet. With --update that list is written anew. Two rules that no other test looks at are tried: what a
# variable without a type becomes [L15], and the licence [L184].
set -u
ksc=${KSC:?the path of ksc}
cd "${KSC_SOURCE:?}" || exit 1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0
fail() {
  echo "$*"
  failures=$((failures + 1))
}

page=docs/rules.md
sed -n 's/^| \(L[0-9]*\) | .*/\1/p' $page >"$folder/lines"
[ -s "$folder/lines" ] || fail "$page has no rules"
sort -V "$folder/lines" | cmp -s - "$folder/lines" || fail "$page is not in the order of the tags"
[ -z "$(uniq -d "$folder/lines")" ] || fail "$page tells twice: $(uniq -d "$folder/lines" | tr '\n' ' ')"

for tag in $(grep -rhoE '\[L[0-9]+\]' frontend ir passes backends runtime fuzz tests docs examples README.md CONTRIBUTING.md |
  tr -d '[]' | sort -uV); do
  grep -qx "$tag" "$folder/lines" ||
    fail "$page does not tell $tag, which is named in $(grep -rlF "[$tag]" frontend ir passes backends runtime fuzz tests docs examples | head -1)"
done

sed -n '/^## Not compiled yet/,$p' $page | grep -oE '\bL[0-9]+\b' | sort -uV >"$folder/later"
[ -s "$folder/later" ] || fail "$page does not say what is not compiled yet"
both=$(sort "$folder/lines" | comm -12 - <(sort "$folder/later"))
[ -z "$both" ] || fail "$page has among the rules and among what is not compiled yet: $both"

# `FILE:[TAG]` of every test.
list=tests/rules.md
grep -roE '\[L[0-9]+\]' tests fuzz/corpus | LC_ALL=C sort -u >"$folder/named"
{
  cat <<'HEAD'
# The rules and their tests

This page is made by `tests/cli/rules.sh --update`: beside the tag of each rule of [the language](../docs/rules.md) the tests that name
it, or what of it is not compiled yet. `fuzz/` is the project's folder, the others are folders of `tests/`.

| tag | tests |
|---|---|
HEAD
  sort -uV "$folder/lines" "$folder/later" | while read -r tag; do
    later=$(sed -n "/^## Not compiled yet/,\$s/^- \(L[0-9]* \)*$tag \(L[0-9]* \)*//p" $page)
    tests=$(sed -n "s/^\(.*\):\[$tag\]$/\1/p" "$folder/named" | sed 's,^tests/,,; s/.*/`&`/' | paste -sd, | sed 's/,/, /g')
    echo "| $tag | ${tests:-${later:+not compiled yet: $later}} |"
  done
} >"$folder/list"
if [ "${1:-}" = --update ]; then
  cat "$folder/list" >$list
fi
for tag in $(sed -n 's/^| \(L[0-9]*\) |  |$/\1/p' "$folder/list"); do
  fail "no test names $tag, and $page does not have it among what is not compiled yet"
done
diff $list "$folder/list" || fail "$list is not what the tests say: run KSC=… KSC_SOURCE=… tests/cli/rules.sh --update"

cat >"$folder/types.ks" <<'SOURCE'
license "Dual MIT/GPL"
@xdp fn p(ctx: *xdp_md) -> xdp_action {
    var number = 7
    var large = 5000000000
    var negative = -3
    var truth = true
    var letter = 'x'
    var text = "text"
    var numbers = [1, 2]
    var named: u8 = 7
    return XDP_PASS
}
SOURCE
wanted='number u32
large u64
negative i32
truth bool
letter char
text (str 5)
numbers (array u32 2)
named u8'
found=$("$ksc" check --dump-after=infer_types "$folder/types.ks" 2>"$folder/log" | sed -nE 's/^ *\(Let ([a-z]+) (\([^)]*\)|[a-z0-9]+) .*/\1 \2/p')
[ "$found" = "$wanted" ] || fail "the types of variables are
$found"
"$ksc" compile "$folder/types.ks" -o "$folder/out" 2>"$folder/log" || fail "types.ks is not compiled: $(cat "$folder/log")"
grep -q 'SEC("license") = "Dual MIT/GPL";' "$folder/out/types.ebpf.c" || fail "\`license\` is not the object's: $(tail -1 "$folder/out/types.ebpf.c")"

[ $failures = 0 ] && echo "all passed"
exit $((failures > 0))

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/rules.md has one line for each rule that the tree names by its tag, and each line names files that are there. Two rules that
# no other test looks at are tried: what a variable without a type becomes [L15], and the licence [L184].
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

# The last column: one or more files, each of them in the tree, and each of them names the tag.
while IFS= read -r line; do
  tag=$(cut -d' ' -f2 <<<"$line")
  files=$(sed 's/.* | \(.*\) |$/\1/' <<<"$line" | grep -oE '`[^`]+`' | tr -d '`')
  [ -n "$files" ] || fail "$page does not say where $tag is tested"
  for file in $files; do
    [ -f "$file" ] || file=tests/$file
    [ -f "$file" ] || { fail "$page: $tag is tested in $file, which is not there"; continue; }
    grep -qF "[$tag]" "$file" || fail "$page: $tag is tested in $file, which does not name it"
  done
done < <(grep '^| L' $page)

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

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `ksc fmt`: the examples are laid out already; files are written in place, whole and only where they change; what has
# errors stays; --check, --diff, --upgrade and standard input [L20] [L130].
set -u
ksc=${KSC:?the path of ksc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0
fail() {
  echo "$*"
  failures=$((failures + 1))
}

"$ksc" fmt --check "${KSC_SOURCE:?}"/examples/*.ks || fail "the examples would change"

cd "$folder" || exit 1
printf 'var a:[u8; 4]\n' >messy.ks
printf 'var a: u8[4]\n' >good.ks
printf 'var a: = 4\n' >broken.ks
cp messy.ks copy.ks

# Nothing is written by --check and --diff.
output=$("$ksc" fmt --check copy.ks good.ks)
[[ $? -eq 1 && $output == copy.ks ]] || fail "--check says: $output"
"$ksc" fmt --check good.ks || fail "--check of a good file fails"
"$ksc" fmt --diff copy.ks good.ks >difference || fail "--diff fails"
cmp -s copy.ks messy.ks || fail "--check or --diff has written the file"
patch -s copy.ks <difference 2>/dev/null && cmp -s copy.ks good.ks || fail "--diff is no patch: $(cat difference)"
printf 'a()\n' >none.ks
"$ksc" fmt --diff good.ks | grep . && fail "--diff shows a file that does not change"

# In place: the mode stays, a link leads on, and what does not change is not touched.
cp messy.ks copy.ks
chmod 640 copy.ks
ln -s copy.ks link.ks
"$ksc" fmt link.ks || fail "fmt fails"
cmp -s copy.ks good.ks || fail "the file is not formatted: $(cat copy.ks)"
[[ -L link.ks ]] || fail "the link is a link no more"
[[ $(stat -c %a copy.ks) == 640 ]] || fail "the mode is $(stat -c %a copy.ks)"
[[ -z $(find . -name '*.tmp') ]] || fail "left behind: $(ls -A)"
touch -d 2001-01-01 copy.ks
"$ksc" fmt copy.ks
[[ $(stat -c %Y copy.ks) -lt 1000000000 ]] || fail "a file that does not change was written"

# A file with errors is reported and stays; the others are formatted.
cp messy.ks copy.ks
"$ksc" fmt broken.ks copy.ks 2>message
[[ $? -eq 1 ]] || fail "errors do not give 1"
grep -q 'broken.ks:1:8: error\[KS0100\]' message || fail "the error is not told: $(cat message)"
[[ $(cat broken.ks) == 'var a: = 4' ]] || fail "a file with errors was changed"
cmp -s copy.ks good.ks || fail "the file beside it was not formatted"
"$ksc" fmt --error-format=json broken.ks 2>message
python3 -c 'import json; assert json.load(open("message"))["diagnostics"][0]["code"] == "KS0100"' || fail "JSON: $(cat message)"

# Standard input.
[[ $("$ksc" fmt - <messy.ks) == 'var a: u8[4]' ]] || fail "standard input is not formatted"
output=$("$ksc" fmt --check - <messy.ks)
[[ $? -eq 1 && $output == '<stdin>' ]] || fail "--check - says: $output"
"$ksc" fmt - <broken.ks 2>&1 | grep -q '<stdin>:1:8' || fail "an error in standard input is not told"

# Files that cannot be read or written.
"$ksc" fmt missing.ks 2>/dev/null
[[ $? -eq 74 ]] || fail "a missing file does not give 74"
"$ksc" fmt . 2>/dev/null
[[ $? -eq 74 ]] || fail "a folder does not give 74"
"$ksc" fmt 2>/dev/null
[[ $? -eq 2 ]] || fail "no file does not give 2"
"$ksc" fmt --nonsense good.ks 2>/dev/null
[[ $? -eq 2 ]] || fail "an unknown option does not give 2"
if [[ $(id -u) -ne 0 ]]; then
  cp messy.ks closed.ks
  chmod 444 closed.ks
  "$ksc" fmt closed.ks 2>/dev/null
  [[ $? -eq 74 ]] || fail "a file that may not be written does not give 74"
  cmp -s closed.ks messy.ks || fail "a file that may not be written was"
fi

# Old spellings: what comes out is accepted; what cannot be rewritten stays.
cp "$KSC_SOURCE"/tests/errors/old.ks old.ks
"$ksc" fmt --upgrade old.ks || fail "--upgrade fails"
"$ksc" fmt --check old.ks || fail "what --upgrade writes is not formatted"
"$ksc" check old.ks 2>/dev/null || fail "what --upgrade writes is not accepted: $("$ksc" check old.ks 2>&1 | head -5)"
printf 'fn f(a: string, b: XdpContext) {}\n' >unknown.ks
cp unknown.ks before.ks
"$ksc" fmt --upgrade unknown.ks 2>message
[[ $? -eq 1 ]] && grep -q KS0152 message && cmp -s unknown.ks before.ks || fail "what cannot be rewritten is: $(cat unknown.ks message)"

# Every program of the tree that has no syntax errors can be formatted in place, and then compiles to the same C but for
# the lines it names.
mkdir before after
cp "$KSC_SOURCE"/fuzz/corpus/*.ks before
cp "$KSC_SOURCE"/fuzz/corpus/*.ks after
"$ksc" fmt after/*.ks || fail "the corpus cannot be formatted"
for program in before/{t,r}*.ks; do
  name=$(basename "$program" .ks)
  for version in before after; do
    "$ksc" compile "$version/$name.ks" -o "$version/$name" --emit=.ebpf.c >/dev/null 2>&1 || fail "$version/$name.ks is not compiled"
    sed -E '/^ *#line/d' "$version/$name/$name.ebpf.c" >"$version/$name.c"
  done
  cmp -s "before/$name.c" "after/$name.c" || fail "$name.ks has become another program"
done

[[ $failures -eq 0 ]]

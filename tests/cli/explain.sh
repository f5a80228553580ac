#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `ksc explain` tells what a code means, lists all, and knows what is nearly one; an installed ksc finds its pages.
set -u
ksc=${KSC:?the path of ksc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0
fail() {
  echo "$*"
  failures=$((failures + 1))
}

"$ksc" explain KS0123 >"$folder/page" || fail "explain fails"
head -n 1 "$folder/page" | grep -qx 'KS0123: this `try` has no `catch`' || fail "the page begins with: $(head -n 1 "$folder/page")"
grep -q '```' "$folder/page" && fail "the page shows its marks"
"$ksc" explain ks0123 | cmp -s - "$folder/page" || fail "lower case is another page"

"$ksc" explain >"$folder/list" || fail "the list fails"
[[ $(grep -c '^KS[0-9]\{4\}  ' "$folder/list") -eq $(grep -c '^KSC_DIAG(' "${KSC_SOURCE:?}/frontend/diagnostics.def") ]] ||
  fail "the list does not have all codes"
sort -c "$folder/list" || fail "the list is not in order"

# expect CODE TEXT ARGUMENT…
expect() {
  local code=$1 text=$2 output got
  shift 2
  output=$("$ksc" explain "$@" 2>&1)
  got=$?
  [[ $got -eq $code ]] && grep -qF -- "$text" <<<"$output" || fail "ksc explain $*: $got, $output"
}
expect 2 'did you mean `KS0' KS0133
expect 2 'no message has the code `nonsense`' nonsense
expect 2 'no message has the code `../../x`' ../../x
expect 2 'is too many' KS0001 KS0002
expect 0 'usage: ksc explain' --help

# A copy of ksc finds the pages beside it, and says so where there are none.
mkdir -p "$folder/prefix/bin" "$folder/prefix/share/ksc"
cp "$(readlink -f "$ksc")" "$folder/prefix/bin/ksc"
output=$("$folder/prefix/bin/ksc" explain KS0123 2>&1)
[[ $? -eq 74 && $output == *'installation is incomplete'* ]] || fail "without pages: $output"
cp -r "$KSC_SOURCE/docs/diagnostics" "$folder/prefix/share/ksc"
"$folder/prefix/bin/ksc" explain KS0123 | cmp -s - "$folder/page" || fail "a copy of ksc does not find its pages"

[[ $failures -eq 0 ]]

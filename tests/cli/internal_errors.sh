#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A program that breaks what the passes promise one another is a mistake in ksc: exit code 70, a message that says so, and no file.
# Developers of ksc meet it with a dump that they have edited and start after a pass.
set -u
ksc=${KSC:?the path of ksc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0
fail() {
  echo "$*"
  failures=$((failures + 1))
}

cat >program.ks <<'SOURCE'
var total: u32
@xdp fn counter(ctx: *xdp_md) -> xdp_action {
    var limit: u32 = 3
    while (total > limit) { total /= 2 }
    return XDP_PASS
}
SOURCE
# dump PASS: what comes out of it, in PASS.ksir.
dump() {
  "$ksc" check program.ks --dump-after="$1" --stop-after="$1" >"$1.ksir" 2>log || fail "no dump after $1: $(cat log)"
}

# refused NAME PASS FILE TEXT: going on after PASS from FILE ends with 70, and TEXT says why.
refused() {
  local command code
  for command in check compile; do
    rm -rf project
    mkdir project
    echo mine >project/program.ebpf.c
    if [ $command = compile ]; then
      "$ksc" compile "$3" --start-after="$2" --project=program -o project >log 2>&1
    else
      "$ksc" check "$3" --start-after="$2" >log 2>&1
    fi
    code=$?
    [ $code -eq 70 ] || fail "$1: $command ends with $code: $(cat log)"
    grep -qF 'this is a mistake in ksc, please report it with the program' log || fail "$1: the message does not say whose mistake it is: $(cat log)"
    grep -qF -- "$4" log || fail "$1: '$4' is not in $(cat log)"
    [ "$(ls project)$(cat project/program.ebpf.c)" = "program.ebpf.cmine" ] || fail "$1: $command wrote into the project"
  done
}

for pass in infer_types lower_while; do dump $pass; done
"$ksc" compile lower_while.ksir --start-after=lower_while --project=program -o good 2>log || fail "an unchanged dump is refused: $(cat log)"
[ -s good/program.ebpf.c ] || fail "an unchanged dump gives no C"

# What is wrong with the dump itself is its mistake (dumps.sh); types are looked at after the gate only.
sed 's/(Let limit u32 (Int:u32 3 -))/(Let limit u32 (Int:u64 3 -))/' infer_types.ksir >types.ksir
refused "a value of another type" infer_types types.ksir 'limit'

# As JSON it is a message too.
"$ksc" check types.ksir --start-after=infer_types --error-format=json 2>log
[ $? -eq 70 ] || fail "with JSON it does not end with 70"
python3 -c 'import json; assert json.load(open("log"))["diagnostics"][-1]["code"] == "KS0610"' || fail "no JSON: $(cat log)"

# The same message in no other case: an error of the developer is none of ksc.
sed 's/limit)/limti)/' program.ks >misspelt.ks
"$ksc" check misspelt.ks >log 2>&1
[ $? -eq 1 ] || fail "an unknown name does not end with 1"
grep -q 'mistake in ksc' log && fail "an unknown name is called a mistake in ksc"

[ $failures -eq 0 ] && echo "all passed"
exit $((failures > 0))

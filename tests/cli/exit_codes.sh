#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Exit codes: 0 good, 1 diagnostics, 2 usage, 74 files; nothing is written where something is wrong [L180].
set -u
ksc=${KSC:?the path of ksc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0

# expect CODE TEXT ARGUMENT…: ksc exits with CODE, and TEXT is in what it prints.
expect() {
  local code=$1 text=$2
  shift 2
  local output got
  output=$("$ksc" "$@" 2>&1)
  got=$?
  if [ $got -ne "$code" ]; then
    echo "ksc $*: exit code $got, expected $code"
    echo "$output" | head -5
    failures=$((failures + 1))
  elif ! grep -qF -- "$text" <<<"$output"; then
    echo "ksc $*: '$text' is not in: $output" | head -10
    failures=$((failures + 1))
  fi
}

printf 'fn f() {\n  var x = = 1\n  x = 2 3\n}\n' >broken.ks
printf 'struct S { a: u32 }\n' >good.ks
mkdir folder.ks folder

expect 0 'usage' --help
expect 0 'ksc ' --version
for command in compile check build run init fmt explain; do expect 0 "ksc $command" $command --help; done
expect 2 'usage'
expect 2 'did you mean `compile`' complie
expect 2 '`nonsense` is no command' nonsense good.ks
expect 2 'a file is missing' check
expect 2 'no file'"'"'s name ends in `nonsense`' compile --emit=nonsense good.ks
expect 2 'no-makefile' build --no-makefile good.ks
expect 2 'too many' check good.ks broken.ks
expect 2 'unrecognised option' check --nonsense good.ks
expect 2 '--color' check --color=blue good.ks
expect 2 '--target-kernel' check --target-kernel=new good.ks
expect 2 '--project' compile --project=a-b good.ks
expect 0 '' check good.ks
expect 1 'broken.ks:2:11: error[KS0100]' check broken.ks
expect 1 'broken.ks:3:9: error[KS0107]' broken.ks -o out
expect 2 'KS0604' check --dump-after=nonsense good.ks
for option in dump-after dump-before grammar-after stop-after start-after; do
  expect 2 'did you mean `lower_match`' check --$option=lower_mtach good.ks
done
expect 74 'No such file or directory' check missing.ks
expect 74 'Is a directory' check folder.ks
expect 74 'Is a directory' compile folder
cp good.ks good
expect 2 'has no extension' compile good
expect 0 '(StructDecl S' check --dump-after=parse good.ks
expect 0 'declaration: (StructDecl' check --grammar-after=parse good.ks
expect 2 'there is no type' init nonsense name
expect 2 'cannot name a program' init xdp 'a b'

[ -e out ] && echo "a failed compilation made its output directory" && failures=$((failures + 1))
head -c 100000 /dev/urandom >binary.ks
printf '\0' >>binary.ks
expect 1 'KS0002' check binary.ks

# Messages as JSON are JSON.
"$ksc" check --error-format=json broken.ks 2>messages.json
python3 - <<'PYTHON' || failures=$((failures + 1))
import json
messages = json.load(open("messages.json"))["diagnostics"]
assert [(m["line"], m["column"], m["code"]) for m in messages] == [(2, 11, "KS0100"), (3, 9, "KS0107")], messages
PYTHON
# So are those without a place, and what fails behind the passes.
echo 'fn main() -> i32 { return 0 }' >main.ks
echo text >file
for case in '74 KS0601 check missing.ks' '2 KS0604 check --dump-after=nonsense good.ks' '74 KS0609 compile main.ks -o file' \
  '2 KS0609 compile --emit=nonsense main.ks' '1 KS0608 compile --project=run main.ks'; do
  read -r code message arguments <<<"$case"
  "$ksc" $arguments --error-format=json 2>messages.json
  [ $? -eq "$code" ] || { echo "ksc $arguments with JSON does not exit with $code"; failures=$((failures + 1)); }
  message=$message python3 - <<'PYTHON' || failures=$((failures + 1))
import json, os
messages = json.load(open("messages.json"))["diagnostics"]
assert [(m["code"], m["severity"], m["file"], m["line"]) for m in messages] == [(os.environ["message"], "error", None, None)], messages
PYTHON
done

# Colours: asked for, refused.
"$ksc" check --color=always broken.ks 2>&1 | grep -q $'\x1b\[' || { echo "--color=always has no colours"; failures=$((failures + 1)); }
"$ksc" check broken.ks 2>&1 | grep -q $'\x1b\[' && { echo "colours without a terminal"; failures=$((failures + 1)); }

# Names with spaces, quotes, `$` and a leading `-`.
for name in 'a b.ks' "it's.ks" 'cost $5.ks' '"quoted".ks'; do
  cp good.ks "$name"
  expect 0 '' check "$name"
done
cp good.ks ./-dash.ks
expect 0 '' check -- -dash.ks
expect 0 '' check ./-dash.ks

[ $failures -eq 0 ]

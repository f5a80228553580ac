#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files are written whole or not at all: unwritable directories, a full disk, and files that exist already.
set -u
ksc=${KSC:?the path of ksc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
fail() {
  echo "$*"
  exit 1
}

"$ksc" init xdp first >/dev/null || fail "init failed"
[ -s first/first.ks ] || fail "init wrote no first/first.ks"
grep -q 'fn first' first/first.ks || fail "the program is not called by its name"
[ "$(ls -A first)" = first.ks ] || fail "something else was left behind: $(ls -A first)"
sum=$(cksum <first/first.ks)
"$ksc" init xdp first 2>/dev/null
[ $? -eq 74 ] || fail "init over an existing program does not exit with 74"
[ "$(cksum <first/first.ks)" = "$sum" ] || fail "init changed an existing program"

# A file where the directory should be.
echo text >second
"$ksc" init xdp second 2>message
[ $? -eq 74 ] || fail "init over a file does not exit with 74"
grep -q 'Not a directory' message || fail "no reason in: $(cat message)"
[ "$(cat second)" = text ] || fail "the file was changed"

# Dumps go to a directory, in their order.
printf 'struct S { a: u32 }\n' >good.ks
"$ksc" check --dump-after=parse --dump-dir=dumps good.ks || fail "check with dumps failed"
[ "$(ls dumps)" = parse.ksir ] || fail "dumps: $(ls dumps)"

# What is no file where a file should be is not opened: nobody may ever write into a pipe.
mkdir pipes && mkfifo pipes/parse.ksir
for kind in pipe link directory; do
  timeout 20 "$ksc" check --dump-after=parse --dump-dir=pipes good.ks 2>message
  code=$?
  [ $code -eq 74 ] || fail "a $kind where a file should be: exit code $code"
  grep -q 'parse.ksir' message || fail "a $kind where a file should be: $(cat message)"
  [ "$(ls -A pipes)" = parse.ksir ] || fail "left behind: $(ls -A pipes)"
  rm -r pipes/parse.ksir
  if [ $kind = pipe ]; then mkfifo pipe && ln -s ../pipe pipes/parse.ksir; else mkdir pipes/parse.ksir; fi
done

# A signal while the files are written leaves all of them or none.
for _ in $(seq 10); do
  rm -rf many
  "$ksc" check --dump-after=all --dump-dir=many good.ks 2>/dev/null &
  pid=$!
  until compgen -G 'many/.*.tmp' >/dev/null || ! kill -0 $pid 2>/dev/null; do :; done
  kill -TERM $pid 2>/dev/null
  wait $pid 2>/dev/null
  ! compgen -G 'many/.*.tmp' >/dev/null || fail "a signal left $(cd many && echo .*.tmp | cut -c1-200)"
done

# A directory that cannot be written, as a user for whom that holds.
mkdir closed && chmod 555 closed
as_user() { if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi; }
chmod 755 "$folder"
if as_user test -x "$ksc" && as_user test -r good.ks; then
  as_user "$ksc" check --dump-after=parse --dump-dir=closed/dumps "$folder/good.ks" 2>message
  [ $? -eq 74 ] || fail "an unwritable directory does not exit with 74"
  grep -q 'Permission denied' message || fail "no reason in: $(cat message)"
  [ -z "$(ls -A closed)" ] || fail "something was left behind"
fi

# A full disk: earlier output is untouched, nothing half written stays.
if unshare -m true 2>/dev/null; then
  export ksc folder
  unshare -m bash -c '
    mkdir disk && mount -t tmpfs -o size=32k none disk || exit 77
    cd disk
    echo earlier >parse.ksir
    cat /dev/zero >filler 2>/dev/null
    { for i in $(seq 5000); do echo "const N$i: u32 = $i"; done; } >"$folder/large.ks"
    "$ksc" check --dump-after=parse --dump-dir=. "$folder/large.ks" 2>"$folder/message"
    code=$?
    [ $code -eq 74 ] || { echo "a full disk: exit code $code"; exit 1; }
    grep -q "No space left" "$folder/message" || { echo "no reason in: $(cat "$folder/message")"; exit 1; }
    [ "$(cat parse.ksir)" = earlier ] || { echo "earlier output was changed"; exit 1; }
    [ "$(ls -A | tr "\n" " ")" = "filler parse.ksir " ] || { echo "left behind: $(ls -A)"; exit 1; }'
  code=$?
  [ $code -eq 77 ] && echo "SKIPPED the full disk: tmpfs cannot be mounted" && exit 77
  [ $code -eq 0 ] || exit 1
else
  echo "SKIPPED the full disk: it needs a mount namespace"
  exit 77
fi

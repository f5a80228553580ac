#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# compile, build and run with their options: what is written, where, and that the same input gives the same bytes.
# Rules: [L180]
set -u
ksc=${KSC:?the path of ksc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
fail() {
  echo "$*"
  exit 1
}
filter=$KSC_SOURCE/examples/packet_filter.ks
cp "$filter" packet_filter.ks

# The output goes to the file's stem in the current directory.
mkdir below && cp "$filter" below/
(cd below && "$ksc" compile ../packet_filter.ks) || fail "compile failed"
[ -s below/packet_filter/packet_filter.ebpf.c ] || fail "not below/packet_filter: $(find .)"
files='Makefile README.md packet_filter.c packet_filter.ebpf.c runtime source '
[ "$(ls below/packet_filter | LC_ALL=C sort | tr '\n' ' ')" = "$files" ] || fail "files: $(ls below/packet_filter)"
cmp -s packet_filter.ks below/packet_filter/source/packet_filter.ks || fail "source/ is not the source"

# Silent when all is well; `FILE -o DIR` is compile; compiling again gives the same.
[ -z "$("$ksc" packet_filter.ks -o short 2>&1)" ] || fail "it talks"
diff -r below/packet_filter short || fail "ksc FILE -o DIR gives something else"
"$ksc" compile packet_filter.ks --output=short || fail "over its own output it fails"
diff -r below/packet_filter short || fail "compiling again gives something else"
TZ=Asia/Tokyo LC_ALL=de_DE.UTF-8 "$ksc" compile "$folder/packet_filter.ks" -o elsewhere || fail "compile failed"
diff -r short elsewhere || fail "the output depends on path, time zone or language"
! grep -rqF "$folder" short || fail "an absolute path is in the output"

# -o DIR makes the folders above it; a project's name; verbose.
"$ksc" compile packet_filter.ks -o deep/er/out --project=other -v 2>log || fail "compile failed"
[ -s deep/er/out/other.ebpf.c ] || fail "--project is not the name: $(find deep)"
grep -q 'wrote deep/er/out/other.ebpf.c (' log || fail "-v does not tell: $(cat log)"
echo >>deep/er/out/other.c
"$ksc" compile packet_filter.ks -o deep/er/out --project=other -v 2>log || fail "compile failed"
[ "$(grep -c wrote log) $(grep wrote log)" = "1 $(grep 'wrote deep/er/out/other.c (' log)" ] || fail "-v tells of more than it wrote: $(cat log)"
"$ksc" compile packet_filter.ks -o bare --no-makefile || fail "compile failed"
[ ! -e bare/Makefile ] && [ -s bare/packet_filter.ebpf.c ] || fail "--no-makefile: $(ls bare)"
"$ksc" compile packet_filter.ks -o one --emit=ebpf.c || fail "compile failed"
[ "$(find one -type f)" = one/packet_filter.ebpf.c ] || fail "--emit=ebpf.c: $(find one)"
"$ksc" compile packet_filter.ks -o two --emit=ebpf.c,Makefile || fail "compile failed"
[ "$(find two -type f | LC_ALL=C sort | tr '\n' ' ')" = 'two/Makefile two/packet_filter.ebpf.c ' ] || fail "--emit: $(find two)"

# Every pass that is listed is timed.
"$ksc" compile packet_filter.ks -o timed --time-passes 2>log || fail "compile failed"
diff <("$ksc" compile --list-passes | sed -n 's/^  \([a-z_][a-z_]*\) .*/\1/p' | sort) \
     <(sed -n 's/^ *[0-9.]* ms  \([a-z_]*\)$/\1/p' log | sort) || fail "--time-passes and --list-passes differ"

# A dump can be read back: the rest of the compilation goes on from it.
"$ksc" compile packet_filter.ks -o unused --stop-after=infer_types --dump-after=infer_types >typed.ksir 2>log || fail "dump: $(cat log)"
[ ! -e unused ] || fail "--stop-after wrote a project"
grep -q '(FunctionDef' typed.ksir || fail "no dump: $(head -c 300 typed.ksir)"

# check writes nothing.
mkdir checked && (cd checked && "$ksc" check ../packet_filter.ks) || fail "check failed"
[ -z "$(ls -A checked)" ] || fail "check wrote $(ls -A checked)"

# With an error, earlier output stays as it was.
before=$(find short -type f -exec cksum {} + | sort)
echo 'fn broken( {' >>packet_filter.ks
"$ksc" compile packet_filter.ks -o short 2>log
[ $? -eq 1 ] || fail "an error does not give exit code 1"
"$ksc" build packet_filter.ks -o short 2>log
[ $? -eq 1 ] || fail "build: an error does not give exit code 1"
[ "$(find short -type f -exec cksum {} + | sort)" = "$before" ] || fail "an error changed earlier output"
cp "$filter" packet_filter.ks

# What the user wrote into the output stays: a README of their own, KernelScript at the top.
echo 'mine' >short/README.md
echo '// mine' >short/notes.ks
echo 'mine' >short/notes.txt
"$ksc" compile packet_filter.ks -o short || fail "compile failed"
[ "$(cat short/README.md short/notes.txt)" = "$(printf 'mine\nmine')" ] && [ -s short/notes.ks ] || fail "a file of the user's was changed"

# A directory that cannot be written.
mkdir closed && cp -r elsewhere/. closed/ && echo older >>closed/packet_filter.c && chmod -R a-w closed
as_user=()
[ "$(id -u)" -ne 0 ] || as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
chmod 755 "$folder"
if "${as_user[@]}" test -x "$ksc" && "${as_user[@]}" test -r "$(dirname "$ksc")/../share/ksc/types/uapi.json"; then
  before=$(find closed -type f -exec cksum {} + | sort)
  "${as_user[@]}" "$ksc" compile packet_filter.ks -o closed 2>log
  [ $? -eq 74 ] || fail "an unwritable directory does not give 74: $(cat log)"
  grep -q 'Permission denied' log || fail "no reason in: $(cat log)"
  [ "$(find closed -type f -exec cksum {} + | sort)" = "$before" ] || fail "an unwritable directory was changed"
fi
chmod -R u+w closed

# Output that goes nowhere: a full standard output, a closed one.
if [ -e /dev/full ]; then
  "$ksc" check --dump-after=parse packet_filter.ks >/dev/full 2>log
  [ $? -eq 74 ] || fail "a full standard output does not give 74: $(cat log)"
  "$ksc" compile --list-passes >/dev/full 2>log
  [ $? -eq 74 ] || fail "--list-passes on a full standard output does not give 74"
  "$ksc" --help >/dev/full 2>log
  [ $? -eq 74 ] || fail "--help on a full standard output does not give 74"
fi

# A full disk: earlier output untouched, nothing half written.
if unshare -m true 2>/dev/null; then
  ksc=$ksc unshare -m bash -c '
    mkdir disk && mount -t tmpfs -o size=256k none disk || exit 0
    cp -r elsewhere disk/out && echo older >>disk/out/packet_filter.c
    before=$(find disk/out -type f -exec cksum {} + | sort)
    cat /dev/zero >disk/filler 2>/dev/null
    "$ksc" compile packet_filter.ks -o disk/out 2>log
    code=$?
    [ $code -eq 74 ] || { echo "a full disk: exit code $code, $(cat log)"; exit 1; }
    grep -q "No space left" log || { echo "no reason in: $(cat log)"; exit 1; }
    [ "$(find disk/out -type f -exec cksum {} + | sort)" = "$before" ] || { echo "a full disk: the output was changed"; exit 1; }
    "$ksc" compile packet_filter.ks -o disk/new 2>log
    [ $? -eq 74 ] || { echo "a full disk: a new directory"; exit 1; }
    [ ! -e disk/new ] || { echo "a full disk: left behind $(find disk/new)"; exit 1; }' || exit 1
fi

# build and run.
"$ksc" build packet_filter.ks -o 'a project' >log 2>&1 || fail "build: $(cat log)"
[ -x 'a project/packet_filter' ] || fail "build makes no binary"
"$ksc" run packet_filter.ks -o 'a project' -- --help >log 2>&1 || fail "run: $(cat log)"
grep -q -- '--interface' log || fail "run does not pass its arguments on: $(cat log)"
grep -q -- '--interface .*where to filter$' log || fail "an option's comment is not its help: $(cat log)"
"$ksc" run packet_filter.ks -o 'a project' -- --nonsense >log 2>&1
[ $? -eq 2 ] || fail "run does not give the program's exit code: $(cat log)"
(PATH=/nowhere "$ksc" build packet_filter.ks -o 'a project' >log 2>&1)
[ $? -eq 74 ] || fail "without make, build does not give 74"
CLANG=false "$ksc" build packet_filter.ks -o 'broken tools' >log 2>&1
[ $? -eq 1 ] || fail "a failing make does not give 1"
grep -q 'make failed in `broken tools`' log || fail "a failing make is not named: $(cat log)"

# Names that a shell or a C compiler could take for something else, through to the binary.
names=('a b' "it's" 'cost $5' '"quoted"' 'back\slash' '-dash' 'ünï' '#hash%s' '100' "$(printf 'new\nline')")
for name in "${names[@]}"; do
  mkdir -p "./in $name"
  cp "$filter" "./in $name/$name.ks"
  "$ksc" compile -o "./out $name" -- "./in $name/$name.ks" >log 2>&1 || fail "compile $name: $(cat log)"
  "${CC:-cc}" -fsyntax-only -x c -w -I"$KSC_SOURCE/runtime/host/include" -I"./out $name" "./out $name"/*.ebpf.c >log 2>&1 ||
    fail "the C of $name: $(cat log)"
done
for name in '-dash' 'cost $5'; do
  (cd "./in $name" && "$ksc" build -o -out -- "$name.ks") >log 2>&1 || fail "build $name: $(cat log)"
  [ "$(find "./in $name/-out" -maxdepth 1 -type f -perm /100 | wc -l)" -eq 1 ] || fail "build $name: no binary"
done
exit 0

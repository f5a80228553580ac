#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is installed needs neither the source tree nor the build tree: init, compile, make and run without them; uninstall
# leaves nothing of ours and everything of others.
set -u
if [ "$(id -u)" -ne 0 ] || ! unshare -m -n true 2>/dev/null; then
  echo "SKIPPED: it needs root and namespaces"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() {
  echo "$*"
  exit 1
}

# A prefix that is awkward to quote, and one that exists and holds something already.
prefix=$folder/'a "prefix" with $x'
shared=$folder/shared
mkdir -p "$shared/bin" "$shared/share/other"
echo other >"$shared/bin/other"
echo other >"$shared/share/other/file"
before=$(cd "$shared" && find . | sort)

cmake --install "$KSC_BUILD" --prefix "$prefix" >"$folder/log" || fail "$(cat "$folder/log")"
for file in bin/ksc bin/kernelscript share/ksc/types/uapi.json share/ksc/std share/ksc/runtime/user/ks_runtime.h \
  share/ksc/diagnostics/KS0201.md; do
  [ -e "$prefix/$file" ] || fail "$file is not installed"
done
for path in "$KSC_SOURCE" "$KSC_BUILD"; do
  ! grep -rqF "$path" "$prefix" || fail "a path of the build is in $(grep -rlF "$path" "$prefix")"
done
[ -z "$(find "$prefix" -xtype l)" ] || fail "a link leads nowhere: $(find "$prefix" -xtype l)"

cat >"$folder/use" <<'SCRIPT'
set -u
fail() {
  echo "$*"
  exit 1
}
# Empty folders lie on top of the trees, in this mount namespace alone.
for path in "$KSC_BUILD" "$KSC_SOURCE"; do
  [ ! -d "$path" ] || mount -t tmpfs none "$path" || { echo "SKIPPED: tmpfs cannot be mounted"; exit 77; }
done
[ ! -e "$KSC_SOURCE/README.md" ] || fail "the source is still there"
cd "$folder" || exit 1
ksc=$prefix/bin/ksc
[ "$("$prefix/bin/kernelscript" --version)" = "$("$ksc" --version)" ] || fail "kernelscript is another program"

ip link set lo up || fail "lo cannot be set up"
for type in xdp tc; do
  name=my_$type
  "$ksc" init $type $name >log 2>&1 || fail "init $type: $(cat log)"
  "$ksc" compile $name/$name.ks -o "out $type" >log 2>&1 || fail "compile: $(cat log)"
  "$prefix/bin/kernelscript" compile $name/$name.ks -o "again $type" >log 2>&1 || fail "kernelscript compile: $(cat log)"
  diff -r "out $type" "again $type" || fail "the same source gave other files"
  make -C "out $type" >log 2>&1 || fail "make: $(cat log)"
  ! grep -q warning: log || fail "make warns: $(cat log)"
  "./out $type/$name" --interface=lo >output 2>&1 &
  pid=$!
  for _ in $(seq 100); do
    grep -q 'watching lo' output && break
    kill -0 $pid 2>/dev/null || break
    sleep 0.1
  done
  if ! grep -q 'watching lo' output; then
    kill -KILL $pid 2>/dev/null
    if grep -qiE 'Operation not permitted|capabilit' output; then
      echo "SKIPPED: programs cannot be loaded into the kernel here: $(cat output)"
      exit 77
    fi
    fail "$name did not start: $(cat output)"
  fi
  # What the template counts is counted. A global's map has the name that the source gives it.
  ping -c 2 -i 0.2 -W 1 127.0.0.1 >ping.log 2>&1 || { kill -KILL $pid; fail "ping: $(cat ping.log)"; }
  map=$([ $type = xdp ] && echo packets || echo bytes)
  counted=$(bpftool -j map show name $map 2>/dev/null | grep -c '"type":"array"')
  [ "$counted" -ge 1 ] || { kill -KILL $pid; fail "there is no map $map"; }
  value=$(bpftool -j map dump name $map | grep -o '"value":\["[^]]*\]' | head -1)
  case $value in
    '' | *'["0x00","0x00","0x00","0x00","0x00","0x00","0x00","0x00"]') kill -KILL $pid; fail "nothing was counted: $value" ;;
  esac
  kill -TERM $pid
  for _ in $(seq 50); do kill -0 $pid 2>/dev/null || break; sleep 0.1; done
  if kill -KILL $pid 2>/dev/null; then fail "$name did not end"; fi
  wait $pid
  code=$?
  [ $code -eq 0 ] || fail "$name ended with $code: $(cat output)"
  ! ip link show lo | grep -q xdp || fail "$name left its filter on lo"
  ! tc filter show dev lo ingress 2>/dev/null | grep -q bpf || fail "$name left its filter on lo"
done
SCRIPT
folder=$folder prefix=$prefix unshare -m -n bash "$folder/use"
code=$?
[ $code -eq 0 ] || exit $code

cmake --build "$KSC_BUILD" --target uninstall >"$folder/log" 2>&1 || fail "uninstall: $(cat "$folder/log")"
[ ! -e "$prefix" ] || fail "uninstall left: $(find "$prefix")"

cmake --install "$KSC_BUILD" --prefix "$shared" >"$folder/log" || fail "$(cat "$folder/log")"
cmake --build "$KSC_BUILD" --target uninstall >"$folder/log" 2>&1 || fail "uninstall: $(cat "$folder/log")"
[ "$(cd "$shared" && find . | sort)" = "$before" ] || fail "uninstall left something or took too much: $(cd "$shared" && find .)"
exit 0

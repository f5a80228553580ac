#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tries the runtime of generated userspace programs on a veth pair: attaching in every way, signals, kills, pins, options.
# Rules: [L72] [L181]
set -u

source_dir=${KSC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
work=$(mktemp -d)
netns=ksrt$$
failures=0
started=()

skip() {
  echo "SKIPPED: $1"
  exit 77
}

clean_up() {
  for pid in "${started[@]}"; do kill -9 "$pid" 2>"$work/null"; done
  ip netns del "$netns" 2>"$work/null"
  rm -rf "$work"
}

[ "$(id -u)" = 0 ] || skip "loading eBPF needs root"
for tool in ip tc bpftool gcc unshare; do command -v $tool >"$work/null" || skip "$tool is not installed"; done
clang=$(command -v clang-19 || command -v clang-14 || command -v clang) || skip "clang is not installed"
trap clean_up EXIT
ip netns add "$netns" || skip "cannot make a network namespace"

check() { # NAME WANTED FOUND
  if [ "$2" = "$3" ]; then
    echo "ok: $1"
  else
    echo "FAILED: $1: wanted '$2', found '$3'"
    failures=$((failures + 1))
  fi
}

has() { # NAME PATTERN FILE
  if grep -Eq -- "$2" "$3"; then
    echo "ok: $1"
  else
    echo "FAILED: $1: no '$2' in"
    sed 's/^/    /' "$3"
    failures=$((failures + 1))
  fi
}

build() { # BINARY MACROS...
  local binary=$1
  shift
  mkdir -p "$work/$binary.d"
  "$clang" -g -O2 -Wall -Werror -target bpf "-I/usr/include/$(gcc -print-multiarch)" "$@" \
    -c "$source_dir/tests/runtime/probe.bpf.c" -o "$work/$binary.d/probe.bpf.o" &&
    bpftool gen skeleton "$work/$binary.d/probe.bpf.o" name probe_bpf >"$work/$binary.d/probe.skel.h" &&
    gcc -std=gnu11 -Wall -Wextra -Werror -O2 "$@" "-I$work/$binary.d" "-I$source_dir/runtime/user" \
      "$source_dir"/tests/runtime/probe.c "$source_dir"/runtime/user/*.c -lbpf -lelf -lz -o "$work/$binary" || exit 1
}

in_netns() { ip netns exec "$netns" "$@"; }

start() { # OUTPUT COMMAND... ; leaves the pid in $pid, having waited for "ready"
  local output=$1
  shift
  : >"$output" # or what the last one wrote is waited for
  ip netns exec "$netns" env "$@" >"$output" 2>&1 &
  pid=$!
  started+=("$pid")
  for _ in $(seq 1200); do
    grep -q -e '^attached' "$output" && return
    kill -0 "$pid" 2>"$work/null" || return
    sleep 0.05
  done
}

finish() { # SIGNAL ; leaves the exit status in $status
  kill "-$1" "$pid"
  wait "$pid" 2>"$work/null"
  status=$?
}

attached_here() { # what is attached to a0, one word each
  {
    in_netns ip -d link show a0 | grep -oE 'prog/xdp|xdpgeneric|xdp(/id| id)' | sed 's/.*/xdp/' | sort -u
    in_netns bpftool net show dev a0 | grep -oE 'tcx/[a-z]+|clsact/[a-z]+'
    in_netns tc qdisc show dev a0 | grep -o clsact
  } 2>"$work/null" | sort | uniq | tr '\n' ' '
}

filters() { in_netns tc filter show dev a0 "$1" | grep -c 'direct-action'; }

in_netns ip link add a0 type veth peer name b0 || skip "no veth interfaces"
in_netns ip link set a0 up
in_netns ip link set b0 up
in_netns ip addr add 10.9.0.1/24 dev a0
build probe -DENTRIES=4
build wider -DENTRIES=8
build rejecting -DENTRIES=4 -DREJECTED
probe=$work/probe

echo "--- options"
"$probe" --show-args --interface=eth0 --xdp --flags 0x10 --small=-128 --color green >"$work/out" 2>&1
has "options" '^interface=eth0 xdp=1 flags=16 small=-128 large=0 color=7$' "$work/out"
"$probe" --show_args --xdp=false --tc true --large 18446744073709551615 --color 0 >"$work/out" 2>&1
has "options with underscores" 'xdp=0 flags=0 small=0 large=18446744073709551615 color=0' "$work/out"
for wrong in "--small 128" "--small -129" "--flags -1" "--flags 4294967296" "--flags x" "--flags=" "--color blue" \
  "--xdp=maybe" "--nope" "positional" "--interface" "--interface 1234567890123456"; do
  # shellcheck disable=SC2086
  "$probe" $wrong >"$work/out" 2>&1
  check "exit status for $wrong" 2 $?
done
"$probe" --help >"$work/out" 2>"$work/err"
check "--help exits with 0" 0 $?
has "--help names the options" '--show-args +print the options' "$work/out"
check "--help writes to stdout" 0 "$(stat -c %s "$work/err")"

for way in link netlink; do
  export KS_ATTACH=$way
  for flags in 0 2 4; do
    echo "--- XDP by $way with flags $flags"
    start "$work/out" "$probe" --xdp --interface a0 --flags $flags
    check "attached" "xdp " "$(attached_here)"
    in_netns "$probe" --xdp --interface a0 --flags $flags >"$work/second" 2>&1
    check "a second program exits with 1" 1 $?
    has "and says what to do" 'a0: Device or resource busy; .*bpftool net' "$work/second"
    in_netns "$probe" --xdp --interface a0 --flags $((flags ^ 6)) >"$work/second" 2>&1
    check "so does one in another mode" 1 $?
    check "the first one is still there" "xdp " "$(attached_here)"
    finish INT
    has "the attachment is named" '^attached: count_packets to a0 \(xdp, (native|generic)\)' "$work/out"
    check "SIGINT in the wait exits with 0" 0 $status
    check "nothing is left" "" "$(attached_here)"
  done

  echo "--- XDP by $way: signals"
  start "$work/out" "$probe" --xdp --interface a0
  finish KILL
  check "after SIGKILL" "$([ $way = link ] || echo 'xdp ')" "$(attached_here)"
  start "$work/out" "$probe" --xdp --interface a0
  has "starts again after SIGKILL" '^attached: count_packets to a0' "$work/out"
  finish TERM
  check "SIGTERM in the wait exits with 0" 0 $status
  check "nothing is left" "" "$(attached_here)"
  in_netns "$probe" --xdp --interface a0 --again --result 3 >"$work/out" 2>&1
  check "a result of main" 3 $?
  has "attached twice gives -EBUSY" '^second -16$' "$work/out"
  has "detached twice, attached again" '^after detach 0$' "$work/out"
  check "nothing is left" "" "$(attached_here)"
  in_netns env KS_NO_WAIT=1 "$probe" --xdp --interface a0 >"$work/out" 2>&1
  check "KS_NO_WAIT does not wait" 0 $?
  check "nothing is left" "" "$(attached_here)"
  for signal in "INT 130" "TERM 143"; do
    ip netns exec "$netns" "$probe" --xdp --interface a0 --sleep-for 20000 >"$work/out" 2>&1 &
    pid=$!
    started+=("$pid")
    for _ in $(seq 100); do grep -q ready "$work/out" && break; sleep 0.05; done
    finish "${signal% *}"
    check "SIG${signal% *} in sleep" "${signal#* }" $status
    check "nothing is left" "" "$(attached_here)"
  done

  for direction in ingress egress; do
    echo "--- TC $direction by $way"
    start "$work/out" "$probe" --tc --interface a0 "--egress=$([ $direction = egress ] && echo true || echo false)" \
      --sleep-for 1500
    in_netns ping -q -c 1 -W 1 10.9.0.2 >"$work/null" 2>&1
    finish KILL
    if [ $way = netlink ]; then
      check "filters stay after SIGKILL" 2 "$(filters $direction)"
    else
      check "links do not stay after SIGKILL" "" "$(attached_here)"
    fi
    start "$work/out" "$probe" --tc --interface a0 "--egress=$([ $direction = egress ] && echo true || echo false)"
    [ $way = netlink ] && check "they are replaced" 2 "$(filters $direction)"
    finish INT
    has "both are named" "^attached: first to a0 \\(tc $direction\\), second to a0 \\(tc $direction\\)" "$work/out"
    check "SIGINT" 0 $status
    check "nothing is left" "" "$(attached_here)"
  done

  echo "--- TC by $way: twice, and on both hooks"
  in_netns env KS_NO_WAIT=1 "$probe" --tc --interface a0 --again >"$work/out" 2>&1
  has "attached twice gives -EBUSY" '^second -16$' "$work/out"
  check "nothing is left" "" "$(attached_here)"
  in_netns env KS_NO_WAIT=1 "$probe" --tc --interface a0 --both-ways >"$work/out" 2>&1
  has "detached in the order of attaching" '^ready$' "$work/out"
  check "nothing is left" "" "$(attached_here)"
  in_netns tc qdisc add dev a0 clsact
  in_netns env KS_NO_WAIT=1 "$probe" --tc --interface a0 --both-ways >"$work/out" 2>&1
  check "a qdisc of others stays" "clsact " "$(attached_here)"
  in_netns tc qdisc del dev a0 clsact

  echo "--- TC by $way: order and priorities"
  # Frames that enter a0 are the ones that b0 sends.
  in_netns ip link set b0 down
  in_netns ip link set b0 up
  ip netns exec "$netns" "$probe" --tc --interface a0 --egress --sleep-for 2000 --result 5 >"$work/out" 2>&1 &
  pid=$!
  started+=("$pid")
  for _ in $(seq 100); do grep -q ready "$work/out" && break; sleep 0.05; done
  in_netns ping -q -c 1 -W 1 10.9.0.2 >"$work/null" 2>&1
  wait $pid
  check "a result of main" 5 $?
  has "run in the order of attaching" '^order 12$' "$work/out"
  start "$work/out" "$probe" --tc --interface a0 --flags 100
  check "a filter has the priority" 1 "$(in_netns tc filter show dev a0 ingress | grep -c 'pref 100 bpf chain 0 handle')"
  finish INT
  check "nothing is left" "" "$(attached_here)"
  in_netns tc qdisc add dev a0 clsact
  start "$work/out" "$probe" --tc --interface a0 --flags 100
  finish INT
  check "a qdisc of others stays" "clsact " "$(attached_here)"
  in_netns tc qdisc del dev a0 clsact
done
unset KS_ATTACH

echo "--- TC by a link after a killed run's filters"
start "$work/out" env KS_ATTACH=netlink "$probe" --tc --interface a0
finish KILL
check "the filters stay after SIGKILL" 2 "$(filters ingress)"
start "$work/out" "$probe" --tc --interface a0
check "the next start removes them and their qdisc" "" "$(attached_here | sed 's|tcx/ingress ||')"
finish INT
check "nothing is left" "" "$(attached_here)"

echo "--- errors"
index=$(in_netns cat /sys/class/net/a0/ifindex)
start "$work/out" "$probe" --xdp --interface "$index"
has "an interface by its index" '^attached: count_packets to a0' "$work/out"
finish INT
in_netns "$probe" --xdp --interface absent >"$work/out" 2>&1
check "no interface" 1 $?
has "its message" 'cannot attach count_packets to absent: No such device; there is no such interface' "$work/out"
in_netns setpriv --reuid 65534 --clear-groups --inh-caps=-all "$probe" --xdp --interface a0 >"$work/out" 2>&1
check "no rights" 1 $?
has "its message" 'CAP_BPF|mount' "$work/out"
unshare -m bash -c "mount -t bpf bpf /sys/fs/bpf && '$work/rejecting' --load-rejected" >"$work/out" 2>&1
check "a program that the verifier rejects" 1 $?
has "the others load" '^count_packets is loaded$' "$work/out"
has "its number" '^rejected gives 21$' "$work/out"
has "the verifier's log" 'invalid access to packet' "$work/out"

echo "--- maps and pins"
cat >"$work/pins.sh" <<'PINS'
mount -t bpf bpf /sys/fs/bpf || exit 1
"$1/probe" --maps
echo "status $?"
"$1/probe" --globals
"$1/probe" --globals
"$1/wider" --globals
echo "wider $?"
"$1/wider" --unpin
echo "unpinned $? [$(ls /sys/fs/bpf | grep ks_)]"
"$1/wider" --globals
"$1/wider" --unpin
"$1/wider" --unpin
echo "again $?"
PINS
unshare -m bash "$work/pins.sh" "$work" >"$work/out" 2>&1
for line in 'missing 1' 'twice 1' 'contains 1 len 1' 'value 40' 'deleted 1 len 0' 'set 0' 'write 0' 'sum 0' \
  'last 4294967294 each 4294967294' 'no cpu 1 contains 1' 'full' 'status 1' 'starts 100' 'starts 101' 'wider 1' \
  'unpinned 0 \[\]' 'again 0'; do
  has "pins: $line" "^$line$" "$work/out"
done
has "a full map" 'cannot write map kept: .*; the map is full' "$work/out"
has "the pinned layout" 'pinned: hash of 4 entries' "$work/out"
has "the needed layout" 'needed: hash of 8 entries' "$work/out"
check "new globals are initialised again" 2 "$(grep -c '^starts 100$' "$work/out")"

echo "--- trace"
start "$work/out" "$probe" --trace --xdp --interface a0
in_netns ping -q -c 1 -W 1 -I b0 10.9.0.1 >"$work/null" 2>&1
finish INT
has "prints of the eBPF part" '^packet of [0-9]+ bytes$' "$work/out"
check "SIGINT" 0 $status

[ $failures = 0 ] && echo "all passed"
exit $((failures > 0))

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [L176] TCP segments on a veth pair, of which only the headers are linear: accesses of their data pull it.
# shellcheck source=tests/kernel/network.sh disable=SC2154
source "$(dirname "$0")/network.sh"

build "$source_dir/tests/kernel/packets/pull.ks"
serve 2000
value() { # MAP KEY
  at_far bpftool -j map lookup name "$1" key "$2" 0 0 0 | python3 -c 'import json, sys
found = json.load(sys.stdin)
print(found["formatted"]["value"] if "formatted" in found else int.from_bytes(bytes(int(b, 16) for b in found["value"]), "little"))'
}

# 700 bytes at once; with the option for time stamps the headers before them have 66.
send() {
  at_near python3 - <<'SEND'
import socket, time
data = bytearray(b"." * 700)
data[0], data[614 - 66], data[700 - 66], data[699] = b"ACBK"
with socket.create_connection(("10.66.0.2", 2000)) as connection:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(data)
    time.sleep(0.3)
SEND
}

echo "--- in a program"
start "$work/out" 1 "$work/pull/pull" --program=0
send
check "a segment of 700 bytes was seen" 1 "$(value segments 0)"
check "not all of it was linear" 0 "$(value linear 0)"
check "its last byte was read" 1 "$(value letters 75)"
check "what was read before is read again, and the end has moved" 1 "$(value after 65)"
finish INT

echo "--- in a helper"
start "$work/out" 1 "$work/pull/pull" --program=1
send
check "a helper pulls, and its caller's pointers stay valid" 1 "$(value through_helper 66)"
finish INT

echo "--- in a loop"
start "$work/out" 1 "$work/pull/pull" --program=2
send
check "a callback pulls, and the pointer that moves stays valid" 1 "$(value walked 67)"
finish INT

echo "--- through a dynptr, which reads it where it lies"
build --dynptr=always "$source_dir/tests/kernel/packets/pull.ks"
check "nothing of it is pulled" 0 "$(sed -n '/^int walks/,/^}/p' "$work/pull/pull.ebpf.c" | grep -c bpf_skb_pull_data)"
for program in 1 2; do
  start "$work/out" 1 "$work/pull/pull" --program=$program
  send
  if [ $program = 1 ]; then
    check "a helper reads it" 1 "$(value through_helper 66)"
  else
    check "a callback reads it" 1 "$(value walked 67)"
  fi
  finish INT
done

done_testing

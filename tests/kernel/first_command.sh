#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The README's first command with the rights: real packets are dropped by the program in the kernel, nothing is left behind.
set -u
if [ "$(id -u)" -ne 0 ]; then
  echo "SKIPPED: it needs root"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
before=$(ip netns list | sort)
KSC_BUILD_DIRECTORY=$folder "$KSC_SOURCE/examples/run" >"$folder/log" 2>&1
code=$?
if grep -q 'runs on the host emulation instead' "$folder/log"; then
  echo "SKIPPED: programs cannot be loaded into the kernel here"
  exit 77
fi
[ $code -eq 0 ] || { echo "exit code $code"; tail -n 30 "$folder/log"; exit 1; }
# Before, with the filter (small, big), and after it.
expected='3 of 3 passed, 0 dropped
3 of 3 passed, 0 dropped
3 of 3 passed, 0 dropped
0 of 3 passed, 3 dropped
3 of 3 passed, 0 dropped'
got=$(sed -n 's/^  ping with packets of .* bytes: \(.*\), as the program says$/\1/p' "$folder/log")
[ "$got" = "$expected" ] || { echo "unexpected: $(cat "$folder/log")"; exit 1; }
left=$(comm -13 <(echo "$before") <(ip netns list | sort) | grep -E "^ksc-(sender|receiver|probe)-" | head -3)
# Other tests make namespaces of their own meanwhile, under other names.
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }

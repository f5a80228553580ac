#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The programs of tests/kernel/packets: each clang takes their C without a warning, the verifier accepts it, and they do what
# the table NAME.json says. Names as arguments choose some of them [L65].
set -u

source_dir=${KSC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build_dir=${KSC_BUILD:-$source_dir/build/release}
ksc=${KSC:-$build_dir/bin/ksc}
run_program=${RUN_PROGRAM:-$build_dir/bin/run_program}
tests=$source_dir/tests/kernel
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

skip() {
  echo "SKIPPED: $1"
  exit 77
}

fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

[ "$(id -u)" = 0 ] || skip "loading eBPF needs root"
[ -x "$run_program" ] || skip "run_program is not built (libbpf is missing)"
for tool in make python3; do command -v $tool >"$work/null" || skip "$tool is not installed"; done
clangs=()
for name in clang-14 clang-19; do command -v $name >"$work/null" && clangs+=("$name"); done
[ ${#clangs[@]} -gt 0 ] || skip "neither clang-14 nor clang-19 is installed"
echo "with ${clangs[*]}"

if [ $# = 0 ]; then
  for source in "$tests"/packets/*.ks; do set -- "$@" "$(basename "$source" .ks)"; done
fi
for name in "$@"; do
  echo "== $name"
  project=$work/$name
  "$ksc" compile "$tests/packets/$name.ks" -o "$project" 2>"$work/log" || { cat "$work/log"; fail "ksc compile $name.ks"; continue; }
  for clang in "${clangs[@]}"; do
    rm -f "$project/$name.ebpf.o"
    if ! make -C "$project" "CLANG=$clang" "$name.ebpf.o" >"$work/log" 2>&1 || grep -qE '\b(warning|error)\b' "$work/log"; then
      sed 's/^/    /' "$work/log"
      fail "$name with $clang"
      continue
    fi
    python3 "$tests/run_examples.py" "$run_program" "$project/$name.ebpf.o" "$tests/packets/$name.json" || fail "$name built with $clang"
  done
done
[ $failures = 0 ] && echo "all passed"
exit $((failures > 0))

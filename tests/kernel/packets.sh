#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The programs of tests/kernel/packets: each clang takes their C without a warning, the verifier accepts it, and they do what
# the table NAME.json says; with --dynptr=always too, by the last clang. Names as arguments choose some of them [L65].
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
  for way in "${clangs[@]}" "${clangs[-1]} --dynptr=always"; do
    read -r clang options <<<"$way"
    rm -rf "$project"
    # shellcheck disable=SC2086 # none, or one word
    if ! "$ksc" compile $options "$tests/packets/$name.ks" -o "$project" 2>"$work/log"; then
      cat "$work/log"
      fail "ksc compile $options $name.ks"
      continue
    fi
    if ! make -C "$project" "CLANG=$clang" "$name.ebpf.o" >"$work/log" 2>&1 || grep -qE '\b(warning|error)\b' "$work/log"; then
      sed 's/^/    /' "$work/log"
      fail "$name with $way"
      continue
    fi
    python3 "$tests/run_examples.py" "$run_program" "$project/$name.ebpf.o" "$tests/packets/$name.json" || fail "$name built with $way"
  done
done
[ $failures = 0 ] && echo "all passed"
exit $((failures > 0))

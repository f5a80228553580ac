#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compiles every example, builds it with each clang and without a warning, loads it through the verifier, and runs it on
# the packets of tests/kernel/examples/NAME.json. Names of examples as arguments choose some of them [L65].
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
for tool in bpftool gcc make python3; do command -v $tool >"$work/null" || skip "$tool is not installed"; done
clangs=()
for name in clang-14 clang-19; do command -v $name >"$work/null" && clangs+=("$name"); done
[ ${#clangs[@]} -gt 0 ] || skip "neither clang-14 nor clang-19 is installed"
echo "with ${clangs[*]}"
cc=gcc
command -v ccache >"$work/null" && cc="ccache gcc"

build() { # PROJECT TARGETS...; any output that speaks of a warning or an error is a failure
  local project=$1
  shift
  if ! make -C "$project" CC="$cc" "$@" >"$work/log" 2>&1 || grep -qE '\b(warning|error)\b' "$work/log"; then
    fail "make $*"
    sed 's/^/    /' "$work/log"
    return 1
  fi
}

try() { # NAME
  local name=$1 project=$work/$1
  echo "== $name"
  [ -f "$tests/examples/$name.json" ] || { fail "$name has no table of packets"; return; }
  "$ksc" compile "$source_dir/examples/$name.ks" -o "$project" || { fail "ksc compile $name.ks"; return; }
  for clang in "${clangs[@]}"; do
    rm -f "$project/$name.ebpf.o"
    build "$project" "CLANG=$clang" "$name.ebpf.o" || continue
    python3 "$tests/run_examples.py" "$run_program" "$project/$name.ebpf.o" "$tests/examples/$name.json" ||
      fail "$name built with $clang"
  done
  build "$project" "CLANG=${clangs[-1]}" all || return
  (cd "$project" && "${clangs[-1]}" -std=gnu11 -fsyntax-only -Wall -Wextra -Werror -I. "$name.c") ||
    fail "the userspace program with ${clangs[-1]}"
  "$project/$name" --help >"$work/log" || fail "$name --help"
  grep -q -- '--interface' "$work/log" || fail "$name --help does not name its options"
}

if [ $# = 0 ]; then
  for source in "$source_dir"/examples/*.ks; do set -- "$@" "$(basename "$source" .ks)"; done
fi
for name in "$@"; do try "$name"; done
[ $failures = 0 ] && echo "all passed"
exit $((failures > 0))

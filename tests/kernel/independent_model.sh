#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Random programs whose types and meanings are those of fuzz/independent, not of the compiler: both clangs take them without a warning,
# the verifier accepts them, and kernel and userspace do what the model says. A seed and a count as arguments choose other programs.
# Rules: [L15] [L21] [L22] [L23] [L25] [L30] [L31] [L32] [L33] [L36] [L40] [L42] [L45] [L50] [L51] [L54] [L142] [L146]
set -u

source_dir=${KSC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build_dir=${KSC_BUILD:-$source_dir/build/release}
run_program=${RUN_PROGRAM:-$build_dir/bin/run_program}
export PATH=$PATH:/usr/sbin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
  echo "SKIPPED: $1"
  exit 77
}

[ "$(id -u)" = 0 ] || skip "loading eBPF needs root"
[ -x "$run_program" ] || skip "run_program is not built (libbpf is missing)"
for tool in make python3 cc bpftool; do command -v $tool >"$work/null" || skip "$tool is not installed"; done
command -v clang-14 >"$work/null" || command -v clang-19 >"$work/null" || skip "neither clang-14 nor clang-19 is installed"

# These take some 20 seconds; fuzz/independent_model runs any number of others.
seed=${1:-24}
echo "seed $seed"
"$source_dir/fuzz/independent_model" "$seed" "${2:-24}"

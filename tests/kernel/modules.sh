#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two files that call all they have by the same names, some of it in the same words: in the running program each has its own [L18].
# shellcheck source=tests/kernel/network.sh disable=SC2154
source "$(dirname "$0")/network.sh"

cp "$source_dir"/tests/kernel/modules/{main,lib}.ks "$work"
build "$work/main.ks"
"$work/main/main" --mode=ON >"$work/out" 2>&1
check "the exit code" 0 $?
check "functions, config blocks and constant arrays" "102 20" "$(sed -n 1p "$work/out")"
check "maps and structs" "107 8 lib" "$(sed -n 2p "$work/out")"
check "globals, pinned ones too" "102 20 110 2" "$(sed -n 3p "$work/out")"
check "enumerators, per-CPU maps" "1 0 0" "$(sed -n 4p "$work/out")"
check "loops, what is deleted, a function as a value" "8 30 41" "$(sed -n 5p "$work/out")"
has "an option's words are those of the enum" '--mode OFF\|ON' <("$work/main/main" --help)

done_testing

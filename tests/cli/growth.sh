#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The work of ksc grows with the length of its input and no faster, counted in instructions: many functions, and one
# function of many statements.
set -u
ksc=${KSC:?the path of ksc}
source_dir=${KSC_SOURCE:?the source tree}
command -v valgrind >/dev/null || { echo "SKIPPED: valgrind is not installed"; exit 77; }
failures=0
# Both lengths of a shape are beyond where variables begin to lie in maps, which is work of another kind.
for shape in "functions 500 4000" "statements 600 3000"; do
  # shellcheck disable=SC2086
  "$source_dir/tests/bench/growth.py" "$ksc" --instructions $shape || { echo "$shape: faster"; failures=1; }
done
exit $failures

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The C that is made from the examples has at most one generated name per ten statements, taken together. A single one may have more, since
# each map that a short program asks needs a name for the entry that it found; but no more than one per six. Programs that ask the view of
# a packet (docs/decisions/pointers_of_helpers.md) are not counted with the others, and have no more than one per three: each header is a
# distance and a truth in C, until those become one again.
set -u

source_dir=${KSC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
ksc=${KSC:-$source_dir/build/release/bin/ksc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command -v python3 >"$work/null" || { echo "SKIPPED: python3 is not installed"; exit 77; }
all_statements=0
all_names=0
failures=0
for source in "$source_dir"/examples/*.ks; do
  name=$(basename "$source" .ks)
  "$ksc" compile "$source" -o "$work/$name" || exit 1
  read -r statements names list < <(python3 "$source_dir/tests/programs/generated_names.py" "$source" \
    "$work/$name/$name.ebpf.c" "$work/$name/$name.c")
  [ "$statements" -gt 5 ] || { echo "FAILED: $name has only $statements statements"; exit 1; }
  printf '%-20s %3d statements, %2d generated names: %s\n' "$name" "$statements" "$names" "$list"
  most=6
  grep -q '\.packet()' "$source" && most=3
  if [ $((names * most)) -gt "$statements" ]; then
    echo "FAILED: $name has more than one generated name per $most statements"
    failures=$((failures + 1))
  fi
  [ $most = 6 ] || continue
  all_statements=$((all_statements + statements))
  all_names=$((all_names + names))
done
echo "$all_names generated names in $all_statements statements," \
  "$((all_names * 100 / all_statements)).$((all_names * 1000 / all_statements % 10)) per hundred"
if [ $((all_names * 10)) -gt $all_statements ]; then
  echo "FAILED: more than one generated name per ten statements"
  failures=$((failures + 1))
fi
exit $((failures > 0))

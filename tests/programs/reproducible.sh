#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compiled twice, in different folders, an example gives the same files and the same object.
set -u

source_dir=${KSC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
ksc=${KSC:-$source_dir/build/release/bin/ksc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

for tool in clang make; do command -v $tool >"$work/null" || { echo "SKIPPED: $tool is not installed"; exit 77; }; done
mkdir -p "$work/here" "$work/some where/else"
for source in "$source_dir"/examples/*.ks; do
  name=$(basename "$source" .ks)
  cp "$source" "$work/some where/else/"
  "$ksc" compile "$source" -o "$work/here/$name" || exit 1
  (cd "$work/some where/else" && "$ksc" compile "$name.ks" -o "out of $name") || exit 1
  if ! diff -r "$work/here/$name" "$work/some where/else/out of $name"; then
    echo "FAILED: $name: the files differ"
    failures=$((failures + 1))
  fi
  for project in "$work/here/$name" "$work/some where/else/out of $name"; do
    make -s -C "$project" "$name.ebpf.o" || exit 1
  done
  if cmp "$work/here/$name/$name.ebpf.o" "$work/some where/else/out of $name/$name.ebpf.o"; then
    echo "ok: $name"
  else
    echo "FAILED: $name: the objects differ"
    failures=$((failures + 1))
  fi
done
exit $((failures > 0))

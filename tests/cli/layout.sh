#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every C and C++ file of ours is laid out as the .clang-format of its folder says; --update does it.
set -eu

cd "$KSC_SOURCE"
formatter=$(command -v clang-format-14) || {
  echo "SKIPPED: clang-format-14 is not here, and others lay out differently"
  exit 77
}
sources() {
  find backends frontend fuzz ir passes runtime tests -name corpus -prune -o -name types -prune -o \
    \( -name '*.cc' -o -name '*.h' -o -name '*.c' \) -print0
}

if [[ ${1:-} == --update ]]; then
  sources | xargs -0 "$formatter" -i
  exit
fi
others=$(sources | xargs -0 -P 2 -n 40 "$formatter" --dry-run 2>&1 | sed -n 's/:[0-9]*:[0-9]*: warning: .*//p' | sort -u)
[[ -z $others ]] || {
  printf 'tests/cli/layout.sh --update would change\n%s\n' "$others"
  exit 1
}

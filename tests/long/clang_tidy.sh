#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy finds nothing in any C++ file of ours, by the checks of .clang-tidy.
# tests/long/clang_tidy.sh START...: only the files whose path begins with one of these, e.g. passes/lower_
set -u

cd "${KSC_SOURCE:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 1
build=${KSC_BUILD:-build/release}-tidy
tidy=$(command -v clang-tidy-14) || {
  echo "SKIPPED: clang-tidy-14 is not here, and others check differently"
  exit 77
}
# clang cannot read g++'s precompiled header, so the compile commands must do without.
mkdir -p "$(dirname "$build")"
cmake --preset tidy -B "$build" >"$build.log" 2>&1 || {
  cat "$build.log"
  exit 1
}

# Only what is compiled has a command: tests/negative must not compile, and the libFuzzer targets need clang.
mapfile -t files < <(
  python3 - "$build/compile_commands.json" "$PWD" "$@" <<'PYTHON'
import json, os, sys

commands, source, *starts = sys.argv[1:]
with open(commands) as file:
    paths = {os.path.relpath(command["file"], source) for command in json.load(file)}
for path in sorted(paths):
    if not path.startswith("build/") and path.startswith(tuple(starts) or ""):
        print(path)
PYTHON
)
((${#files[@]} > 0)) || {
  echo "no file to check"
  exit 1
}
printf '%s\0' "${files[@]}" | xargs -0 -P "${KSC_JOBS:-2}" -n 1 "$tidy" -p "$build" --quiet 2>&1 |
  grep --line-buffered -vE '^[0-9]+ warnings? (generated|treated as errors?)'
results=("${PIPESTATUS[@]}")
echo "${#files[@]} files checked"
((results[1] == 0))

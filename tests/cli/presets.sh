#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every preset configures, with what tests/setup installs and from any folder; what can be built and tested by name exists.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failed=0
for preset in $(python3 -c '
import json, sys
presets = json.load(open(sys.argv[1]))
print(*[p["name"] for p in presets["configurePresets"] if not p.get("hidden")])' "$KSC_SOURCE/CMakePresets.json"); do
  (cd "$KSC_SOURCE" && cmake --preset "$preset" -B "$work/$preset") >"$work/log" 2>&1 ||
    { echo "FAILED: the preset $preset"; cat "$work/log"; failed=1; }
done
for kind in build test; do
  (cd "$KSC_SOURCE" && cmake --list-presets=$kind) >"$work/log" 2>&1 || { cat "$work/log"; failed=1; }
done
exit $failed

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The last lines of tests/run: tests that skip themselves are named with their reason and counted; where KSC_MUST_RUN says that a label
# is known to run, a skip, or no test at all, is a failure.
set -u
command -v python3 >/dev/null || {
  echo "SKIPPED: no python3"
  exit 77
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0
unset KSC_MUST_RUN

# counted NAME CODE MUST_RUN LINES REPORT...: what is printed is LINES, and the exit code is CODE.
counted() {
  local name=$1 code=$2 must=$3 lines=$4 output got
  shift 4
  output=$(KSC_MUST_RUN=$must python3 "${KSC_SOURCE:?}/tests/count_results.py" "$@" 2>&1)
  got=$?
  [ $got = "$code" ] && [ "$output" = "$lines" ] && return
  printf '%s: exit code %d, expected %d\n%s\ninstead of\n%s\n' "$name" $got "$code" "$output" "$lines"
  failures=$((failures + 1))
}

# As ctest --output-junit writes it.
report() { # FILE, the cases on standard input
  { echo '<?xml version="1.0" encoding="UTF-8"?><testsuite name="Linux-c++">'; cat; echo '</testsuite>'; } >"$1"
}
report all.xml <<'XML'
<testcase name="one" classname="one" time="1" status="run"><system-out>fine</system-out></testcase>
<testcase name="two" classname="two" time="1" status="run"><system-out>SKIPPED is but a word here</system-out></testcase>
XML
report skips.xml <<'XML'
<testcase name="kernel.runs" status="run"><system-out>ok</system-out></testcase>
<testcase name="kernel.skips" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/><system-out>some output
SKIPPED: loading eBPF needs root
</system-out></testcase>
<testcase name="Some.Test" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/><system-out>[ RUN      ] Some.Test
fuzz/some.cc:89: Skipped
maps need root
[  SKIPPED ] Some.Test (0 ms)
[  SKIPPED ] 1 test, listed below:
[  SKIPPED ] Some.Test
</system-out></testcase>
<testcase name="off" status="disabled"><skipped message="Disabled"/></testcase>
XML
report fails.xml <<'XML'
<testcase name="good" status="run"/>
<testcase name="bad" status="fail"><failure message=""/><system-out>SKIPPED: not really</system-out></testcase>
<testcase name="absent" status="notrun"><skipped message="Unable to find executable: absent"/></testcase>
XML
report none.xml </dev/null

skips='SKIPPED kernel.skips: SKIPPED: loading eBPF needs root
SKIPPED Some.Test: maps need root
SKIPPED off: no reason given'
counted "all pass" 0 "" "2 passed, 0 failed, 0 skipped" quick=all.xml
counted "three skips" 0 "" "$skips
1 passed, 0 failed, 3 skipped" kernel=skips.xml
counted "skips of a label that need not run" 0 "property" "$skips
3 passed, 0 failed, 3 skipped" kernel=skips.xml quick=all.xml
counted "a failure, and a test whose program is missing" 1 "" 'FAILED bad
FAILED absent
1 passed, 2 failed, 0 skipped' quick=fails.xml
counted "several labels" 1 "" "$skips
FAILED bad
FAILED absent
4 passed, 2 failed, 3 skipped" quick=all.xml kernel=skips.xml property=fails.xml
counted "a report that is not there" 1 "" 'FAILED gone.xml was not written
2 passed, 1 failed, 0 skipped' quick=all.xml kernel=gone.xml
counted "no test at all" 1 "" 'FAILED no test ran
0 passed, 1 failed, 0 skipped' vm=none.xml
counted "no test of a label that need not run" 0 "kernel" '2 passed, 0 failed, 0 skipped' quick=all.xml vm=none.xml

counted "a label that must run, and does" 0 "quick" "2 passed, 0 failed, 0 skipped" quick=all.xml
counted "a skip where tests must run" 1 "property kernel" 'SKIPPED kernel.skips: SKIPPED: loading eBPF needs root
FAILED kernel.skips: tests labelled kernel must run here
SKIPPED Some.Test: maps need root
FAILED Some.Test: tests labelled kernel must run here
SKIPPED off: no reason given
FAILED off: tests labelled kernel must run here
3 passed, 3 failed, 0 skipped' kernel=skips.xml quick=all.xml
counted "a label that must run and has no test" 1 "vm" 'FAILED label vm: must run here, but there was no such test
2 passed, 1 failed, 0 skipped' quick=all.xml vm=none.xml
# Of labels that were not asked for nothing is required: tests/run quick.
counted "a label that was not asked for" 0 "kernel" "2 passed, 0 failed, 0 skipped" quick=all.xml

# The exit code with which the tests skip themselves is the one that CTest is told.
grep -q 'SKIP_RETURN_CODE 77' "$KSC_SOURCE/tests/CMakeLists.txt" || { echo "CTest is not told of 77"; failures=$((failures + 1)); }

[ $failures = 0 ] && echo "all passed"
exit $((failures > 0))

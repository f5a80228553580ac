#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the tests in CTest's JUnit reports, given as LABEL=FILE: all tests in a report have that label.

The last line is `N passed, N failed, N skipped`. The exit code is 1 if a test failed, if no test ran at all, or
if a test was skipped, or none was there, of a label in KSC_MUST_RUN.
"""

import os
import sys
import xml.etree.ElementTree as xml


def outcome_of(case):
    """`passed`, `failed` or `skipped`; a test whose program is missing has failed."""
    status = case.get("status")
    if status == "run":
        return "passed"
    skipped = case.find("skipped")
    if status in ("notrun", "disabled") and skipped is not None:
        message = skipped.get("message", "")
        if status == "disabled" or message.startswith(("SKIP_RETURN_CODE", "SKIP_REGULAR_EXPRESSION")):
            return "skipped"
    return "failed"


def reason_of(case):
    """The line in which a skipped test says why."""
    output = case.findtext("system-out") or ""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for line in lines:
        if "SKIPPED" in line and "[  SKIPPED ]" not in line:
            return line
    # GoogleTest writes `FILE:LINE: Skipped` and the reason below it.
    for line, following in zip(lines, lines[1:]):
        if line.endswith(": Skipped"):
            return following
    return lines[-1] if lines else "no reason given"


def main():
    outcomes = {"passed": 0, "failed": 0, "skipped": 0}
    reports = [argument.split("=", 1) for argument in sys.argv[1:]]
    asked_for = {label for label, _ in reports}
    must_run = {label: 0 for label in os.environ.get("KSC_MUST_RUN", "").split() if label in asked_for}
    complaints = []
    for label, report in reports:
        if not os.path.exists(report):
            outcomes["failed"] += 1
            complaints.append(f"FAILED {report} was not written")
            continue
        for case in xml.parse(report).getroot().iter("testcase"):
            outcome = outcome_of(case)
            if label in must_run:
                must_run[label] += 1
            if outcome == "skipped":
                complaints.append(f"SKIPPED {case.get('name')}: {reason_of(case)}")
                if label in must_run:
                    complaints.append(f"FAILED {case.get('name')}: tests labelled {label} must run here")
                    outcome = "failed"
            elif outcome == "failed":
                complaints.append(f"FAILED {case.get('name')}")
            outcomes[outcome] += 1
    for label, count in must_run.items():
        if count == 0:
            complaints.append(f"FAILED label {label}: must run here, but there was no such test")
            outcomes["failed"] += 1
    for line in complaints:
        print(line)
    if sum(outcomes.values()) == 0:
        outcomes["failed"] = 1
        print("FAILED no test ran")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**outcomes))
    return 1 if outcomes["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

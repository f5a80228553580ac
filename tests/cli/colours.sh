#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# When messages have colours: on a terminal, unless NO_COLOR or TERM=dumb says otherwise; --color=always and --color=never win.
set -u
ksc=${KSC:?the path of ksc}
command -v python3 >/dev/null || {
  echo "SKIPPED: no python3, which makes the terminal"
  exit 77
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
printf 'fn f() {\n  var x = = 1\n}\n' >"$folder/broken.ks"
python3 - "$ksc" "$folder" <<'PYTHON'
import os, pty, re, subprocess, sys

ksc, folder = sys.argv[1:]
failures = 0

def fail(text):
    global failures
    failures += 1
    print(text)

def messages(arguments, terminal, variables):
    """What ksc writes to standard error, which is a terminal or a pipe; standard output is the other one."""
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    environment.update(variables)
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run([ksc, "check", *arguments, "broken.ks"], cwd=folder, env=environment, stdin=theirs,
                              stdout=subprocess.PIPE if terminal else theirs, stderr=theirs if terminal else subprocess.PIPE)
        if done.returncode != 1:
            fail(f"{arguments}: exit code {done.returncode}")
        if not terminal:
            return done.stderr.decode()
        # What was written waits in the terminal; with its other end closed, reading ends there.
        os.close(theirs)
        theirs = None
        text = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                part = b""
            if not part:
                return text.decode().replace("\r\n", "\n")
            text += part
    finally:
        os.close(ours)
        if theirs is not None:
            os.close(theirs)

plain = messages([], False, {"TERM": "xterm"})
if "broken.ks:2:11: error[KS0100]" not in plain:
    fail(f"the error is not told: {plain!r}")
for arguments, terminal, variables, wanted in [
    ([], True, {"TERM": "xterm"}, True),
    ([], True, {}, True),
    (["--color=auto"], True, {"TERM": "xterm"}, True),
    (["--color=always"], True, {"TERM": "xterm"}, True),
    (["--color=never"], True, {"TERM": "xterm"}, False),
    ([], True, {"TERM": "dumb"}, False),
    ([], True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
    (["--color=auto"], True, {"TERM": "xterm", "NO_COLOR": "yes"}, False),
    # An empty NO_COLOR is as none.
    ([], True, {"TERM": "xterm", "NO_COLOR": ""}, True),
    ([], False, {"TERM": "xterm"}, False),
    (["--color=auto"], False, {"TERM": "xterm"}, False),
    (["--color=always"], False, {"TERM": "dumb", "NO_COLOR": "1"}, True),
    (["--color=always"], True, {"TERM": "dumb", "NO_COLOR": "1"}, True),
    (["--color=never"], False, {"TERM": "xterm"}, False),
]:
    text = messages(arguments, terminal, variables)
    case = f"{' '.join(arguments) or 'no option'}, {'a terminal' if terminal else 'a pipe'}, {variables}"
    if ("\x1b[" in text) != wanted:
        fail(f"{case}: {'no ' if wanted else ''}colours in {text!r}")
    if re.sub("\x1b\\[[0-9;]*m", "", text) != plain:
        fail(f"{case}: without its colours the text is another: {text!r}")

if "\x1b" in messages(["--color=always", "--error-format=json"], False, {}):
    fail("JSON has colours")
sys.exit(failures != 0)
PYTHON

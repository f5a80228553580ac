#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The first SIGINT asks a program to end; where it does not get to that, the second one ends it at once, and nothing stays attached [L186].
# shellcheck source=tests/kernel/network.sh disable=SC2154
source "$(dirname "$0")/network.sh"

# It prints into a pipe that nobody reads until it must wait there, in the middle of its work and not at the head of a loop.
cat >"$work/busy.ks" <<'SOURCE'
struct Args { interface: str(16) }

@xdp fn pass(ctx: *xdp_md) -> xdp_action {
    return XDP_PASS
}

fn main(args: Args) -> i32 {
    var program = load(pass)
    attach(program, args.interface, 0)
    loop {
        print("at work on %s", args.interface)
    }
    return 0
}
SOURCE
build "$work/busy.ks"

cat >"$work/signals.py" <<'PYTHON'
"""signals.py SIGNAL[,SIGNAL] COMMAND...: sends the signals while the command waits to print, and tells how it ended."""
import fcntl, os, select, signal, subprocess, sys, time

signals, command = [getattr(signal, name) for name in sys.argv[1].split(",")], sys.argv[2:]
reading, writing = os.pipe()
fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
room = select.poll()
room.register(writing, select.POLLOUT)
program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.STDOUT)

def give_up(why):
    program.kill()
    os.set_blocking(reading, False)
    sys.exit(f"{why}: {os.read(reading, 300)}")

def wait_until(what, holds):
    # The time is nothing but a bound on a test that fails.
    for _ in range(1200):
        if program.poll() is not None:
            give_up(f"it has ended with {program.returncode} instead of this: {what}")
        if holds():
            return
        time.sleep(0.02)
    give_up(f"this did not come: {what}")

def status(name):
    with open(f"/proc/{program.pid}/status") as file:
        return next(line.split()[1] for line in file if line.startswith(name + ":"))

# It has printed something, and sleeps: then it can only be waiting for the pipe, which nobody reads.
wait_until("it waits for its output", lambda: not room.poll(0) and status("State") == "S")
program.send_signal(signals[0])
wait_until("the first signal is seen, and the next one has its usual effect",
           lambda: not int(status("SigCgt"), 16) >> (signals[0] - 1) & 1 and status("State") == "S")
if len(signals) > 1:
    print("it is still there")
    program.send_signal(signals[1])
os.close(writing)
if len(signals) == 1:
    while os.read(reading, 4096):
        pass
try:
    print(f"ended by {program.wait(60)}")
except subprocess.TimeoutExpired:
    give_up("it does not end")
PYTHON

both() { # SIGNALS, what is printed
  nsenter "--net=/run/netns/$far" python3 "$work/signals.py" "$1" "$work/busy/busy" --interface=far0 >"$work/out" 2>&1
  check "$1" "$2" "$(tr '\n' ' ' <"$work/out")"
  # The kernel takes a link back a moment after the process has gone.
  for _ in $(seq 100); do
    [ -z "$(attached)" ] && break
    sleep 0.05
  done
  check "nothing is left" "" "$(attached)"
}

# Alone, the first one is heeded as soon as the program comes to the head of its loop.
both SIGINT "ended by 130 "
both SIGTERM "ended by 143 "
both SIGINT,SIGINT "it is still there ended by -2 "
both SIGTERM,SIGTERM "it is still there ended by -15 "
both SIGINT,SIGTERM "it is still there ended by -15 "
both SIGTERM,SIGINT "it is still there ended by -2 "

done_testing

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""growth.py KSC [LINES...]: how long ksc takes for generated programs, and how that grows with their length.
growth.py KSC --instructions SHAPE FEWER MORE: only how the instructions grow, for one of generate.py's shapes.

Prints a line for each length: median seconds of processor time, per 1,000 lines, and memory. Exits with 1 if the time grows more
than half an order faster than the length between the last two lengths of at least 1,000 lines, or the instructions (where valgrind is
installed) faster at all.
"""
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile


def measure(ksc, path, output):
    """Processor seconds and megabytes of one compilation."""
    pid = os.posix_spawn(ksc, [ksc, "compile", path, "-o", output], os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"ksc failed on {path}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def instructions(ksc, path, output):
    """Instructions of one compilation, counted by valgrind: unlike seconds they say nothing of caches."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={os.devnull}", ksc, "compile", path, "-o", output]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return int(re.search(r"I +refs: +([\d,]+)", text)[1].replace(",", ""))


def growth(first, last, what):
    """The power of the length by which a figure grows between two points."""
    order = math.log(last[1] / first[1]) / math.log(last[0] / first[0])
    print(f"from {first[0]} to {last[0]} lines the {what} with the length to the power of {order:.2f}")
    return order


def generate(folder, shape, length):
    """The path of a generated program, and its lines."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "generate.py")
    path = os.path.join(folder, f"{shape}_{length}.ks")
    text = subprocess.run([sys.executable, script, str(length), shape], stdout=subprocess.PIPE, text=True, check=True).stdout
    with open(path, "w") as file:
        file.write(text)
    return path, text.count("\n")


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: growth.py KSC [LINES... | --instructions SHAPE FEWER MORE]")
    ksc = sys.argv[1]
    if sys.argv[2:3] == ["--instructions"]:
        counted = []
        with tempfile.TemporaryDirectory() as folder:
            for length in map(int, sys.argv[4:6]):
                path, lines = generate(folder, sys.argv[3], length)
                counted.append((lines, instructions(ksc, path, os.path.join(folder, "out"))))
        sys.exit(1 if growth(*counted, "instructions grow") > 1 else 0)
    lengths = [int(word) for word in sys.argv[2:]] or [100, 1000, 10_000, 100_000]
    points, counted = [], []
    print(f"{'lines':>8} {'seconds':>9} {'per 1,000':>10} {'MB':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for length in lengths:
            path, lines = generate(folder, "functions", length)
            runs = sorted(measure(ksc, path, os.path.join(folder, f"out_{length}")) for _ in range(5 if length <= 10_000 else 3))
            seconds, megabytes = runs[len(runs) // 2]
            print(f"{lines:8} {seconds:9.3f} {seconds * 1000 / lines:10.4f} {megabytes:7.0f}", flush=True)
            points.append((lines, seconds))
            if 900 <= lines <= 20_000 and shutil.which("valgrind"):
                counted.append((lines, instructions(ksc, path, os.path.join(folder, f"counted_{length}"))))
    long = [point for point in points if point[0] >= 900]
    if len(long) < 2:
        return
    order = growth(*long[-2:], "time grows")
    # Work that is linear takes more than linear time once it leaves the caches; instructions tell the two apart.
    work = growth(*counted[-2:], "instructions grow") if len(counted) > 1 else 1
    sys.exit(1 if order > 1.5 or work > 1 else 0)


if __name__ == "__main__":
    main()

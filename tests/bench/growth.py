#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""growth.py KSC [LINES...]: how long ksc takes for generated programs, and how that grows with their length.

Prints a line for each length: median seconds of processor time, per 1,000 lines, and memory. Exits with 1 if the time grows more
than half an order faster than the length between the last two lengths of at least 1,000 lines.
"""
import math
import os
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


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: growth.py KSC [LINES...]")
    ksc = sys.argv[1]
    lengths = [int(word) for word in sys.argv[2:]] or [100, 1000, 10_000, 100_000]
    generate = os.path.join(os.path.dirname(os.path.abspath(__file__)), "generate.py")
    points = []
    print(f"{'lines':>8} {'seconds':>9} {'per 1,000':>10} {'MB':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for length in lengths:
            path = os.path.join(folder, f"lines_{length}.ks")
            with open(path, "w") as file:
                subprocess.run([sys.executable, generate, str(length)], stdout=file, check=True)
            with open(path) as file:
                lines = sum(1 for _ in file)
            runs = sorted(measure(ksc, path, os.path.join(folder, f"out_{length}")) for _ in range(5 if length <= 10_000 else 3))
            seconds, megabytes = runs[len(runs) // 2]
            print(f"{lines:8} {seconds:9.3f} {seconds * 1000 / lines:10.4f} {megabytes:7.0f}", flush=True)
            points.append((lines, seconds))
    long = [point for point in points if point[0] >= 900]
    if len(long) < 2:
        return
    (a, s), (b, t) = long[-2:]
    order = math.log(t / s) / math.log(b / a)
    print(f"from {a} to {b} lines the time grows with the length to the power of {order:.2f}")
    sys.exit(1 if order > 1.5 else 0)


if __name__ == "__main__":
    main()

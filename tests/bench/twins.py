#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""twins.py KSC MEASURE_TWINS: five examples against the same program written by hand (twins/*.bpf.c).

Prints instructions after the kernel's translation and nanoseconds a run, ksc's and the twin's, and their ratios. Exits with 1 if
the two disagree about the verdict, 77 where programs cannot be loaded.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "..", "..", "examples")


def ethernet(protocol):
    return "020000000002" + "020000000001" + f"{protocol:04x}"


def ipv4(protocol, payload, ttl=64):
    return f"4500{20 + len(payload) // 2:04x}00004000{ttl:02x}{protocol:02x}00000a4d00010a4d0002" + payload


def tcp(port, flags):
    return f"c350{port:04x}" + "00000001" + "00000000" + f"50{flags:02x}" + "ffff00000000"


# What runs, over what packet, with what in the maps.
CASES = [
    ("packet_filter", "passes", ethernet(0x800) + "00" * 100, []),
    ("packet_filter", "drops", ethernet(0x800) + "00" * 1400, []),
    ("port_blocklist", "open port", ethernet(0x800) + ipv4(6, tcp(80, 0x10)), []),
    ("port_blocklist", "blocked port", ethernet(0x800) + ipv4(6, tcp(23, 0x10)), ["blocked=1700:0000000000000000"]),
    ("syn_limiter", "no SYN", ethernet(0x800) + ipv4(6, tcp(80, 0x10)), []),
    ("syn_limiter", "SYN", ethernet(0x800) + ipv4(6, tcp(80, 0x02)), []),
    ("vlan_filter", "allowed", ethernet(0x8100) + "00640800" + "00" * 60, ["allowed=64000000:01"]),
    ("vlan_filter", "dropped", ethernet(0x8100) + "00650800" + "00" * 60, []),
    ("ip_quota", "counted", ethernet(0x800) + ipv4(6, tcp(80, 0x10)), []),
]


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: twins.py KSC MEASURE_TWINS")
    ksc, measure = (os.path.abspath(word) for word in sys.argv[1:])
    clang = os.environ.get("CLANG") or shutil.which("clang-19") or shutil.which("clang-14") or shutil.which("clang")
    multiarch = subprocess.run(["cc", "-print-multiarch"], capture_output=True, text=True).stdout.strip()
    flags = ["-target", "bpf", "-mcpu=v3", "-O2", "-g", f"-I/usr/include/{multiarch}", f"-D__{os.uname().machine}__"]
    code = 0
    print(f"{'program':16} {'case':14} {'instructions':>20} {'ratio':>6} {'ns a run':>14} {'ratio':>6}   verdict")
    with tempfile.TemporaryDirectory() as folder:
        for name in dict.fromkeys(case[0] for case in CASES):
            project, twin = os.path.join(folder, name), os.path.join(folder, name + ".twin.o")
            subprocess.run([ksc, "compile", os.path.join(EXAMPLES, name + ".ks"), "-o", project], check=True)
            subprocess.run(["make", "--silent", "-C", project, f"CLANG={clang}", f"{name}.ebpf.o"], check=True)
            subprocess.run([clang, *flags, "-c", os.path.join(HERE, "twins", name + ".bpf.c"), "-o", twin], check=True)
            for program, case, packet, maps in CASES:
                if program != name:
                    continue
                done = subprocess.run([measure, os.path.join(project, name + ".ebpf.o"), twin, name, packet, *maps],
                                      capture_output=True, text=True)
                if done.returncode != 0:
                    print(done.stderr, end="")
                    if "Operation not permitted" in done.stderr:
                        print("SKIPPED: programs cannot be loaded into the kernel here")
                        sys.exit(77)
                    code = 1
                    continue
                r = json.loads(done.stdout)
                same = r["verdict"] == r["twin_verdict"]
                code = code if same else 1
                print(f"{name:16} {case:14} {r['instructions']:>9} / {r['twin_instructions']:<8} "
                      f"{r['instructions'] / r['twin_instructions']:>6.2f} {r['nanoseconds']:>6} / {r['twin_nanoseconds']:<5} "
                      f"{r['nanoseconds'] / max(1, r['twin_nanoseconds']):>6.2f}   "
                      f"{r['verdict']}{'' if same else ' and ' + str(r['twin_verdict']) + ': they differ'}", flush=True)
    sys.exit(code)


if __name__ == "__main__":
    main()

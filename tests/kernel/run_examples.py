#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the programs of an example in the kernel and compares verdicts, packets and maps with a table.

    run_examples.py RUN_PROGRAM OBJECT TABLE.json

A table is a list of cases. Each case starts from fresh maps:

    {"name": "what is tried", "run": "the program",
     "set":     {"map": {"key": "<H", "value": "<Q", "entries": [[23, 0]]}},
     "globals": {"limit": ["<I", 3]},
     "packets": [["eth(ip(tcp(dport=23)))", "XDP_DROP"], ["eth(ip())", "XDP_TX", "the packet afterwards"]],
     "maps":    {"map": {"key": "<H", "value": "<QQ", "entries": [[23, [1, null]]]}}}

A packet is an expression over the functions below; a number after it sends it so often. Formats are those of Python's
struct module; null stands for any value. Values of per-CPU maps ("per_cpu": true) are added up, and entries that are wholly zero need
not be listed in maps with "zeros": false.
"""
import ipaddress
import json
import os
import struct
import subprocess
import sys

VERDICTS = {"XDP_ABORTED": 0, "XDP_DROP": 1, "XDP_PASS": 2, "XDP_TX": 3, "XDP_REDIRECT": 4,
            "TC_ACT_OK": 0, "TC_ACT_SHOT": 2}


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Layer(bytes):
    """Bytes that know what they are for the layer around them."""
    def __new__(cls, data, number):
        layer = super().__new__(cls, data)
        layer.number = number
        return layer


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def eth(payload=b"", src="02:00:00:00:00:01", dst="02:00:00:00:00:02", type=None):
    number = type if type is not None else getattr(payload, "number", 0x88B5)
    return mac(dst) + mac(src) + struct.pack(">H", number) + payload


def vlan(payload=b"", id=1, priority=0, type=0x8100):
    return Layer(struct.pack(">HH", priority << 13 | id, getattr(payload, "number", 0x88B5)) + payload, type)


def arp():
    return Layer(struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + bytes(20), 0x0806)


def ip(payload=b"", src="10.0.0.1", dst="10.0.0.2", ttl=64, fragment=0, options=b"", protocol=None):
    number = protocol if protocol is not None else getattr(payload, "number", 253)
    words = 5 + len(options) // 4
    head = struct.pack(">BBHHHBBH4s4s", 0x40 | words, 0, words * 4 + len(payload), 1, fragment, ttl, number, 0,
                       ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed) + options
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return Layer(head + payload, 0x0800)


def ip6(payload=b"", src="fd00::1", dst="fd00::2"):
    head = struct.pack(">IHBB", 6 << 28, len(payload), getattr(payload, "number", 59), 64)
    return Layer(head + ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed + payload, 0x86DD)


def extension(head, number, payload=b""):
    """An extension header of IPv6, whose bytes say in hexadecimal all but what follows it."""
    data = bytes.fromhex(head)
    return Layer(bytes([getattr(payload, "number", 59)]) + data + payload, number)


def tcp(sport=40000, dport=80, flags="S", payload=b"", check=0):
    bits = sum({"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32}[flag] for flag in flags)
    return Layer(struct.pack(">HHIIBBHHH", sport, dport, 1, 0, 5 << 4, bits, 1000, check, 0) + payload, 6)


def udp(sport=40000, dport=53, payload=b""):
    return Layer(struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload, 17)


def icmp(type=8, code=0, id=1, seq=1, payload=b""):
    head = struct.pack(">BBHHH", type, code, 0, id, seq)
    head = head[:2] + struct.pack(">H", checksum(head + payload)) + head[4:]
    return Layer(head + payload, 1)


def address(text):
    """An address as a program sees it that loads it from a packet."""
    return struct.unpack("=I", ipaddress.ip_address(text).packed)[0]


BUILDERS = {f.__name__: f for f in (eth, vlan, arp, ip, ip6, extension, tcp, udp, icmp, mac, address, bytes, range)}


def build(expression):
    return eval(expression, {"__builtins__": {}}, dict(BUILDERS))


def encode(form, value):
    values = value if isinstance(value, list) else [value]
    return struct.pack(form, *(build(v) if isinstance(v, str) else v for v in values))


def decode(form, data):
    return list(struct.unpack(form, data))


def cpus():
    with open("/sys/devices/system/cpu/possible", encoding="ascii") as file:
        return sum(int(part.split("-")[-1]) - int(part.split("-")[0]) + 1 for part in file.read().strip().split(","))


def entries_of(description, found):
    """What the kernel gave, as numbers: {key: [value...]}."""
    out = {}
    for key_hex, value_hex in found:
        value = bytes.fromhex(value_hex)
        size = struct.calcsize(description["value"])
        step = (size + 7) // 8 * 8 if description.get("per_cpu") else len(value)
        parts = [decode(description["value"], value[at:at + size]) for at in range(0, len(value), step)]
        total = parts[0]
        for part in parts[1:]:
            total = [a + b for a, b in zip(total, part)]
        if any(any(part) if isinstance(part, bytes) else part for part in total) or description.get("zeros", True):
            out[tuple(decode(description["key"], bytes.fromhex(key_hex)))] = total
    return out


def as_numbers(value):
    values = value if isinstance(value, list) else [value]
    return [build(v) if isinstance(v, str) else v for v in values]


def compare_map(name, description, found):
    actual = entries_of(description, found)
    wanted = {tuple(as_numbers(key)): as_numbers(value) for key, value in description["entries"]}
    faults = [f"{name}[{key}]: not there" for key in wanted if key not in actual]
    faults += [f"{name}[{key}] = {value}: should not be there" for key, value in actual.items() if key not in wanted]
    for key, value in wanted.items():
        got = actual.get(key)
        if got is not None and (len(got) != len(value) or any(w is not None and w != g for w, g in zip(value, got))):
            faults.append(f"{name}[{key}] = {got}, wanted {value}")
    return faults


def batch_item(case):
    item = {"program": case["run"], "packets": [], "dump": list(case.get("maps", {}))}
    for packet in case["packets"]:
        item["packets"].append(build(packet[0]).hex())
    item["globals"] = {name: encode(*value).hex() for name, value in case.get("globals", {}).items()}
    item["set"] = []
    for name, description in case.get("set", {}).items():
        for key, value in description["entries"]:
            data = encode(description["value"], value)
            if description.get("per_cpu"):
                data = (data + bytes(-len(data) % 8)) + bytes((len(data) + 7) // 8 * 8) * (cpus() - 1)
            item["set"].append([name, encode(description["key"], key).hex(), data.hex()])
    return item


def repeated(row):
    times = [part for part in row if isinstance(part, int)] or [1]
    return [[part for part in row if not isinstance(part, int)]] * times[0]


def faults_of(case, lines):
    faults = []
    for packet, line in zip(case["packets"], lines):
        if line["return"] != VERDICTS[packet[1]]:
            faults.append(f"{packet[0]}: returned {line['return']}, wanted {packet[1]}")
        if len(packet) > 2 and line["packet"] != build(packet[2]).hex():
            faults.append(f"{packet[0]}: became {line['packet']}, wanted {build(packet[2]).hex()}")
    for line in lines[len(case["packets"]):]:
        faults += compare_map(line["map"], case["maps"][line["map"]], line["entries"])
    return faults


def main():
    run_program, obj, table = sys.argv[1:]
    with open(table, encoding="utf-8") as file:
        cases = json.load(file)
    if not cases:
        sys.exit(f"{table}: no cases")
    for case in cases:
        case["packets"] = [packet for row in case["packets"] for packet in repeated(row)]
    ran = subprocess.run([run_program, obj, "--batch"], input=json.dumps([batch_item(case) for case in cases]),
                         capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        print(ran.stderr[-4000:])
        sys.exit(f"FAILED: {os.path.basename(obj)}: run_program exits with {ran.returncode}")
    failed = 0
    for case, line in zip(cases, ran.stdout.splitlines(), strict=True):
        faults = faults_of(case, json.loads(line))
        print(f"{'FAILED' if faults else 'ok'}: {case['run']}: {case['name']}")
        for fault in faults:
            print(f"    {fault}")
        failed += bool(faults)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tells which verdict an XDP program gives a packet, and how many instructions it runs for that.

  count_instructions.py OBJECT PACKET...     a packet is written in hexadecimal digits

The kernel counts the runs of a program and their time, but not their instructions. This runs the program's own, as they stand in the
object (Documentation/bpf/standardization/instruction-set.rst), with its calls of functions in `.text`, and variables that begin as zero;
it knows no maps and no helpers.
Prints `VERDICT INSTRUCTIONS` for each packet.
"""
import struct
import sys

CONTEXT, VARIABLES, PACKET, STACK_END = 0x1000, 0x10000, 0x100000, 0x300000
FRAME = 512
LARGEST = (1 << 64) - 1


def sections(image):
    """The object's sections by name, each with its type, its bytes, and the section that it is about."""
    table, size, count, names = *struct.unpack_from("<Q", image, 40), *struct.unpack_from("<3H", image, 58)
    headers = [struct.unpack_from("<2I4Q2I2Q", image, table + size * at) for at in range(count)]

    def data(header):
        return image[header[4]:header[4] + header[5]]

    def text(strings, at):
        return strings[at:strings.index(b"\0", at)].decode()

    return [(text(data(headers[names]), header[0]), header[1], data(header), header[7]) for header in headers]


def code_of(image):
    """The instructions of the program with those of `.text` behind them, and what each that names a function or a variable means."""
    found = sections(image)
    at_section, code, variables = {}, b"", {}
    for wanted in ("xdp", ".text"):
        for number, (name, kind, data, _) in enumerate(found):
            if name == wanted and kind == 1:
                at_section[number] = len(code) // 8
                code += data
            elif name == ".bss":
                variables[number] = VARIABLES
    symbols = next(data for _, kind, data, _ in found if kind == 2)
    targets = {}
    for name, kind, data, about in found:
        if kind != 9 or about not in at_section:
            continue
        for place, info in struct.iter_unpack("<2Q", data):
            _, _, _, section, value, _ = struct.unpack_from("<IBBHQQ", symbols, 24 * (info >> 32))
            use = at_section[about] + place // 8
            added = struct.unpack_from("<i", code, 8 * use + 4)[0]
            if section in at_section:
                targets[use] = at_section[section] + value // 8 + added + 1
            elif section in variables:
                targets[use] = variables[section] + value + added
            else:
                raise SystemExit(f"{name}: the program reaches what is neither code nor a variable")
    return code, targets


def signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


class Machine:
    def __init__(self, image, packet):
        self.code, self.targets = code_of(image)
        context = struct.pack("<2I", PACKET, PACKET + len(packet))
        self.regions = [(CONTEXT, bytearray(context)), (PACKET, bytearray(packet)),
                        (VARIABLES, bytearray(4096)), (STACK_END - 8 * FRAME, bytearray(8 * FRAME))]

    def memory(self, address, size):
        for start, data in self.regions:
            if start <= address and address + size <= start + len(data):
                return data, address - start
        raise SystemExit(f"the program accesses what is not there: {address:#x}")

    def run(self):
        registers = [0] * 11
        registers[1], registers[10] = CONTEXT, STACK_END
        calls, at, count = [], 0, 0
        while True:
            opcode, names, offset, number = struct.unpack_from("<BBhi", self.code, 8 * at)
            to, source = names & 15, names >> 4
            kind, count = opcode & 7, count + 1
            at += 1
            if opcode == 0x95:  # exit
                if not calls:
                    return registers[0], count
                at, registers[6:11] = calls.pop()
            elif opcode == 0x85:
                if source != 1:
                    raise SystemExit(f"the program calls helper {number}")
                calls.append((at, registers[6:11]))
                registers[10] -= FRAME
                at = self.targets.get(at - 1, at + number)
            elif kind in (4, 7):
                registers[to] = self.calculate(opcode, registers[to], registers[source], number)
            elif kind in (5, 6):
                if self.jumps(opcode, registers[to], registers[source], number):
                    at += offset
            elif opcode == 0x18:
                value = (number & 0xffffffff) | struct.unpack_from("<I", self.code, 8 * at + 4)[0] << 32
                registers[to] = self.targets.get(at - 1, value)
                at += 1
            else:
                size = (4, 2, 1, 8)[opcode >> 3 & 3]
                data, place = self.memory(registers[source if kind == 1 else to] + offset & LARGEST, size)
                if kind == 1:
                    registers[to] = int.from_bytes(data[place:place + size], "little")
                else:
                    value = registers[source] if kind == 3 else number
                    data[place:place + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")

    @staticmethod
    def calculate(opcode, left, right, number):
        bits = 64 if opcode & 7 == 7 else 32
        operation = opcode & 0xf0
        if operation == 0xd0:  # the order of bytes: of the width that the number tells
            size = number // 8
            data = (left & (1 << number) - 1).to_bytes(size, "little")
            return int.from_bytes(data, "big" if opcode & 8 or opcode & 7 == 7 else "little")
        if not opcode & 8:
            right = number
        left, right = left & (1 << bits) - 1, right & (1 << bits) - 1
        shift = right & (bits - 1)
        results = {0x00: left + right, 0x10: left - right, 0x20: left * right, 0x40: left | right, 0x50: left & right,
                   0x60: left << shift, 0x70: left >> shift, 0x80: -left, 0xa0: left ^ right, 0xb0: right,
                   0xc0: signed(left, bits) >> shift}
        if operation in (0x30, 0x90):
            results[0x30], results[0x90] = (left // right, left % right) if right else (0, left)
        return results[operation] & (1 << bits) - 1

    @staticmethod
    def jumps(opcode, left, right, number):
        bits = 64 if opcode & 7 == 5 else 32
        if not opcode & 8:
            right = number
        left, right = left & (1 << bits) - 1, right & (1 << bits) - 1
        lesser, greater = signed(left, bits), signed(right, bits)
        return {0x00: True, 0x10: left == right, 0x20: left > right, 0x30: left >= right, 0x40: left & right != 0,
                0x50: left != right, 0x60: lesser > greater, 0x70: lesser >= greater, 0xa0: left < right,
                0xb0: left <= right, 0xc0: lesser < greater, 0xd0: lesser <= greater}[opcode & 0xf0]


def main():
    with open(sys.argv[1], "rb") as file:
        image = file.read()
    for packet in sys.argv[2:]:
        print(*Machine(image, bytes.fromhex(packet)).run())


main()

# SPDX-License-Identifier: Apache-2.0
"""What a program runs on: variables, maps and a packet."""
from . import tree

MOST_STEPS = 4000


class Machine:
    def __init__(self, world, global_values, maps, packet=b""):
        self.world, self.globals, self.maps, self.packet = world, global_values, maps, bytearray(packet)
        self.frame = {}
        self.steps = 0

    def step(self):
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise tree.TooLong()

    def bad_index(self):
        if self.world == "user":
            raise tree.Panicked()

    def map_get(self, entries, key, absent):
        return self.maps[entries.name].get(key, absent)

    def map_put(self, entries, key, value):
        """Outside an array nothing is written [L51]. Hashes are made large enough for all keys."""
        if not entries.is_array or 0 <= key < entries.entries:
            self.maps[entries.name][key] = value

    def reference(self, entries, key):
        return (lambda: self.map_get(entries, key, None)), (lambda value: self.map_put(entries, key, value))

    def packet_place(self, at, of_type):
        """A number in the packet, in the order of bytes that memory has."""
        if at < 0 or at + of_type.size > len(self.packet):
            raise tree.FailedCheck()
        where = slice(at, at + of_type.size)

        def put(value):
            self.packet[where] = value.to_bytes(of_type.size, "little", signed=of_type.signed)
        return (lambda: int.from_bytes(self.packet[where], "little", signed=of_type.signed)), put

    def call(self, function, arguments):
        self.step()
        outer = self.frame
        self.frame = dict(zip((p.name for p in function.parameters), arguments))
        if function.named_result:
            self.frame[function.named_result.name] = function.named_result.type.zero
        try:
            tree.execute_all(function.body, self)
            result = None
        except tree.Returned as returned:
            result = returned.value
        if result is None and function.named_result:
            result = self.frame[function.named_result.name]
        self.frame = outer
        return result

    def run(self, body, faults):
        """A program's verdict; `faults` are those of failed checks and of panic [L162]."""
        self.step()
        self.frame = {}
        try:
            tree.execute_all(body, self)
        except tree.Returned as returned:
            return returned.value
        except tree.FailedCheck:
            return faults[0]
        except tree.Panicked:
            return faults[1]
        raise AssertionError("a program ends with its verdict")


def empty_maps(maps):
    """Arrays have all their entries, as zero."""
    return {m.name: {key: m.value.zero for key in range(m.entries)} if m.is_array else {} for m in maps}

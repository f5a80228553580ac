# SPDX-License-Identifier: Apache-2.0
"""Makes a failing program smaller: what is left fails in the same way."""
import time

from . import tree

MOST_SECONDS = 120


class Reducer:
    def __init__(self, program, fault, judge):
        self.program, self.fault, self.judge = program, fault, judge
        self.end = time.monotonic() + MOST_SECONDS

    def still_fails(self):
        """Whether the changed program fails in the same way, and still has a meaning."""
        try:
            self.program.table()
            self.program.user_output()
            fault = self.judge(self.program)
        except (tree.Interrupted, KeyError, AssertionError, IndexError, TypeError, AttributeError):
            return False
        if fault is None or fault.kind != self.fault.kind:
            return False
        self.fault = fault
        return True

    def shorten(self, items):
        """Leaves out as many items of a list as it can, from large parts to single ones."""
        size = len(items)
        while size > 0:
            at = 0
            while at < len(items) and time.monotonic() < self.end:
                left_out = items[at:at + size]
                del items[at:at + size]
                if not self.still_fails():
                    items[at:at] = left_out
                    at += size
            size //= 2

    def blocks_of(self, body):
        for statement in body:
            for block in statement.blocks:
                yield block
                yield from self.blocks_of(block)

    def unwrap(self, body):
        """A statement becomes one of its blocks."""
        for block in [body] + list(self.blocks_of(body)):
            at = 0
            while at < len(block):
                for inner in block[at].blocks:
                    statement = block[at]
                    block[at:at + 1] = inner
                    if time.monotonic() < self.end and self.still_fails():
                        break
                    block[at:at + len(inner)] = [statement]
                at += 1

    def simplify(self, node):
        """An operand takes the place of an operation of its type."""
        for index, part in enumerate(node.parts):
            inputs = [v for v in self.program.inputs if v is not part and not part.constant]
            for smaller in inputs + list(tree.uses(part))[1:]:
                if time.monotonic() >= self.end:
                    return
                if smaller.type == part.type and part.type is not None and not isinstance(smaller, tree.Statement):
                    node.parts[index] = smaller
                    if self.still_fails():
                        break
                    node.parts[index] = part
            self.simplify(node.parts[index])
        for block in node.blocks:
            for statement in block:
                self.simplify(statement)

    def run(self):
        program = self.program
        self.shorten(program.cases)
        self.shorten(program.user_calls)
        for _ in range(2):
            self.shorten(program.programs)
            bodies = [part.body for part in program.programs + program.functions]
            for body in bodies:
                self.shorten(body)
                self.unwrap(body)
                for block in list(self.blocks_of(body)):
                    self.shorten(block)
            self.shorten(program.functions)
        for part in program.programs + program.functions:
            for statement in part.body:
                self.simplify(statement)
        for declarations in (program.functions, program.maps, program.globals, program.inputs, program.constant_arrays, program.constants,
                             program.structs, program.enums):
            self.shorten(declarations)
        return self.fault


def reduce(program, fault, judge):
    return Reducer(program, fault, judge).run()

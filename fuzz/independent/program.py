# SPDX-License-Identifier: Apache-2.0
"""A random program: its declarations, statements, and the cases that it is tried with."""
import random

from . import tree
from .expressions import Expressions
from .machine import Machine, empty_maps
from .types import BOOL, CHAR, I8, I32, I64, INTEGERS, U8, U16, U32, U64, Array, Enum, Integer, Scalar, Struct, Text, enum, leaves, widens

MOST_RESULTS = 200
SHORTEST = {b"\x08\x00": 34, b"\x86\xdd": 54}  # bytes of an Ethernet and an IP header
HOOKS = {"xdp": ("@xdp", "*xdp_md", "xdp_action", {"XDP_ABORTED": 0, "XDP_DROP": 1, "XDP_PASS": 2, "XDP_TX": 3}, "XDP_PASS", "XDP_ABORTED"),
         "tc": ('@tc("ingress")', "*__sk_buff", "i32", {"TC_ACT_OK": 0, "TC_ACT_SHOT": 2}, "TC_ACT_OK", "TC_ACT_SHOT")}


class KernelProgram:
    def __init__(self, name, hook, on_fault):
        self.name, self.hook, self.on_fault = name, hook, on_fault
        self.body = []
        self.size = 0

    def lines(self):
        attribute, context, result = HOOKS[self.hook][:3]
        fault = f"@on_fault({self.on_fault}) " if self.on_fault else ""
        return [f"{fault}{attribute} fn {self.name}(ctx: {context}) -> {result} {{"] + tree.lines_of(self.body, "kernel", 1) + ["}"]

    def faults(self):
        """The verdicts of a failed check and of panic [L162]."""
        _, _, _, verdicts, passing, safe = HOOKS[self.hook]
        return verdicts[self.on_fault or passing], verdicts[safe]


class Case:
    """Inputs, entries that maps begin with, and packets."""

    def __init__(self, program, inputs, entries, packets):
        self.program, self.inputs, self.entries, self.packets = program, inputs, entries, packets


class Program(Expressions):
    """All of a file. What is made depends on the seed alone."""

    def __init__(self, seed):
        self.seed = seed
        self.random = random.Random(seed)
        self.world = "kernel"
        self.hook = self.random.choice(["xdp", "xdp", "tc"])
        self.structs, self.enums, self.constants, self.globals, self.inputs, self.maps, self.functions = [], [], [], [], [], [], []
        self.constant_arrays = []
        self.aliases, self.programs, self.cases, self.user_calls = [], [], [], []
        self.scopes, self.held, self.pointers = [], set(), []
        self.names = 0
        self.results = 0
        self.size, self.most_size = 0, 1500
        self.changed, self.throwing, self.in_packet, self.loops, self.may_jump, self.function = set(), False, False, 0, False, None
        self.declare_types()
        self.declare_variables()
        self.declare_maps()
        for _ in range(self.random.randint(2, 4)):
            self.add_function(in_both_worlds=True)
        for _ in range(self.random.randint(2, 4)):
            self.add_function(in_both_worlds=False)
        for index in reversed(range(self.random.randint(1, 4))):
            self.add_program(index)
        self.add_cases()
        self.add_user_calls()

    def name(self, stem):
        self.names += 1
        return f"{stem}_{self.names}"

    # Declarations.

    def scalar_type(self):
        return self.random.choice(list(INTEGERS.values()) * 2 + [BOOL, CHAR] + self.enums)

    def declare_types(self):
        draw = self.random
        self.text_types = [Text(n) for n in draw.sample([4, 6, 8, 12, 16], 3)]
        for index in range(2):
            values, members = 0, []
            for letter in "ABCD"[:draw.randint(2, 4)]:
                # Zero is a member: what a match over all members gives for other numbers is not said.
                if members and draw.random() < .5:
                    values += draw.choice([1, 4, 100, 1000, 70000])
                members.append((f"E{index}_{letter}", values))
                values += 1
            self.enums.append(enum(f"Enum{index}", members))
        small = [U8, U16, I8, BOOL, CHAR] + self.enums
        self.key_struct = Struct("Key", tuple((f"k{i}", draw.choice(small)) for i in range(draw.randint(1, 3))))
        inner = Struct("Inner", tuple((f"i{i}", self.scalar_type()) for i in range(draw.randint(1, 3))) + (
            ("list", Array(draw.choice(list(INTEGERS.values())), draw.randint(2, 4))),))
        parts = [(f"f{i}", self.scalar_type()) for i in range(draw.randint(1, 4))]
        parts.append(("inner", inner))
        if draw.random() < .5:
            parts.append(("text", draw.choice(self.text_types)))
        if draw.random() < .5:
            parts.append(("inners", Array(inner, 2)))
        if draw.random() < .4:
            parts.append(("bytes", Array(draw.choice([U8, CHAR]), draw.choice([3, 4, 8]))))
        draw.shuffle(parts)
        self.header = Struct("Header", tuple((f"h{i}", draw.choice(list(INTEGERS.values()))) for i in range(draw.randint(2, 4))))
        self.structs = [self.key_struct, inner, Struct("Outer", tuple(parts))]
        self.array_types = [Array(self.scalar_type(), draw.randint(2, 8)), Array(draw.choice([U8, CHAR]), draw.choice([4, 8])),
                            Array(Array(draw.choice(list(INTEGERS.values())), 2), 3), Array(draw.choice(self.text_types), 2),
                            Array(self.structs[0], 2)]
        self.aliases = [(f"Alias{i}", draw.choice(list(INTEGERS.values()))) for i in range(4)]
        for index in range(4):
            t = draw.choice(list(INTEGERS.values()))
            value = self.interesting(t)
            self.constants.append((f"CONSTANT_{index}", value, t))

    def every_type(self):
        return list(INTEGERS.values()) + [BOOL, CHAR] + self.enums + self.structs + self.array_types + self.text_types

    def any_type(self):
        x = self.random.random()
        if x < .7:
            return self.scalar_type()
        return self.random.choice(self.structs if x < .8 else self.array_types if x < .9 else self.text_types)

    def constant_value(self, t):
        """A constant of a type, as an initial value."""
        if isinstance(t, Text):
            node = self.text_literal(t.length)
        elif isinstance(t, Struct):
            indexes = [i for i in range(len(t.fields)) if self.chance(.8)]
            node = tree.StructValue(t, indexes, [self.constant_value(t.fields[i][1]) for i in indexes])
        elif isinstance(t, Array):
            node = tree.ArrayValue(t, [self.constant_value(t.element) for _ in range(self.random.randint(1, t.length))])
        else:
            node = self.constant(t)
        return node

    def declare_variables(self):
        """An input of each type, which cases set, and some globals of each kind."""
        for t in self.every_type():
            self.inputs.append(tree.Variable(f"input_{len(self.inputs)}", t, "input", False, self.constant_value(t)))
        for _ in range(self.random.randint(4, 8)):
            t = self.any_type()
            kind = self.random.choice(["global", "global", "local global"])
            self.globals.append(tree.Variable(self.name("global"), t, kind, True, self.constant_value(t) if self.chance(.7) else None))
        for index, t in enumerate([Array(self.random.choice(list(INTEGERS.values())), 3), Array(U32, 2), self.text_types[0]]):
            constant = tree.Variable(f"CONSTANT_VALUE_{index}", t, "constant", False, self.constant_value(t))
            (self.inputs if isinstance(t, Text) else self.constant_arrays).append(constant)
        for index in range(2):
            t = self.random.choice(list(INTEGERS.values()) + [BOOL])
            self.globals.append(tree.Variable(f"settings.setting_{index}", t, "config", True, self.constant_value(t)))

    def declare_maps(self):
        draw = self.random
        per_cpu, first, second = draw.choice(["percpu_hash", "percpu_array"]), draw.choice(["hash", "lru_hash"]), draw.choice(["hash", "lru_hash"])
        for kind in ["hash", first, "array", per_cpu, second]:
            aggregates = self.structs[1:] * 4 + [self.text_types[0]] + self.array_types[:3]
            value = draw.choice(list(INTEGERS.values()) * 2 + [BOOL, self.enums[0]] + aggregates)
            if kind.startswith("percpu"):
                value = draw.choice(list(INTEGERS.values()))
            key = U32 if kind.endswith("array") else draw.choice([U8, U16, U32, U64, I32, I64, self.enums[0], self.key_struct, self.key_struct, CHAR])
            self.maps.append(tree.Map(self.name("map"), kind, key, value, 16 if kind.endswith("array") else 2048))

    # Scopes.

    def visible(self):
        out = [v for scope in self.scopes for v in scope]
        out += self.inputs
        if self.function is None or not self.function.in_both_worlds:
            out += self.globals
        elif self.function.shares:
            out += [v for v in self.globals if v.kind != "local global"]
        return out

    # Functions and programs.

    def begin(self, parameters, function):
        self.scopes, self.held, self.pointers, self.changed, self.throwing = [list(parameters)], set(), [], set(), False
        self.size, self.loops, self.may_jump, self.function = 0, 0, False, function

    def add_function(self, in_both_worlds):
        draw = self.random
        result = self.any_type() if draw.random() < .9 or in_both_worlds else None
        takes_context = not in_both_worlds and draw.random() < .3
        types = [self.any_type() for _ in range(draw.randint(0, 5) if draw.random() < .85 else draw.randint(5, 9))]
        like = draw.choice(self.functions) if self.functions and draw.random() < .3 else None
        if like and like.in_both_worlds == in_both_worlds and not takes_context:
            types, result = [p.type for p in like.parameters], like.result
        parameters = [tree.Variable(self.name("given"), t, "local") for t in types]
        named = tree.Variable(self.name("result"), result, "local") if result and draw.random() < .2 else None
        function = tree.Function(self.name("function"), parameters, result, named)
        function.in_both_worlds, function.takes_context = in_both_worlds, HOOKS[self.hook][1] if takes_context else None
        function.shares = in_both_worlds and draw.random() < .5
        self.world = "user" if in_both_worlds else "kernel"
        self.begin(parameters + ([named] if named else []), function)
        self.may_throw = not in_both_worlds and draw.random() < .4
        self.in_packet = takes_context
        function.body = self.points() + self.block(draw.randint(1, 4), 2, new_scope=False)
        if named and draw.random() < .7:
            function.body.append(tree.Return())
        elif result:
            function.body.append(tree.Return(self.converted(result), bare=draw.random() < .3 and not isinstance(result, Array)))
        function.throws, function.changes = self.throwing, self.changed
        function.size = self.size + sum(1 for statement in function.body for _ in tree.uses(statement))
        self.functions.append(function)
        self.world, self.may_throw = "kernel", False

    def points(self):
        """Pointers into the packet, for those who have the context."""
        if not self.in_packet:
            return []
        self.pointers.append(("ctx->data", 0, None))
        out = []
        if self.chance(.6):
            name, offset = self.name("pointer"), self.random.choice([0, 2, 14, 20])
            self.pointers.append((name, offset, None))
            out.append(tree.Point(name, f"ctx->data + {offset}"))
        if self.chance(.6):
            name, offset = self.name("header"), self.random.choice([0, 14, 17, 34])
            self.pointers.append((name, offset, self.header))
            out.append(tree.Point(name, f"(ctx->data + {offset}) as *Header" if offset else "ctx->data as *Header"))
        return out

    def verdict(self):
        return self.random.choice(list(HOOKS[self.hook][3]))

    def verdict_value(self):
        verdicts = HOOKS[self.hook][3]
        first, second = (tree.Plain(verdicts[v], v, spelling="verdict") for v in (self.verdict(), self.verdict()))
        return first if first.spelled == second.spelled or self.chance(.5) else tree.Choice(self.condition(1), first, second, None)

    def handing_over(self):
        """To a program that was made before, or to one of several [L32]."""
        if self.chance(.5):
            return tree.HandOver(self.random.choice(self.programs))
        subject, patterns, default = self.patterns(2)
        values = [tree.HandOver(self.random.choice(self.programs)) if self.chance(.5) else self.verdict_value() for _ in patterns]
        return tree.Match(subject, patterns, values + [self.verdict_value()] * default, None)

    def add_program(self, index):
        draw = self.random
        program = KernelProgram(f"program_{index}", self.hook, self.verdict() if draw.random() < .2 else None)
        self.begin([], None)
        self.in_packet = True
        body = self.points()
        for _ in range(draw.randint(2, 4)):
            body += self.declaration()
        for _ in range(draw.randint(5, 9)):
            body += self.statement(3)
        body += self.dumps()
        body.append(tree.Return(self.handing_over() if self.programs and self.chance(.3) else self.verdict_value()))
        program.body = body
        program.size = self.size
        self.programs.append(program)

    def dumps(self):
        """Statements that write what the locals hold where the case sees it."""
        out = []
        for variable in [v for v in self.scopes[0] if v.kind == "local"] + self.random.sample(self.globals, 3):
            parts = leaves(variable.type)
            for path, t in self.random.sample(parts, min(4, len(parts))):
                if self.results >= MOST_RESULTS:
                    break
                place = self.place_at(variable, path)
                if isinstance(t, Text):
                    target = tree.Entry(self.texts_map, self.literal_number(self.results % 32))
                else:
                    target = tree.Entry(self.results_map, self.literal_number(self.results))
                    place = tree.Cast(place, I64)
                self.results += 1
                out.append(tree.Assign("=", target, place))
        return out

    results_map = tree.Map("results", "array", U32, I64, MOST_RESULTS)
    texts_map = tree.Map("texts", "array", U32, Text(16), 32)

    @staticmethod
    def literal_number(value):
        return tree.Plain(value, str(value), spelling="decimal")

    def place_at(self, variable, path):
        place = variable
        for index in path:
            place = tree.Field(place, index) if isinstance(place.type, Struct) else tree.Element(place, self.literal_number(index))
        return place

    # Statements.

    def block(self, count, depth, new_scope=True, ends=True):
        if new_scope:
            self.scopes.append([])
        out = []
        for _ in range(count):
            out += self.statement(depth)
        if ends and new_scope:
            out += self.ending()
        if new_scope:
            self.scopes.pop()
        return out

    def ending(self):
        """What may end a block early."""
        x = self.random.random()
        if x < .12 and self.may_jump:
            return [tree.Jump(self.chance(.5))]
        if x < .17:
            if self.function is None:
                return [tree.Return(self.handing_over() if self.programs and self.chance(.3) else self.verdict_value())]
            if self.function.result is None:
                return [tree.Return()]
            if self.function.named_result and self.chance(.5):
                return [tree.Return()]
            return [tree.Return(self.converted(self.function.result, 2))]
        if x < .27 and self.may_throw:
            self.throwing = True
            return [tree.Throw(self.thrown())]
        return []

    def thrown(self):
        if self.chance(.6):
            return self.constant_in(1, 5, 1)
        return tree.Binary("&", self.expression(I32, 1), self.literal(7), I32)

    def statement(self, depth):
        """One statement, with what it needs before it."""
        makers = [self.declaration] * 4 + [self.assignment] * 8
        if self.usable_maps():
            makers += [self.entry_declaration, self.copied_entry] + [self.map_statement] * 4 + [self.packet_write] + [self.stop]
        makers += [self.effect]
        if depth > 0 and self.size < self.most_size:
            makers += [lambda: self.if_statement(depth)] * 3 + [lambda: self.match_statement(depth)] * 2 + [lambda: self.try_statement(depth)] * 2
            if self.usable_maps():
                makers += [lambda: self.if_entry(depth)] * 3
            if self.loops < 2:
                makers += [lambda: self.for_statement(depth)] * 3 + [lambda: self.while_statement(depth)] * 2
                if self.usable_maps() and not self.loops:
                    makers += [self.for_entries]
        made = self.random.choice(makers)()
        self.size += sum(1 for statement in made for _ in tree.uses(statement))
        return made

    def declaration(self):
        t = self.any_type()
        variable = tree.Variable(self.name("local"), t, "local")
        x = self.random.random()
        if x < .1:
            out = tree.Declare(variable, None, True)
        elif x < .2:
            # A plain number alone is a u32, and a wider or a signed type where it does not fit [L15].
            value = self.interesting(self.random.choice([U8, U16, U32, U64, I32, I64]))
            variable.type = next(s for s in (U32, U64, I32, I64) if s.holds(value))
            out = tree.Declare(variable, self.literal(value), False)
        elif x < .5:
            value = self.expression(t)
            # What comes from a map keeps its presence in a variable without a type [L50].
            from_map = any(isinstance(node, tree.Entry) or isinstance(node, tree.Variable) and node.from_entry for node in tree.uses(value))
            annotated = value.constant or isinstance(value, tree.ArrayValue) or from_map
            out = tree.Declare(variable, value, annotated)
        else:
            alias = [name for name, of_type in self.aliases if of_type == t]
            out = tree.Declare(variable, self.converted(t), True, alias[0] if alias else None)
        self.scopes[-1].append(variable)
        return [out]

    def copied_entry(self):
        """`var s: S = m[k]` copies, and is zero when absent [L173]."""
        fitting = [m for m in self.usable_maps() if isinstance(m.value, (Struct, Array))]
        if not fitting:
            return self.entry_declaration()
        entries = self.random.choice(fitting)
        variable = tree.Variable(self.name("copy"), entries.value, "local")
        out = tree.Declare(variable, tree.Entry(entries, self.key(entries)), True)
        self.scopes[-1].append(variable)
        return [out]

    def entry_declaration(self):
        fitting = [m for m in self.usable_maps() if isinstance(m.value, Scalar)]
        if not fitting:
            return self.declaration()
        entries = self.random.choice(fitting)
        variable = tree.Variable(self.name("read"), entries.value, "local", False)
        variable.from_entry, variable.may_be_absent = entries, True
        out = tree.DeclareEntry(variable, entries, self.key(entries))
        self.scopes[-1].append(variable)
        return [out]

    def assignment(self):
        """To a variable, or to a part of one."""
        for _ in range(4):
            t = self.any_type()
            paths = self.paths(t, writable=True)
            if paths:
                return [self.assign_to(self.random.choice(paths)())]
        return self.declaration()

    def assign_to(self, place):
        t = place.type
        root = self.note_change(place)
        # Whether what a call changes is seen by the place, or by the old value, is not said.
        may_change, self.may_change = self.may_change, self.may_change and isinstance(place, tree.Variable) and root.kind == "local"
        out = self.assign_with(place, t)
        self.may_change = may_change
        return out

    def note_change(self, place):
        root = place
        while not isinstance(root, (tree.Variable, tree.Entry)):
            root = root.parts[0]
        if isinstance(root, tree.Entry):
            self.changed.add(root.map.name)
        elif root.kind == "reference":
            self.changed.add(root.from_entry.name)
        elif root.kind != "local":
            self.changed.add(root.name)
        return root

    def assign_with(self, place, t):
        if isinstance(t, Integer) and self.chance(.5):
            operator = self.random.choice(["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"])
            if operator in ("<<", ">>"):
                value = self.constant_in(0, t.bits - 1, 0) if self.chance(.5) else self.expression(self.random.choice(list(INTEGERS.values())), 2)
            else:
                value = self.converted(t)
                # A type that is not this one's: the operation would not be at this one.
                if operator in "/%" and value.constant and value.number == 0:
                    value = self.literal(3)
            return tree.Assign(operator + "=", place, value)
        if isinstance(t, Text) and self.chance(.3):
            return tree.Assign("+=", place, self.text_literal(4) if self.chance(.4) else self.expression(self.text_type(), 2))
        if isinstance(place, tree.Variable) and place.kind == "reference":
            return tree.Assign("=", place, self.whole_value(t, 2))
        return tree.Assign("=", place, self.converted(t))

    def effect(self):
        """A call of a function, for what it does."""
        fitting = [f for f in self.functions if self.callable(f) and (f.result is None or f.changes)]
        if not fitting:
            return self.declaration()
        function = self.random.choice(fitting)
        call = self.call_of(function, 2)
        if function.result is None:
            return [tree.Effect(call)]
        variable = tree.Variable(self.name("local"), function.result, "local")
        self.scopes[-1].append(variable)
        return [tree.Declare(variable, call, self.chance(.5))]

    def stop(self):
        if self.chance(.75):
            return self.declaration()
        if self.chance(.3):
            return [tree.If(self.condition(2), [tree.Stop()])]
        return [tree.Stop(self.condition(2))]

    def packet_write(self):
        if not self.in_packet:
            return self.assignment()
        self.changed.add("packet")
        may_change, self.may_change = self.may_change, False
        place = self.packet_place(self.random.choice(list(INTEGERS.values())), 2)
        place = place or tree.PacketByte("ctx->data", 0, self.constant_in(0, 30, 0), U8)
        out = self.assign_with(place, place.type)
        self.may_change = may_change
        return [out]

    def map_statement(self):
        draw = self.random
        entries = draw.choice(self.usable_maps())
        may_change, self.may_change = self.may_change, False
        kind = draw.choice(["whole", "part", "part", "delete", "insert"])
        inserts = entries.name not in self.held or not entries.kind.startswith("lru")
        replaces = entries.name not in self.held or entries.is_array
        out = None
        if kind == "delete" and not entries.is_array and replaces:
            out = tree.Delete(entries, self.key(entries))
        elif kind == "insert" and replaces:
            out = tree.Insert(entries, self.key(entries), self.converted(entries.value, 2), draw.random() < .4)
        elif isinstance(entries.value, (Struct, Array)) and inserts and kind != "whole":
            out = self.assign_with(*self.part_of_entry(entries))
        elif inserts and (replaces or not isinstance(entries.value, (Struct, Text, Array))):
            out = self.assign_with(tree.Entry(entries, self.key(entries)), entries.value)
        if out is not None:
            self.changed.add(entries.name)
        self.may_change = may_change
        return [out] if out is not None else self.assignment()

    def part_of_entry(self, entries):
        """A number in an entry, at indexes that are inside: whether a write that does nothing inserts is not said."""
        place = tree.Entry(entries, self.key(entries))
        while not isinstance(place.type, (Scalar, Text)):
            if isinstance(place.type, Struct):
                place = tree.Field(place, self.random.randrange(len(place.type.fields)))
            else:
                place = tree.Element(place, self.index(place.type.length, always_inside=True))
        return place, place.type

    def if_statement(self, depth):
        condition = self.condition(3)
        then = self.block(self.random.randint(1, 3), depth - 1)
        otherwise = self.block(self.random.randint(1, 2), depth - 1) if self.chance(.4) else None
        if otherwise is None and self.chance(.2):
            last = self.block(1, depth - 1) if self.chance(.5) else None
            otherwise = [tree.If(self.condition(2), self.block(1, depth - 1), last, self.chance(.3))]
        return [tree.If(condition, then, otherwise, self.chance(.3))]

    def if_entry(self, depth):
        entries = self.random.choice(self.usable_maps())
        refers = isinstance(entries.value, (Struct, Text, Array))
        variable = tree.Variable(self.name("entry"), entries.value, "reference" if refers else "local", isinstance(entries.value, (Struct, Array)))
        variable.from_entry = entries
        key = self.key(entries)
        held = set(self.held)
        if refers:
            self.held.add(entries.name)
        self.scopes.append([variable])
        then = self.block(self.random.randint(1, 3), depth - 1)
        self.scopes.pop()
        self.held = held
        test = self.random.choice([None, None, " != null", " == null"] + [""] * refers)
        return [tree.IfEntry(variable, entries, key, then, self.block(1, depth - 1) if self.chance(.4) else [], test)]

    def match_statement(self, depth):
        subject, patterns, default = self.patterns(2)
        blocks = [self.block(self.random.randint(1, 2), depth - 1) for _ in range(len(patterns) + default)]
        return [tree.MatchStatement(subject, patterns, blocks)]

    def loop_body(self, depth, before=()):
        self.loops += 1
        may_jump, self.may_jump = self.may_jump, True
        body = list(before) + self.block(self.random.randint(1, 2), depth - 1)
        self.may_jump = may_jump
        self.loops -= 1
        return body

    def for_statement(self, depth):
        draw = self.random
        kind = draw.choice(["constant", "constant", "bounded", "bounded", "last", "crossed", "long", "signed"])
        t = draw.choice(list(INTEGERS.values()))
        closed = draw.random() < .4
        if kind == "long" and not self.loops:
            # So many turns that the loop is none that is unrolled.
            t = draw.choice([U16, U32, U64])
            first, last = self.literal(0), tree.Binary("&", self.expression(t, 1), self.literal(511), t)
            variable = tree.Variable(self.name("turn"), t, "local", False)
            self.scopes.append([variable])
            may_change, self.may_change = self.may_change, False
            body = self.assignment()
            self.may_change = may_change
            self.scopes.pop()
            return [tree.For(variable, first, last, closed, body)]
        if kind == "constant":
            t, start = U32, draw.choice([0, 0, 1, 5])
            first, last = self.literal(start), self.literal(start + draw.randint(1, 5))
        elif kind == "last":
            first, last, closed = self.literal(t.high - draw.randint(0, 3)), self.expression(t, 1), True
        elif kind == "signed":
            t = draw.choice([s for s in INTEGERS.values() if s.signed])
            low = tree.Binary("&", self.expression(t, 1), self.literal(7), t)
            first, last = tree.Binary("-", low, self.literal(4), t), tree.Binary("&", self.expression(t, 1), self.literal(3), t)
        elif kind == "crossed":
            other = draw.choice([s for s in INTEGERS.values() if widens(s, t)])
            first = tree.Binary("&", self.expression(other, 1), self.literal(3), other)
            last = tree.Binary("&", self.expression(t, 1), self.literal(7), t)
        else:
            first, last = self.literal(draw.randint(0, 3)), tree.Binary("&", self.expression(t, 1), self.literal(7), t)
        variable = tree.Variable(self.name("turn"), t, "local", False)
        self.scopes.append([variable])
        body = self.loop_body(depth)
        self.scopes.pop()
        return [tree.For(variable, first, last, closed, body)]

    def while_statement(self, depth):
        """A counter of its own ends it."""
        draw = self.random
        t = draw.choice([U8, U16, U32, U64, I32])
        counter = tree.Variable(self.name("counter"), t, "local", False)
        start = tree.Binary("&", self.expression(t, 1), self.literal(7), t) if draw.random() < .6 else self.literal(draw.randint(1, 6))
        self.scopes[-1].append(counter)
        step = tree.Assign("-=", counter, self.literal(1))
        done = tree.Compare("==", counter, self.literal(0))
        if draw.random() < .5:
            condition = tree.Compare(">", counter, self.literal(0)) if draw.random() < .5 else counter
            if draw.random() < .3:
                condition = tree.Logic("&&", condition, self.condition(1))
            loop = tree.While(condition, self.loop_body(depth, [step]))
        else:
            loop = tree.While(None, self.loop_body(depth, [tree.If(done, [tree.Jump(False)]), step]))
        return [tree.Declare(counter, start, True), loop]

    def for_entries(self):
        """The order of entries is open, so that the body only adds up."""
        fitting = [m for m in self.usable_maps() if m.name not in self.held and isinstance(m.value, (Integer, Struct, Array))]
        if not fitting:
            return self.assignment()
        entries = self.random.choice(fitting)
        total = tree.Variable(self.name("total"), U64, "local")
        self.scopes[-1].append(total)
        refers = isinstance(entries.value, (Struct, Array))
        key = tree.Variable(self.name("key"), entries.key, "local", False)
        value = tree.Variable(self.name("value"), entries.value, "reference" if refers else "local", False)
        scopes, self.scopes = self.scopes, [[key, value]]
        inputs, self.inputs, globals_, self.globals, maps, self.maps = self.inputs, [], self.globals, [], self.maps, []
        numbers = [p for s in INTEGERS.values() for p in self.paths_in(lambda: value, value.type, s) + self.paths_in(lambda: key, key.type, s)]
        self.inputs, self.globals, self.maps = inputs, globals_, maps
        added = tree.Cast(self.random.choice(numbers)(), U64) if numbers else self.literal(1)
        body = [tree.Assign("+=", total, added)]
        self.scopes = scopes
        return [tree.Declare(total, None, True), tree.ForEntries(key, value, entries, body)]

    def try_statement(self, depth):
        """The last clause takes what the others do not, unless the throw may go on."""
        may_throw, throwing = self.may_throw, self.throwing
        self.may_throw = True
        body = self.block(self.random.randint(1, 3), depth - 1)
        if self.chance(.6):
            body.append(tree.If(self.condition(2), [tree.Throw(self.thrown())]))
            body += self.block(1, depth - 1)
        self.may_throw, self.throwing = may_throw, throwing
        clauses, handlers = [], []
        for code in self.random.sample(range(1, 5), self.random.randint(0, 2)):
            clauses.append(("code", str(code), code))
            handlers.append(self.block(1, depth - 1))
        if self.random.random() < .8 or not may_throw or self.world == "user":
            if self.chance(.6):
                variable = tree.Variable(self.name("code"), I32, "local", False)
                clauses.append(("variable", f"({variable.name})", variable))
                self.scopes.append([variable])
                handlers.append(self.block(1, depth - 1))
                self.scopes.pop()
            else:
                clauses.append(("any", "_", None))
                handlers.append(self.block(1, depth - 1))
        else:
            self.throwing = True
        if self.world == "kernel" and (self.chance(.4) or not clauses):
            clauses.append(("bounds", "bounds", None))
            handlers.append(self.block(1, depth - 1))
        return [tree.Try(body, clauses, handlers)]

    # Cases.

    def random_value(self, t):
        if isinstance(t, Text):
            return bytes(self.random.choice(b"abx") for _ in range(self.random.randint(0, t.length - 1)))
        if isinstance(t, Struct):
            return tuple(self.random_value(part) for _, part in t.fields)
        if isinstance(t, Array):
            return tuple(self.random_value(t.element) for _ in range(t.length))
        if t == CHAR:
            return self.random.choice([0, 10, 97, 98, 120, 255])
        return self.interesting(t)

    def add_cases(self):
        for program in self.programs:
            for _ in range(3):
                inputs = {v.name: self.random_value(v.type) for v in self.inputs if v.kind == "input"}
                entries = {}
                for m in self.maps:
                    if not m.kind.startswith("percpu") and self.chance(.6):
                        keys = range(m.entries) if m.is_array else [self.small_key(m.key) for _ in range(4)]
                        entries[m.name] = {key: self.random_value(m.value) for key in keys if self.chance(.7)}
                packets = [self.random_packet(size) for size in (64, 64, self.random.choice([14, 20, 33, 48, 64, 100]))]
                self.cases.append(Case(program, inputs, entries, packets))

    def random_packet(self, size):
        packet = bytearray(self.random.choice([0, 1, 3, 97, 127, 128, 255, self.random.randrange(256)]) for _ in range(size))
        # BPF_PROG_RUN refuses a socket buffer that ends within the IP header which its type promises.
        if size < SHORTEST.get(bytes(packet[12:14]), 0):
            packet[12] = 0
        return bytes(packet)

    def small_key(self, t):
        if isinstance(t, Struct):
            return tuple(self.small_key(part) for _, part in t.fields)
        if isinstance(t, Enum):
            return self.random.choice(t.members)[1]
        return self.random.randint(0, 1 if t == BOOL else 4)

    def add_user_calls(self):
        """Calls of the functions that run in userspace too, with constants."""
        for function in [f for f in self.functions if f.in_both_worlds]:
            for _ in range(3):
                self.user_calls.append((function, [self.constant_value(p.type) for p in function.parameters]))

    # What comes of it.

    def initial_globals(self):
        return {v.name: v.initial.value(None) if v.initial else v.type.zero for v in self.inputs + self.constant_arrays + self.globals}

    def text(self):
        lines = ["// SPDX-License-Identifier: Apache-2.0", f"// Written by fuzz/independent_model, seed {self.seed}."]
        for name, t in self.aliases:
            lines.append(f"type {name} = {t}")
        for e in self.enums:
            lines.append(f"enum {e.name} {{ {', '.join(f'{m} = {v}' for m, v in e.members)} }}")
        for struct in self.structs + [self.header]:
            lines.append(f"struct {struct.name} {{ {', '.join(f'{f}: {t}' for f, t in struct.fields)} }}")
        for name, value, t in self.constants:
            lines.append(f"const {name}: {t} = {value}")
        settings = [v for v in self.globals if v.kind == "config"]
        if settings:
            lines.append(f"config settings {{ {', '.join(f'{v.name[9:]}: {v.type} = {v.initial.text(None)}' for v in settings)} }}")
        for v in self.inputs + self.constant_arrays + self.globals:
            if v.kind != "config":
                word = {"local global": "local var", "constant": "const"}.get(v.kind, "var")
                lines.append(f"{word} {v.name}: {v.type}" + (f" = {v.initial.text(None)}" if v.initial else ""))
        for m in [self.results_map, self.texts_map] + self.maps:
            lines += m.lines()
        for function in self.functions:
            lines += [""] + function.lines("kernel")
        for program in self.programs:
            lines += [""] + program.lines()
        called = [f for f in self.functions if f.in_both_worlds]
        for function in called:
            lines += [""] + function.lines("user")
        lines += [""] + self.main_lines()
        return "\n".join(lines) + "\n"

    def main_lines(self):
        lines = ["fn main() -> i32 {"]
        if self.programs:
            lines.append(f"    var loaded = load({self.programs[0].name})")
        for index, (function, arguments) in enumerate(self.user_calls):
            call = tree.Call(function, arguments)
            lines.append(f"    var r{index} = {call.text('user')}")
            result = tree.Variable(f"r{index}", function.result)
            verbs, values = [], []
            for path, t in leaves(function.result):
                place = self.place_at(result, path)
                verbs.append("[%s]" if isinstance(t, Text) else "%d" if t.signed else "%u")
                values.append((tree.Cast(place, U8) if t == CHAR else place).text("user"))
            lines.append(f'    print("{" ".join(verbs)}", {", ".join(values)})')
        for m in self.maps_in_main():
            lines += [f"    var total_{m.name}: u64 = 0", f"    for (k, v in {m.name}) {{ total_{m.name} += v as u64 + 1 }}",
                      f'    print("%u", total_{m.name})']
        return lines + ["    return 0", "}"]

    def user_output(self):
        """What main prints, and its exit status: a bad index ends it with 134 [L54]."""
        machine = Machine("user", self.initial_globals(), empty_maps(self.maps))
        out = b""
        for function, arguments in self.user_calls:
            try:
                machine.steps = 0
                result = machine.call(function, [a.value(machine) for a in arguments])
            except tree.Panicked:
                return out, 134
            parts = []
            for path, t in leaves(function.result):
                value = result
                for index in path:
                    value = value[index]
                parts.append(b"[" + value + b"]" if isinstance(t, Text) else str(value).encode())
            out += b" ".join(parts) + b"\n"
        for m in self.maps_in_main():
            out += b"%d\n" % U64.wrap(sum(U64.wrap(value) + 1 for value in machine.maps[m.name].values()))
        return out, 0

    def maps_in_main(self):
        """Maps whose entries main adds up at the end, if a function changes them."""
        changed = {name for f, _ in self.user_calls for name in f.changes}
        return [m for m in self.maps if m.name in changed and isinstance(m.value, Integer) and self.programs]

    def drop_panicking_calls(self):
        """All but one that ends main, so that the others are seen."""
        kept, last = [], None
        machine = Machine("user", self.initial_globals(), empty_maps(self.maps))
        for call in self.user_calls:
            before = dict(machine.globals), {name: dict(entries) for name, entries in machine.maps.items()}
            try:
                machine.steps = 0
                machine.call(call[0], [a.value(machine) for a in call[1]])
                kept.append(call)
            except tree.Panicked:
                machine.globals, machine.maps = before
                last = call
        self.user_calls = kept + ([last] if last and self.chance(.3) else [])

    def table(self):
        """The cases in the format of tests/kernel/packets."""
        kernel_text = "\n".join(line for part in self.functions for line in part.lines("kernel")) + "\n".join(
            line for part in self.programs for line in part.lines())
        maps = [m for m in [self.results_map, self.texts_map] + self.maps if f"{m.name}[" in kernel_text or f"{m.name}." in kernel_text
                or f"in {m.name})" in kernel_text]
        out = []
        for index, case in enumerate(self.cases):
            machine = Machine("kernel", {**self.initial_globals(), **case.inputs}, empty_maps([self.results_map, self.texts_map] + self.maps))
            for name, entries in case.entries.items():
                machine.maps[name].update(entries)
            packets = []
            verdicts = {number: name for name, number in HOOKS[case.program.hook][3].items()}
            for packet in case.packets:
                machine.packet, machine.steps = bytearray(packet), 0
                verdict = machine.run(case.program.body, case.program.faults())
                packets.append([f"bytes({list(packet)})", verdicts[verdict], f"bytes({list(machine.packet)})"])
            used = [v for v in self.inputs if v.kind == "input" and mentions(kernel_text, v.name)]
            out.append({
                "name": f"case {index}", "run": case.program.name,
                "set": {m.name: described(m, case.entries[m.name]) for m in maps if case.entries.get(m.name)},
                "globals": {v.name: ["<" + v.type.letters, v.type.numbers(case.inputs[v.name])] for v in used},
                "packets": packets, "maps": {m.name: described(m, machine.maps[m.name]) for m in maps}})
        return out

    def forms(self):
        """How often each form is in the program."""
        bodies = [part.body for part in self.functions + self.programs]
        out = [form for body in bodies for statement in body for node in tree.uses(statement) for form in node.forms()]
        for function in self.functions:
            out += [f"parameter: {tree.kind_of(p.type)}" for p in function.parameters]
            out.append(f"result: {'named' if function.named_result else tree.kind_of(function.result) if function.result else 'none'}")
            out += ["function: throws"] * function.throws + ["function: in both worlds"] * function.in_both_worlds
            out += ["function: shares"] * function.shares
        return out + [f"program: {p.hook}" for p in self.programs] + ["on_fault" for p in self.programs if p.on_fault]


def mentions(text, name):
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        if end == len(text) or not (text[end].isalnum() or text[end] == "_"):
            return True
        at = text.find(name, end)
    return False


def described(m, entries):
    """A map's entries in a table."""
    per_cpu = {"per_cpu": True} if m.kind.startswith("percpu") else {}
    return {"key": "<" + m.key.letters, "value": "<" + m.value.letters, **per_cpu,
            "entries": [[m.key.numbers(key), m.value.numbers(value)] for key, value in entries.items()]}


def make(seed):
    """The program of a seed: the first of its attempts that ends soon."""
    for attempt in range(100):
        program = Program(f"{seed}.{attempt}" if attempt else str(seed))
        try:
            program.drop_panicking_calls()
            program.table()
            program.user_output()
            return program
        except tree.TooLong:
            continue
    raise AssertionError("no program of this seed ends soon")

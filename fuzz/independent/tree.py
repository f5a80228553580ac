# SPDX-License-Identifier: Apache-2.0
"""The tree of a program: what each form is written as, and what it means.

`text(world)` is the form as it is written, in the kernel's world or in userspace, which differ in the names of functions; `value(run)`
is what an expression gives, `execute(run)` what a statement does. Every form has its parts in `parts`, its blocks in `blocks`, so that
a failing program can be made smaller without knowing its forms.
"""
from .types import BOOL, CHAR, Array, Integer, Text

CONDITIONAL, OR, AND, EQUAL, LESS, BIT_OR, BIT_XOR, BIT_AND, SHIFT, SUM, PRODUCT, AS, UNARY, PRIMARY = range(14)
LEVELS = {"||": OR, "&&": AND, "==": EQUAL, "!=": EQUAL, "<": LESS, "<=": LESS, ">": LESS, ">=": LESS, "|": BIT_OR, "^": BIT_XOR,
          "&": BIT_AND, "<<": SHIFT, ">>": SHIFT, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT}
COMPARISONS = {"==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
               ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}


class Interrupted(Exception):
    """What ends an execution."""


class Thrown(Interrupted):
    """A `throw`, up to the clause that takes it [L45]."""

    def __init__(self, code):
        super().__init__()
        self.code = code


class FailedCheck(Interrupted):
    """A packet access that fails [L146]."""


class Panicked(Interrupted):
    """`panic`, `assert`, or userspace at a bad index [L47] [L54]."""


class TooLong(Interrupted):
    """The program takes more steps than are worth it."""


class Left(Interrupted):
    """`break` and `continue`."""

    def __init__(self, goes_on):
        super().__init__()
        self.goes_on = goes_on


class Returned(Interrupted):
    def __init__(self, value):
        super().__init__()
        self.value = value


def arithmetic(operator, left, right, at):
    """[L22], at the type of the operation."""
    if operator == "+":
        return at.wrap(left + right)
    if operator == "-":
        return at.wrap(left - right)
    if operator == "*":
        return at.wrap(left * right)
    if operator == "&":
        return at.wrap(left & right)
    if operator == "|":
        return at.wrap(left | right)
    if operator == "^":
        return at.wrap(left ^ right)
    if operator == "<<":
        return at.wrap(left << right % at.bits)
    if operator == ">>":
        return at.wrap(left >> right % at.bits)
    if right == 0:
        return 0 if operator == "/" else left
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return at.wrap(quotient if operator == "/" else left - quotient * right)


def truth(value):
    """A condition: a number that is not zero, a text that is not empty [L25]."""
    return bool(value)


class Node:
    """A form; `form` is the name under which it is counted."""
    level = PRIMARY
    constant = False
    type = None

    def __init__(self, *parts):
        self.parts = list(parts)
        self.blocks = []

    @property
    def form(self):
        return type(self).__name__

    def forms(self):
        return [self.form]

    def written(self, index, world, level=CONDITIONAL):
        """A part, in parentheses where it binds less tightly than `level`."""
        part = self.parts[index]
        text = part.text(world)
        return f"({text})" if part.level < level or level == UNARY and text.startswith("-") else text


class Plain(Node):
    """A constant expression, computed exactly: a number without a type of its own [L23]."""
    constant = True

    def __init__(self, value, text, level=PRIMARY, spelling="literal", typed=None):
        super().__init__()
        self.number, self.spelled, self.level, self.spelling, self.type = value, text, level, spelling, typed

    def forms(self):
        return [f"constant: {self.spelling}"]

    def text(self, world):
        return self.spelled

    def value(self, run):
        return self.number


class Variable(Node):
    """A local, a global, or a member of a config block; `writable` says whether statements may assign to it."""

    def __init__(self, name, of_type, kind="local", writable=True, initial=None):
        super().__init__()
        self.name, self.type, self.kind, self.writable, self.initial = name, of_type, kind, writable, initial
        self.from_entry = None  # the map, for what `m[k]` gave
        self.may_be_absent = False

    def forms(self):
        return [f"variable: {self.kind}, {kind_of(self.type)}"]

    def text(self, world):
        return self.name

    def resolve(self, run):
        cells = run.frame if self.kind in ("local", "reference") else run.globals
        if self.kind == "reference":
            return cells[self.name]

        def put(value):
            cells[self.name] = value
        return (lambda: cells[self.name]), put

    def value(self, run):
        return self.resolve(run)[0]()


def kind_of(t):
    """The kind of a type, for the counts."""
    if isinstance(t, (Integer,)) or t in (BOOL, CHAR):
        return t.name
    return type(t).__name__.lower()


class Place(Node):
    def value(self, run):
        return self.resolve(run)[0]()


class Field(Place):
    def __init__(self, base, index, arrow=False):
        super().__init__(base)
        self.index, self.arrow = index, arrow
        self.name, self.type = base.type.fields[index]

    def forms(self):
        return [f"field: {kind_of(self.type)}"]

    def text(self, world):
        return f"{self.written(0, world, PRIMARY)}.{self.name}"

    def value(self, run):
        return self.parts[0].value(run)[self.index]

    def resolve(self, run):
        get, put = self.parts[0].resolve(run)

        def change(value):
            whole = get()
            put(whole[:self.index] + (value,) + whole[self.index + 1:])
        return (lambda: get()[self.index]), change


class Element(Place):
    """An element of an array. A bad index reads zero and writes nothing in the kernel, and ends userspace [L54]."""

    def __init__(self, base, index):
        super().__init__(base, index)
        self.type = base.type.element

    def forms(self):
        return [f"element: {'constant' if self.parts[1].constant else 'variable'} index"]

    def text(self, world):
        return f"{self.written(0, world, PRIMARY)}[{self.written(1, world)}]"

    def value(self, run):
        whole, index = self.parts[0].value(run), self.parts[1].value(run)
        if 0 <= index < len(whole):
            return whole[index]
        run.bad_index()
        return self.type.zero

    def resolve(self, run):
        get, put = self.parts[0].resolve(run)
        index = self.parts[1].value(run)
        length = self.parts[0].type.length
        if not 0 <= index < length:
            run.bad_index()
            return (lambda: self.type.zero), (lambda value: None)

        def change(value):
            whole = get()
            put(whole[:index] + (value,) + whole[index + 1:])
        return (lambda: get()[index]), change


class Entry(Place):
    """`m[k]` in place: absent reads as zero, and a write inserts [L50] [L51]."""

    def __init__(self, entries, key):
        super().__init__(key)
        self.map, self.type = entries, entries.value

    def forms(self):
        return [f"map entry: {self.map.kind}, {kind_of(self.type)}"]

    def text(self, world):
        return f"{self.map.name}[{self.written(0, world)}]"

    def resolve(self, run):
        key = self.parts[0].value(run)
        return (lambda: run.map_get(self.map, key, self.type.zero)), (lambda value: run.map_put(self.map, key, value))


class Present(Node):
    """Whether an entry is there: `m.contains_key(k)`, `m[k] != null`, or `m[k]` as a condition [L25]."""
    type = BOOL

    def __init__(self, entries, key, how):
        super().__init__(key)
        self.map, self.how = entries, how
        self.level = {"contains_key": PRIMARY, "null": EQUAL, "absent": EQUAL, "condition": PRIMARY}[how]

    def forms(self):
        return [f"presence: {self.how}"]

    def text(self, world):
        key = self.written(0, world)
        return {"contains_key": f"{self.map.name}.contains_key({key})", "null": f"{self.map.name}[{key}] != null",
                "absent": f"{self.map.name}[{key}] == null", "condition": f"{self.map.name}[{key}]"}[self.how]

    def value(self, run):
        there = run.map_get(self.map, self.parts[0].value(run), None) is not None
        return int(there != (self.how == "absent"))


class PresentVariable(Node):
    """Whether what such a variable holds was there [L143]."""
    type = BOOL

    def __init__(self, variable, how):
        super().__init__(variable)
        self.how = how
        self.level = PRIMARY if how == "condition" else EQUAL

    def forms(self):
        return [f"presence of a variable: {self.how}"]

    def text(self, world):
        return self.parts[0].name + {"null": " != null", "absent": " == null", "condition": ""}[self.how]

    def value(self, run):
        return int(run.frame[self.parts[0].name, "there"] != (self.how == "absent"))


class CharacterOf(Node):
    """`s[i]`, past the end `'\\0'` [L21]."""
    type = CHAR

    def text(self, world):
        return f"{self.written(0, world, PRIMARY)}[{self.written(1, world)}]"

    def value(self, run):
        text, index = self.parts[0].value(run), self.parts[1].value(run)
        return text[index] if 0 <= index < len(text) else 0


class Unary(Node):
    level = UNARY

    def __init__(self, operator, operand):
        super().__init__(operand)
        self.operator, self.type = operator, operand.type

    def forms(self):
        return [f"operator: unary {self.operator}"]

    def text(self, world):
        return self.operator + self.written(0, world, UNARY)

    def value(self, run):
        operand = self.parts[0].value(run)
        return self.type.wrap(-operand if self.operator == "-" else ~operand)


class Not(Node):
    level = UNARY
    type = BOOL

    def text(self, world):
        return "!" + self.written(0, world, UNARY)

    def value(self, run):
        return int(not truth(self.parts[0].value(run)))


class Binary(Node):
    """An operation at the type where its operands meet [L22] [L23]."""

    def __init__(self, operator, left, right, at):
        super().__init__(left, right)
        self.operator, self.type = operator, at
        self.level = LEVELS[operator]

    def forms(self):
        left, right = self.parts[0].type, self.parts[1].type
        mixed = left is not None and right is not None and left != right
        return [f"operator: {self.operator}", f"arithmetic: {self.type}"] + ["operands: mixed"] * mixed

    def text(self, world):
        return f"{self.written(0, world, self.level)} {self.operator} {self.written(1, world, self.level + 1)}"

    def value(self, run):
        left = self.parts[0].value(run)
        return arithmetic(self.operator, left, self.parts[1].value(run), self.type)


class Compare(Node):
    """A comparison of the values that the operands have; comparisons do not chain [L30]."""
    type = BOOL

    def __init__(self, operator, left, right):
        super().__init__(left, right)
        self.operator = operator
        self.level = LEVELS[operator]

    def forms(self):
        known = [part.type for part in self.parts if part.type is not None]
        signs = len({t.signed for t in known if isinstance(t, Integer)}) > 1
        kinds = sorted({"number" if isinstance(t, Integer) else kind_of(t) for t in known})
        return [f"comparison: {self.operator}", f"compared: {'/'.join(kinds)}"] + ["comparison: mixed signs"] * signs

    def text(self, world):
        return f"{self.written(0, world, LESS + 1)} {self.operator} {self.written(1, world, LESS + 1)}"

    def value(self, run):
        left = self.parts[0].value(run)
        return int(COMPARISONS[self.operator](left, self.parts[1].value(run)))


class Logic(Node):
    """`&&` and `||`, which leave out their second operand where the first decides [L22]."""
    type = BOOL

    def __init__(self, operator, left, right):
        super().__init__(left, right)
        self.operator = operator
        self.level = LEVELS[operator]

    def forms(self):
        return [f"operator: {self.operator}"]

    def text(self, world):
        return f"{self.written(0, world, self.level)} {self.operator} {self.written(1, world, self.level + 1)}"

    def value(self, run):
        left = truth(self.parts[0].value(run))
        if left == (self.operator == "||"):
            return int(left)
        return int(truth(self.parts[1].value(run)))


class Cast(Node):
    """`as`, which truncates or extends as in C [L23], cuts a text off [L21]."""
    level = AS

    def __init__(self, operand, target):
        super().__init__(operand)
        self.type = target

    def forms(self):
        source = self.parts[0].type
        return [f"cast: {kind_of(source) if source else 'constant'} to {kind_of(self.type)}"]

    def text(self, world):
        return f"{self.written(0, world, AS)} as {self.type}"

    def value(self, run):
        operand = self.parts[0].value(run)
        source = self.parts[0].type
        if isinstance(self.type, Text):
            if isinstance(source, Array):
                operand = bytes(operand).split(b"\0")[0]
            return self.type.cut(operand)
        if self.type == BOOL:
            return int(operand != 0)
        return self.type.wrap(operand)


class Choice(Node):
    """`c ? a : b`, or `if (c) { a } else { b }` as a value [L31]."""
    level = CONDITIONAL

    def __init__(self, condition, left, right, of_type, as_if=False):
        super().__init__(condition, left, right)
        self.type, self.as_if = of_type, as_if

    def forms(self):
        return [f"choice: {'if' if self.as_if else '?:'}, {kind_of(self.type) if self.type else 'plain numbers'}"]

    def text(self, world):
        if self.as_if:
            return f"if ({self.written(0, world)}) {{ {self.written(1, world)} }} else {{ {self.written(2, world)} }}"
        return f"{self.written(0, world, OR)} ? {self.written(1, world, OR)} : {self.written(2, world, OR)}"

    def value(self, run):
        return self.parts[1 if truth(self.parts[0].value(run)) else 2].value(run)


class Pattern:
    """An arm's patterns: (text, first value, last value) each; values of texts are bytes."""

    def __init__(self, alternatives):
        self.alternatives = alternatives

    def text(self):
        return " | ".join(text for text, _, _ in self.alternatives)

    def takes(self, value):
        return any(first <= value <= last for _, first, last in self.alternatives)

    def kinds(self):
        ranges = [f"pattern: {'..=' if '..=' in text else '..'}" for text, _, _ in self.alternatives if ".." in text]
        return ranges + ["pattern: |"] * (len(self.alternatives) > 1) + ["pattern: one"] * (not ranges)


class Match(Node):
    """`match` as a value [L32]; the last arm is the default, unless the patterns are exhaustive."""
    level = CONDITIONAL

    def __init__(self, subject, patterns, values, of_type):
        super().__init__(subject, *values)
        self.patterns, self.type = patterns, of_type

    def forms(self):
        kinds = [kind for pattern in self.patterns for kind in pattern.kinds()]
        return [f"match value: {kind_of(self.parts[0].type)}"] + kinds

    def text(self, world):
        names = [pattern.text() for pattern in self.patterns] + ["default"]
        arms = [f"{name}: {self.written(i + 1, world)}" for i, name in zip(range(len(self.parts) - 1), names)]
        return f"match ({self.written(0, world)}) {{ {', '.join(arms)} }}"

    def value(self, run):
        subject = self.parts[0].value(run)
        for pattern, arm in zip(self.patterns, self.parts[1:]):
            if pattern.takes(subject):
                return arm.value(run)
        return self.parts[-1].value(run)


class Call(Node):
    def __init__(self, function, arguments):
        super().__init__(*arguments)
        self.function, self.type = function, function.result

    def forms(self):
        return [f"call: {kind_of(self.type) if self.type else 'nothing'}"]

    def text(self, world):
        arguments = ["ctx"] * bool(self.function.takes_context) + [self.written(i, world) for i in range(len(self.parts))]
        return f"{self.function.called(world)}({', '.join(arguments)})"

    def value(self, run):
        return run.call(self.function, [part.value(run) for part in self.parts])


class ChosenCall(Node):
    """`(c ? f : g)(a, b)`: functions as values [L64]."""

    def __init__(self, condition, first, second, arguments):
        super().__init__(condition, *arguments)
        self.first, self.second, self.type = first, second, first.result

    def text(self, world):
        chosen = f"({self.written(0, world, OR)} ? {self.first.called(world)} : {self.second.called(world)})"
        return f"{chosen}({', '.join(self.written(i, world) for i in range(1, len(self.parts)))})"

    def value(self, run):
        function = self.first if self.parts[0].value(run) else self.second
        return run.call(function, [part.value(run) for part in self.parts[1:]])


class Builtin(Node):
    """min, max, abs, bswap16 and its like [L36]."""

    def __init__(self, name, arguments, of_type):
        super().__init__(*arguments)
        self.name, self.type = name, of_type

    def forms(self):
        return [f"builtin: {self.name}"]

    def text(self, world):
        return f"{self.name}({', '.join(self.written(i, world) for i in range(len(self.parts)))})"

    def value(self, run):
        values = [part.value(run) for part in self.parts]
        if self.name in ("min", "max"):
            return (min if self.name == "min" else max)(values)
        if self.name == "abs":
            return self.type.wrap(abs(values[0]))
        return int.from_bytes(values[0].to_bytes(self.type.size, "little"), "big")


class StructValue(Node):
    """`S { f: e }`: what is left out is zero [L33]."""

    def __init__(self, of_type, indexes, values):
        super().__init__(*values)
        self.type, self.indexes = of_type, indexes

    def text(self, world):
        if not self.parts:
            return f"{self.type}::new()"
        return f"{self.type} {{ {', '.join(f'{self.type.fields[f][0]}: {self.written(i, world)}' for i, f in enumerate(self.indexes))} }}"

    def value(self, run):
        given = {field: part.value(run) for field, part in zip(self.indexes, self.parts)}
        return tuple(given.get(i, t.zero) for i, (_, t) in enumerate(self.type.fields))


class ArrayValue(Node):
    """`[a, b]`, filled with zeros, or `[v; N]` [L33]."""

    def __init__(self, of_type, values, repeated=False):
        super().__init__(*values)
        self.type, self.repeated = of_type, repeated

    def text(self, world):
        if self.repeated:
            return f"[{self.written(0, world)}; {self.type.length}]"
        return f"[{', '.join(self.written(i, world) for i in range(len(self.parts)))}]"

    def value(self, run):
        values = tuple(part.value(run) for part in self.parts)
        if self.repeated:
            return values * self.type.length
        return values + (self.type.element.zero,) * (self.type.length - len(values))


class Joined(Node):
    """`a + b` of texts: as long as both together, until it is given to something shorter [L21]."""
    level = SUM

    def __init__(self, left, right):
        super().__init__(left, right)
        self.type = Text(left.type.length + right.type.length)

    def text(self, world):
        return f"{self.written(0, world, SUM)} + {self.written(1, world, SUM + 1)}"

    def value(self, run):
        return self.parts[0].value(run) + self.parts[1].value(run)


class Given(Node):
    """A joined text at a destination, which cuts it off [L21]."""

    def __init__(self, joined, of_type):
        super().__init__(joined)
        self.type = of_type

    @property
    def level(self):
        return self.parts[0].level

    def text(self, world):
        return self.parts[0].text(world)

    def value(self, run):
        return self.type.cut(self.parts[0].value(run))


class PacketByte(Place):
    """`p[i]`: a byte of the packet, or the program is left [L146]."""

    def __init__(self, pointer, offset, index, of_type):
        super().__init__(index)
        self.pointer, self.offset, self.type = pointer, offset, of_type

    def forms(self):
        return [f"packet: {'constant' if self.parts[0].constant else 'variable'} index"]

    def text(self, world):
        return f"{self.pointer}[{self.written(0, world)}]"

    def resolve(self, run):
        return run.packet_place(self.offset + self.parts[0].value(run), self.type)


class PacketField(Place):
    """`h->f` of a struct that is laid over the packet."""

    def __init__(self, pointer, offset, struct, index):
        super().__init__()
        self.pointer, self.at = pointer, offset + struct.offset(index)
        self.name, self.type = struct.fields[index]

    def forms(self):
        return [f"packet field: {kind_of(self.type)}"]

    def text(self, world):
        return f"{self.pointer}->{self.name}"

    def resolve(self, run):
        return run.packet_place(self.at, self.type)


def lines_of(block, world, depth):
    return [line for statement in block for line in statement.lines(world, depth)]


class Statement(Node):
    def lines(self, world, depth):
        return ["    " * depth + line for line in self.text(world).split("\n")]

    def block(self, index, world, depth):
        return lines_of(self.blocks[index], world, depth + 1)


def execute_all(block, run):
    for statement in block:
        run.step()
        statement.execute(run)


class Declare(Statement):
    """`var x: T = e`; without a value it is zero each time [L142]."""

    def __init__(self, variable, value, annotated, alias=None):
        super().__init__(*([value] if value else []))
        self.variable, self.annotated, self.alias = variable, annotated, alias

    def forms(self):
        how = "alias" if self.alias else "annotated" if self.annotated else "inferred"
        return [f"declaration: {how}" if self.parts else "declaration: zero"]

    def text(self, world):
        annotation = f": {self.alias or self.variable.type}" if self.annotated else ""
        return f"var {self.variable.name}{annotation}" + (f" = {self.written(0, world)}" if self.parts else "")

    def execute(self, run):
        run.frame[self.variable.name] = self.parts[0].value(run) if self.parts else self.variable.type.zero


class DeclareEntry(Statement):
    """`var x = m[k]` of a number: zero if absent, and it keeps whether it is [L50]."""

    def __init__(self, variable, entries, key):
        super().__init__(key)
        self.variable, self.map = variable, entries

    def text(self, world):
        return f"var {self.variable.name} = {self.map.name}[{self.written(0, world)}]"

    def execute(self, run):
        found = run.map_get(self.map, self.parts[0].value(run), None)
        run.frame[self.variable.name] = self.map.value.zero if found is None else found
        run.frame[self.variable.name, "there"] = found is not None


class Point(Statement):
    """A pointer into the packet; what it points at is in the places that mention it."""

    def __init__(self, name, text):
        super().__init__()
        self.name, self.spelled = name, text

    def text(self, world):
        return f"var {self.name} = {self.spelled}"

    def execute(self, run):
        pass


class Assign(Statement):
    """`place = e` and `place op= e`: the place is found once [L40]."""

    def __init__(self, operator, place, value):
        super().__init__(place, value)
        self.operator = operator

    def forms(self):
        return [f"assignment: {self.operator}"]

    def text(self, world):
        return f"{self.written(0, world)} {self.operator} {self.written(1, world)}"

    def execute(self, run):
        place = self.parts[0]
        get, put = place.resolve(run)
        value = self.parts[1].value(run)
        if self.operator == "=":
            if isinstance(place, Variable) and place.kind == "reference":
                # It refers to the new value from now on [L50].
                value = [value]
                run.frame[place.name] = (lambda: value[0]), (lambda changed: value.__setitem__(0, changed))
            else:
                put(value)
        elif isinstance(place.type, Text):
            put(place.type.cut(get() + value))
        else:
            put(arithmetic(self.operator[:-1], get(), value, place.type))


class Effect(Statement):
    """A call for its effect, whose result, if there is one, is dropped."""

    def text(self, world):
        return self.written(0, world)

    def execute(self, run):
        self.parts[0].value(run)


class Delete(Statement):
    def __init__(self, entries, key):
        super().__init__(key)
        self.map = entries

    def text(self, world):
        return f"delete {self.map.name}[{self.written(0, world)}]"

    def execute(self, run):
        run.maps[self.map.name].pop(self.parts[0].value(run), None)


class Insert(Statement):
    """`m.insert(k, v)` replaces, `m.insert_new(k, v)` fails where the key is there [L51]."""

    def __init__(self, entries, key, value, only_new):
        super().__init__(key, value)
        self.map, self.only_new = entries, only_new

    def forms(self):
        return ["insert_new" if self.only_new else "insert"]

    def text(self, world):
        return f"{self.map.name}.{self.form_name()}({self.written(0, world)}, {self.written(1, world)})"

    def form_name(self):
        return "insert_new" if self.only_new else "insert"

    def execute(self, run):
        key, value = self.parts[0].value(run), self.parts[1].value(run)
        if not self.only_new or run.map_get(self.map, key, None) is None:
            run.map_put(self.map, key, value)


class If(Statement):
    """Its condition needs no parentheses where it does not begin with one and has no braces [L41]."""

    def __init__(self, condition, then, otherwise=None, bare=False):
        super().__init__(condition)
        self.bare = bare
        self.blocks = [then] + ([otherwise] if otherwise is not None else [])

    def forms(self):
        bare = self.bare and self.header("kernel")[3] != "("
        chained = len(self.blocks) > 1 and len(self.blocks[1]) == 1 and isinstance(self.blocks[1][0], If)
        return ["else if" if chained else "if else" if len(self.blocks) > 1 else "if"] + ["if without parentheses"] * bare

    def header(self, world):
        condition = self.written(0, world)
        return f"if {condition} {{" if self.bare and condition[0] not in "(-~!" and "{" not in condition else f"if ({condition}) {{"

    def lines(self, world, depth):
        pad = "    " * depth
        out = [pad + self.header(world)] + self.block(0, world, depth)
        if len(self.blocks) > 1 and len(self.blocks[1]) == 1 and isinstance(self.blocks[1][0], If):
            other = self.blocks[1][0].lines(world, depth)
            return out + [f"{pad}}} else {other[0].strip()}"] + other[1:]
        if len(self.blocks) > 1:
            out += [f"{pad}}} else {{"] + self.block(1, world, depth)
        return out + [pad + "}"]

    def execute(self, run):
        if truth(self.parts[0].value(run)):
            execute_all(self.blocks[0], run)
        elif len(self.blocks) > 1:
            execute_all(self.blocks[1], run)


class IfEntry(Statement):
    """`if (var x = m[k]) { … }` asks for presence: x is a copy of a number, and refers to the entry of a struct [L25] [L50].

    With `test`, x is a variable before it, which is compared with null.
    """

    def __init__(self, variable, entries, key, then, otherwise, test=None):
        super().__init__(key)
        self.variable, self.map, self.blocks, self.test = variable, entries, [then, otherwise], test

    def forms(self):
        return [f"if {'var' if self.test is None else 'null'}: {self.variable.kind}, {self.map.kind}"]

    def lines(self, world, depth):
        pad = "    " * depth
        read = f"var {self.variable.name} = {self.map.name}[{self.written(0, world)}]"
        if self.test is None:
            out = [f"{pad}if ({read}) {{"] + self.block(0, world, depth)
        else:
            out = [pad + read, f"{pad}if ({self.variable.name}{self.test}) {{"]
            first = int(self.test == " == null")
            out += self.block(first, world, depth)
            if first:
                return out + [pad + "} else {"] + self.block(0, world, depth) + [pad + "}"]
        if self.blocks[1]:
            out += [f"{pad}}} else {{"] + self.block(1, world, depth)
        return out + [pad + "}"]

    def execute(self, run):
        key = self.parts[0].value(run)
        found = run.map_get(self.map, key, None)
        if found is None:
            return execute_all(self.blocks[1], run)
        run.frame[self.variable.name] = found
        run.frame[self.variable.name] = run.reference(self.map, key) if self.variable.kind == "reference" else found
        return execute_all(self.blocks[0], run)


class Loop(Statement):
    def turn(self, run):
        """One turn; false where the loop ends."""
        run.step()
        try:
            execute_all(self.blocks[0], run)
        except Left as left:
            return left.goes_on
        return True


class For(Loop):
    """Both bounds are computed once; the closed form ends at the last value of the type too [L42]."""

    def __init__(self, variable, first, last, closed, body):
        super().__init__(first, last)
        self.variable, self.closed, self.blocks = variable, closed, [body]

    def forms(self):
        constant = all(part.constant for part in self.parts)
        return [f"for: {'..=' if self.closed else '..'}, {'constant' if constant else 'variable'} bounds"]

    def lines(self, world, depth):
        pad = "    " * depth
        bounds = f"{self.written(0, world, OR)}{'..=' if self.closed else '..'}{self.written(1, world, OR)}"
        return [f"{pad}for ({self.variable.name} in {bounds}) {{"] + self.block(0, world, depth) + [pad + "}"]

    def execute(self, run):
        first, last = self.parts[0].value(run), self.parts[1].value(run)
        for i in range(first, last + self.closed):
            run.frame[self.variable.name] = i
            if not self.turn(run):
                break


class ForEntries(Loop):
    """`for (k, v in m)`, in no particular order: the body must not depend on it [L42]."""

    def __init__(self, key, value, entries, body):
        super().__init__()
        self.key, self.entry, self.map, self.blocks = key, value, entries, [body]

    def forms(self):
        return [f"for entries: {self.map.kind}"]

    def lines(self, world, depth):
        pad = "    " * depth
        header = f"{pad}for ({self.key.name}, {self.entry.name} in {self.map.name}) {{"
        return [header] + self.block(0, world, depth) + [pad + "}"]

    def execute(self, run):
        for key in list(run.maps[self.map.name]):
            run.frame[self.key.name] = key
            run.frame[self.entry.name] = run.maps[self.map.name][key]
            if self.entry.kind == "reference":
                run.frame[self.entry.name] = run.reference(self.map, key)
            if not self.turn(run):
                break


class While(Loop):
    def __init__(self, condition, body):
        super().__init__(*([condition] if condition else []))
        self.blocks = [body]

    def forms(self):
        return ["while" if self.parts else "loop"]

    def lines(self, world, depth):
        pad = "    " * depth
        header = f"while ({self.written(0, world)})" if self.parts else "loop"
        return [f"{pad}{header} {{"] + self.block(0, world, depth) + [pad + "}"]

    def execute(self, run):
        while not self.parts or truth(self.parts[0].value(run)):
            if not self.turn(run):
                break


class Jump(Statement):
    def __init__(self, goes_on):
        super().__init__()
        self.goes_on = goes_on

    def forms(self):
        return [self.text(None)]

    def text(self, world):
        return "continue" if self.goes_on else "break"

    def execute(self, run):
        raise Left(self.goes_on)


class MatchStatement(Statement):
    def __init__(self, subject, patterns, blocks):
        super().__init__(subject)
        self.patterns, self.blocks = patterns, blocks

    def forms(self):
        return [f"match statement: {kind_of(self.parts[0].type)}"] + [kind for pattern in self.patterns for kind in pattern.kinds()]

    def lines(self, world, depth):
        pad = "    " * depth
        names = [pattern.text() for pattern in self.patterns] + ["default"]
        out = [f"{pad}match ({self.written(0, world)}) {{"]
        for index, name in zip(range(len(self.blocks)), names):
            out += [f"{pad}    {name}: {{"] + self.block(index, world, depth + 1) + [f"{pad}    }},"]
        return out + [pad + "}"]

    def execute(self, run):
        subject = self.parts[0].value(run)
        for pattern, block in zip(self.patterns, self.blocks):
            if pattern.takes(subject):
                return execute_all(block, run)
        if len(self.blocks) > len(self.patterns):
            execute_all(self.blocks[-1], run)
        return None


class Return(Statement):
    def __init__(self, value=None, bare=False):
        super().__init__(*([value] if value else []))
        self.bare = bare  # the value that the function ends with, without the word [L10]

    def forms(self):
        return ["last value" if self.bare else "return value" if self.parts else "return"]

    def text(self, world):
        if self.bare:
            return self.written(0, world)
        return f"return {self.written(0, world)}" if self.parts else "return"

    def execute(self, run):
        raise Returned(self.parts[0].value(run) if self.parts else None)


class HandOver(Node):
    """The call of another program, in return position: it does not come back [L63]."""

    def __init__(self, program):
        super().__init__()
        self.program = program

    def text(self, world):
        return f"{self.program.name}(ctx)"

    def value(self, run):
        return run.run(self.program.body, self.program.faults())


class Throw(Statement):
    def text(self, world):
        return f"throw {self.written(0, world)}"

    def execute(self, run):
        raise Thrown(self.parts[0].value(run))


class Stop(Statement):
    """`panic` and `assert` [L47]."""

    def forms(self):
        return ["assert" if self.parts else "panic"]

    def text(self, world):
        return f'assert({self.written(0, world)}, "it holds")' if self.parts else 'panic("the end")'

    def execute(self, run):
        if not self.parts or not truth(self.parts[0].value(run)):
            raise Panicked()


class Try(Statement):
    """Clauses are (kind, text, code or variable): they are asked in turn, and `bounds` takes failed checks alone [L45] [L146]."""

    def __init__(self, body, clauses, handlers):
        super().__init__()
        self.clauses, self.blocks = clauses, [body] + handlers

    def forms(self):
        return ["try"] + [f"catch {kind}" for kind, _, _ in self.clauses]

    def lines(self, world, depth):
        pad = "    " * depth
        out = [pad + "try {"] + self.block(0, world, depth)
        for index, (_, text, _) in enumerate(self.clauses):
            out += [f"{pad}}} catch {text} {{"] + self.block(index + 1, world, depth)
        return out + [pad + "}"]

    def execute(self, run):
        frame = run.frame
        try:
            execute_all(self.blocks[0], run)
        except Thrown as thrown:
            run.frame = frame
            for index, (kind, _, what) in enumerate(self.clauses):
                if kind in ("variable", "any") or kind == "code" and what == thrown.code:
                    if kind == "variable":
                        run.frame[what.name] = thrown.code
                    return execute_all(self.blocks[index + 1], run)
            raise
        except FailedCheck:
            run.frame = frame
            for index, (kind, _, _) in enumerate(self.clauses):
                if kind == "bounds":
                    return execute_all(self.blocks[index + 1], run)
            raise
        return None


class Function:
    """A function; where it can run in both worlds it is written once for each."""

    def __init__(self, name, parameters, result, named_result=None):
        self.name, self.parameters, self.result, self.named_result = name, parameters, result, named_result
        self.body = []
        self.takes_context = None  # the context's type
        self.in_both_worlds = False
        self.shares = False  # whether one of both worlds uses maps and globals
        self.throws = False
        self.size = 0  # of its code, with that of what it calls, which is inlined
        self.changes = set()  # names of globals and maps that it may change, "packet" among them

    def has_type_of(self, other):
        return (not self.takes_context and self.result == other.result
                and [p.type for p in self.parameters] == [p.type for p in other.parameters])

    def called(self, world):
        return f"user_{self.name}" if world == "user" else self.name

    def lines(self, world):
        parameters = [f"ctx: {self.takes_context}"] * bool(self.takes_context) + [f"{p.name}: {p.type}" for p in self.parameters]
        result = f" -> {self.named_result.name + ': ' if self.named_result else ''}{self.result}" if self.result else ""
        attribute = "" if world == "user" else "@helper "
        return [f"{attribute}fn {self.called(world)}({', '.join(parameters)}){result} {{"] + lines_of(self.body, world, 1) + ["}"]


class Map:
    def __init__(self, name, kind, key, value, entries):
        self.name, self.kind, self.key, self.value, self.entries = name, kind, key, value, entries

    @property
    def is_array(self):
        return self.kind in ("array", "percpu_array")

    def lines(self):
        return [f"var {self.name} : {self.kind}<{self.key}, {self.value}>({self.entries})"]


def uses(node):
    """All forms in a tree."""
    yield node
    for part in node.parts:
        yield from uses(part)
    for block in node.blocks:
        for statement in block:
            yield from uses(statement)

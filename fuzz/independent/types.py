# SPDX-License-Identifier: Apache-2.0
"""The types of the language, what converts to what [L23], and how values lie in memory [L141].

Values are Python's: numbers, bool included, are int; a text is bytes without its end; structs and arrays are tuples, so that a copy
is never an alias.
"""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Type:
    """What all types have: zero, size, alignment, the letters of the struct module, and a value as the numbers for them."""

    def __str__(self):
        return self.name


@dataclasses.dataclass(frozen=True)
class Scalar(Type):
    name: str
    bits: int
    signed: bool = False
    zero = 0

    @property
    def size(self):
        return self.bits // 8

    @property
    def alignment(self):
        return self.size

    @property
    def low(self):
        return -(1 << self.bits - 1) if self.signed else 0

    @property
    def high(self):
        return (1 << self.bits - self.signed) - 1

    def holds(self, value):
        return self.low <= value <= self.high

    def wrap(self, value):
        """Two's complement at this width [L22]."""
        value &= (1 << self.bits) - 1
        return value - (1 << self.bits) if self.signed and value >> self.bits - 1 else value

    @property
    def letters(self):
        letter = {8: "b", 16: "h", 32: "i", 64: "q"}[self.bits]
        return letter if self.signed else letter.upper()

    def numbers(self, value):
        return [value]


class Integer(Scalar):
    pass


INTEGERS = {f"{'i' if signed else 'u'}{bits}": Integer(f"{'i' if signed else 'u'}{bits}", bits, signed)
            for bits in (8, 16, 32, 64) for signed in (False, True)}
U8, U16, U32, U64 = (INTEGERS[f"u{bits}"] for bits in (8, 16, 32, 64))
I8, I16, I32, I64 = (INTEGERS[f"i{bits}"] for bits in (8, 16, 32, 64))
BOOL = Scalar("bool", 8)
CHAR = Scalar("char", 8)


@dataclasses.dataclass(frozen=True)
class Enum(Scalar):
    """An i32, unless a value needs more [L142]."""
    members: tuple = ()

    def value_of(self, member):
        return dict(self.members)[member]


def enum(name, members):
    values = [value for _, value in members]
    underlying = next(t for t in (I32, U32, I64, U64) if all(t.holds(v) for v in values))
    return Enum(name, underlying.bits, underlying.signed, tuple(members))


@dataclasses.dataclass(frozen=True)
class Text(Type):
    length: int  # with the zero at its end [L21]
    alignment = 1
    zero = b""

    @property
    def name(self):
        return f"str({self.length})"

    @property
    def size(self):
        return self.length

    @property
    def letters(self):
        return "B" * self.length

    def cut(self, value):
        return value[:self.length - 1]

    def numbers(self, value):
        return list(value.ljust(self.length, b"\0"))


@dataclasses.dataclass(frozen=True)
class Array(Type):
    element: Type
    length: int

    @property
    def name(self):
        """As in C, the outer length comes first."""
        inner, lengths = self, ""
        while isinstance(inner, Array):
            lengths += f"[{inner.length}]"
            inner = inner.element
        return f"{inner}{lengths}"

    @property
    def zero(self):
        return (self.element.zero,) * self.length

    @property
    def size(self):
        return self.element.size * self.length

    @property
    def alignment(self):
        return self.element.alignment

    @property
    def letters(self):
        return self.element.letters * self.length

    def numbers(self, value):
        return [number for element in value for number in self.element.numbers(element)]


@dataclasses.dataclass(frozen=True)
class Struct(Type):
    name: str
    fields: tuple  # of (name, type)

    @property
    def zero(self):
        return tuple(t.zero for _, t in self.fields)

    @property
    def alignment(self):
        return max(t.alignment for _, t in self.fields)

    @property
    def letters(self):
        """With the bytes between the fields, as C lays them out."""
        out, at = "", 0
        for _, t in self.fields:
            gap = -at % t.alignment
            out += "x" * gap + t.letters
            at += gap + t.size
        return out + "x" * (-at % self.alignment)

    @property
    def size(self):
        at = 0
        for _, t in self.fields:
            at += -at % t.alignment + t.size
        return at + -at % self.alignment

    def offset(self, index):
        at = 0
        for _, t in self.fields[:index + 1]:
            at += -at % t.alignment
            start, at = at, at + t.size
        return start

    def numbers(self, value):
        return [number for (_, t), part in zip(self.fields, value) for number in t.numbers(part)]


def leaves(t):
    """What lies in a value: (path of fields and indexes, scalar or text)."""
    if isinstance(t, Struct):
        return [((i,) + path, leaf) for i, (_, part) in enumerate(t.fields) for path, leaf in leaves(part)]
    if isinstance(t, Array):
        return [((i,) + path, leaf) for i in range(t.length) for path, leaf in leaves(t.element)]
    return [((), t)]


def widens(source, target):
    """Whether one integer type converts to another because nothing can be lost [L23]."""
    if source.signed == target.signed:
        return source.bits <= target.bits
    return target.signed and source.bits < target.bits


def meeting(left, right):
    """The smallest type that holds both operands, None for u64 beside a signed one [L23]."""
    fitting = [t for t in INTEGERS.values() if widens(left, t) and widens(right, t)]
    return min(fitting, key=lambda t: (t.bits, t.signed), default=None)


def converts(source, target):
    """Whether a value that is no constant converts by itself [L23]."""
    if source == target:
        return True
    if isinstance(source, Text) and isinstance(target, Text):
        return source.length <= target.length
    if not isinstance(target, Integer):
        return False
    if isinstance(source, Enum):
        return all(target.holds(value) for _, value in source.members) or widens(source, target)
    if source == CHAR:
        return target == U8
    return isinstance(source, Integer) and widens(source, target)

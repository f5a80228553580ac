# SPDX-License-Identifier: Apache-2.0
"""Random expressions of a wanted type."""
from . import tree
from .types import BOOL, CHAR, I16, INTEGERS, U8, U16, U32, U64, Array, Enum, Integer, Scalar, Struct, Text, converts, meeting, widens

ARITHMETIC = ["+", "-", "*", "/", "%", "&", "|", "^"]
# Pairs of types of which neither holds the other, and where they meet.
CROSSED = {}
for left in INTEGERS.values():
    for right in INTEGERS.values():
        met = meeting(left, right)
        if met is not None and met not in (left, right):
            CROSSED.setdefault(met, []).append((left, right))
PRELUDE = [("ETH_P_IP", 0x0800), ("IPPROTO_TCP", 6), ("IPPROTO_UDP", 17), ("ETH_P_IPV6", 0x86DD)]
LETTERS = "abcdxyzABC019 _-"


class Expressions:
    """Needs `self.random`, and of the program: `constants`, `enums`, `structs`, `functions`, `maps`, `world`."""

    # What an expression may contain where it stands. A call that changes something is left out where the language does not say
    # whether that is before or after the other parts of its statement.
    may_change = True
    may_throw = False

    def chance(self, probability):
        return self.random.random() < probability

    # Numbers.

    def interesting(self, t):
        """A number of a type, mostly near one of its ends."""
        if isinstance(t, Enum):
            return self.random.choice(t.members)[1]
        if t == BOOL:
            return self.random.randint(0, 1)
        draw = self.random
        value = draw.choice([0, 1, 2, 3, 7, t.bits - 1, t.bits, t.high, t.high - 1, t.high // 2, t.low, t.low + 1, -1, -2, 255, 256,
                             draw.randint(t.low, t.high), draw.randint(0, 255), draw.randint(t.low, t.high)])
        return value if t.holds(value) else t.wrap(value)

    def number_text(self, value):
        """A literal in one of its spellings."""
        magnitude = abs(value)
        spelling = self.random.choice(["decimal"] * 4 + ["hexadecimal", "hexadecimal", "octal", "binary", "separated"])
        text = {"decimal": str, "hexadecimal": hex, "octal": oct, "binary": bin, "separated": "{:_}".format}[spelling](magnitude)
        return ("-" if value < 0 else "") + text, ("negative" if value < 0 else spelling)

    def literal(self, value):
        text, spelling = self.number_text(value)
        return tree.Plain(value, text, tree.UNARY if value < 0 else tree.PRIMARY, spelling)

    def plain(self, t):
        """A constant that takes the type of what it stands beside: named constants and enumerators have types of their own."""
        constants, self.constants, enums, self.enums = self.constants, [], self.enums, []
        made = self.constant(t)
        self.constants, self.enums = constants, enums
        return made

    def constant_in(self, low, high, depth=2):
        """A constant expression with a value between two others: computed exactly [L23]."""
        draw = self.random
        named = [(name, value) for name, value, _ in self.constants if low <= value <= high]
        named += [(name, value) for name, value in PRELUDE if low <= value <= high]
        # sizeof has a type of its own, as named constants have.
        named += [(f"sizeof({s})", s.size) for s in self.structs if self.constants and low <= s.size <= high]
        members = [(f"{e.name}.{member}" if draw.random() < .5 else member, value) for e in self.enums for member, value in e.members
                   if low <= value <= high]
        x = draw.random()
        if x < .15 and named:
            name, value = draw.choice(named)
            return tree.Plain(value, name, spelling="named")
        if x < .22 and members:
            name, value = draw.choice(members)
            return tree.Plain(value, name, spelling="enumerator")
        if x < .4 and depth > 0:
            folded = self.folded(low, high, depth)
            if folded:
                return folded
        near = [v for v in (0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 100, 127, 128, 200, 255, 256, 32767, 65535, -1, -2, -128, low, high,
                            high - 1, high // 2) if low <= v <= high]
        return self.literal(draw.choice(near) if near and draw.random() < .7 else draw.randint(low, high))

    def folded(self, low, high, depth):
        """An operator on constants, whose parts need not be in the range of the whole."""
        draw = self.random
        bound = 1 << draw.choice([4, 8, 16, 31, 33])
        left, right = (self.constant_in(0, bound, depth - 1) for _ in range(2))
        operator = draw.choice(["+", "-", "*", "&", "|", "^", "/", "%"])
        if operator in "/%" and right.number == 0:
            return None
        exact = {"+": left.number + right.number, "-": left.number - right.number, "*": left.number * right.number,
                 "&": left.number & right.number, "|": left.number | right.number, "^": left.number ^ right.number}
        value = exact.get(operator)
        if value is None:
            value = left.number // right.number if operator == "/" else left.number % right.number
        if not low <= value <= high:
            return None
        level = tree.LEVELS[operator]
        holder = tree.Node(left, right)
        return tree.Plain(value, f"{holder.written(0, None, level)} {operator} {holder.written(1, None, level + 1)}", level, "folded")

    def constant(self, t):
        """A constant expression that a type holds."""
        if t == BOOL:
            value = self.random.randint(0, 1)
            return tree.Plain(value, "true" if value else "false", spelling="bool", typed=BOOL)
        if t == CHAR:
            letter = self.random.choice(LETTERS + "\n\t\\'")
            text = {"\n": "\\n", "\t": "\\t", "\\": "\\\\", "'": "\\'"}.get(letter, letter)
            return tree.Plain(ord(letter), f"'{text}'", spelling="char", typed=CHAR)
        if isinstance(t, Enum):
            member, value = self.random.choice(t.members)
            return tree.Plain(value, f"{t.name}.{member}" if self.chance(.5) else member, spelling="enumerator", typed=t)
        return self.constant_in(t.low, t.high)

    # Places.

    def paths(self, wanted, writable=False):
        """Variables and what lies in them, as (function that makes the place) for everything of a type."""
        out = []
        for variable in self.visible():
            if writable and not variable.writable:
                continue
            if writable and variable.kind == "reference" and variable.type == wanted and not self.may_refer_anew(variable):
                continue
            out += self.paths_in(lambda v=variable: v, variable.type, wanted)
        return out

    def may_refer_anew(self, variable):
        """Whether a whole value may be assigned to a reference: in the block that has it, so that no join of paths forgets what it is."""
        return len(self.scopes) > 1 and variable in self.scopes[-2]

    def paths_in(self, make, t, wanted):
        out = [make] if t == wanted else []
        if isinstance(t, Struct):
            for index, (_, part) in enumerate(t.fields):
                out += self.paths_in(lambda i=index: tree.Field(make(), i), part, wanted)
        if isinstance(t, Array):
            out += self.paths_in(lambda: tree.Element(make(), self.index(t.length)), t.element, wanted)
        return out

    def index(self, length, always_inside=False):
        """A constant in range, or any number at run time [L54]. Whether an array is read before its index is computed is not said."""
        if self.chance(.4):
            return self.constant_in(0, length - 1, 1)
        may_change, self.may_change = self.may_change, False
        made = self.running_index(length, always_inside)
        self.may_change = may_change
        return made

    def running_index(self, length, always_inside):
        t = self.random.choice([U8, U16, U32, U32, U64])
        if always_inside or self.chance(.6):
            number = self.expression(t, 1)
            return tree.Binary("%", number, self.literal(length), t) if length & length - 1 or self.chance(.3) else \
                tree.Binary("&", number, self.literal(length - 1), t)
        return self.expression(t, 1)

    # Expressions.

    def converted(self, t, depth=3):
        """What a place of a type takes without `as`."""
        x = self.random.random()
        if isinstance(t, (Integer, Enum)) or t in (BOOL, CHAR):
            if x < .2:
                return self.constant(t)
        if isinstance(t, Integer):
            if x < .4:
                narrower = [s for s in INTEGERS.values() if s != t and widens(s, t)]
                if narrower:
                    return self.expression(self.random.choice(narrower), depth)
            if x < .45:
                fitting = [e for e in self.enums if converts(e, t)]
                if fitting:
                    return self.expression(self.random.choice(fitting), depth - 1)
            if x < .5 and t == U8:
                return self.expression(CHAR, depth - 1)
            if x < .54 and depth > 0:
                return self.plain_choice(t, depth)
        if isinstance(t, Text):
            if x < .3:
                return self.text_literal(t.length)
            if x < .45 and depth > 0:
                return tree.Given(tree.Joined(self.expression(self.text_type(), depth - 1), self.expression(self.text_type(), depth - 1)), t)
            if x < .6 and t.length > 2:
                shorter = [s for s in self.text_types if s.length < t.length]
                if shorter:
                    return self.expression(self.random.choice(shorter), depth - 1)
        if isinstance(t, Array) and x < .4:
            return self.whole_value(t, depth)
        return self.expression(t, depth)

    def plain_choice(self, t, depth):
        """A choice between plain numbers, which has no type of its own."""
        return tree.Choice(self.condition(depth - 1), self.plain(t), self.plain(t), None, self.chance(.3))

    def expression(self, t, depth=3):
        """An expression that has a type, and is no constant."""
        if isinstance(t, Integer):
            return self.number(t, depth)
        if t == BOOL:
            return self.truth_value(depth)
        makers = [self.leaf]
        if depth > 0:
            makers += [self.leaf, self.leaf, self.choice, self.match_value, self.call]
            if t == CHAR:
                makers += [self.character, self.from_cast]
            if isinstance(t, Struct):
                makers += [self.whole_value, self.whole_value]
            if isinstance(t, Text):
                makers += [self.cut_text, self.cut_text]
        return self.first_of(makers, t, depth)

    def first_of(self, makers, t, depth):
        """What one of the makers gives, chosen at random among those that have something."""
        makers = list(makers)
        self.random.shuffle(makers)
        for maker in makers:
            made = maker(t, depth)
            if made is not None:
                return made
        return self.fallback(t)

    def fallback(self, t):
        """Input, which every program has of every type."""
        return self.random.choice([v for v in self.inputs if v.type == t])

    def leaf(self, t, _depth):
        """A variable or something in one, or a map entry."""
        paths = self.paths(t)
        entries = self.entry_reads(t)
        if entries and (not paths or self.chance(.2)):
            return self.random.choice(entries)()
        return self.random.choice(paths)() if paths else None

    def usable_maps(self):
        """Userspace sees the sums of per-CPU maps, and is left out there."""
        if self.function is None or not self.function.in_both_worlds:
            return self.maps
        return [m for m in self.maps if not m.kind.startswith("percpu")] if self.function.shares else []

    def entry_reads(self, t):
        """Map reads of a type: whole entries of numbers and texts, and what lies in structs."""
        out = []
        for entries in self.usable_maps():
            def make(entries=entries):
                return tree.Entry(entries, self.key(entries))
            if isinstance(entries.value, (Struct, Array)):
                out += self.paths_in(make, entries.value, t) if isinstance(t, (Scalar, Text)) else []
            elif entries.value == t:
                out.append(make)
        return out

    def key(self, entries):
        """Few different ones, so that they meet."""
        t = entries.key
        if entries.is_array:
            if self.chance(.5):
                return self.constant_in(0, entries.entries - 1, 0)
            return tree.Binary("&", self.expression(U32, 1), self.literal(self.random.choice([3, 7, 15])), U32)
        if isinstance(t, Integer) and self.chance(.6):
            return self.constant_in(max(t.low, -4), 4, 0)
        if isinstance(t, Integer) and t.bits > 8:
            return tree.Binary("&", self.expression(t, 1), self.literal(self.random.choice([3, 7, 15])), t)
        if isinstance(t, Struct) and self.chance(.5):
            return self.whole_value(t, 1)
        return self.converted(t, 1)

    def number(self, t, depth):
        draw = self.random
        if depth <= 0 or draw.random() < .18:
            made = self.leaf(t, depth)
            if made is not None:
                return made
            return self.from_cast(t, 1) if depth > 0 else self.fallback(t)
        makers = [self.binary] * 6 + [self.shift] * 2 + [self.unary] * 2 + [self.from_cast] * 3 + [
            self.choice, self.match_value, self.call, self.call, self.part_of_call, self.builtin, self.packet_byte, self.leaf]
        return self.first_of([draw.choice(makers), self.binary], t, depth) if draw.random() < .8 else self.first_of(makers, t, depth)

    def operands(self, t, depth):
        """Two operands that meet at a type [L23]."""
        x = self.random.random()
        narrower = [s for s in INTEGERS.values() if s != t and widens(s, t)]
        named = [constant for constant in self.constants if widens(constant[2], t)]
        if x < .17:
            pair = [self.expression(t, depth), self.plain(t)]
        elif x < .2 and named:
            name, value, of_type = self.random.choice(named)
            pair = [self.expression(t, depth), tree.Plain(value, name, spelling="typed", typed=of_type)]
        elif x < .25:
            pair = [self.expression(t, depth), self.plain_choice(t, depth)]
        elif x < .4 and narrower:
            pair = [self.expression(t, depth), self.expression(self.random.choice(narrower), depth)]
        elif x < .5 and t in CROSSED:
            return [self.expression(s, depth) for s in self.random.choice(CROSSED[t])]
        else:
            return [self.expression(t, depth), self.expression(t, depth)]
        # The parts are made in the order in which they are written.
        if self.chance(.35):
            pair.reverse()
        return pair

    def binary(self, t, depth):
        operator = self.random.choice(ARITHMETIC)
        left, right = self.operands(t, depth - 1)
        if operator in "/%" and right.constant and right.number == 0:
            right = self.literal(3)
        return tree.Binary(operator, left, right, t)

    def shift(self, t, depth):
        """It has its left operand's type, and takes any integer as its count [L142]."""
        left = self.expression(t, depth - 1)
        of_count = self.random.choice(list(INTEGERS.values()))
        count = self.constant_in(0, t.bits - 1, 1) if self.chance(.5) else self.expression(of_count, depth - 1)
        return tree.Binary(self.random.choice(["<<", ">>"]), left, count, t)

    def unary(self, t, depth):
        return tree.Unary(self.random.choice("-~"), self.expression(t, depth - 1))

    def from_cast(self, t, depth):
        sources = list(INTEGERS.values()) * 2 + [BOOL, CHAR] + self.enums
        if t == CHAR:
            sources = [U8, U8, U32, I16]
        return tree.Cast(self.expression(self.random.choice(sources), depth - 1), t)

    def arms(self, t, depth, count):
        """Values that meet at a type: the first or another one has it."""
        exact = self.random.randrange(count)
        return [self.expression(t, depth) if i == exact else self.arm(t, depth) for i in range(count)]

    def arm(self, t, depth):
        """What may stand beside an arm of a type: that type, a narrower one, or a plain number, which takes it."""
        x = self.random.random()
        if x < .3 and isinstance(t, Scalar):
            return self.plain(t)
        narrower = [s for s in INTEGERS.values() if isinstance(t, Integer) and s != t and widens(s, t)]
        return self.expression(self.random.choice(narrower) if x < .45 and narrower else t, depth)

    def choice(self, t, depth):
        condition = self.condition(depth - 1)
        return tree.Choice(condition, *self.arms(t, depth - 1, 2), t, self.chance(.3))

    def match_value(self, t, depth):
        subject, patterns, default = self.patterns(depth - 1)
        return tree.Match(subject, patterns, self.arms(t, depth - 1, len(patterns) + default), t)

    def patterns(self, depth):
        """A subject, the patterns of its arms, which do not overlap, and whether a default is needed [L32]."""
        draw = self.random
        kind = draw.choice(["number"] * 4 + ["bool", "char", "enum", "enum", "text"])
        if kind == "bool":
            order = draw.sample([("true", 1, 1), ("false", 0, 0)], 2)
            whole = draw.random() < .5
            return self.expression(BOOL, depth), [tree.Pattern([p]) for p in (order if whole else order[:1])], not whole
        if kind == "enum":
            t = draw.choice(self.enums)
            members = draw.sample(t.members, len(t.members))
            alternatives = [(f"{t.name}.{m}" if draw.random() < .5 else m, v, v) for m, v in members]
            whole = draw.random() < .5
            if not whole:
                alternatives = alternatives[:-1]
            return self.expression(t, depth), self.grouped(alternatives), not whole
        if kind == "char":
            letters = draw.sample("abcdxyz", 4)
            return self.expression(CHAR, depth), self.grouped([(f"'{c}'", ord(c), ord(c)) for c in letters]), True
        if kind == "text":
            t = self.text_type()
            words = {bytes(draw.choice(b"abx") for _ in range(draw.randint(0, min(3, t.length - 1)))) for _ in range(3)}
            alternatives = [(f'"{word.decode()}"', word, word) for word in sorted(words)]
            draw.shuffle(alternatives)
            return self.expression(t, depth), self.grouped(alternatives), True
        t = draw.choice(list(INTEGERS.values()))
        ends = sorted({self.interesting(t) for _ in range(draw.choice([3, 5, 8]))})
        alternatives, at = [], 0
        while at < len(ends):
            first, how = ends[at], draw.random()
            if how < .4 and at + 1 < len(ends):
                last = ends[at + 1]
                at += 1
                closed = draw.random() < .5
                dots = "..=" if closed else ".."
                alternatives.append((f"{self.number_text(first)[0]}{dots}{self.number_text(last)[0]}", first, last if closed else last - 1))
            else:
                alternatives.append((self.number_text(first)[0], first, first))
            at += 1
        draw.shuffle(alternatives)
        return self.expression(t, depth), self.grouped(alternatives), True

    def grouped(self, alternatives):
        """One arm for one or two of the alternatives each."""
        out, at = [], 0
        while at < len(alternatives):
            step = 2 if self.chance(.3) else 1
            out.append(tree.Pattern(alternatives[at:at + step]))
            at += step
        return out

    def callable(self, function):
        if function.takes_context and not self.in_packet or function.throws and not self.may_throw:
            return False
        if self.held & function.changes or function.changes and not self.may_change:
            return False
        return (function.in_both_worlds or self.world == "kernel") and self.size + function.size <= self.most_size

    def call(self, t, depth):
        fitting = [f for f in self.functions if f.result == t and self.callable(f)]
        if not fitting:
            return None
        function = self.random.choice(fitting)
        if self.chance(.3):
            chosen = self.chosen_call(function, depth)
            if chosen:
                return chosen
        return self.call_of(function, depth)

    def chosen_call(self, function, depth):
        """A call of one of two functions of the same type: what is thrown, and what is changed, is what each of the type may."""
        alike = [f for f in self.functions if f.has_type_of(function)]
        if self.function or function.takes_context or not all(self.callable(f) for f in alike):
            return None
        for f in alike:
            self.note_call(f)
        condition = self.condition(depth - 1)
        arguments = [self.converted(p.type, depth - 1) for p in function.parameters]
        return tree.ChosenCall(condition, self.random.choice(alike), self.random.choice(alike), arguments)

    def part_of_call(self, t, depth):
        """What lies in a function's result, or in an array that is constant."""
        if self.chance(.3):
            arrays = [v for v in self.constant_arrays if v.type.element == t]
            if arrays:
                return tree.Element(self.random.choice(arrays), self.expression(self.random.choice([U8, U32]), depth - 1))
        fitting = [f for f in self.functions if isinstance(f.result, (Struct, Array)) and self.callable(f)]
        if not fitting:
            return None
        function = self.random.choice(fitting)
        paths = self.paths_in(lambda: tree.Call(function, [self.converted(p.type, depth - 1) for p in function.parameters]), function.result, t)
        if not paths:
            return None
        self.note_call(function)
        return self.random.choice(paths)()

    def note_call(self, function):
        self.size += function.size
        self.changed |= function.changes
        self.throwing |= function.throws

    def call_of(self, function, depth):
        self.note_call(function)
        return tree.Call(function, [self.converted(p.type, depth - 1) for p in function.parameters])

    def builtin(self, t, depth):
        names = ["min", "max"] + ["abs"] * t.signed + [f"bswap{t.bits}"] * (not t.signed and t.bits > 8)
        names += {U16: ["htons", "ntohs"], U32: ["htonl", "ntohl"]}.get(t, [])
        name = self.random.choice(names)
        if name in ("min", "max"):
            return tree.Builtin(name, self.operands(t, depth - 1), t)
        return tree.Builtin(name, [self.expression(t, depth - 1)], t)

    def packet_byte(self, t, depth):
        """Numbers in the packet."""
        if not self.in_packet or self.world != "kernel":
            return None
        place = self.packet_place(t, depth)
        if place is None or place.type == t:
            return place
        return tree.Cast(place, t)

    def packet_place(self, t, depth):
        pointer, offset, struct = self.random.choice(self.pointers)
        if struct is not None:
            fields = [i for i, (_, part) in enumerate(struct.fields) if part == t]
            return tree.PacketField(pointer, offset, struct, self.random.choice(fields)) if fields else None
        if self.chance(.6):
            index = self.constant_in(0, 10, 0)
        else:
            index = tree.Binary("&", self.expression(U32, depth - 1), self.literal(self.random.choice([3, 7, 15, 31])), U32)
        return tree.PacketByte(pointer, offset, index, U8)

    # Truth.

    def condition(self, depth):
        """What `if` takes: a bool, a number, a text, an entry [L25]."""
        x = self.random.random()
        if x < .12:
            return self.as_condition(self.expression(self.random.choice(list(INTEGERS.values())), depth - 1))
        if x < .16:
            return tree.Compare("!=", self.expression(self.text_type(), depth - 1), self.text_literal(2)) if self.chance(.5) else \
                self.paths_or_literal()
        if x < .24 and self.usable_maps():
            entries = self.random.choice(self.usable_maps())
            if not entries.is_array:
                return tree.Present(entries, self.key(entries), "condition")
            if isinstance(entries.value, Integer) or entries.value == BOOL:
                return tree.Entry(entries, self.key(entries))
        return self.as_condition(self.expression(BOOL, depth))

    def as_condition(self, made):
        """An entry of a kind where it may be absent is asked for its presence, and so is what was read from one [L25] [L143]."""
        if isinstance(made, tree.Entry) and not made.map.is_array:
            return tree.Present(made.map, made.parts[0], "condition")
        if isinstance(made, tree.Variable) and made.may_be_absent and not made.from_entry.is_array:
            return tree.PresentVariable(made, "condition")
        if isinstance(made, tree.Variable) and made.from_entry:
            return tree.Compare("!=", made, self.plain(made.type))
        return made

    def paths_or_literal(self):
        """A text that is no entry, as a condition."""
        return self.random.choice([v for v in self.inputs if isinstance(v.type, Text)])

    def truth_value(self, depth):
        draw = self.random
        if depth <= 0:
            made = self.leaf(BOOL, 0)
            return made if made is not None else self.comparison(1)
        x = draw.random()
        if x < .45:
            return self.comparison(depth)
        if x < .62:
            operator = draw.choice(["&&", "||"])
            return tree.Logic(operator, self.condition(depth - 1), self.condition(depth - 1))
        if x < .7:
            return tree.Not(self.condition(depth - 1))
        if x < .76 and self.usable_maps():
            entries = draw.choice(self.usable_maps())
            held = [v for v in self.visible() if v.may_be_absent]
            if held and draw.random() < .5:
                return tree.PresentVariable(draw.choice(held), draw.choice(["null", "absent"]))
            return tree.Present(entries, self.key(entries), draw.choice(["contains_key", "null", "absent"]))
        if x < .79:
            return tree.Cast(self.expression(draw.choice(list(INTEGERS.values())), depth - 1), BOOL)
        return self.first_of([draw.choice([self.choice, self.match_value, self.call, self.leaf]), self.leaf], BOOL, depth)

    def comparison(self, depth):
        draw = self.random
        kind = draw.choice(["number"] * 6 + ["bool", "char", "enum", "text", "text"])
        if kind == "text":
            left = self.expression(self.text_type(), depth - 1)
            right = self.text_literal(left.type.length) if draw.random() < .5 else self.expression(self.text_type(), depth - 1)
            return tree.Compare(draw.choice(["==", "!="]), left, right)
        if kind == "number":
            t = draw.choice(list(INTEGERS.values()))
            left, right = self.operands(t, depth - 1)
            if left.text("kernel") == right.text("kernel"):
                right = self.plain(t)
            return tree.Compare(draw.choice(list(tree.COMPARISONS)), left, right)
        t = {"bool": BOOL, "char": CHAR, "enum": draw.choice(self.enums)}[kind]
        left = self.expression(t, depth - 1)
        right = self.constant(t) if draw.random() < .5 or left.constant else self.expression(t, depth - 1)
        if left.text("kernel") == right.text("kernel"):
            right = self.constant(t)
        return tree.Compare(draw.choice(["==", "!="] if kind == "bool" else list(tree.COMPARISONS)), left, right)

    # Texts, structs and arrays.

    def text_type(self):
        return self.random.choice(self.text_types)

    def text_literal(self, length):
        """A literal that fits; it has its own length and no more."""
        word = "".join(self.random.choice("abx") for _ in range(self.random.randint(0, min(4, length - 1))))
        return tree.Plain(word.encode(), f'"{word}"', spelling="text", typed=Text(len(word) + 1))

    def cut_text(self, t, depth):
        x = self.random.random()
        if x < .3:
            return tree.Cast(tree.Joined(self.expression(self.text_type(), depth - 1), self.text_literal(5)), t)
        sources = [p for n in (2, 3, 4, 8) for e in (U8, CHAR) for p in self.paths(Array(e, n))]
        if x < .5 and sources:
            return tree.Cast(self.random.choice(sources)(), t)
        return tree.Cast(self.expression(self.text_type(), depth - 1), t)

    def character(self, _t, depth):
        text = self.leaf(self.text_type(), depth)
        return tree.CharacterOf(text, self.index(text.type.length)) if text is not None else None

    def whole_value(self, t, depth):
        """A struct or an array, written out."""
        if isinstance(t, Struct):
            indexes = [i for i in range(len(t.fields)) if self.chance(.75)]
            self.random.shuffle(indexes)
            return tree.StructValue(t, indexes, [self.element_value(t.fields[i][1], depth) for i in indexes])
        if self.chance(.2):
            return tree.ArrayValue(t, [self.element_value(t.element, depth)], repeated=True)
        return tree.ArrayValue(t, [self.element_value(t.element, depth) for _ in range(self.random.randint(1, t.length))])

    def element_value(self, t, depth):
        if depth > 0:
            return self.converted(t, depth - 1)
        if isinstance(t, Text):
            return self.text_literal(t.length)
        return self.whole_value(t, 0) if isinstance(t, (Struct, Array)) else self.constant(t)

# SPDX-License-Identifier: Apache-2.0
"""The forms that many programs together must have: one that never comes is a fault of the generator."""
from .types import INTEGERS

NUMBERS = list(INTEGERS)
KINDS = NUMBERS + ["bool", "char", "enum", "struct", "array", "text"]
OPERATORS = ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"]
MAPS = ["hash", "lru_hash", "percpu_hash", "array", "percpu_array"]

WANTED = (
    [f"operator: {o}" for o in OPERATORS + ["&&", "||", "unary -", "unary ~"]]
    + [f"arithmetic: {t}" for t in NUMBERS] + ["operands: mixed"]
    + [f"comparison: {o}" for o in ["==", "!=", "<", "<=", ">", ">=", "mixed signs"]]
    + [f"compared: {k}" for k in ["number", "bool", "char", "enum", "text"]]
    + [f"cast: {a} to {b}" for a in NUMBERS + ["bool", "char", "enum"] for b in NUMBERS] + ["cast: text to text", "cast: array to text"]
    + [f"constant: {s}" for s in ["decimal", "hexadecimal", "octal", "binary", "separated", "negative", "char", "bool", "text", "named",
                                  "typed", "enumerator", "folded"]]
    + [f"choice: {how}, {k}" for how in ["?:", "if"] for k in KINDS + ["plain numbers"]]
    + [f"match {what}: {k}" for what in ["value", "statement"] for k in NUMBERS + ["bool", "char", "enum", "text"]]
    + [f"pattern: {p}" for p in ["one", "|", "..", "..="]]
    + [f"variable: {where}, {k}" for where in ["input", "local", "global", "local global"] for k in KINDS]
    + ["variable: constant, array", "variable: constant, text"]
    + [f"declaration: {how}" for how in ["annotated", "inferred", "zero", "alias"]]
    + [f"assignment: {o}=" for o in OPERATORS] + ["assignment: ="]
    + [f"element: {i} index" for i in ["constant", "variable"]] + [f"field: {k}" for k in KINDS]
    + [f"call: {k}" for k in KINDS + ["nothing"]] + [f"parameter: {k}" for k in KINDS] + ["result: named", "last value", "return value"]
    + [f"builtin: {b}" for b in ["min", "max", "abs", "bswap16", "bswap32", "bswap64", "htons", "ntohs", "htonl", "ntohl"]]
    + [f"for entries: {kind}" for kind in MAPS]
    + [f"if {what}: local, {kind}" for what in ["var", "null"] for kind in MAPS]
    + [f"if {what}: reference, {kind}" for what in ["var", "null"] for kind in ["hash", "lru_hash", "array"]]
    + [f"presence: {how}" for how in ["contains_key", "null", "absent", "condition"]] + ["insert", "insert_new"]
    + [f"presence of a variable: {how}" for how in ["null", "absent", "condition"]]
    + [f"for: {dots}, {bounds} bounds" for dots in ["..", "..="] for bounds in ["constant", "variable"]]
    + ["while", "loop", "break", "continue", "if", "if else", "else if", "if without parentheses", "return", "panic", "assert"]
    + ["on_fault", "program: xdp", "program: tc"]
    + ["try", "catch code", "catch variable", "catch any", "catch bounds", "function: throws", "function: in both worlds", "function: shares"]
    + ["packet: constant index", "packet: variable index"] + [f"packet field: {t}" for t in NUMBERS]
    + ["ArrayValue", "StructValue", "ChosenCall", "CharacterOf", "Joined", "Not", "Delete", "DeclareEntry", "Effect", "Throw", "HandOver"])

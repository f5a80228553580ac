#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the names in generated C that the developer did not write: generated_names.py SOURCE.ks FILE.c...

Prints `STATEMENTS NAMES name name …` for what was made from the developer's functions: local variables whose name is no
word of the source.
"""
import os
import re
import sys

DECLARATION = re.compile(r"^\s*(?:for \()?(?:static |const )*"
                         r"(?:struct \w+|enum \w+|__[us](?:8|16|32|64)|bool|char|int|long|void|u?int\d+_t|size_t)"
                         r"(?: \*+| )(\w+)(?:\[\w*\])*(?: =|;)")
STATEMENT = re.compile(r"(;|^\s*(\} else )?(if|for|while|switch) \(.*\{)$")


def bodies(text, source):
    """The lines of functions that were made from a function of the source, which a #line before them names; those of the
    library have names that stand in its files."""
    marked = inside = False
    for line in text.splitlines():
        if line.startswith("#line"):
            marked = line.endswith(f"/{source}\"")
        elif line == "{":
            inside = marked
        elif line == "}":
            inside = marked = False
        elif inside:
            yield line


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        words = set(re.findall(r"[A-Za-z_]\w*", re.sub(r"//.*", "", file.read())))
    statements, names = 0, []
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            for line in bodies(file.read(), os.path.basename(sys.argv[1])):
                statements += bool(STATEMENT.search(line))
                found = DECLARATION.match(line)
                # A name which is taken in C has an underscore behind it.
                if found and found[1].rstrip("_") not in words:
                    names.append(found[1])
    print(statements, len(names), *names)


if __name__ == "__main__":
    main()

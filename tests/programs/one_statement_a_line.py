#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Complains about lines of generated C that hold more than one statement: one_statement_a_line.py FILE.c..."""
import re
import sys

STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
COMMENT = re.compile(r"/\*.*?\*/|//.*")
BRACKETS = re.compile(r"\([^()]*\)|\[[^][]*\]")
INITIALIZER = re.compile(r"\{[^{};]*\}")
# A header, alone or with the brace that it opens; its statement may stand on the next line.
HEADER = re.compile(r"(?:\} )?(?:else )?(?:if|for|while|switch)\b|(?:\} )?else\b|do\b")
WHOLE_HEADER = re.compile(r"(?:(?:\} )?(?:else )?(?:if|for|while|switch) 0|(?:\} )?else|do)(?: \{)?|\} while 0;")


def bare(line):
    """The line without its texts, comments, and whatever stands in brackets."""
    line = COMMENT.sub("", STRING.sub("0", line)).strip()
    while (shorter := INITIALIZER.sub("0", BRACKETS.sub("0", line))) != line:
        line = shorter
    return line


def complaint(line):
    """What is wrong with a line in the body of a function, or nothing."""
    if line.count(";") > 1 or (";" in line and not line.endswith(";")):
        return "a statement behind a statement"
    if re.search(r"\{.*\S", line[:-1]) or re.search(r"\S\s*\}", line) and not line.startswith("}"):
        return "a block in one line"
    if HEADER.match(line) and not WHOLE_HEADER.fullmatch(line):
        return "a statement behind a header"
    # A block behind it has declarations, which C does not take behind a label; nor the end of a block, but for `;`.
    if re.match(r"(?:case\b.*|default|\w+): *(?!\{$|;$)\S", line) and "?" not in line:
        return "a statement behind a label"
    if line.endswith(";") and "," in line:
        return "two statements with a comma"
    return ""


def main():
    failures = statements = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            inside = False
            for number, text in enumerate(file.read().splitlines(), 1):
                if text in "{}" and text:
                    inside = text == "{"
                elif inside and not text.startswith("#"):
                    line = bare(text)
                    statements += line.endswith(";")
                    if what := complaint(line):
                        failures += 1
                        print(f"{path}:{number}: {what}: {text.strip()}")
    print(f"{statements} statements")
    return failures != 0 or statements == 0


if __name__ == "__main__":
    sys.exit(main())

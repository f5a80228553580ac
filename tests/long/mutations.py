# SPDX-License-Identifier: Apache-2.0
"""Checks changed programs: whatever stands in a file, ksc ends with 0 or 1 and says why; it neither crashes nor hangs.

Tokens of the examples and of the programs with mistakes are deleted, doubled, exchanged and replaced at random.
KSC_MUTATIONS is how many (20000), KSC_SEED where they begin (1); a failing input is kept and named.
"""
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

KSC = os.environ["KSC"]
SOURCE = os.environ["KSC_SOURCE"]
COUNT = int(os.environ.get("KSC_MUTATIONS", "20000"))
SEED = int(os.environ.get("KSC_SEED", "1"))
PIECES = ["0", "1", "-1", "null", "true", "ctx", "u8", "*", "{", "}", "(", ")", "[", "]", "var", "match", "x", "255", '"s"', "if",
          "return", "+", "<<", "18446744073709551615", "as u8", ".data", "\n", "/*", '"', "'"]


def mutate(text, chance):
    tokens = re.findall(r'\s+|\w+|"[^"\n]*"|[^\w\s]', text)
    for _ in range(chance.choice([1, 1, 2, 3, 6])):
        if not tokens:
            break
        at, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        change = chance.randrange(5)
        if change == 0:
            del tokens[at:at + chance.choice([1, 1, 2, 5])]
        elif change == 1:
            tokens.insert(at, tokens[other])
        elif change == 2:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif change == 3:
            tokens[at] = tokens[other]
        else:
            tokens[at] = chance.choice(PIECES)
    return "".join(tokens)


def main():
    paths = sorted(glob.glob(f"{SOURCE}/examples/*.ks") + glob.glob(f"{SOURCE}/tests/errors/**/*.ks", recursive=True))
    texts = [open(path, encoding="utf-8", errors="surrogateescape").read() for path in paths]
    texts = ["\n".join(line for line in text.split("\n") if not line.startswith("//~")) for text in texts]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(SEED, SEED + COUNT):
            chance = random.Random(number)
            path = f"{folder}/mutated.ks"
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as out:
                out.write(mutate(chance.choice(texts), chance))
            try:
                code = subprocess.run([KSC, "check", path], capture_output=True, timeout=20).returncode
            except subprocess.TimeoutExpired:
                code = "no end within 20 s"
            if code not in (0, 1):
                failed += 1
                kept = tempfile.mkstemp(prefix=f"ksc_mutation_{number}_", suffix=".ks")[1]
                shutil.copyfile(path, kept)
                print(f"KSC_SEED={number}: exit code {code}: {kept}")
    print(f"{COUNT} mutations, {failed} failed")
    return 1 if failed else 0


sys.exit(main())

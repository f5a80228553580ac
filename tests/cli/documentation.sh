#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the documents show is true: programs (```ks) compile and their C too, errors (```ks error KS0000) are those, links lead
# somewhere, the options in the tables exist, and what `init` writes is what the tutorial says.
set -u
ksc=${KSC:?the path of ksc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 - "$ksc" "${KSC_SOURCE:?}" "$folder" <<'PYTHON'
import os, re, subprocess, sys

ksc, source, folder = sys.argv[1:]
failures = programs = errors = 0

def fail(text):
    global failures
    failures += 1
    print(text)

def run(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True, cwd=folder)
    return done.returncode, done.stdout + done.stderr

documents = ["README.md", "CONTRIBUTING.md", "fuzz/README.md", "runtime/host/README.md"]
for base, _, names in os.walk(os.path.join(source, "docs")):
    documents += [os.path.relpath(os.path.join(base, name), source) for name in names if name.endswith(".md")]

for document in sorted(documents):
    with open(os.path.join(source, document), encoding="utf-8") as file:
        text = file.read()
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target and not os.path.exists(os.path.join(source, os.path.dirname(document), target)):
            fail(f"{document}: the link to {target} leads nowhere")
    for block in re.finditer(r"^```ks(?: error (KS\d{4}))?\n(.*?)^```$", text, re.M | re.S):
        line = text[:block.start()].count("\n") + 1
        expected, program = block.groups()
        path = os.path.join(folder, "guard.ks")
        with open(path, "w") as file:
            file.write(program)
        code, output = run(ksc, "compile", "guard.ks", "-o", "out")
        if expected:
            errors += 1
            codes = re.findall(r"error\[(KS\d{4})\]", output)
            if code != 1 or set(codes) != {expected}:
                fail(f"{document}:{line}: not {expected}: {output}")
            continue
        programs += 1
        if code != 0 or "warning" in output:
            fail(f"{document}:{line}: {output}")
            continue
        # The C is compiled for this machine, against stand-ins of the headers: that takes no clang.
        code, output = run(os.environ.get("CC", "cc"), "-fsyntax-only", "-x", "c", "-Wall", "-Wextra", "-Wno-attributes",
                           "-Wno-unknown-pragmas", "-I", os.path.join(source, "runtime/host/include"), "-I", "out",
                           "out/guard.ebpf.c")
        if code != 0:
            fail(f"{document}:{line}: its C: {output}")

with open(os.path.join(source, "docs/tutorial.md")) as file:
    first = re.search(r"^```ks\n(.*?)^```$", file.read(), re.M | re.S).group(1)
os.makedirs(os.path.join(folder, "new"))
code, output = run("sh", "-c", 'cd new && "$1" init xdp guard', "sh", ksc)
with open(os.path.join(folder, "new/guard/guard.ks")) as file:
    if file.read() != first:
        fail("docs/tutorial.md does not show what `ksc init xdp guard` writes")

with open(os.path.join(source, "docs/commands.md")) as file:
    commands = file.read()
helped = "".join(run(ksc, command, "--help")[1] for command in ("compile", "check", "fmt"))
for option in set(re.findall(r"--[a-z-]+", helped)) - {"--help"}:
    if option not in commands:
        fail(f"docs/commands.md does not tell {option}")
described = commands[commands.index("## Options"):commands.index("## Exit codes")]  # with those of fmt
for option in set(re.findall(r"^\| `(--[a-z-]+)|, `(--[a-z-]+)", described, re.M)):
    name = option[0] or option[1]
    if name not in helped:
        fail(f"docs/commands.md tells {name}, which is not there")

if programs < 5 or errors < 3:
    fail(f"only {programs} programs and {errors} errors were found in the documents")
sys.exit(failures != 0)
PYTHON

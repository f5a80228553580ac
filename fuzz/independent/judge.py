# SPDX-License-Identifier: Apache-2.0
"""Compiles a program, builds it, runs it in both worlds, and says what went otherwise than the model has it."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("KSC_BUILD", SOURCE / "build/release"))
KSC = os.environ.get("KSC", str(BUILD / "bin/ksc"))
RUN_PROGRAM = os.environ.get("RUN_PROGRAM", str(BUILD / "bin/run_program"))
sys.path.insert(0, str(SOURCE / "tests/kernel"))
import run_examples  # noqa: E402  (its folder is known only now)

LONGEST = 300
# What clang says of an operation that is trivial in the program itself.
TRIVIAL = re.compile(r"-Wtautological|-Wself-assign|-Wconstant-conversion|-Woverflow|-Wtype-limits")


class Fault(Exception):
    """What went wrong: its kind, and what was said."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind, self.text = kind, text


def ran(command, **options):
    try:
        return subprocess.run(command, capture_output=True, timeout=LONGEST, check=False, **options)
    except subprocess.TimeoutExpired as late:
        raise Fault("takes too long", " ".join(map(str, command))) from late


def said(result):
    return (result.stdout + result.stderr).decode(errors="replace")


def compile_program(text, folder):
    source = folder / "program.ks"
    source.write_text(text, encoding="utf-8")
    project = folder / "project"
    shutil.rmtree(project, ignore_errors=True)
    result = ran([KSC, "compile", source, "-o", project])
    if result.returncode == 1:
        errors = sorted(set(re.findall(r"error\[(KS\d+)\]", said(result))))
        raise Fault(f"ksc refuses it: {' '.join(errors)}", said(result))
    if result.returncode != 0:
        raise Fault("ksc crashes", f"status {result.returncode}\n{said(result)}")
    return project


def make_target(project, target, kind, *variables):
    result = ran(["make", "-C", project, *variables, target])
    warnings = [line for line in said(result).splitlines() if re.search(r"\b(warning|error): ", line) and not TRIVIAL.search(line)]
    if result.returncode != 0:
        raise Fault(f"{kind} refuses it", said(result))
    if warnings:
        flags = re.findall(r"\[(-W[^\],]*)", warnings[0])
        raise Fault(f"{kind} warns: {flags[0] if flags else '?'}", said(result))


def judge_kernel(project, clang, cases):
    target = project / "program.ebpf.o"
    target.unlink(missing_ok=True)
    make_target(project, target.name, clang, f"CLANG={clang}")
    cases = json.loads(json.dumps(cases))
    batch = json.dumps([run_examples.batch_item(case) for case in cases])
    result = ran([RUN_PROGRAM, target, "--batch"], input=batch.encode())
    if result.returncode == 3:
        reason = re.findall(r"\n(.+)\nprocessed \d+ insns", said(result))
        reason = re.sub(r"-?\d+", "N", reason[0]) if reason else "?"
        raise Fault(f"the verifier refuses it, built with {clang}: {reason}", said(result)[-6000:])
    if result.returncode != 0:
        raise Fault("run_program fails", said(result)[-3000:])
    faults = []
    for case, line in zip(cases, result.stdout.splitlines(), strict=True):
        faults += [f"{case['run']}, {case['name']}: {fault}" for fault in run_examples.faults_of(case, json.loads(line))]
    if faults:
        raise Fault(f"wrong in the kernel, built with {clang}", "\n".join(faults))


def judge_userspace(project, wanted, cache):
    """The runtime is the same for all programs, and built once."""
    runtime = project / "runtime"
    for built in cache.glob("*.o"):
        shutil.copyfile(built, runtime / built.name)
    make_target(project, "program", "the C compiler")
    for built in runtime.glob("*.o"):
        if not (cache / built.name).exists():
            shutil.copyfile(built, cache / built.name)
    result = ran([project / "program"], env={**os.environ, "KS_NO_WAIT": "1"})
    output, status = wanted
    if result.stdout != output or result.returncode != status:
        got, expected = result.stdout.splitlines(), output.splitlines()
        first = next((i for i, pair in enumerate(zip(got, expected)) if pair[0] != pair[1]), min(len(got), len(expected)))
        raise Fault("wrong in userspace", f"line {first + 1}: {got[first:first + 1]}, wanted {expected[first:first + 1]}; "
                    f"status {result.returncode}, wanted {status}\n{result.stderr.decode(errors='replace')[-500:]}")


def judge(program, folder, clangs, userspace):
    """Nothing, or the Fault that was found first."""
    try:
        project = compile_program(program.text(), folder)
        cases = program.table()
        for clang in clangs:
            judge_kernel(project, clang, cases)
        if userspace:
            cache = folder.parent / "runtime"
            cache.mkdir(exist_ok=True)
            judge_userspace(project, program.user_output(), cache)
    except Fault as fault:
        return fault
    return None

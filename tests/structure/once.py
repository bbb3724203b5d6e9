#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a checker over source files, but not over those that it has found clean before.

    once.py DATABASE COMPILER CHECKER [ARGUMENT...] -- FILE...     status 1 where the checker complains of a file
    once.py DATABASE COMPILER -fsyntax-only                        the compiler itself, over all of the database

DATABASE is a compile_commands.json. What is remembered is a hash of the file as COMPILER preprocesses it, of the
command, and of the checker's version and rules, in the folder of ccache; without ccache nothing is.
"""
import hashlib
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from unchanged import folder_of_marks


def output(words, **more):
    return subprocess.run(words, capture_output=True, check=False, **more)


def flags_of(entry):
    """The options of a compilation, without launcher, compiler, output and source."""
    words = shlex.split(entry["command"])
    first = next(i for i, w in enumerate(words) if w.rsplit("/", 1)[-1].strip("0123456789-").endswith("++"))
    words = words[first + 1:]
    for option in ("-o", "-MT", "-MF"):
        if option in words:
            at = words.index(option)
            del words[at:at + 2]
    return [w for w in words if w not in ("-c", "-MD", entry["file"])]


class Checked:
    def __init__(self, compiler, checker):
        self.compiler, self.checker, self.marks = compiler, checker, folder_of_marks()
        program = checker[0] if checker else compiler
        rules = Path(".clang-tidy")
        self.rules = b"".join([output([program, "--version"]).stdout, "\0".join(checker).encode(),
                               rules.read_bytes() if rules.exists() else b""])

    def mark(self, entry, flags):
        source = output([self.compiler, *flags, "-w", "-E", "-C", entry["file"]], cwd=entry["directory"])
        if self.marks is None or source.returncode != 0:
            return None
        text = source.stdout.replace(os.getcwd().encode(), b".")
        command = " ".join(flags).replace(os.getcwd(), ".").encode()
        return self.marks / hashlib.sha256(self.rules + command + text).hexdigest()

    def clean(self, entry):
        flags = flags_of(entry)
        mark = self.mark(entry, flags)
        if mark and mark.exists():
            return True, True
        if self.checker:
            done = output([*self.checker, entry["file"]], text=True)
        else:
            done = output([self.compiler, *flags, "-fsyntax-only", entry["file"]], cwd=entry["directory"], text=True)
        complains = done.returncode != 0 or "warning:" in done.stdout + done.stderr.replace("warnings generated", "")
        if complains:
            print(done.stdout + done.stderr, flush=True)
        elif mark:
            mark.touch()
        return not complains, False


def main(database, compiler, *rest):
    entries = [e for e in json.loads(Path(database).read_text(encoding="utf-8")) if "/alone/" not in e["file"]]
    if rest == ("-fsyntax-only",):
        checked, chosen = Checked(compiler, []), {(e["file"], " ".join(flags_of(e))): e for e in entries}
    else:
        at = rest.index("--")
        wanted = {str(Path(f).resolve()) for f in rest[at + 1:]}
        checked, chosen = Checked(compiler, list(rest[:at])), {e["file"]: e for e in entries if e["file"] in wanted}
        missing = wanted - set(chosen)
        if missing:
            sys.exit(f"{database} does not have {', '.join(sorted(missing))}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(checked.clean, chosen.values()))
    bad = sum(not good for good, _ in results)
    print(f"{len(results) - bad} of {len(results)} files are clean, {sum(known for _, known in results)} known from before")
    return 1 if bad or not results else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

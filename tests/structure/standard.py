#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every header says in one sentence that it needs C++20, and nothing else, to a compiler of an older standard.

    standard.py INCLUDE_DIRECTORY COMPILER [ARGUMENT...]      prints what is wrong; status 1 if anything is
"""
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SENTENCE = "hone needs C++20: compile with -std=c++20"


def wrong_with(header, root, command):
    source = f"#include <{header}>\n#include <{header}>\nint main() {{ return hone::nothing; }}\n"
    run = subprocess.run([*command, "-std=c++17", "-fsyntax-only", "-I", root, "-x", "c++", "-"], input=source,
                         text=True, capture_output=True, check=False)
    said = [line for line in run.stderr.splitlines() if not re.match("(In file included| +) from ", line)]
    errors = [line for line in run.stderr.splitlines() if "error:" in line]
    if run.returncode == 0:
        return f"{header}: compiles as C++17"
    if not errors or not all(SENTENCE in e for e in errors) or len(said) > 12:
        return f"{header}: {len(said)} lines, the first error: {errors[0] if errors else 'none'}"
    return None


def main(root, *command):
    headers = sorted(p.relative_to(root).as_posix() for p in Path(root).rglob("*.hpp"))
    without = ("hone/version.hpp", "hone/core/macros_push.hpp", "hone/core/macros_pop.hpp")  # no C++20 in them
    headers = [h for h in headers if h not in without]
    with ThreadPoolExecutor(2) as pool:
        wrong = [w for w in pool.map(lambda h: wrong_with(h, root, command), headers) if w]
    print("\n".join(wrong) or f"{len(headers)} headers refuse C++17 in one sentence")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

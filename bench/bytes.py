#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the bytes that works of hone move between memory and a last cache of 32 MiB, by the model of cachegrind:

    bench/bytes.py [REGEX]      of works that match; needs valgrind

A count is the difference between two numbers of calls. It is beside the bytes that must move: of every input and every
output once. Works whose arrays fit the cache move less. Every store counts once, whether it passes the caches or reads
its line first."""
import re
import sys

import instructions

TOOL = ["--tool=cachegrind", "--cache-sim=yes", "--LL=33554432,16,64", "--cachegrind-out-file=/dev/null"]
MISSES = r"LLd misses: +([\d,]+)"
LINE = 64


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] in (["--help"], ["-h"]):
        sys.exit(__doc__)
    regex = sys.argv[1] if len(sys.argv) > 1 else "^structure/squeeze_excite/.*56x56"
    program = instructions.build("g++ -O3")
    print("| work | MB that must move | MB that hone moves | ratio |\n|---|---|---|---|")
    for work, who, least in instructions.listed(program):
        if who == "hone" and re.search(regex, work):
            moved = LINE * instructions.per_call(TOOL, MISSES, program, work, who, calls=(1, 2))
            print(f"| {work.removesuffix('/threads:1')} | {float(least) / 1e6:.1f} | {moved / 1e6:.1f} | "
                  f"{moved / float(least):.2f} |", flush=True)


if __name__ == "__main__":
    main()

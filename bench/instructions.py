#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the instructions of works on small shapes with four builds for AVX2, by callgrind, which has no AVX-512:

    bench/instructions.py [--json FILE] [REGEX]      of works that match; needs valgrind, g++ and clang++-19

A count is the difference between two numbers of calls, divided by the elements (logits, boxes) of the work. It is the
same in every run, so it shows what a compiler makes of the code without the noise of times."""
import argparse
import json
import math
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WAYS = ("g++ -O2", "g++ -O3", "clang++-19 -O2", "clang++-19 -O3")
WORKS = r"^(rows|elements)/(?!.*/512x1000/)|^boxes/[a-z]*_loss/"  # 512x1000 is 1024x1000 again
CALLS = (1, 5)


def build(way):
    compiler, level = way.split()
    folder = ROOT / "build/instructions" / way.replace(" ", "")
    subprocess.run(["cmake", "--preset", "bench", "-B", folder, f"-DCMAKE_CXX_COMPILER={compiler}",
                    f"-DHONE_BENCH_FLAGS={level} -march=x86-64-v3"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", folder, "--target", "hone_instructions", "-j", "2"], check=True,
                   stdout=sys.stderr)
    return folder / "bench/hone_instructions"


def per_call(tool, count, program, work, who, calls=CALLS):
    """What a tool of valgrind counts in one call; `count` is the pattern of the number in what it prints."""
    def counted(n):
        done = subprocess.run(["valgrind", *tool, program, work, who, str(n)], capture_output=True, text=True,
                              check=True)
        return int(re.search(count, done.stderr)[1].replace(",", ""))

    few, many = map(counted, calls)
    return (many - few) / (calls[1] - calls[0])


def per_element(program, work, who):
    shape = work.split("/")[-2]
    count = per_call(["--tool=callgrind", "--callgrind-out-file=/dev/null"], r"Collected : (\d+)", program, work, who)
    return round(count / math.prod(map(int, shape.split("x"))), 2)


def listed(program):
    """Names, contenders and bytes of all works."""
    text = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    return [line.split() for line in dict.fromkeys(text.splitlines())]


def table(counted):
    """Instructions per element of hone with each build, the largest by the smallest, and those of the twin."""
    lines = ["| work | " + " | ".join(WAYS) + " | largest / smallest | twin, g++ -O3 |", "|" + "---|" * (len(WAYS) + 3)]
    for work, counts in counted.items():
        hone = [counts["hone"][way] for way in WAYS]
        twin = counts.get("twin", {}).get("g++ -O3", "")
        lines.append(f"| {work.removesuffix('/threads:1')} | {' | '.join(map(str, hone))} | "
                     f"{max(hone) / min(hone):.2f} | {twin} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("regex", nargs="?", default=WORKS)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    programs = {way: build(way) for way in WAYS}
    counted = {}
    for work, who, _ in listed(next(iter(programs.values()))):
        if re.search(asked.regex, work) and who in ("hone", "twin"):
            counted.setdefault(work, {})[who] = {way: per_element(program, work, who)
                                                 for way, program in programs.items()}
            print(work, who, counted[work][who], file=sys.stderr)
    if asked.json:
        text = json.dumps(counted, indent=1)
        asked.json.write_text(re.sub(r"\{[^{}]*\}", lambda m: " ".join(m[0].split()), text) + "\n", encoding="utf-8")
    print(table(counted), end="")


if __name__ == "__main__":
    main()

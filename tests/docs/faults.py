#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the table of docs/distributed.md, "Faults of others": that each of its rows names a file with a test case of this
number or is open, that the numbers are 1, 2, 3 …, and that no test case has a number that is not in the table.

    faults.py      prints what is wrong; status 1 if anything is
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = "docs/distributed.md"
ROW = re.compile(r"^\| (\d+) \|.*\| (open|`tests/[^`]+`) \|$", re.M)
CASE = re.compile(r'TEST_CASE(?:_TEMPLATE)?\(\s*"faults? ([\d, and]+):')


def numbers_in(path):
    """The faults that the test cases of a file are named after."""
    return {int(n) for names in CASE.findall(path.read_text(encoding="utf-8")) for n in re.findall(r"\d+", names)}


def main():
    rows = [(int(number), path.strip("`")) for number, path in ROW.findall((ROOT / PAGE).read_text(encoding="utf-8"))]
    numbers = [number for number, _ in rows]
    wrong = []
    if not rows or numbers != list(range(1, len(rows) + 1)):
        wrong.append(f"{PAGE}: the faults are numbered {numbers}")
    tested = {number for number, path in rows if path != "open"}
    for number, path in rows:
        if number not in tested:
            continue
        if not (ROOT / path).is_file():
            wrong.append(f"{PAGE}: fault {number}: {path} does not exist")
        elif number not in numbers_in(ROOT / path):
            wrong.append(f"{PAGE}: fault {number}: {path} has no test case of this number")
    for path in sorted((ROOT / "tests").rglob("*_test.c*")):
        wrong += [f"{path.relative_to(ROOT)}: fault {n} is open in {PAGE}, or not there" for n in sorted(numbers_in(path) - tested)]
    print("\n".join(wrong) if wrong else f"{len(rows)} faults, {len(tested)} of them with a test")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

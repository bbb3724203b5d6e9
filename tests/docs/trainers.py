#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What docs/trainers.md says of lines, pages and tests is so.

    trainers.py [ROOT]     status 1 and a line for each of:
      a program of examples/start that is in no row, or whose page does not show it
      a number of lines that is not the one counted, or more than 10 lines of glue
      a test that does not exist
"""
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import newcomer

MOST = 10
ROW = re.compile(r"^\|[^|]*\| \[[^]]*\]\((?P<page>[^)#]+)[^)]*\) \|.*\[(?P<glue>\d+) of (?P<lines>\d+)\]\((?P<program>[^)]+)\)", re.M)
TEST = re.compile(r"`(?P<file>tests/[^`]+)`(?:: \"(?P<name>[^\"]+)\")?")


def check(root):
    """Complaints about docs/trainers.md of a checkout."""
    docs = root / "docs"
    text = (docs / "trainers.md").read_text(encoding="utf-8")
    shown = set()
    for row in ROW.finditer(text):
        program = (docs / row["program"]).resolve()
        page = (docs / row["page"]).read_text(encoding="utf-8")
        shown.add(program)
        code = dict(newcomer.programs(page)).get(program.name)
        if code is None or f"<!-- snippet: examples/start/{program.name}#program -->" not in page:
            yield f"{row['page']} does not show {program.name}"
            continue
        counted = newcomer.glue(code, program.suffix == ".py"), len(code.splitlines())
        if counted != (int(row["glue"]), int(row["lines"])):
            yield f"{program.name} has {counted[0]} of {counted[1]} lines, not {row['glue']} of {row['lines']}"
        if counted[0] > MOST:
            yield f"{program.name} has {counted[0]} lines of glue, must be at most {MOST}"
    for program in sorted((root / "examples/start").iterdir()):
        if program.resolve() not in shown:
            yield f"{program.name} is in no row"
    if not TEST.search(text):
        yield "no test is named"
    for test in TEST.finditer(text):
        file = root / test["file"]
        if not file.exists():
            yield f"{test['file']} does not exist"
        elif test["name"] and f'"{test["name"]}"' not in file.read_text(encoding="utf-8"):
            yield f"{test['file']} has no test \"{test['name']}\""


def main(root=newcomer.ROOT):
    wrong = list(check(Path(root)))
    print("\n".join(wrong) if wrong else "docs/trainers.md is as counted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

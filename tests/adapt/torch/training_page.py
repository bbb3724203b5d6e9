#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keeps docs/torch.md equal to the difference of the two example trainers, and its glue short.

    training_page.py --check      status 1 where the page shows another difference, or a snippet is too long
    training_page.py --write      puts the difference into the page
"""
import difflib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/torch.md"
BLOCK = re.compile(r"(<!-- difference: (\S+) (\S+) -->\n```diff\n)(.*?)(^```$)", re.S | re.M)
SNIPPET = re.compile(r"<!-- snippet: \S*training_snippets_test\.cpp#(\S+) -->\n```cpp\n(.*?)^```$", re.S | re.M)
GLUE, CHANGED = 10, 17  # lines: of all that a trainer needs to clip, schedule and average; added to the example


def difference(old, new):
    """The changed lines with one line around them, the leading comments left out."""
    def lines(path):
        text = (ROOT / path).read_text(encoding="utf-8")
        return [line for line in text.splitlines() if not line.startswith("//")]
    shown = list(difflib.unified_diff(lines(old), lines(new), n=1, lineterm=""))[2:]
    return ["@@" if line.startswith("@@") else line for line in shown]


def main():
    page = PAGE.read_text(encoding="utf-8")
    block = BLOCK.search(page)
    if not block:
        return [f"{PAGE.name} shows no difference"]
    shown = difference(block[2], block[3])
    text = "\n".join(shown) + "\n"
    complaints = []
    if text != block[4]:
        if "--write" in sys.argv:
            PAGE.write_text(page[:block.start(4)] + text + page[block.end(4):], encoding="utf-8")
        else:
            complaints.append(f"{PAGE.name} shows another difference of {block[2]} and {block[3]}")
    added = sum(line.startswith("+") for line in shown)
    if added > CHANGED:
        complaints.append(f"{block[3]} adds {added} lines, must be at most {CHANGED}")
    snippets = dict(SNIPPET.findall(page))
    glue = sum(len(snippets.get(name, "").splitlines()) for name in ("setup", "step", "swapped"))
    if not 0 < glue <= GLUE:
        complaints.append(f"setup, step and swapped are {glue} lines, must be at most {GLUE}")
    print(f"{added} lines added to the example, {glue} lines of glue")
    return complaints


if __name__ == "__main__":
    failed = main()
    print("\n".join(failed), end="\n" if failed else "")
    sys.exit(bool(failed))

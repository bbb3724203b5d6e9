#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keeps the code in Markdown pages equal to the compiled files it is cut from.

    snippets.py --check [PAGE...]      status 1 where a page shows something else, or shows what is not there
    snippets.py --write [PAGE...]      puts the compiled text into the pages

Without pages: README.md, CONTRIBUTING.md and docs/*.md. A page names its source, relative to the repository:

    <!-- snippet: examples/snippets/targets.cpp#smoothing -->
    ```cpp
    (this block is kept)
    ```

and the source marks what is shown, indented as it may be: `// [smoothing]` … `// [/smoothing]`. A block may also be ```c,
```rust or ```python, where the marks are in the comments of C and Python too: `/* [smoothing] */`, `# [smoothing]`.

A page may also show what one file has more than another, and how many lines that may be:

    <!-- difference: examples/libtorch/baseline.cpp examples/libtorch/refined.cpp, at most 17 lines added -->
    ```diff
    (this block is kept)
    ```
"""
import difflib
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- snippet: (?P<path>[^#\s]+)#(?P<name>\S+) -->\n```(?:cpp|c|rust|python)\n)(?P<code>.*?)(?P<end>^```$)", re.S | re.M)
DIFFERENCE = re.compile(r"(<!-- difference: (?P<old>\S+) (?P<new>\S+), at most (?P<most>\d+) lines added -->\n```diff\n)(?P<code>.*?)(?P<end>^```$)", re.S | re.M)
COMMENT = re.compile("<!-- (snippet|difference):")
NOT_UNDERSTOOD = {
    "snippet": "no ```cpp block follows, or the comment is not PATH#NAME",
    "difference": "no ```diff block follows, or the comment is not OLD NEW, at most N lines added",
}
MARK = re.compile(r"\s*(?://|#|/\*) \[(/?[\w-]+)\](?: \*/)?")


class Missing(Exception):
    pass


def lines_of(path):
    source = ROOT / path
    if not source.is_file():
        raise Missing(f"{path} does not exist")
    return source.read_text(encoding="utf-8").splitlines()


def cut(path, name):
    """The lines of a source file between the two marks of this name."""
    lines = lines_of(path)
    marks = [(number, mark[1]) for number, line in enumerate(lines) if (mark := MARK.fullmatch(line))]
    own = [number for number, mark in marks if mark in (name, f"/{name}")]
    if len(own) != 2 or (own[0], name) not in marks:
        raise Missing(f"{path} has no single // [{name}] … // [/{name}]")
    shown = [line for line in lines[own[0] + 1:own[1]] if not MARK.fullmatch(line)]
    return textwrap.dedent("\n".join(shown)).strip("\n") + "\n"


def difference(old, new):
    """The changed lines with one line around them, the comments that begin a line left out."""
    old, new = ([line for line in lines_of(path) if not line.startswith("//")] for path in (old, new))
    shown = list(difflib.unified_diff(old, new, n=1, lineterm=""))[2:]
    return "".join(("@@" if line.startswith("@@") else line) + "\n" for line in shown)


def added(code):
    return sum(line.startswith("+") for line in code.splitlines())


def compiled(block):
    """What a block shows, and where it is from."""
    if block.re is DIFFERENCE:
        return difference(block["old"], block["new"]), f"{block['old']} and {block['new']}"
    return cut(block["path"], block["name"]), f"{block['path']}#{block['name']}"


def check_page(page, write):
    """Complaints about one page; with write, the page is corrected."""
    text = page.read_text(encoding="utf-8")
    shown = page.relative_to(ROOT) if page.is_relative_to(ROOT) else page
    complaints = []

    def line_of(position):
        return f"{shown}:{text.count(chr(10), 0, position) + 1}"

    blocks = sorted([*BLOCK.finditer(text), *DIFFERENCE.finditer(text)], key=lambda block: block.start())
    corrected, end = "", 0
    for block in blocks:
        try:
            code, source = compiled(block)
        except Missing as missing:
            complaints.append(f"{line_of(block.start())}: {missing}")
            continue
        if code != block["code"] and not write:
            complaints.append(f"{line_of(block.start())}: differs from {source}")
        if block.re is DIFFERENCE and (count := added(code)) > int(block["most"]):
            complaints.append(f"{line_of(block.start())}: {block['new']} adds {count} lines, more than {block['most']}")
        corrected += text[end:block.start("code")] + code
        end = block.end("code")
    corrected += text[end:]
    understood = [block.start() for block in blocks]
    for comment in COMMENT.finditer(text):
        if comment.start() not in understood:
            complaints.append(f"{line_of(comment.start())}: {NOT_UNDERSTOOD[comment[1]]}")
    if write and corrected != text:
        page.write_text(corrected, encoding="utf-8")
        print(f"{shown}: written", file=sys.stderr)
    return complaints, len(understood)


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in ("--check", "--write"):
        sys.exit(__doc__)
    standard = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    pages = [Path(name).resolve() for name in sys.argv[2:]] or [page for page in standard if page.is_file()]
    complaints, count = [], 0
    for page in pages:
        wrong, found = check_page(page, sys.argv[1] == "--write")
        complaints += wrong
        count += found
    print("\n".join(complaints) if complaints else f"{count} snippets in {len(pages)} pages are as compiled")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()

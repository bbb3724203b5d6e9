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
"""
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- snippet: (?P<path>[^#\s]+)#(?P<name>\S+) -->\n```(?:cpp|c|rust|python)\n)(?P<code>.*?)(?P<end>^```$)", re.S | re.M)
COMMENT = "<!-- snippet:"
MARK = re.compile(r"\s*(?://|#|/\*) \[(/?[\w-]+)\](?: \*/)?")


class Missing(Exception):
    pass


def cut(path, name):
    """The lines of a source file between the two marks of this name."""
    source = ROOT / path
    if not source.is_file():
        raise Missing(f"{path} does not exist")
    lines = source.read_text(encoding="utf-8").splitlines()
    marks = [(number, mark[1]) for number, line in enumerate(lines) if (mark := MARK.fullmatch(line))]
    own = [number for number, mark in marks if mark in (name, f"/{name}")]
    if len(own) != 2 or (own[0], name) not in marks:
        raise Missing(f"{path} has no single // [{name}] … // [/{name}]")
    shown = [line for line in lines[own[0] + 1:own[1]] if not MARK.fullmatch(line)]
    return textwrap.dedent("\n".join(shown)).strip("\n") + "\n"


def check_page(page, write):
    """Complaints about one page; with write, the page is corrected."""
    text = page.read_text(encoding="utf-8")
    shown = page.relative_to(ROOT) if page.is_relative_to(ROOT) else page
    complaints = []

    def line_of(position):
        return f"{shown}:{text.count(chr(10), 0, position) + 1}"

    def replace(match):
        try:
            code = cut(match["path"], match["name"])
        except Missing as missing:
            complaints.append(f"{line_of(match.start())}: {missing}")
            return match[0]
        if code != match["code"] and not write:
            complaints.append(f"{line_of(match.start())}: differs from {match['path']}#{match['name']}")
        return match[1] + code + match["end"]

    corrected = BLOCK.sub(replace, text)
    understood = [match.start() for match in BLOCK.finditer(text)]
    for comment in re.finditer(re.escape(COMMENT), text):
        if comment.start() not in understood:
            complaints.append(f"{line_of(comment.start())}: no ```cpp block follows, or the comment is not PATH#NAME")
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

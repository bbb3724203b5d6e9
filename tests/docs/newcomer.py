#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does what a newcomer does with a page: copies its programs and its commands, and runs them in an empty folder.

    newcomer.py PAGE...     status 1 where a command fails or prints something else than the page shows

A program is a block that <!-- snippet: PATH#NAME --> precedes and that defines main, or one that is Python: it is written
to a file of PATH's name. A command is an indented line that begins with "$ "; the indented lines behind it are what it
prints ("..." stands for any lines). The folder has this checkout as `hone`, as `git clone` would leave it there.
"""
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = re.compile(r"<!-- snippet: (?P<path>[^#\s]+)#\S+ -->\n```(?:cpp|c|python|cuda)\n(?P<code>.*?)^```$", re.S | re.M)
COMMAND = re.compile(r"^    \$ (?P<command>.*)\n(?P<said>(?:    (?!\$ ).*\n)*)", re.M)


def programs(text):
    """File names and texts of a page's complete programs."""
    for match in PROGRAM.finditer(text):
        name = Path(match["path"]).name
        if re.search(r"^int main\(", match["code"], re.M) or name.endswith(".py"):
            yield name, match["code"]


def commands(text):
    for match in COMMAND.finditer(text):
        yield match["command"], "".join(line[4:] + "\n" for line in match["said"].splitlines())


def like(expected, said):
    pattern = ".*".join(re.escape(part) for part in re.split(r"^\.\.\.\n", expected, flags=re.M))
    return re.fullmatch(pattern, said, re.S) is not None


def follow(page):
    """Complaints about a page, and a line about it."""
    text = page.read_text(encoding="utf-8")
    found = list(programs(text))
    steps = [(command, said) for command, said in commands(text) if any(name in command for name, _ in found)]
    if not found or not steps:
        return [f"{page}: shows no program with the command that runs it"], ""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "hone").symlink_to(ROOT)
        for name, code in found:
            (Path(folder) / name).write_text(code, encoding="utf-8")
        for command, said in steps:
            run = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)
            if run.returncode != 0:
                return [f"{page}: `{command}` fails:\n{run.stdout}{run.stderr}"], ""
            if not like(said, run.stdout):
                return [f"{page}: `{command}` prints\n{run.stdout}and not\n{said}"], ""
    lines = sum(len(code.splitlines()) for _, code in found)
    return [], f"{page.name}: {lines} lines, {len(steps)} commands, {time.monotonic() - begin:.0f} s"


def main(*pages):
    complaints = []
    for page in pages:
        wrong, line = follow(Path(page))
        complaints += wrong
        print("\n".join(wrong) if wrong else line)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 else __doc__)

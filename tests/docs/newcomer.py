#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does what a newcomer does with a page: copies its programs and its commands, and runs them in an empty folder.

    newcomer.py PAGE [PROGRAM]...             status 1 where a command fails or prints something else than the page shows
    newcomer.py PAGE [PROGRAM]... NAME=FILE   the folder also has FILE as NAME: what another command of the page builds

A program is a block that <!-- snippet: PATH#NAME --> precedes and that defines main, or one that is Python: it is written
to a file of PATH's name. A command is an indented line that begins with "$ "; the indented lines behind it are what it
prints ("..." stands for any lines). The commands that name a program are run, or those that name one of PROGRAM. The
folder has this checkout as `hone`, as `git clone` would leave it there.

It prints the clock, from the empty folder to the end of the first command's program, and the lines of glue: those of
statements that name hone.
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
COMMENT = re.compile(r"//.*|/\*.*?\*/")
PYTHON_COMMENT = re.compile(r"#.*")


def programs(text):
    """File names and texts of a page's complete programs."""
    for match in PROGRAM.finditer(text):
        name = Path(match["path"]).name
        if re.search(r"^int main\(", match["code"], re.M) or name.endswith(".py"):
            yield name, match["code"]


def commands(text):
    for match in COMMAND.finditer(text):
        yield match["command"], "".join(line[4:] + "\n" for line in match["said"].splitlines())


def names(command, program):
    return re.search(rf"(?<![\w./-]){re.escape(program)}(?![\w.-])", command) is not None


def glue(code, python=False):
    """The number of lines of the statements that name hone, or a function of hone.h."""
    count, statement = 0, []
    for line in code.splitlines():
        statement.append((PYTHON_COMMENT if python else COMMENT).sub("", line))
        if python or not statement[-1].strip() or statement[-1].startswith("#") or re.search(r"[;{}:]\s*$", statement[-1]):
            if re.search(r"\bhone(?:\b|_)", "\n".join(statement)):
                count += len(statement)
            statement = []
    return count


def like(expected, said):
    pattern = ".*".join(re.escape(part) for part in re.split(r"^\.\.\.\n", expected, flags=re.M))
    return re.fullmatch(pattern, said, re.S) is not None


def follow(page, wanted=(), files=()):
    """Complaints about a page, and a line about it."""
    text = page.read_text(encoding="utf-8")
    shown = {name: code for name, code in programs(text) if not wanted or name in wanted}
    steps = [(command, said) for command, said in commands(text) if any(names(command, name) for name in shown)]
    found = {name: code for name, code in shown.items() if any(names(command, name) for command, _ in steps)}
    if not found or not set(wanted) <= set(found):
        return [f"{page}: does not show {' '.join(wanted) or 'a program'} with the command that runs it"], ""
    first = None
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "hone").symlink_to(ROOT)
        for name, file in files:
            (Path(folder) / name).symlink_to(Path(file).resolve())
        for name, code in found.items():
            (Path(folder) / name).write_text(code, encoding="utf-8")
        for command, said in steps:
            run = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)
            first = first or time.monotonic() - begin
            if run.returncode != 0:
                return [f"{page}: `{command}` fails:\n{run.stdout}{run.stderr}"], ""
            if not like(said, run.stdout):
                return [f"{page}: `{command}` prints\n{run.stdout}and not\n{said}"], ""
    lines = sum(len(code.splitlines()) for code in found.values())
    own = sum(glue(code, name.endswith(".py")) for name, code in found.items())
    return [], f"{page.name}: {' '.join(found)}: {lines} lines, {own} of glue; {first:.0f} s to the first refined step"


def main(page, *arguments):
    wrong, line = follow(Path(page), [name for name in arguments if "=" not in name],
                         [argument.split("=", 1) for argument in arguments if "=" in argument])
    print("\n".join(wrong) if wrong else line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 else __doc__)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""quickstarts.py follows a page that is right, and refuses each that is not."""
import os
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import quickstarts

PROGRAM = "<!-- snippet: examples/{0}#program -->\n```python\n# prints a\nprint('a')\n```\n\n"
README = "# One\n\n" + PROGRAM.format("one.py") + "    $ git clone https://example.com/hone.git\n    $ python3 one.py\n    a\n\n# Two\n"
START = "# Two\n\n## Start\n\n{0}\n## More\n\n    $ false\n"
RUN = PROGRAM.format("two.py") + "    $ python3 two.py && cat hone/said\n    a\n    b\n"
CASES = [  # README.md, what docs/two.md starts with, what is complained about
    (README, RUN, ""),
    (README.replace("    $ git clone", "    $ git clone -q"), RUN, ""),
    (README, RUN.replace("    $ python3", "    $ export A=a && cd .\n    $ echo $A${SECRET-b}\n    ab\n    $ python3"), ""),
    (README, RUN.replace("    b\n", ""), "prints\na\nb\nand not\na\n"),
    (README, RUN.replace("hone/said", "hone/sayd"), "`python3 two.py && cat hone/sayd` fails"),
    (README, RUN.replace("hone/said", str(Path(__file__).name)), "fails"),
    (README, RUN.replace("python3 two.py", "python3 three.py"), "no command of the section names two.py"),
    (README, RUN.replace("examples/two.py", "examples/four.py"), "no section shows two.py"),
    (README.replace("    $ git clone https://example.com/hone.git\n", ""), RUN, "fails"),
    (README.replace("hone.git", "hone.git home"), RUN, "fails"),
    (README, RUN.replace("    $ python3", "    $ cd hone\n    $ python3"), "`python3 two.py && cat hone/said` fails"),
]

quickstarts.STARTS = {"README": ("README.md", "one.py"), "two": ("docs/two.md", "two.py")}
os.environ["SECRET"] = "c"
wrong = 0
for readme, start, expected in CASES:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "root/docs").mkdir(parents=True)
        for file, text in [("README.md", readme), ("docs/two.md", START.format(start)), ("said", "b\n")]:
            (folder / "root" / file).write_text(text, encoding="utf-8")
        (folder / "home").mkdir()
        quickstarts.origin(folder / "root", folder / "origin")
        try:
            code, steps = quickstarts.steps_of(folder / "root", "two")
            given = quickstarts.environment(folder / "home", folder / "origin", {})
            quickstarts.follow(code, "two.py", steps, folder / "home", given)
            found = ""
        except quickstarts.Failed as why:
            found = str(why)
    if expected not in found or bool(expected) != bool(found):
        wrong += 1
        print(f"{start!r}\n  expected {expected!r}, found {found!r}")
print(f"{wrong} wrong of {len(CASES)}")
sys.exit(1 if wrong else 0)

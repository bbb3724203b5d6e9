#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""trainers.py accepts a page that is right and catches each that is not; newcomer.py counts glue and compares output."""
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import newcomer
import trainers

CODE = """#include <hone/hone.hpp>

int main() {
  const int a = 1;  // hone is not named here
  hone::evaluate(a,
                 a);
  return a;
}
"""
SHOWN = f"<!-- snippet: examples/start/one.cpp#program -->\n```cpp\n{CODE}```\n"
ROW = "| One | [one.md](one.md) | packages | [3 of 8](../examples/start/one.cpp) |\n"
TEST = '| trap | what happens | `tests/one_test.cpp`: "it does" |\n'

CASES = [  # trainers.md, one.md, what is complained about
    (ROW + TEST, SHOWN, ""),
    (ROW.replace("3 of", "2 of") + TEST, SHOWN, "3 of 8 lines, not 2 of 8"),
    (TEST, SHOWN, "in no row"),
    (ROW + TEST, "", "does not show one.cpp"),
    (ROW.replace("3 of 8", "11 of 16") + TEST, SHOWN.replace("  return", "  hone::update(a);\n" * 8 + "  return"), "at most 10"),
    (ROW, SHOWN, "no test"),
    (ROW + TEST.replace("one_test", "two_test"), SHOWN, "does not exist"),
    (ROW + TEST.replace("it does", "it did"), SHOWN, "has no test"),
]
COUNTS = [  # code, is it Python, lines of glue
    (CODE, False, 3), ("  hone_loss* loss = NULL;\n", False, 1), ("  phone::call();\n", False, 0),
    ("  f(hone::a)\n      .g();\n  /* hone */ h();\n", False, 2), ("import hone  # once\nx = 1  # hone\n", True, 1),
]
RUNS = [  # a page, whether it does what it shows
    ("<!-- snippet: a/one.py#x -->\n```python\nprint('a')\n```\n\n    $ python3 one.py\n    a\n", True),
    ("<!-- snippet: a/one.py#x -->\n```python\nprint('b')\n```\n\n    $ python3 one.py\n    a\n", False),
    ("<!-- snippet: a/one.py#x -->\n```python\nraise ValueError\n```\n\n    $ python3 one.py\n", False),
    ("<!-- snippet: a/one.py#x -->\n```python\nprint('a')\n```\n\n    $ python3 done.py\n", False),
]

wrong = 0
for text, page, expected in CASES:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, content in [("docs/trainers.md", text), ("docs/one.md", page), ("examples/start/one.cpp", CODE),
                              ("tests/one_test.cpp", 'TEST_CASE("it does") {}\n')]:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content, encoding="utf-8")
        found = list(trainers.check(root))
    if (len(found), expected in "".join(found)) != (1 if expected else 0, True):
        wrong += 1
        print(f"{text!r}\n  expected {expected!r}, found {found}")
for code, python, expected in COUNTS:
    if newcomer.glue(code, python) != expected:
        wrong += 1
        print(f"{code!r}\n  expected {expected} lines, found {newcomer.glue(code, python)}")
for text, right in RUNS:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.md"
        page.write_text(text, encoding="utf-8")
        if (not newcomer.follow(page)[0]) != right:
            wrong += 1
            print(f"{text!r}\n  expected {right}, found {newcomer.follow(page)}")
print(f"{wrong} wrong of {len(CASES) + len(COUNTS) + len(RUNS)}")
sys.exit(1 if wrong else 0)

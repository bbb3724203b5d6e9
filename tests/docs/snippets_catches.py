#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""snippets.py accepts a page that shows what is compiled, catches one that does not, and writes it right."""
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs"))
import snippets

SOURCE = """int main() {
  // [outer]
  int a = 1;
  // [inner]
  if (a)
    return a;
  // [/inner]
  // [/outer]
  // [open]
}
"""
INNER = "if (a)\n  return a;\n"
OUTER = "int a = 1;\n" + INNER


def page(name, code, path="source.cpp"):
    return f"Text.\n\n<!-- snippet: {path}#{name} -->\n```cpp\n{code}```\n\nMore text.\n\n```cpp\nuntouched\n```\n"


OLD = "// One.\nint a;\nint b;\nint c;\n"
NEW = "// Two.\n// Three.\nint a;\nint d;\nint e;\nint c;\n"
CHANGED = "@@\n int a;\n-int b;\n+int d;\n+int e;\n int c;\n"


def difference(code, most=2, new="new.cpp"):
    return f"<!-- difference: old.cpp {new}, at most {most} lines added -->\n```diff\n{code}```\n\nMore text.\n"


PYTHON = "<!-- snippet: source.py#two -->\n```python\nx = 2\n```\n"

CASES = [  # page, complaints expected, page after --write
    (page("inner", INNER), "", page("inner", INNER)),
    (PYTHON, "", PYTHON),
    (PYTHON.replace("x = 2", "x = 3"), "differs from", PYTHON),
    (page("outer", OUTER), "", page("outer", OUTER)),
    (page("inner", ""), "differs from", page("inner", INNER)),
    (page("inner", INNER.replace("a", "b")), "differs from", page("inner", INNER)),
    (page("inner", INNER) + page("outer", ""), "page.md:16: differs from", page("inner", INNER) + page("outer", OUTER)),
    (page("absent", ""), "no single", None),
    (page("open", ""), "no single", None),
    (page("inner", "", path="absent.cpp"), "does not exist", None),
    ("<!-- snippet: source.cpp#inner -->\n\n```cpp\n```\n", "no ```cpp block follows", None),
    ("<!-- snippet: source.cpp -->\n```cpp\n```\n", "no ```cpp block follows", None),
    (difference(CHANGED), "", difference(CHANGED)),
    (difference(""), "differs from old.cpp and new.cpp", difference(CHANGED)),
    (difference(CHANGED, most=1), "new.cpp adds 2 lines, more than 1", difference(CHANGED, most=1)),
    (difference("", new="absent.cpp"), "absent.cpp does not exist", None),
    ("<!-- difference: old.cpp new.cpp -->\n```diff\n```\n", "no ```diff block follows", None),
    (difference("") + page("inner", ""), "page.md:8: differs from source.cpp#inner",
     difference(CHANGED) + page("inner", INNER)),
]


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        snippets.ROOT = Path(folder)
        (snippets.ROOT / "source.cpp").write_text(SOURCE, encoding="utf-8")
        (snippets.ROOT / "source.py").write_text("# [two]\nx = 2\n# [/two]\n", encoding="utf-8")
        (snippets.ROOT / "old.cpp").write_text(OLD, encoding="utf-8")
        (snippets.ROOT / "new.cpp").write_text(NEW, encoding="utf-8")
        target = snippets.ROOT / "page.md"
        for number, (text, wanted, written) in enumerate(CASES):
            target.write_text(text, encoding="utf-8")
            said = "\n".join(snippets.check_page(target, write=False)[0])
            if (wanted not in said) if wanted else said:
                failures += 1
                print(f"case {number}: expected '{wanted}', got '{said}'")
            if target.read_text(encoding="utf-8") != text:
                failures += 1
                print(f"case {number}: --check wrote the page")
            snippets.check_page(target, write=True)
            if target.read_text(encoding="utf-8") != (written or text):
                failures += 1
                print(f"case {number}: --write gave\n{target.read_text(encoding='utf-8')}")
    print(f"{len(CASES)} cases, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

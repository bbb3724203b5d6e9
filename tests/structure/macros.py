#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every header takes the macros of others out of the way of its code: core/macros_push.hpp after its last include,
core/macros_pop.hpp at its end.

    macros.py INCLUDE_DIRECTORY            prints a line per header that does not; status 1 if there is any
    macros.py --write INCLUDE_DIRECTORY    puts both into every header that lacks them, and writes what they hold
"""
import re
import sys
from pathlib import Path

PUSH, POP = "#include <hone/core/macros_push.hpp>\n", "#include <hone/core/macros_pop.hpp>\n"
WITHOUT_CODE = ["version.hpp", "core/config.hpp", "core/macros_push.hpp", "core/macros_pop.hpp"]

# Of windows.h, X.h, Qt, complex.h, Arduino, old C code, as far as hone has such names; a letter may be anybody's.
NAMES = ("min max small near far in out None Bool Status Success slots signals emit index major minor swap bit "
         "abs round floor ceil sqrt exp log log1p log2 pow atan sum all any select keep check require fail "
         + " ".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ")).split()


def wrapped(text):
    """The header with both includes, or None where it has no code."""
    lines = text.splitlines(keepends=True)
    first = next((i for i, line in enumerate(lines) if re.match(r"(namespace\b|HONE_[A-Z0-9_]+$)", line)), None)
    if first is None:
        return None
    return "".join([*lines[:first], PUSH, "\n", *lines[first:], "\n", POP])


def pragmas(comment, each):
    body = "".join(each(name) for name in NAMES)
    return f"// SPDX-License-Identifier: MIT\n{comment}\n#include <hone/core/config.hpp>\n\n// NOLINTBEGIN\n{body}// NOLINTEND\n"


def main(*arguments):
    write, root = arguments[0] == "--write", Path(arguments[-1])
    if write:
        (root / "core/macros_push.hpp").write_text(pragmas(
            "/// Takes macros away whose names hone uses, until core/macros_pop.hpp brings them back. No #pragma once: every\n"
            "/// header includes it. Written by tests/structure/macros.py.\n",
            lambda name: f'#pragma push_macro("{name}")\n#undef {name}\n'), encoding="utf-8")
        (root / "core/macros_pop.hpp").write_text(pragmas(
            "/// Brings back what core/macros_push.hpp took away. Written by tests/structure/macros.py.\n",
            lambda name: f'#pragma pop_macro("{name}")\n'), encoding="utf-8")
    wrong = 0
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".hpp", ".cuh")):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()
        if name in WITHOUT_CODE or (PUSH in text and text.endswith(POP)) or (changed := wrapped(text)) is None:
            continue
        if write:
            path.write_text(changed, encoding="utf-8")
        else:
            print(f"{path}: macros of others reach its code; macros.py --write mends it")
            wrong += 1
    if not wrong:
        print("no macro reaches the headers")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a door of hone as one file, which needs no other header of hone.

    single_header.py OUTPUT_DIRECTORY [DOOR...]    hone.hpp unless doors are named: loss.hpp, hone.cuh, adapt/eigen.hpp

writes OUTPUT_DIRECTORY/hone/DOOR. The text depends on the headers alone, so it is the same wherever it is written. Several
such files may be included in one program, and beside the headers themselves if those come first.
"""
import re
import sys
from pathlib import Path

INCLUDE = re.compile(r"\s*#\s*include\s*<(hone/[^>]+)>")
AGAIN = {"hone/core/macros_push.hpp", "hone/core/macros_pop.hpp"}  # meant to be included many times


class Writer:
    """The lines of headers, each before the first that needs it, and the includes of others' headers apart from them."""

    def __init__(self, root):
        self.root, self.done, self.lines, self.others = root, set(AGAIN), [], []

    def text(self, name):
        return (self.root / name).read_text(encoding="utf-8").splitlines()

    def add(self, name, conditional=False):
        if name in self.done:
            return
        if not conditional:
            self.done.add(name)
        guard = "HONE_IN_ONE_FILE_" + re.sub(r"\W", "_", name.removeprefix("hone/")).upper()
        self.lines += [f"// ---- {name}", f"#ifndef {guard}", f"#define {guard}"]
        depth = 0
        for line in self.text(name):
            directive = re.match(r"\s*#\s*(\w+)", line)
            word = directive[1] if directive else ""
            depth += {"if": 1, "ifdef": 1, "ifndef": 1, "endif": -1}.get(word, 0)
            include = INCLUDE.match(line)
            if include:
                self.add(include[1], conditional or depth > 0)  # what a condition leaves out may be needed later
            elif word == "include" and not conditional and depth == 0:
                if line.strip() not in self.others:
                    self.others.append(line.strip())
            elif line.strip() not in ("#pragma once", "// SPDX-License-Identifier: MIT"):
                self.lines.append(line)
        self.lines.append(f"#endif  // {guard}")


def version(root):
    return re.search(r'version = "([\d.]+)"', (root / "hone/version.hpp").read_text(encoding="utf-8"))[1]


def single(root, door):
    """The text of a door as one file."""
    writer = Writer(root)
    writer.add("hone/core/config.hpp")
    first, writer.lines = writer.lines, []
    writer.add(f"hone/{door}")
    take, give_back = ([line for line in writer.text(f"hone/core/macros_{word}.hpp") if line.startswith(("#pragma", "#undef"))]
                       for word in ("push", "pop"))
    body = [*first, "", *writer.others, "", *take, "", *writer.lines, "", *give_back]
    licence = (root.parent / "LICENSE").read_text(encoding="utf-8").rstrip().splitlines()
    head = ["// SPDX-License-Identifier: MIT", f"/// hone/{door} of hone {version(root)} in one file. Written by "
            "packaging/single_header.py; do not edit.", "//", *[f"// {line}".rstrip() for line in licence], "#pragma once", ""]
    text = "\n".join([*head, *body]) + "\n"
    return re.sub(r"\n{3,}", "\n\n", text)


def main(output, *doors):
    root = Path(__file__).resolve().parents[1] / "include"
    for door in doors or ("hone.hpp",):
        path = Path(output) / "hone" / door
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(single(root, door), encoding="utf-8", newline="\n")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else print(__doc__) or 2)

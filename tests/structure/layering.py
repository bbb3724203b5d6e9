#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the layers of include/hone: who may include whom, what may be named where, how long a header may be.

    layering.py INCLUDE_DIRECTORY      prints a line per violation; status 1 if there is any
"""
import re
import statistics
import sys
from pathlib import Path

# A folder includes itself and these. The arrows point one way: policies know no backend, backends no adapter.
POLICIES = ["target", "loss", "sample", "gradient", "average", "schedule", "large_batch", "precision", "detect",
            "calibration", "distil"]
MAY_INCLUDE = {
    "core": [],
    "target": ["core"],
    "loss": ["core", "target"],
    "sample": ["core"],
    "gradient": ["core"],
    "average": ["core"],
    "schedule": ["core"],
    "large_batch": ["core"],
    "precision": ["core"],
    "detect": ["core", "loss", "sample"],
    "calibration": ["core", "target"],
    "distil": ["core", "target", "loss", "average"],
    "cpu": ["core", *POLICIES],
    "cuda": ["core", *POLICIES],
    "adapt": ["core", *POLICIES, "cpu", "cuda"],
    "hone.hpp": ["core", *POLICIES, "cpu", "version.hpp"],
    "hone.cuh": ["core", *POLICIES, "cuda", "version.hpp"],
    "version.hpp": ["core"],
}
STANDARD = re.compile(r"[a-z_0-9]+$")  # <vector>: no folder, no suffix
EIGEN = re.compile(r"(Eigen|unsupported/Eigen)/")
CUDA = re.compile(r"(cuda|cub/|thrust/|cooperative_groups|cublas|curand|nv|mma\.h|device_|vector_types|math_constants)"
                  r"|.*\.cuh$")
POSIX = {"average": ["fcntl.h", "sys/stat.h", "unistd.h"]}  # files that survive a crash
BACKEND_NAMES = re.compile(r"\b(cpu|cuda|Eigen|__global__|__shared__)\b")
MEDIAN_LINES, MOST_LINES = 110, 300
EVERY_TIME = ["core/macros_push.hpp", "core/macros_pop.hpp"]  # these are included by every header, see macros.py


def lines_of(text):
    """Without what macros.py writes into every header."""
    return text.count("\n") - (4 if "<hone/core/macros_push.hpp>" in text else 0)


def without_comments(text):
    """The code alone, line numbers kept; string literals are emptied too, except those of includes."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)

    def blank(match):
        kept = match.group(0)
        if kept.startswith('"'):
            line = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
            return kept if "#include" in line else '""'
        return "\n" * kept.count("\n")

    return token.sub(blank, text)


def check_include(folder, name):
    """What is wrong with <name> in a header of this folder, or None."""
    if name.startswith("hone/"):
        layer = name.split("/")[1]
        if layer != folder and layer not in MAY_INCLUDE.get(folder, []):
            return f"{folder} may not include {name}"
    elif EIGEN.match(name):
        if folder not in ("cpu", "adapt"):
            return f"only cpu/ includes Eigen: {name}"
    elif CUDA.match(name):
        if folder != "cuda":
            return f"only cuda/ includes CUDA headers: {name}"
    elif not STANDARD.match(name) and name not in POSIX.get(folder, []) and folder not in ("cpu", "cuda", "adapt"):
        return f"neither hone's nor standard: {name}"
    return None


def check_header(path, relative):
    text = path.read_text(encoding="utf-8")
    folder = relative.parts[0]
    if folder not in MAY_INCLUDE:
        yield 1, f"{folder} is no layer"
        return
    if not text.startswith("// SPDX-License-Identifier: MIT\n"):
        yield 1, "the first line is not the licence"
    if "#pragma once" not in text and relative.as_posix() not in EVERY_TIME:
        yield 1, "no #pragma once"
    if not re.fullmatch(r"[a-z][a-z0-9_]*\.(hpp|cuh)", path.name):
        yield 1, "a header is named in snake_case"
    if (lines := lines_of(text)) > MOST_LINES:
        yield MOST_LINES + 1, f"{lines} lines, at most {MOST_LINES}"
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        if include := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line):
            wrong = check_include(folder, include[2]) if include[1] == "<" else "an include is written <hone/...>"
            if relative.as_posix() == "core/config.hpp" and " " in include[2]:
                wrong = None  # not a file: it ends the compilation
            if wrong:
                yield number, wrong
        elif re.match(r"\s*#\s*define\b", line):
            if relative.as_posix() != "core/config.hpp":
                yield number, "macros live in core/config.hpp"
        elif re.match(r"namespace hone\b(?!::inline HONE_ABI\b)", line):
            yield number, "namespace hone is written hone::inline HONE_ABI"
        elif re.search(r"\busing\s+namespace\b", line):
            yield number, "a header has no using namespace"
        elif "__CUDA_ARCH__" in line and relative.as_posix() != "core/config.hpp":
            yield number, "no __CUDA_ARCH__ in a body"
        elif folder in ("core", *POLICIES) and (name := BACKEND_NAMES.search(line)):
            yield number, f"{folder} names a backend: {name[0]}"


def violations(root):
    headers = sorted(p for p in root.rglob("*") if p.suffix in (".hpp", ".cuh"))
    if not headers:
        yield f"{root}: no headers"
        return
    for path in headers:
        for number, wrong in check_header(path, path.relative_to(root)):
            yield f"{path}:{number}: {wrong}"
    file, config = root / "version.hpp", root / "core/config.hpp"
    if file.exists() and config.exists():
        version = "_".join(re.search(r'version = "(\d+)\.(\d+)', file.read_text(encoding="utf-8")).groups())
        if f"HONE_ABI v{version}\n" not in config.read_text(encoding="utf-8"):
            yield f"{root}: HONE_ABI is not v{version}"
    median = statistics.median(lines_of(p.read_text(encoding="utf-8")) for p in headers)
    if median > MEDIAN_LINES:
        yield f"{root}: the median header has {median} lines, at most {MEDIAN_LINES}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = list(violations(Path(sys.argv[1])))
    print("\n".join(found) if found else "the layers hold")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()

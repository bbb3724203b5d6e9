#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The doors of hone: headers that include all headers of a folder (hone/loss.hpp), and those that include doors
(hone/policies.hpp, hone/hone.hpp). They are written by this script, so that no list is kept by hand.

    doors.py INCLUDE_DIRECTORY            prints a line per door that is not as it should be; status 1 if there is any
    doors.py --write INCLUDE_DIRECTORY    writes all doors
"""
import re
import sys
from pathlib import Path

FOLDERS = {  # a folder and what its door says
    "average.hpp": "Averages of parameters, and their states on disk.",
    "calibration.hpp": "Calibration: reliability diagrams and temperature scaling.",
    "detect.hpp": "Detection: confidence targets, decoding of boxes, non-maximum suppression.",
    "distributed.hpp": "Several ranks: communicators, exact sums, shards.",
    "distil.hpp": "Distillation: terms, teachers' files, averages and labels of teachers.",
    "gradient.hpp": "Gradients: unscaling, clipping, loss scaling.",
    "large_batch.hpp": "Large batches: accumulation, groups without decay, zero-initialised scales.",
    "loss.hpp": "Losses of rows, elements and boxes.",
    "parity.hpp": "Losses, schedules and layers as other libraries compute them.",
    "precision.hpp": "Low precision: master weights.",
    "sample.hpp": "Mixing of samples: mixup, CutMix, and their random numbers.",
    "schedule.hpp": "Schedules of the learning rate and of other numbers.",
    "structure.hpp": "Structure of networks: deformable convolution, attention, pools, drop path.",
    "target.hpp": "Targets: classes, probabilities, smoothing, mixing, weights.",
    "cpu.hpp": "The verbs on the CPU. Needs Eigen.",
    "cuda.cuh": "The verbs on CUDA.",
}
POLICIES = [door for door in FOLDERS if door not in ("cpu.hpp", "cuda.cuh")]
OF_DOORS = {
    "policies.hpp": ("All policies, which need no backend.", sorted([*POLICIES, "extend.hpp"])),
    "hone.hpp": ("Everything for a CPU trainer. Needs Eigen.", ["cpu.hpp", "policies.hpp", "version.hpp"]),
    "hone.cuh": ("Everything for a CUDA trainer. Needs the CUDA toolkit.", ["cuda.cuh", "policies.hpp", "version.hpp"]),
}
# No door leads to what needs a library that few programs are linked with, or threads. Headers of adapt/ are doors themselves, hone.h
# is that of c/.
NO_DOOR = ["cuda/structure/cublas_product.cuh", "distributed/thread_group.hpp"]
NOT_HONES_OWN = ("adapt/", "c/")  # for those who have another library or another language
INCLUDE = re.compile(r"^\s*#\s*include\s*<hone/([^>]+)>", re.M)


def headers_of(root, folder):
    return sorted(p.relative_to(root).as_posix() for p in (root / folder).rglob("*") if p.suffix in (".hpp", ".cuh")
                  and p.relative_to(root).as_posix() not in NO_DOOR)


def door(comment, headers):
    lines = "".join(f"#include <hone/{name}>\n" for name in headers)
    return (f"// SPDX-License-Identifier: MIT\n/// {comment} Written by tests/structure/doors.py.\n#pragma once\n\n"
            f"#include <hone/core/config.hpp>  // first: it refuses compilers of older standards\n\n{lines}")


def doors(root):
    """Every door's name and text."""
    for name, comment in FOLDERS.items():
        yield name, door(comment, headers_of(root, name.partition(".")[0]))
    for name, (comment, others) in OF_DOORS.items():
        yield name, door(comment, others)


def reached(root, *names):
    """All headers that these include, and theirs."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found and (root / name).exists():
            found.add(name)
            waiting += INCLUDE.findall((root / name).read_text(encoding="utf-8"))
    return found


def main(*arguments):
    write, root = "--write" in arguments, Path(arguments[-1])
    wrong = []
    for name, text in doors(root):
        path = root / name
        wrong += [f"{path}: a line of more than 120 characters" for line in text.splitlines() if len(line) > 120]
        if write:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            wrong.append(f"{path}: not what doors.py --write writes")
    behind = reached(root, "hone.hpp", "hone.cuh")
    everything = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.suffix in (".hpp", ".cuh")}
    everything = {name for name in everything if not name.startswith(NOT_HONES_OWN)}
    wrong += [f"{root / name}: no door leads to it" for name in sorted(everything - behind - set(NO_DOOR))]
    print("\n".join(wrong) if wrong else f"{len(FOLDERS) + len(OF_DOORS)} doors lead to all {len(everything)} headers")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 else __doc__)

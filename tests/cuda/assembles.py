#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Assembles the PTX that a program of the simulator carries: what nvcc would do with it for a GPU.

    assembles.py PROGRAM PTXAS [OPTION...]      e.g. assembles.py cuda_boxes_test ptxas -arch=sm_90 -warn-spills -Werror

The program is compiled once, for the simulator; the front end of nvcc, which takes most of the time, need not run again.
Ends with the status of ptxas; with 1 where the program has no PTX.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

MODULE = re.compile(rb"\.version \d[^\0]*\n\.target sm_[^\0]*")  # nvcc ends each with a null character


def main(program, *ptxas):
    modules = [m.group() for m in MODULE.finditer(Path(program).read_bytes()) if b".entry" in m.group()]
    if not modules:
        print(f"{program} has no PTX with a kernel")
        return 1
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, module in enumerate(modules):
            path = Path(folder) / f"{number}.ptx"
            path.write_bytes(module)
            status |= subprocess.run([*ptxas, path, "-o", path.with_suffix(".cubin")], check=False).returncode
    print(f"{len(modules)} modules, {sum(len(m) for m in modules)} bytes of PTX")
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

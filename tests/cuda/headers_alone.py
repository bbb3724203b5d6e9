#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles a file that includes all headers of CUDA and calls none: it must have no kernel.

    headers_alone.py NVCC [LINE...]      prints the kernels, status 1 if there is any; the lines follow the include
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(nvcc, *lines):
    with tempfile.TemporaryDirectory() as folder:
        source, ptx = Path(folder) / "alone.cu", Path(folder) / "alone.ptx"
        source.write_text("\n".join(["#include <hone/hone.cuh>", *lines, ""]))
        subprocess.run([nvcc, "-std=c++20", "-I", str(ROOT / "include"), "-ptx", str(source), "-o", str(ptx)], check=True)
        kernels = re.findall(r"\.entry (\w+)", ptx.read_text())
    for kernel in kernels:
        print("compiled by every program that includes hone.cuh:", kernel)
    return 1 if kernels else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

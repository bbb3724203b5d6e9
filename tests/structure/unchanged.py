#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command, but not where it has succeeded before on files with the same content.

    unchanged.py COMPILER PATH... -- COMMAND [ARGUMENT...]      the status of COMMAND, 0 where it need not run

A PATH is a file, or a folder with all that is in it except CMakeLists.txt: what COMMAND reads, system headers aside. What is
remembered is a hash of the files, of the command and of COMPILER's version, in the folder of ccache; without ccache nothing is.
For commands that only compile: a program is run each time.
"""
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def folder_of_marks():
    """Where a file's name says what has succeeded; None without ccache."""
    if not shutil.which("ccache"):
        return None
    said = subprocess.run(["ccache", "-k", "cache_dir"], capture_output=True, text=True, check=True).stdout.strip()
    marks = Path(said) / "checked"
    marks.mkdir(parents=True, exist_ok=True)
    return marks


def name_of_mark(compiler, paths, command):
    key = hashlib.sha256(subprocess.run([compiler, "--version"], capture_output=True, check=True).stdout)
    key.update("\0".join(command).replace(str(ROOT), ".").encode())
    for path in paths:
        for file in sorted(f for f in [path, *path.rglob("*")]
                           if f.is_file() and f.suffix != ".pyc" and f.name != "CMakeLists.txt"):
            key.update(b"\0" + str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return key.hexdigest()


def main(compiler, *rest):
    at = rest.index("--")
    paths, command = [Path(p).resolve() for p in rest[:at]], list(rest[at + 1:])
    marks = folder_of_marks()
    mark = marks / name_of_mark(compiler, paths, command) if marks else None
    if mark and mark.exists():
        print("has succeeded before, and nothing that it reads has changed")
        return 0
    status = subprocess.run(command, check=False).returncode
    if mark and status == 0:
        mark.touch()
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Follows every quick start from an empty folder to its first refined step, and says how long it takes.

    quickstarts.py [--quick] [--only NAME]... [--write] [--cudasim FOLDER] [--unpacked FOLDER]

    --quick     those that g++ and Eigen alone build, in seconds
    --only      this one, by its name in STARTS
    --write     puts the clock into docs/trainers.md, of those that were followed
    --cudasim   runs the program of CUDA on this simulator; otherwise it is only compiled
    --unpacked  a folder that has the usr/include of packages that the system lacks; .deps/mlpack unless given

A quick start is a program of a page, as newcomer.py finds it, and the commands of its section, all of them in their order.
Before them comes README.md's own way to get hone: git finds a copy of this tree in place of https://example.com/hone.git.
Each is followed in a folder of its own, which is also its HOME, with an environment that has nothing of this checkout. A
command must succeed and print what the page shows behind it. What is missing is skipped, and the line says so. The
installation of the system's packages is not counted; what pip downloads is.
"""
import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
import newcomer

ROOT = newcomer.ROOT
URL = "https://example.com/hone.git"
PAGE = "docs/trainers.md"
CLOCK = re.compile(r"(?<=<!-- clock -->\n).*?(?=<!-- /clock -->)", re.S)
STARTS = {  # name: page, program, headers that it needs beside Eigen's
    "README": ("README.md", "first_program.cpp"),
    "Eigen": ("docs/matrices.md", "eigen.cpp"),
    "darknet": ("docs/darknet.md", "darknet.cpp"),
    "llm.c": ("docs/ggml.md", "llmc.cpp"),
    "Armadillo": ("docs/matrices.md", "armadillo.cpp", "armadillo"),
    "OpenCV": ("docs/matrices.md", "opencv.cpp", "opencv4/opencv2/core.hpp"),
    "DLPack": ("docs/matrices.md", "dlpack.cpp", "dlpack/dlpack.h"),
    "dlib": ("docs/dlib.md", "dlib.cpp", "dlib/dnn.h"),
    "mlpack": ("docs/mlpack.md", "mlpack.cpp", "mlpack/methods/ann/ann.hpp"),
    "LibTorch": ("docs/torch.md", "torch.cpp", "torch/csrc/api/include/torch/torch.h"),
    "raw CUDA": ("docs/cuda.md", "cuda.cu"),
    "C": ("docs/c_interface.md", "c_interface.c"),
    "Python": ("docs/python.md", "python.py"),
}
QUICK = ["README", "Eigen", "darknet"]
RUNS = " && ./a.out"


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def section(text, program):
    """The part of a page, from one heading to the next, that shows a program."""
    for part in re.split(r"^(?=#{1,6} )", re.sub(r"^```.*?^```$", lambda code: code[0].replace("\n#", "\n\0#"), text, flags=re.S | re.M),
                         flags=re.M):
        part = part.replace("\0", "")
        if program in dict(newcomer.programs(part)):
            return part
    raise Failed(f"no section shows {program}")


def ways_to_get_hone(root):
    """README.md's commands before the one that compiles its program."""
    text, program = (root / STARTS["README"][0]).read_text(encoding="utf-8"), STARTS["README"][1]
    return [step for step in newcomer.commands(section(text, program)) if not newcomer.names(step[0], program)]


def steps_of(root, name):
    """The program's text, and the commands from an empty folder on with what they print."""
    page, program = STARTS[name][:2]
    part = section((root / page).read_text(encoding="utf-8"), program)
    own = list(newcomer.commands(part))
    if not any(newcomer.names(command, program) for command, _ in own):
        raise Failed(f"no command of the section names {program}")
    return dict(newcomer.programs(part))[program], own if name == "README" else [*ways_to_get_hone(root), *own]


def origin(root, folder):
    """A repository of this tree."""
    shutil.copytree(root, folder, symlinks=True, ignore=shutil.ignore_patterns(".*", "build", "__pycache__"))
    me = "-c user.name=test -c user.email=test@example.com"
    subprocess.run(f"git init -q -b main && git add -A && git {me} commit -q -m test", shell=True, cwd=folder, check=True)


def environment(home, repository, more):
    """What a new account has: nothing of ours but the registries and proxies of this machine."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.lower().endswith("_proxy")}
    nvcc = [str(Path(found).parent) for found in [shutil.which("nvcc", path=os.environ["PATH"] + ":/usr/local/cuda/bin")] if found]
    return {**kept, "PATH": ":".join(["/usr/local/bin", "/usr/bin", "/bin", *nvcc]), "HOME": str(home), "LANG": "C.UTF-8",
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{repository}.insteadOf", "GIT_CONFIG_VALUE_0": URL, **more}


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def follow(code, program, steps, folder, given):
    """Runs the steps in an empty folder; returns the seconds on the clock and of a core."""
    begin, used = time.monotonic(), cpu_seconds()
    (folder / program).write_text(code, encoding="utf-8")
    state = folder.parent / f"{folder.name}.state"  # one shell: what a command exports, and where it goes, holds for the next
    for command, said in steps:
        script = (f"[ ! -e {state} ] || . {state}\n{command}\nstatus=$?\n"
                  f"{{ export -p; printf 'cd %q\\n' \"$PWD\"; }} > {state}\nexit $status")
        run = subprocess.run(["bash", "-c", script], cwd=folder, env=given, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise Failed(f"`{command}` fails:\n{(run.stdout + run.stderr)[-3000:]}")
        if said and not newcomer.like(said, run.stdout):
            raise Failed(f"`{command}` prints\n{run.stdout}and not\n{said}")
    return time.monotonic() - begin, cpu_seconds() - used


def there(header, folder):
    return (Path("/usr/include") / header).exists() or (folder / "usr/include" / header).exists()


def needs(name, options):
    """Raises Skipped where something is missing; returns more of the environment."""
    for tool in ("g++", "gcc", "git"):
        if not shutil.which(tool):
            raise Skipped(f"there is no {tool}")
    for header in ("eigen3/Eigen/Core", *STARTS[name][2:]):
        if not there(header, options.unpacked):
            raise Skipped(f"<{header}> is not installed")
    more = {}
    if not all((Path("/usr/include") / header).exists() for header in STARTS[name][2:]):
        more["CPLUS_INCLUDE_PATH"] = str(options.unpacked / "usr/include")
    if name == "raw CUDA" and not shutil.which("nvcc", path=os.environ["PATH"] + ":/usr/local/cuda/bin"):
        raise Skipped("there is no nvcc")
    if name == "Python" and subprocess.run(["/usr/bin/python3", "-c", "import numpy, venv, ensurepip"], capture_output=True).returncode:
        raise Skipped("python3-numpy or python3-venv is not installed")
    return more


NVCC = """#!/bin/bash
# stands in for nvcc: the same program for the simulator
arguments=()
for argument in "$@"; do case $argument in -arch=*) ;; *) arguments+=("$argument") ;; esac; done
exec {nvcc} -gencode arch=compute_90,code=compute_90 -cudart none --no-compress -lineinfo "${{arguments[@]}}" {library}
"""
SIMULATOR = """cmake_minimum_required(VERSION 3.25)
project(simulator LANGUAGES CXX)
include({folder}/cudasim.cmake)
_cudasim_library()
"""


def simulator(folder, build):
    """Builds the simulator, and a folder whose nvcc makes programs for it; returns that folder."""
    (build / "bin").mkdir(parents=True, exist_ok=True)
    (build / "CMakeLists.txt").write_text(SIMULATOR.format(folder=folder))
    launcher = "-D CMAKE_CXX_COMPILER_LAUNCHER=ccache" if shutil.which("ccache") else ""
    done = subprocess.run(f"cmake -S . -B build -D CMAKE_BUILD_TYPE=Release {launcher} && cmake --build build --target cudasim", shell=True,
                          cwd=build, env={**os.environ, "CCACHE_NOHASHDIR": "1"}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"the simulator does not compile:\n{(done.stdout + done.stderr)[-3000:]}")
    nvcc = shutil.which("nvcc", path=os.environ["PATH"] + ":/usr/local/cuda/bin")
    (build / "bin/nvcc").write_text(NVCC.format(nvcc=nvcc, library=build / "build/libcudasim.a"))
    (build / "bin/nvcc").chmod(0o755)
    return build / "bin"


def clock(name, options, folder):
    """Follows one quick start and says how long it took: its row of the table."""
    more = needs(name, options)
    code, steps = steps_of(ROOT, name)
    note = ""
    home = folder / re.sub(r"\W", "_", name)
    home.mkdir()
    given = environment(home, folder / "origin", more)
    if name == "raw CUDA":
        if options.cudasim:
            given["PATH"] = f"{simulator(options.cudasim, ROOT / 'build/quickstarts')}:{given['PATH']}"
            note = "run on a simulator"
        else:
            note = "only compiled"
            steps = [(command.removesuffix(RUNS), "" if command.endswith(RUNS) else said) for command, said in steps]
    seconds, core = follow(code, STARTS[name][1], steps, home, given)
    print(f"{name}: {len(steps)} commands, {core:.0f} s of one core to the first refined step, {seconds:.0f} s on the clock"
          f"{f'; {note}' if note else ''}", flush=True)
    return f"| {name}{f', {note}' if note else ''} | {len(steps)} | {core:.0f} |"


def write(rows):
    """Puts the rows into the page; rows of quick starts that were not followed stay."""
    page = ROOT / PAGE
    text = page.read_text(encoding="utf-8")
    old = {re.split(r"[|,]", line[1:])[0].strip(): line for line in CLOCK.search(text)[0].splitlines()}
    rows = {**old, **rows}
    version = subprocess.run(["g++", "-dumpversion"], capture_output=True, text=True, check=True).stdout.strip()
    table = [f"| quick start (g++ {version}) | commands | seconds of one core |", "|---|---|---|",
             *(rows[name] for name in STARTS if name in rows)]
    page.write_text(CLOCK.sub(lambda _: "\n" + "\n".join(table) + "\n\n", text), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=STARTS, metavar="NAME")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--cudasim", type=Path)
    parser.add_argument("--unpacked", type=Path, default=ROOT / ".deps/mlpack")
    options = parser.parse_args()
    rows, status = {}, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        origin(ROOT, folder / "origin")
        for name in options.only or (QUICK if options.quick else STARTS):
            try:
                rows[name] = clock(name, options, folder)
            except Skipped as why:
                print(f"{name}: SKIPPED, {why}", flush=True)
            except Failed as why:
                print(f"{name}: {why}", flush=True)
                status = 1
    if options.write and status == 0:
        write(rows)
    return status


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles a chosen part of the tests for many processors, compilers and standards, and runs it, on emulators too.

    platforms.py [NAME...]            the platforms of these names, all by default; --quick: those of every change
    platforms.py --write PAGE         puts what was done into the table between the marks of a page; rows of platforms
                                      that were not tried stay
    platforms.py --programs FOLDER    also the programs of a folder, each of which ends in "N passed, M failed"

Status 1 where something failed to compile or to pass. What is not installed is named and skipped.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TESTS = ("platforms/platforms_test.cpp", "cpu/memory/convert_test.cpp", "sample/bits_test.cpp", "average/state_test.cpp",
         "distil/teacher_file_test.cpp")
BEGIN, END = "<!-- written by tests/platforms/platforms.py -->\n", "<!-- end -->\n"


class Platform:
    def __init__(self, name, compiler, *flags, emulator=(), package="", quick=False, needs="", eigen=""):
        self.name, self.compiler, self.flags = name, compiler, flags
        self.emulator, self.package, self.quick, self.needs = tuple(emulator), package, quick, needs
        self.eigen = eigen  # a version of WHEELS; by default the system's


# Eigen's headers of other versions than the system's: the package of PyPI that ships them, and where in it they are.
WHEELS = {"3.4.1": ("cmeel-eigen==3.4.1", "cmeel.prefix/include/eigen3"), "5.0.1": ("eigency==5.0.1.1", "eigency/eigen")}


def of_gnu(name, triple, *flags, emulator, **more):
    return Platform(name, f"{triple}-g++", "-static", *flags, emulator=emulator, package=f"g++-{triple} qemu-user", **more)


PLATFORMS = [
    Platform("x86-64", "g++"),
    Platform("x86-64, C++23", "g++", "-std=c++23"),
    Platform("x86-64-v2", "g++", "-march=x86-64-v2", "-O2"),
    Platform("x86-64-v3", "g++", "-march=x86-64-v3", "-O2", needs="avx2"),
    Platform("x86-64-v4", "g++", "-march=x86-64-v4", "-O2", needs="avx512vl"),
    Platform("x86-64, no vectors", "g++", "-DEIGEN_DONT_VECTORIZE", quick=True),
    Platform("x86-64, -O0 -fno-rtti", "g++", "-O0", "-fno-rtti"),
    Platform("x86-64, clang 14", "clang++-14", package="clang-14"),
    Platform("x86-64, clang 19", "clang++-19", package="clang-19"),
    Platform("x86-64, clang 19, libc++", "clang++-19", "-stdlib=libc++", package="clang-19 libc++-19-dev libc++abi-19-dev",
             quick=True),
    Platform("x86-64, g++ 13", "g++-13", "-static", package="g++-13"),  # of a newer library than this system's, maybe
    Platform("x86-64, g++ 14", "g++-14", "-static", package="g++-14"),
    Platform("x86-64, g++ 15", "g++-15", "-static", package="g++-15"),
    Platform("x86-64, g++ 16", "g++-16", "-static", package="g++-16"),
    Platform("x86-64-v3, Eigen 3.4.1", "g++", "-march=x86-64-v3", needs="avx2", eigen="3.4.1"),
    Platform("x86-64, Eigen 5.0.1", "g++", eigen="5.0.1"),
    Platform("x86-64-v3, Eigen 5.0.1", "g++", "-march=x86-64-v3", needs="avx2", eigen="5.0.1", quick=True),
    Platform("x86-64-v4, Eigen 5.0.1", "g++", "-march=x86-64-v4", needs="avx512vl", eigen="5.0.1"),
    of_gnu("i686, x87", "i686-linux-gnu", "-Wno-conversion", emulator=["qemu-i386"]),
    of_gnu("i686, SSE2", "i686-linux-gnu", "-Wno-conversion", "-msse2", "-mfpmath=sse", emulator=["qemu-i386"]),
    of_gnu("aarch64", "aarch64-linux-gnu", emulator=["qemu-aarch64"], quick=True),
    of_gnu("aarch64, ARMv8.2 with fp16 and bf16", "aarch64-linux-gnu", "-march=armv8.2-a+fp16+bf16",
           emulator=["qemu-aarch64", "-cpu", "max"]),
    of_gnu("armhf", "arm-linux-gnueabihf", "-Wno-psabi", "-Wno-conversion", emulator=["qemu-arm"]),
    of_gnu("armhf, NEON", "arm-linux-gnueabihf", "-Wno-psabi", "-Wno-conversion", "-mfpu=neon-vfpv4", emulator=["qemu-arm"]),
    of_gnu("riscv64", "riscv64-linux-gnu", emulator=["qemu-riscv64"]),
    of_gnu("s390x, big-endian", "s390x-linux-gnu", emulator=["qemu-s390x"], quick=True),
]


def lacks(platform):
    """Why the programs cannot be run here, or an empty text."""
    if platform.needs and platform.needs not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        return f"this processor has no {platform.needs}"
    if platform.emulator and not shutil.which(platform.emulator[0]):
        return f"no {platform.emulator[0]}"
    return ""


def eigen_of(version):
    """The folder of Eigen's headers; None if PyPI does not give them."""
    if not version:
        return os.environ.get("EIGEN", "/usr/include/eigen3")
    package, inside = WHEELS[version]
    folder = ROOT / ".deps" / f"eigen-{version}"
    if not (folder / inside / "Eigen/Core").exists():
        with tempfile.TemporaryDirectory() as download:
            run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", download, package])
            for wheel in Path(download).glob("*.whl"):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(folder, [n for n in archive.namelist() if n.startswith(inside + "/")])
    return str(folder / inside) if (folder / inside / "Eigen/Core").exists() else None


def command(platform):
    launcher = ["ccache"] if shutil.which("ccache") else []
    eigen = eigen_of(platform.eigen)
    return [*launcher, platform.compiler, "-std=c++20", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pthread",
            "-I", str(ROOT / "include"), "-I", str(ROOT / "tests"), "-isystem", eigen, "-idirafter", "/usr/include",
            *platform.flags]


def run(words):
    done = subprocess.run(words, text=True, capture_output=True, check=False,
                          env={**os.environ, "CCACHE_BASEDIR": str(ROOT), "CCACHE_NOHASHDIR": "1"})
    return done.returncode, done.stdout + done.stderr


def build(platform, sources, folder):
    """The program of these sources, or what the compiler said."""
    objects = [str(Path(folder) / f"{i}.o") for i in range(len(sources))]
    jobs = [[*command(platform), "-c", str(s), "-o", o] for s, o in zip(sources, objects)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for status, said in pool.map(run, jobs):
            if status != 0 or "warning:" in said:
                return None, said
    program = str(Path(folder) / "program")
    status, said = run([*command(platform)[1 if shutil.which("ccache") else 0:], *objects, "-o", program])
    return (program, "") if status == 0 else (None, said)


def checks_of(said):
    """How many checks passed and failed, by the last lines of a program."""
    found = re.findall(r"assertions:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed", said)
    found += re.findall(r"^(\d+) passed, (\d+) failed$", said, re.M)
    return [int(x) for x in found[-1]] if found else [0, 1]


def tried(platform, programs):
    """A row of the table, and whether all went well; None where there is no compiler."""
    if not shutil.which(platform.compiler):
        print(f"{platform.name}: SKIPPED, no {platform.compiler} (Debian: {platform.package})", flush=True)
        return None
    if not eigen_of(platform.eigen):
        print(f"{platform.name}: SKIPPED, PyPI did not give {WHEELS[platform.eigen][0]}", flush=True)
        return None
    passed = failed = 0
    missing = lacks(platform)
    jobs = [[ROOT / "tests/main.cpp", *(ROOT / "tests" / t for t in TESTS)]] + [[p] for p in programs]
    for sources in jobs:
        with tempfile.TemporaryDirectory() as folder:
            program, said = build(platform, sources, folder)
            if not program:
                print(f"{platform.name}: does not compile {sources[-1].name}\n{said[:4000]}", flush=True)
                return None, False
            if not missing:
                status, said = run([*platform.emulator, program])
                more = checks_of(said)
                if status != 0:
                    print(f"{platform.name}: {sources[-1].name} ended with {status}\n{said[-4000:]}", flush=True)
                    more[1] += more[1] == 0
                passed, failed = passed + more[0], failed + more[1]
    clang = "clang" in platform.compiler
    version = run([platform.compiler, "-dumpversion" if clang else "-dumpfullversion"])[1].strip()
    by = "not run: " + missing if missing else platform.emulator[0] if platform.emulator else "this machine"
    result = "compiled" if missing else f"{passed} passed" + (f", {failed} failed" if failed else "")
    flags = " ".join(f for f in platform.flags if f not in ("-static", "-Wno-psabi", "-Wno-conversion")) or "none"
    name = "clang++" if clang else "g++"
    print(f"{platform.name}: {result} ({by})", flush=True)
    return f"| {platform.name} | {name} {version} | `{flags}` | {by} | {result} |", failed == 0


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*")
    options.add_argument("--quick", action="store_true")
    options.add_argument("--write", metavar="PAGE")
    options.add_argument("--programs", metavar="FOLDER")
    asked = options.parse_args()
    chosen = [p for p in PLATFORMS if (not asked.names or p.name in asked.names) and (p.quick or not asked.quick)]
    if len(chosen) < len(asked.names):
        sys.exit("the platforms are: " + "; ".join(p.name for p in PLATFORMS))
    programs = sorted(Path(asked.programs).glob("*.cpp")) if asked.programs else []
    if asked.programs:
        for p in PLATFORMS:
            p.flags = (*p.flags, "-w", "-I", str(Path(asked.programs) / "cases"))
    results = [r for r in (tried(p, programs) for p in chosen) if r]
    if asked.write:
        page = Path(asked.write)
        before, behind = page.read_text(encoding="utf-8").split(BEGIN)
        old, after = behind.split(END)
        table = ["| Processor and library | Compiler | Flags | Run by | Checks |", "| --- | --- | --- | --- | --- |"]
        rows = {row.split("|")[1].strip(): row for row in [*old.splitlines(), *(row for row, _ in results if row)]}
        table += [rows[p.name] for p in PLATFORMS if p.name in rows]
        page.write_text(before + BEGIN + "\n".join(table) + "\n" + END + after, encoding="utf-8")
    good = sum(fine for _, fine in results)
    print(f"{good} of {len(results)} platforms are right")
    return 0 if results and good == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())

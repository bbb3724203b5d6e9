#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the benchmarks, runs one process for each work, and prints a table (bench/report.py). In a process all
contenders of a work alternate at random on the same arrays."""
import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import report

ROOT = Path(__file__).resolve().parent.parent
COMPARE = "/usr/share/benchmark/compare.py"
# PyTorch's large temporaries stay on pages that are mapped already: without this it is many times slower.
TUNABLES = ("glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.top_pad=67108864:"
            "glibc.malloc.hugetlb=1")


def options():
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--filter", default="", metavar="REGEX", help="only works whose name has a match")
    parser.add_argument("--threads", default="1,2", metavar="LIST", help="numbers of threads (1,2)")
    parser.add_argument("--rounds", type=int, metavar="N", help="repetitions of each contender (21)")
    parser.add_argument("--seconds", type=float, metavar="S", help="shortest duration of a repetition (0.02)")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 1 ms: to see that everything runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the times there")
    parser.add_argument("--python", default=sys.executable, metavar="PROGRAM",
                        help="the python that has the peers: torch, and torchvision and timm if it has them")
    parser.add_argument("--no-peers", action="store_true", help="hone, twins and limits only")
    parser.add_argument("--flags", metavar="FLAGS", help="of the compiler, in place of -O3 -march=native")
    parser.add_argument("--against", metavar="REF", help="compare with the library and the benchmarks of a commit")
    parser.add_argument("--build", type=Path, metavar="FOLDER", help="where the benchmarks are built already")
    asked = parser.parse_args()
    asked.rounds = asked.rounds or (3 if asked.quick else 21)
    asked.seconds = asked.seconds or (0.001 if asked.quick else 0.02)
    return asked


def build(source, flags):
    """Builds the benchmarks of a checkout; returns the folder with hone_bench and libhone_bench.so."""
    # An empty HONE_BENCH_FLAGS stands for CMake's default, so that flags of an earlier run do not stay.
    configure = ["cmake", "--preset", "bench", "-D", f"HONE_BENCH_FLAGS={flags}"] if flags else \
        ["cmake", "--preset", "bench", "-U", "HONE_BENCH_FLAGS"]
    subprocess.run(configure, cwd=source, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "--preset", "bench", "-j", str(os.cpu_count())], cwd=source, check=True,
                   stdout=sys.stderr)
    return source / "build/bench/bench"


class Program:
    """The benchmarks of one build, alone or joined by the peers."""

    def __init__(self, folder, source, asked):
        self.environment = os.environ | {"GLIBC_TUNABLES": TUNABLES}
        self.command = [str(folder / "hone_bench")]
        self.asked = asked
        if asked.no_peers:
            return
        peer = source / "bench/peer/torch_peer.py"
        if subprocess.run([asked.python, "-c", "import torch"], capture_output=True).returncode == 0 and peer.exists():
            self.command = [asked.python, str(peer), str(folder / "libhone_bench.so")]
        else:
            print(f"{asked.python} has no torch, so hone runs beside its twins and limits alone", file=sys.stderr)

    def call(self, *flags):
        command = [*self.command, f"--threads={self.asked.threads}", *flags]
        done = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{done.stderr}")
        return done.stdout

    def works(self):
        names = [name.removesuffix("/real_time") for name in self.call("--benchmark_list_tests=true").split()]
        return [work for work in dict.fromkeys(name.rpartition("/")[0] for name in names)
                if re.search(self.asked.filter, work)]

    def measure(self, work):
        """The context, the bytes that must move, and the milliseconds of every repetition of every contender."""
        said = json.loads(self.call(f"--benchmark_filter=^{re.escape(work)}/", "--benchmark_format=json",
                                    f"--benchmark_repetitions={self.asked.rounds}",
                                    f"--benchmark_min_time={self.asked.seconds}",
                                    "--benchmark_enable_random_interleaving=true"))
        times, size = {}, 0
        for b in said["benchmarks"]:
            if b["run_type"] != "iteration" or b.get("error_occurred"):
                continue
            who = b["run_name"].removesuffix("/real_time").rpartition("/")[2]
            times.setdefault(who, []).append((b["repetition_index"], float(f"{b['real_time']:.5g}")))
            size = round(b["bytes_per_second"] * b["real_time"] * 1e-3)
        order = sorted(times, key=lambda who: (report.KNOWN + (who,)).index(who))
        return said["context"], {"bytes": size, "ms": {who: [t for _, t in sorted(times[who])] for who in order}}


def context_of(said, asked):
    keep = ("hone", "eigen", "compiler", "flags", "lanes", "torch", "torchvision", "timm")
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        processor = re.search(r"model name\s*: (.*)", file.read())
    return {"date": datetime.date.today().isoformat(), "processor": processor[1] if processor else "unknown",
            "cpus": said["num_cpus"], "rounds": asked.rounds, "seconds": asked.seconds, "GLIBC_TUNABLES": TUNABLES,
            **{key: said[key] for key in keep if key in said}}


def for_compare(measured, path):
    """Google Benchmark's own format, for its compare.py: every time, for its U test, and the median, which it shows."""
    benchmarks = []
    for work, found in measured["works"].items():
        for who, times in found["ms"].items():
            def add(time, **more):
                benchmarks.append({"name": f"{work}/{who}", "run_name": f"{work}/{who}", "run_type": "iteration",
                                   "time_unit": "ns", "iterations": 1, "repetitions": len(times),
                                   "real_time": time * 1e6, "cpu_time": time * 1e6, **more})
            for k, time in enumerate(times):
                add(time, repetition_index=k)
            add(statistics.median(times), name=f"{work}/{who}_median", run_type="aggregate", aggregate_name="median",
                aggregate_unit="time")
    path.write_text(json.dumps({"context": measured["context"], "benchmarks": benchmarks}))


def measure(programs, asked):
    """Measures the works that all programs have, the programs in turn."""
    names = [program.works() for program in programs]
    works = [work for work in names[0] if all(work in others for others in names)]
    if not works:
        sys.exit(f"no work matches {asked.filter}")
    results = [{"context": {}, "works": {}} for _ in programs]
    for number, work in enumerate(works, 1):
        print(f"[{number}/{len(works)}] {work}", file=sys.stderr)
        for program, result in zip(programs, results):
            said, result["works"][work] = program.measure(work)
            result["context"] = context_of(said, asked)
    return results


def against(asked):
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "against"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", other, asked.against], cwd=ROOT, check=True)
        try:
            if not (other / "bench/work.hpp").exists():
                sys.exit(f"the benchmarks of {asked.against} are not of this kind")
            asked.no_peers = True
            programs = [Program(build(source, asked.flags), source, asked) for source in (other, ROOT)]
            old, new = measure(programs, asked)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", other], cwd=ROOT, check=True)
        files = [Path(folder) / name for name in ("old.json", "new.json")]
        for measured, file in zip((old, new), files):
            for_compare(measured, file)
        subprocess.run(["/usr/bin/python3", COMPARE, "--display_aggregates_only", "benchmarks", *files], check=True)
    return new


def main():
    asked = options()
    if asked.against:
        measured = against(asked)
    else:
        measured, = measure([Program(asked.build or build(ROOT, asked.flags), ROOT, asked)], asked)
        print(report.table(measured), end="")
    if asked.json:
        # One line for each contender: readable, and small differences between two commits.
        text = json.dumps(measured, indent=1)
        asked.json.write_text(re.sub(r"\[[^\[\]{}]*\]", lambda m: " ".join(m[0].split()), text) + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests hone on this machine's GPU, measures it, and writes gpu-NAME.md, gpu-NAME.json and gpu-NAME-logs.tar.gz.

    ./run gpu [--out FOLDER] [--minutes N] [--arch 90] [--archive FILE]
    ./run gpu --build [--arch 90] [--programs NAMES]   builds the programs and packs them into .gpu, and ends; needs no GPU
    ./run gpu --dry-run [FOLDER]                       the same steps with programs of the simulator, in seconds

The programs are those of .gpu, where they were built of these sources for this GPU. Otherwise they are built here, which
needs nvcc, CMake, a C++ compiler and .deps (./run deps). PyTorch, compute-sanitizer, ncu and the wheels in .gpu/wheels
(Liger) are used where they are. The status is 1 where the build, a test, a result or a sanitizer failed, and 2 where
there is nothing to run on.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

sys.dont_write_bytecode = True
import archive
import report
from steps import FAILED, LATE, LEAST, OK, PARTS, SKIPPED, Steps, say

ROOT = archive.ROOT
BUILD = ROOT / "build" / "gpu"
STAND_INS = ROOT / "tests" / "cuda" / "stand_ins"
TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")
FOUND = re.compile(r"^=+ +(Invalid|Error|Race|Uninit|Barrier|Hazard)", re.M)  # a sanitizer's finding
COUNTERS = ("gpu__time_duration.sum", "dram__bytes_read.sum", "dram__bytes_write.sum", "smsp__inst_executed.sum",
            "smsp__issue_active.avg.pct_of_peak_sustained_active", "sm__warps_active.avg.pct_of_peak_sustained_active",
            "launch__registers_per_thread", "launch__waves_per_multiprocessor", "launch__grid_size", "launch__block_size")


class Nothing(Exception):
    """There is nothing to run on."""


def output_of(*command, seconds=20):
    """What a program prints, or an empty text where it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def found(name, *folders):
    cuda = os.environ.get("CUDA_HOME") or "/usr/local/cuda"
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders), f"{cuda}/bin"]))


def benches_in(build):
    return [build / "bench" / "gpu" / name for name in ("hone_gpu_bench", "hone_gpu_bench_blas")]


def libraries_of_cuda():
    """Where cuBLAS may be: the toolkit, and the packages that PyTorch brings."""
    cuda = Path(os.environ.get("CUDA_HOME") or "/usr/local/cuda") / "lib64"
    folders = [cuda, *(f for p in sys.path for f in Path(p).glob("nvidia/*/lib"))]
    folders = [str(f) for f in folders if list(f.glob("libcublas.so*"))]
    return {"LD_LIBRARY_PATH": os.pathsep.join([*filter(None, [os.environ.get("LD_LIBRARY_PATH")]), *folders])}


def queried(what, seconds=20):
    """The first GPU's answers."""
    line = output_of("nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader", seconds=seconds).splitlines()[:1]
    return [x.strip() for x in line[0].split(",")] if line else []


def clocks():
    return ", ".join(queried("clocks.sm,clocks.mem,temperature.gpu,power.draw", 3))


def commit(root=ROOT):
    """Of git, or of the file that --build left where .git does not travel."""
    now = output_of("git", "-C", str(root), "describe", "--always", "--dirty")
    file = archive.FOLDER / "commit"
    if now or not file.exists():
        return now or "unknown"
    name, tree = file.read_text(encoding="utf-8").split()
    return name if tree == archive.hash_of_tree() else f"{name}, changed since"


class Session:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.dry = options.dry_run is not None
        self.facts, self.tests, self.benches = {}, [], []
        self.nvcc, self.libraries = found("nvcc"), libraries_of_cuda()
        self.steps, self.tree = None, archive.hash_of_tree()

    # ---- what there is ------------------------------------------------------------------------------------------

    def look(self):
        gpu = queried("name,compute_cap,driver_version,memory.total")
        name, capability, driver, memory = gpu if len(gpu) == 4 else ("", "", "", "")
        self.arch = self.options.arch or capability.replace(".", "")
        if not gpu and not self.options.build:
            raise Nothing("there is no GPU here: nvidia-smi names none. --build needs none")
        if not re.fullmatch(r"\d+[af]?", self.arch):
            raise Nothing("which GPU to build for is not known: --arch 90 for one of compute capability 9.0")
        self.facts = {"gpu": name, "compute capability": capability, "driver": driver, "memory": memory,
                      "commit": commit(), "date": time.strftime("%F", time.gmtime())}
        self.name = "a simulator" if self.dry else name
        self.archive = Path(self.options.archive or archive.place(self.arch))

    def toolchain(self):
        release = re.search(r"release ([\d.]+)", output_of(self.nvcc, "--version")) if self.nvcc else None
        host = output_of(os.environ.get("CXX", "c++"), "--version").splitlines()
        return {"nvcc": release[1] if release else "none", "host compiler": host[0] if host else "none"}

    # ---- programs ----------------------------------------------------------------------------------------------

    def programs(self):
        """Of the archive, where it fits; or built here."""
        if not self.from_archive():
            self.build()
        if not self.benches and not self.tests:
            self.steps.note("programs", FAILED, note="no program can be run, so nothing was tested or measured")
        return bool(self.benches or self.tests)

    def misfit(self, of):
        """Why the programs of an archive are not those that are wanted, or an empty text."""
        if not of:
            return f"there is no {self.archive.name}"
        if of.get("tree") != archive.hash_of_tree():
            return f"it is of other sources than these: {of.get('commit')}"
        return "" if of.get("architecture") == self.arch else f"it is for sm_{of.get('architecture')}"

    def from_archive(self):
        begin, of = time.monotonic(), archive.about(self.archive)
        why = self.misfit(of)
        if not why:
            programs = archive.unpack(self.archive, self.work / "bin")
            self.sort(programs)
            log = self.steps.log_of("archive")
            if not self.benches or self.steps.limited("archive", 20, [self.benches[0], "--list"]) != 0:
                said = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
                why = "its programs do not run here: " + (said[0] if said else "the benchmark is missing")
                self.tests, self.benches = [], []
        seconds = time.monotonic() - begin
        if why:
            return self.steps.note("archive", SKIPPED, seconds, why)
        self.facts.update({"nvcc": of["nvcc"], "host compiler": of["host compiler"]})
        missing = of.get("missing") or []
        return self.steps.note("archive", OK, seconds, f"{len(programs)} programs built before" +
                               (f"; not built: {', '.join(missing)}" if missing else ""))

    def sort(self, programs):
        self.tests = [p for p in programs if re.fullmatch(r"cuda_\w+_test|nccl_real", p.name)]
        self.benches = sorted(p for p in programs if p.name.startswith("hone_gpu_bench"))

    def build(self, seconds=None):
        """The benchmark first: what it tells is what is missing most. What cannot be built is left out."""
        if not self.nvcc:
            return self.steps.note("build", FAILED, note="no nvcc was found: put it on the PATH, or say CUDA_HOME")
        self.facts.update(self.toolchain())
        self.tree, folder = archive.hash_of_tree(), BUILD  # before: what changes meanwhile is of no one tree
        generator = [] if found("ninja") else ["-G", "Unix Makefiles"]
        if not self.steps.run("configure", seconds or 60, ["cmake", "--preset", "gpu", "-S", ROOT, "-B", folder,
                                                f"-DHONE_GPU_ARCHITECTURE={self.arch}", *generator]):
            return False
        for old in (*folder.glob("tests/cuda/cuda_*_test"), *benches_in(folder)):  # of an earlier tree
            old.unlink(missing_ok=True)
        jobs = ["-j", str(self.options.jobs), "--", "-k0" if found("ninja") else "-k"]
        build = ["cmake", "--build", folder, "--target"]
        left = seconds or self.steps.left()
        self.steps.run("build of the benchmarks", left / 3, [*build, "hone_gpu_benches", *jobs])
        targets = [f"cuda_{n}_test" for n in self.options.programs] or ["hone_cuda_programs"]
        left = seconds or max(self.steps.left() - 150, self.steps.left() / 2)
        self.steps.run("build of the tests", left, [*build, *targets, *jobs])
        self.sort([p for p in (*sorted(folder.glob("tests/cuda/cuda_*_test")), *benches_in(folder),
                               folder / "tests/cuda/distributed/nccl_real") if p.exists()])
        return bool(self.tests)

    def wheels(self):
        """Those of peers that are Python alone: the other machine can fetch nothing."""
        folder = archive.FOLDER / "wheels"
        if not list(folder.glob("liger_kernel-*.whl")):
            self.steps.run("Liger", 60, [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
                                         "-d", folder, "liger-kernel"], optional=True)

    def pack(self, preset=9):
        """The programs into the archive: without symbols, but with the lines of kernels, which sanitizers name."""
        small = self.work / "stripped"
        small.mkdir()
        programs = []
        for p in (*self.benches, *self.tests):
            programs.append(small / p.name)
            output_of("strip", "-o", str(programs[-1]), str(p))
            if not programs[-1].exists():
                shutil.copy(p, programs[-1])
        every = {p.name[: -len("_test.cu")] for p in (ROOT / "tests" / "cuda").glob("*_test.cu")}
        every -= {"counters", "planted"} | {p.name[len("cuda_"): -len("_test")] for p in programs}  # those ask the simulator
        size = archive.pack(self.archive, programs, {
            "tree": self.tree, "commit": self.facts["commit"], "architecture": self.arch, **self.toolchain(),
            "missing": sorted(every)}, preset)
        (self.archive.parent / "commit").write_text(f"{self.facts['commit']} {self.tree}\n", encoding="utf-8")
        fits = size <= archive.LARGEST
        self.steps.note("pack", OK if fits else FAILED, note=f"{len(programs)} programs, {size / 2**20:.1f} MiB in "
                        f"{self.archive}" + ("" if fits else f", more than {archive.LARGEST >> 20}"))

    # ---- tests and figures ---------------------------------------------------------------------------------------

    def test(self):
        begin = time.monotonic()
        say("tests ...")
        done = self.steps.side_by_side("test", self.steps.part("tests"), {p.name: [p] for p in self.tests}, self.options.jobs, self.libraries)
        ended = {label: 77 if self.lacks_a_library(label, status) else status for label, (status, _) in done.items()}
        passed = [n for n, s in ended.items() if s == 0]
        bad = [n for n, s in ended.items() if s not in (0, None, 77)]
        late = [n for n, s in ended.items() if s is None]
        note = f"{len(passed)} of {len(ended)} programs passed" + "".join(
            f"; {what}: {', '.join(names)}" for what, names in
            (("failed", bad), ("out of time", late), ("skipped", [n for n, s in ended.items() if s == 77])) if names)
        outcome = FAILED if bad or not ended else LATE if late else OK
        self.steps.note("tests", outcome, time.monotonic() - begin, note, [self.steps.log_of(f"test {n}") for n in bad + late])
        self.tests = sorted((p for p in self.tests if ended[p.name] != 77), key=lambda p: done[p.name][1])  # short ones first

    def lacks_a_library(self, label, status):
        log = self.steps.log_of(f"test {label}")
        return status == 127 and "loading shared libraries" in log.read_text(errors="replace")

    def figures(self):
        if not self.benches:
            return self.steps.note("figures", FAILED, note="the benchmark was not built")
        self.facts["clocks before"] = clocks()
        log = open(self.steps.log_of("clocks"), "wb")
        watch = subprocess.Popen(["nvidia-smi", "--query-gpu=clocks.sm", "--format=csv,noheader,nounits", "-lms", "250"],
                                 stdout=log, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            for bench in self.benches:
                name = "figures" + bench.name.removeprefix("hone_gpu_bench").replace("_", ", ")
                seconds = self.steps.part(name)
                if name != "figures" and self.steps.limited(name, seconds / 2, [bench, "--list"], self.libraries) != 0:
                    self.steps.note(name, SKIPPED, note="the program does not start here: its library is missing")
                    continue
                self.steps.run(name, seconds, [bench, "--table", self.work / bench.name, "--seconds", "0.3", *self.options.quick],
                               self.libraries)
        finally:
            watch.terminate()
            watch.wait()
            log.close()
        self.facts["clocks after"] = clocks()
        seen = sorted(map(int, re.findall(rb"^(\d+)\s*$", self.steps.log_of("clocks").read_bytes(), re.M)))
        if seen:
            self.facts["SM clock in between"] = f"median {seen[len(seen) // 2]} MHz, {seen[0]} to {seen[-1]}"
        return True

    def peers(self):
        end = self.steps.left() - self.steps.part("PyTorch")
        status = self.steps.limited("PyTorch", self.steps.part("PyTorch"), [sys.executable, "-c", "import torch"])
        if status != 0:
            return self.steps.note("PyTorch", SKIPPED, note="PyTorch took too long to start" if status is None else
                                   "python3 with PyTorch was not found")
        site = self.work / "site"
        for wheel in sorted((archive.FOLDER / "wheels").glob("*.whl")):
            with zipfile.ZipFile(wheel) as z:
                z.extractall(site)
        seconds = self.steps.left() - end
        environment = {"PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
        command = [sys.executable, ROOT / "bench/gpu/torch_peer.py", "--table", self.work / "torch", "--seconds",
                   f"{max(1.0, 0.8 * seconds):.0f}", *(["--quick", "--device", "cpu", "--works", "2"] if self.dry else [])]
        return self.steps.run("PyTorch", seconds, command, environment, optional=True)

    def profile(self):
        """The counters of one launch of each kernel."""
        ncu = found("ncu")
        if not self.benches or not ncu:
            return self.steps.note("ncu", SKIPPED, note="the benchmark was not built" if ncu else "ncu was not found")
        return self.steps.run("ncu", self.steps.part("ncu"), [
            ncu, "--clock-control", "none", "--profile-from-start", "off", "--csv", "--page", "raw", "--print-units", "base", "--metrics",
            ",".join(COUNTERS), "--log-file", self.work / "ncu", self.benches[0], "--once", *self.options.quick], optional=True)

    # ---- sanitizers -----------------------------------------------------------------------------------------------

    def sanitize(self):
        sanitizer = found("compute-sanitizer")
        if not sanitizer:
            for tool in TOOLS:
                self.steps.note(tool, SKIPPED, note="compute-sanitizer was not found")
            return
        has_ports = "--base-port" in output_of(sanitizer, "--help", seconds=5)
        for tool in TOOLS:
            if self.steps.left() < LEAST:
                self.steps.note(tool, SKIPPED, note="no time was left")
                continue
            say(f"{tool} ...")
            begin, commands = time.monotonic(), {}
            for n, p in enumerate(self.tests):
                ports = ["--base-port", str(49200 + 20 * n)] if has_ports else []  # or they meet each other's programs
                # tests provoke errors of the runtime, and check them
                expected = ["--report-api-errors", "no"] if tool == "memcheck" else []
                commands[p.name] = [sanitizer, "--tool", tool, "--error-exitcode", "9", *expected, *ports, p]
            done = self.steps.side_by_side(tool, self.steps.part(tool), commands, self.options.jobs, self.libraries)
            self.judge(tool, {n: status for n, (status, _) in done.items()}, time.monotonic() - begin)

    def judge(self, tool, ended, seconds):
        good, bad, late, refused = [], [], [], []
        for name, status in ended.items():
            log = self.steps.log_of(f"{tool} {name}").read_text(errors="replace")
            if status in (0, 77):
                good.append(name)
            elif status is None:
                (bad if FOUND.search(log) else late).append(name)
            else:
                (refused if re.search("not supported", log, re.I) else bad).append(name)
        note = f"{len(good)} programs without an error" + "".join(
            f"; {what}: {', '.join(names)}" for what, names in
            (("no error in the time there was", late), ("the device is not supported", refused), ("not clean", bad)) if names)
        outcome = FAILED if bad else LATE if late else OK if good else SKIPPED
        self.steps.note(tool, outcome, seconds, note, [self.steps.log_of(f"{tool} {n}") for n in bad])

    # ---- all of it ------------------------------------------------------------------------------------------------

    def write(self):
        """The reports of what there is so far: if the machine ends this, what was seen stays."""
        facts = {k: v for k, v in self.facts.items() if v}
        return report.write(Path(self.options.out), self.name, facts, self.steps, self.work, simulated=self.dry)

    def run(self):
        self.look()
        if self.options.build:
            self.steps = Steps(self.options.minutes or 24 * 60, self.work / "logs")
            self.build(self.steps.left())
            if self.benches and self.tests:
                self.pack()
            self.wheels()
            for step in self.steps.done:
                for log in step.logs:
                    say(log.read_text(errors="replace")[-4000:])
            return 1 if self.steps.failed() or not (self.benches and self.tests) else 0
        minutes = 9 if self.misfit(archive.about(self.archive)) and not self.dry else 4
        self.steps = Steps(self.options.minutes or minutes, self.work / "logs")
        if self.dry:
            folder = Path(self.options.dry_run)
            self.sort([p for p in (*(folder / f"tests/cuda/cuda_{n}_test" for n in self.options.programs),
                                   *benches_in(folder)) if p.exists()])
            self.archive = self.work / "programs.tar.xz"
            if self.benches and self.tests:
                self.pack(preset=0)
        try:
            if self.programs():
                for part in (self.test, self.figures, self.peers, self.profile, self.sanitize):
                    part()
                    self.write()
        finally:
            self.steps.end_all()
            for file in self.write():
                say(file)
        print((Path(self.options.out) / f"{report.name_of(self.name)}.md").read_text(encoding="utf-8"))
        return 1 if self.steps.failed() else 0


def main(words):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--out", default=os.environ.get("OUT") or str(ROOT / "docs" / "benchmarks"))
    parser.add_argument("--minutes", type=float, default=0, help="after which all has ended: 4, or 9 where programs are built")
    parser.add_argument("--arch", default="", help="the compute capability to build for, where nvidia-smi need not be asked")
    parser.add_argument("--archive", help="of the programs; by default .gpu/programs-sm_ARCH.tar.xz")
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--programs", default="", help="the tests to build, such as schedules,boxes; by default all")
    parser.add_argument("--dry-run", nargs="?", const=str(ROOT / "build" / "cudasim"), help="the simulator's build folder")
    parser.add_argument("--filter", default="", help="only the figures whose names contain it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args(words)
    options.programs = [n for n in options.programs.split(",") if n]
    options.quick = ["--filter", options.filter] if options.filter else []
    if options.dry_run is not None:
        options.quick.append("--quick")
        options.programs = options.programs or ["schedules", "confidence"]
        os.environ["PATH"] = f"{STAND_INS}{os.pathsep}{os.environ.get('PATH', '')}"
        if "--out" not in words and not os.environ.get("OUT"):
            options.out = str(ROOT / "build" / "gpu-dry-run")
    with tempfile.TemporaryDirectory() as work:
        session = Session(options, Path(work))

        def stop(*_):  # the reports are still written
            if session.steps:
                session.steps.end_all()
            sys.exit(143)

        signal.signal(signal.SIGTERM, stop)
        try:
            return session.run()
        except Nothing as why:
            say(f"./run gpu: {why}")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

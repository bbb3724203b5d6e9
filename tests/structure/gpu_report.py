#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench/gpu/report.sh with stand-ins for all that it calls: what it runs, says and leaves behind."""
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "bench/gpu/report.sh"
TOOLS = {
    "nvidia-smi": "echo 'NVIDIA Stand-in, 9.0, 1.2, 1 MiB'",
    "nvcc": "echo 'Cuda compilation tools, release 13.0'",
    "python3": "exit 1",  # no PyTorch
    # --build makes a benchmark and the tests that $TESTS names; $CONFIGURE is the status of all else
    "cmake": """
        [ "$1" = --build ] || { echo the first line; seq 100; exit "${CONFIGURE:-0}"; }
        mkdir -p "$2/tests/cuda" "$2/bench/gpu"
        for name in $TESTS; do
          printf '#!/bin/sh\\n' > "$2/tests/cuda/cuda_${name}_test"; chmod +x "$2/tests/cuda/cuda_${name}_test"
        done
        [ -n "$TESTS" ] || exit 0
        printf '#!/bin/sh\\ntouch "$2"\\n' > "$2/bench/gpu/hone_gpu_bench"; chmod +x "$2/bench/gpu/hone_gpu_bench" """,
    "ctest": """
        echo "$@" > "$SEEN/ctest"
        echo 'the assertion that failed'; seq 100; exit "${CTEST:-0}" """,
    # as the real one, memcheck counts errors of the API that a program handles, unless it is told not to
    "compute-sanitizer": """
        [ "$1" = --help ] && { echo '--base-port --report-api-errors'; exit; }
        case "$*" in *'memcheck'*'report-api-errors no'*) exit 0 ;; *memcheck*backend_test*) exit 9 ;; esac""",
}


class Run:
    """One run of the script in a folder of its own."""

    def __init__(self, **environment):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for tool, text in TOOLS.items():
                path = folder / "tools" / tool
                path.parent.mkdir(exist_ok=True)
                path.write_text("#!/bin/bash\n" + text + "\n", encoding="utf-8")
                path.chmod(0o755)
            script = folder / "bench/gpu/report.sh"
            script.parent.mkdir(parents=True)
            script.write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
            if environment.pop("built_before", False):
                subprocess.run([folder / "tools/cmake", "--build", "build/gpu"], cwd=folder, check=True,
                               env={**os.environ, "TESTS": "backend"})
            done = subprocess.run(
                ["bash", script, "--minutes", "1"], capture_output=True, text=True, check=False,
                env={**os.environ, "PATH": f"{folder / 'tools'}:{os.environ['PATH']}", "OUT": str(folder / "out"),
                     "SEEN": name, "TESTS": "backend nms", **environment})
            self.status, self.said = done.returncode, done.stdout + done.stderr
            self.report = self._text(folder / "out/gpu-stand-in.md")
            self.ctest = self._text(folder / "ctest")
            self.logs = {}
            archive = folder / "out/gpu-stand-in-logs.tar.gz"
            if archive.exists():
                with tarfile.open(archive) as tar:
                    for member in tar:
                        self.logs[member.name.removeprefix("./")] = tar.extractfile(member).read().decode()

    @staticmethod
    def _text(path):
        return path.read_text(encoding="utf-8") if path.exists() else ""


def main():
    failures = []

    def check(what, holds, run):
        if not holds:
            failures.append(f"{what}; it said:\n{run.said}")

    good = Run()
    check("all goes well: memcheck does not count errors that a test provokes", good.status == 0, good)
    check("memcheck is in the report", "| memcheck | ok |" in good.report, good)
    check("tests run side by side", "-j" in good.ctest, good)
    check("no logs where nothing failed", not good.logs, good)

    bad = Run(CTEST="1")
    check("a test that fails is the status", bad.status == 1, bad)
    check("its report has the end of the log only", "the assertion that failed" not in bad.report, bad)
    check("the archive has all of it", "the assertion that failed" in bad.logs.get("tests.log", ""), bad)

    for before in (False, True):
        stopped = Run(CONFIGURE="3", built_before=before)
        check("a configure that fails is the status", stopped.status == 1, stopped)
        check("nothing runs after it", not stopped.ctest and "PyTorch ..." not in stopped.said, stopped)
        check("the report is written", "| configure | FAILED |" in stopped.report, stopped)
        check("and its log", "the first line" in stopped.logs.get("configure.log", ""), stopped)

    nothing = Run(TESTS="")
    check("without a program there is nothing to test", nothing.status == 1 and not nothing.ctest, nothing)

    for failure in failures:
        print("FAILED:", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

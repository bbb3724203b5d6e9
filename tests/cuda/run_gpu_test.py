#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./run gpu with stand-ins for the tools of NVIDIA: what it does where all is well, and where it is not.

    run_gpu_test.py                       with scripts for programs
    run_gpu_test.py --programs FOLDER     ./run gpu --dry-run, with programs of the simulator, built in that folder
"""
import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "gpu"))
sys.path.insert(0, str(ROOT / "tests" / "cuda"))
import archive
import model
import run

NAMES = "work\trows\tcolumns\ttype\tbytes\tsets\tcalls\trounds\tgraph_us\tstream_us\tmemcpy_us\tcopy_kernel_us\tGB_per_s\tof_copy"
BENCH = f"""#!/bin/sh
case "$*" in
  --list) exec echo 'cross entropy, 10x10, float' ;;
  *--once*) exit 0 ;;
esac
sleep 0.4
printf '# multiprocessors\\t132\\n{NAMES}\\n' > "$2"
printf 'EMA\\t1\\t25557032\\tfloat\\t306684384\\t2\\t1\\t1\\t%s\\t130.0\\t102.0\\t103.0\\t2500\\t%s\\n' 120.0 0.85 >> "$2"
printf 'cut off\\t1' >> "$2"
"""
FINE = "#!/bin/sh\necho 'all is well'\n"
BROKEN = "#!/bin/sh\necho 'the assertion that failed'; seq 1000; exit 1\n"
ENDLESS = "#!/bin/sh\necho 'it begins'; sleep 100\n"
CMAKE = """#!/bin/sh
case "$1" in
  --preset) [ ! -e {fails} ] || {{ echo 'no configuring'; exit 1; }} ;;
  --build) mkdir -p "$2/bench/gpu" "$2/tests/cuda"
           case "$*" in *hone_gpu_benches*) cp {bench} "$2/bench/gpu/hone_gpu_bench" ;; *) cp {fine} "$2/tests/cuda/cuda_built_test" ;; esac ;;
esac
"""


class Seen:
    """A run of ./run gpu, and what it left."""

    def __init__(self, folder, words, **environment):
        out = folder / "out"
        begin = time.monotonic()
        before = dict(os.environ)
        os.environ.update(environment)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
                self.status = run.main(["--out", str(out), "--jobs", "2", *words])
        finally:
            os.environ.clear()
            os.environ.update(before)
        self.seconds, self.said = time.monotonic() - begin, said.getvalue()
        pages = list(out.glob("*.md")) if out.exists() else []
        self.page = pages[0].read_text() if pages else ""
        self.json = json.loads(pages[0].with_suffix(".json").read_text()) if pages else {}
        self.steps = {s["step"]: (s["outcome"], s["note"]) for s in self.json.get("steps", [])}
        self.logs = {}
        if pages:
            with tarfile.open(str(pages[0])[:-3] + "-logs.tar.gz") as tar:
                self.logs = {m.name: tar.extractfile(m).read().decode() for m in tar}


class Place:
    """A folder with programs that are scripts, an archive of them, and PyTorch missing."""

    def __init__(self, folder, **programs):
        self.folder = folder
        programs = {"hone_gpu_bench": BENCH, "cuda_fine_test": FINE, **programs}
        for sub in ("bin", "tools", "python"):
            (folder / sub).mkdir()
        (folder / "python" / "torch.py").write_text("raise ImportError\n")
        for name, text in programs.items():
            self.script(folder / "bin" / name, text)
        run.BUILD = folder / "build"

    def script(self, path, text):
        path.write_text(text)
        path.chmod(0o755)

    def archive(self, **more):
        about = {"tree": archive.hash_of_tree(), "commit": "abc", "architecture": "90", "nvcc": "13.0", "host compiler": "c++"}
        archive.pack(self.folder / "programs.tar.xz", sorted((self.folder / "bin").glob("*")), {**about, **more}, 0)

    def cmake(self, fails=False):
        bench, fine = self.folder / "bin" / "hone_gpu_bench", self.folder / "bin" / "cuda_fine_test"
        self.script(self.folder / "tools" / "cmake", CMAKE.format(bench=bench, fine=fine, fails=bench if fails else "/nowhere"))
        self.script(self.folder / "tools" / "nvcc", "#!/bin/sh\necho 'Cuda compilation tools, release 13.0, V13.0.1'\n")

    def run(self, *words, tools=True, **environment):
        path = os.pathsep.join([str(self.folder / "tools"), *([str(run.STAND_INS)] if tools else []), os.environ["PATH"]])
        return Seen(self.folder, ["--archive", str(self.folder / "programs.tar.xz"), "--minutes", "1", *words], PATH=path,
                    PYTHONPATH=str(self.folder / "python"), **environment)


CASES = []


def case(f):
    CASES.append(f)
    return f


def must(condition, what):
    if not condition:
        raise AssertionError(what)


@case
def programs_of_the_archive_are_used(folder):
    place = Place(folder)
    place.archive()
    seen = place.run()
    must(seen.status == 0, seen.said)
    expected = {"archive", "tests", "figures", "ncu", "memcheck", "racecheck", "initcheck", "synccheck"}
    must(all(seen.steps[s][0] == "ok" for s in expected), seen.steps)
    must(seen.steps["PyTorch"][0] == "skipped" and "build of the tests" not in seen.steps, seen.steps)
    must(seen.json["hone"][0]["work"] == "EMA" and len(seen.json["hone"]) == 1, "a line that was cut off counts")
    must("1755 MHz" in seen.json["about"]["SM clock in between"] and "MHz" in seen.json["about"]["clocks before"], seen.json["about"])
    must(seen.json["counters"][0]["kernel"].startswith("void stand_in_kernel"), seen.json["counters"])
    must(re.search(r"\| lists: EMA \(update\) \| float \| EMA, .* \| (yes|\*\*no\*\*) \|", seen.page), seen.page)
    must("predictions of docs/cuda_model.md held" in seen.page, seen.page)


@case
def programs_of_other_sources_are_built_anew(folder):
    place = Place(folder)
    place.cmake()
    for more, why in (({"tree": "other"}, "of other sources"), ({"architecture": "80"}, "for sm_80")):
        place.archive(**more)
        seen = place.run()
        must(seen.status == 0, seen.said)
        must(seen.steps["archive"][0] == "skipped" and why in seen.steps["archive"][1], seen.steps)
        must(seen.steps["build of the benchmarks"][0] == seen.steps["build of the tests"][0] == "ok", seen.steps)
        must("1 of 1 programs passed" in seen.steps["tests"][1], seen.steps)


@case
def programs_that_do_not_start_are_built_anew(folder):
    place = Place(folder, hone_gpu_bench="#!/bin/sh\necho 'GLIBC_9.9 not found'; exit 127\n")
    place.archive()
    place.script(folder / "bin" / "hone_gpu_bench", BENCH)
    place.cmake()
    seen = place.run()
    must("do not run here: GLIBC_9.9 not found" in seen.steps["archive"][1] and seen.status == 0, seen.steps)


@case
def it_stops_where_no_program_exists(folder):
    place = Place(folder)
    place.cmake(fails=True)
    (folder / "build" / "tests" / "cuda").mkdir(parents=True)
    place.script(folder / "build" / "tests" / "cuda" / "cuda_old_test", FINE)  # of an earlier build: not what is asked for
    seen = place.run()
    must(seen.status == 1 and list(seen.steps) == ["archive", "configure", "programs"], seen.steps)
    must("no configuring" in seen.page and "no configuring" in seen.logs["configure.log"], seen.page)


@case
def an_assertion_that_fails_is_in_the_logs(folder):
    place = Place(folder, cuda_broken_test=BROKEN)
    place.archive()
    seen = place.run()
    must(seen.status == 1 and seen.steps["tests"][0] == "FAILED", seen.steps)
    must("1 of 2 programs passed; failed: cuda_broken_test" in seen.steps["tests"][1], seen.steps)
    must("the assertion that failed" in seen.logs["test-cuda-broken-test.log"], sorted(seen.logs))
    must("\n1000\n" in seen.page, "the end of the log is in the page")
    must(seen.steps["figures"][0] == "ok", "the other steps are run")


@case
def a_program_whose_library_is_missing_is_skipped(folder):
    place = Place(folder, cuda_blas_test="#!/bin/sh\necho 'error while loading shared libraries: libcublas.so'; exit 127\n")
    place.archive()
    seen = place.run()
    must(seen.status == 0 and "1 of 2 programs passed; skipped: cuda_blas_test" in seen.steps["tests"][1], seen.steps)
    must(seen.steps["memcheck"] == ("ok", "1 programs without an error"), seen.steps)


@case
def a_sanitizers_finding_fails(folder):
    place = Place(folder)
    place.archive()
    seen = place.run(STAND_IN_FINDS="racecheck cuda_fine_test")
    must(seen.status == 1 and seen.steps["racecheck"][0] == "FAILED" and seen.steps["memcheck"][0] == "ok", seen.steps)
    must("not clean: cuda_fine_test" in seen.steps["racecheck"][1], seen.steps)
    must("Invalid __global__ read" in seen.logs["racecheck-cuda-fine-test.log"], sorted(seen.logs))


@case
def a_program_without_an_end_is_ended(folder):
    place = Place(folder, cuda_endless_test=ENDLESS)
    place.archive()
    seen = place.run("--minutes", "0.25")  # 15 s, of which 10 are for the report
    must(seen.seconds < 14, f"{seen.seconds} s")
    must(seen.steps["tests"][0] == "out of time" and "cuda_endless_test" in seen.steps["tests"][1], seen.steps)
    must("it begins" in seen.logs["test-cuda-endless-test.log"], seen.logs)


@case
def no_step_takes_the_time_of_those_behind_it(folder):
    place = Place(folder, cuda_endless_test=ENDLESS, hone_gpu_bench=BENCH.replace("sleep 0.4", "sleep 100"))
    place.archive()
    seen = place.run("--minutes", "0.4")
    must(seen.steps["tests"][0] == seen.steps["figures"][0] == "out of time", seen.steps)


@case
def the_parts_of_steps_fit_four_minutes(folder):
    steps = run.Steps(4, folder / "logs")
    left = [steps.left() - 10]  # the archive has been unpacked
    steps.left = lambda: left[0]
    for name, seconds in run.PARTS.items():
        must(steps.part(name) > seconds - 1, f"{name}: {steps.part(name)} s")
        left[0] -= steps.part(name)
    must(left[0] > -1, f"{-left[0]} s too many")
    left[0] = 7.0
    must(steps.part("memcheck") >= 3, "of the sanitizers it is the last one that is left out")


@case
def what_was_seen_stays_where_the_machine_ends_it(folder):
    place = Place(folder, cuda_endless_test=ENDLESS)
    place.archive()
    path = os.pathsep.join([str(run.STAND_INS), os.environ["PATH"]])
    running = subprocess.Popen([sys.executable, ROOT / "bench/gpu/run.py", "--archive", folder / "programs.tar.xz", "--out",
                                folder / "out"], env={**os.environ, "PATH": path}, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    for line in running.stderr:
        if line.startswith("tests ..."):
            break
    time.sleep(0.5)
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=20)
    page = (folder / "out" / "gpu-stand-in-gpu.md").read_text()
    must(running.returncode == 143 and "| archive | ok |" in page, page)


@case
def an_archive_that_is_built_is_used(folder):
    place = Place(folder)
    place.cmake()
    (folder / "wheels").mkdir()
    (folder / "wheels" / "liger_kernel-0-py3-none-any.whl").write_text("")  # none is fetched
    before, archive.FOLDER = archive.FOLDER, folder
    try:
        seen = place.run("--build", "--arch", "90", tools=False)
        must(seen.status == 0 and archive.about(folder / "programs.tar.xz")["architecture"] == "90", seen.said)
        must("boxes" in archive.about(folder / "programs.tar.xz")["missing"], "what was not built is named")
        name, tree = (folder / "commit").read_text().split()
        must(tree == archive.hash_of_tree() and run.commit(folder) == name, f"{name}: no .git there")
        (folder / "commit").write_text(f"{name} other\n")
        must(run.commit(folder) == f"{name}, changed since", run.commit(folder))
        seen = place.run()
        must(seen.status == 0 and seen.steps["archive"][0] == "ok" and "not built: " in seen.steps["archive"][1], seen.steps)
    finally:
        archive.FOLDER = before


@case
def without_a_gpu_there_is_nothing_to_run_on(folder):
    place = Place(folder)
    place.script(folder / "tools" / "nvidia-smi", "#!/bin/sh\nexit 9\n")
    seen = place.run(tools=False)
    must(seen.status == 2 and "no GPU" in seen.said and not seen.page, seen.said)


@case
def wrong_tables_of_the_model_are_seen(folder):
    rows = model.table()
    text = model.PAGE.read_text()
    must(model.page_of(text, rows) == text, "model.py --write")
    more = {**rows[0], "name": "a kernel that is new"}
    must("a kernel that is new" in model.page_of(text, [*rows, more]), "a new row")
    must(not model.shape_of(more).timed, "a new row has no work")
    free = {**rows[0], "reached": {**rows[0]["reached"], "sass": 0.0, "flight": 1e9, "blocks": 8}}
    p = model.predicted(free, model.shape_of(free))
    must(p.bound() == "bytes" and p.fraction > 0.99, p)
    slow = {**free, "reached": {**free["reached"], "sass": 1000.0}}
    must(model.predicted(slow, model.shape_of(slow)).bound() == "issue", slow)


def dry_run(programs):
    def with_programs_of_the_simulator(folder):
        seen = Seen(folder, ["--dry-run", programs, "--filter", "x10, float"])
        must(seen.status == 0, seen.said + seen.page)
        steps = {name: outcome for name, (outcome, _) in seen.steps.items()}
        must(steps.pop("PyTorch") in ("ok", "skipped", "out of time"), seen.steps)
        must(set(steps.values()) == {"ok"} and "pack" in steps and "archive" in steps, seen.steps)
        must(any(r["columns"] == 10 for r in seen.json["hone"]) and "SIMULATED" in seen.page, seen.page)
        print(f"  dry run: {seen.seconds:.0f} s")
    return with_programs_of_the_simulator


def main(words):
    cases = [dry_run(words[1])] if words[:1] == ["--programs"] else CASES
    wrong = 0
    for f in cases:
        with tempfile.TemporaryDirectory() as folder:
            try:
                f(Path(folder))
            except AssertionError as error:
                wrong += 1
                print(f"{f.__name__}: {error}")
    print(f"{len(cases)} cases, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

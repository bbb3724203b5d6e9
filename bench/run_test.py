#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench/run.py on one small work, and the tables of bench/report.py on times whose ratios are known.

    run_test.py FOLDER       the folder with hone_bench
"""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import report
import run

WORK = "boxes/iou_loss/10000/threads:1"


class Run(unittest.TestCase):
    def test_one_work(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "times.json"
            done = subprocess.run([sys.executable, HERE / "run.py", "--quick", "--no-peers", "--build", FOLDER,
                                   "--threads", "1", "--filter", f"^{WORK}$", "--json", file],
                                  stdout=subprocess.PIPE, text=True, check=True)
            measured = json.loads(file.read_text())
        self.assertEqual(list(measured["works"]), [WORK])
        work = measured["works"][WORK]
        self.assertAlmostEqual(work["bytes"], 480000, delta=100)
        self.assertEqual(set(work["ms"]), {"hone", "twin", "limit", "limit_nt"})
        for times in work["ms"].values():
            self.assertEqual(len(times), 3)
            self.assertTrue(all(t > 0 for t in times))
        for key in ("date", "processor", "compiler", "flags", "hone", "eigen", "GLIBC_TUNABLES"):
            self.assertIn(key, measured["context"])
        self.assertEqual(done.stdout, report.table(measured))
        self.assertEqual(len(done.stdout.splitlines()), 3)

    def test_a_filter_without_a_work(self):
        done = subprocess.run([sys.executable, HERE / "run.py", "--quick", "--no-peers", "--build", FOLDER,
                               "--filter", "nothing"], capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no work matches nothing", done.stderr)

    def test_the_format_of_compare_py(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "gb.json"
            run.for_compare({"context": {}, "works": {"w/threads:1": {"bytes": 1, "ms": {"hone": [1, 2]}}}}, file)
            made = json.loads(file.read_text())["benchmarks"]
        self.assertEqual([(b["name"], b["real_time"], b["run_type"]) for b in made],
                         [("w/threads:1/hone", 1e6, "iteration"), ("w/threads:1/hone", 2e6, "iteration"),
                          ("w/threads:1/hone_median", 1.5e6, "aggregate")])


class Report(unittest.TestCase):
    # Paired ratios of hone to its twin: 2, 1, 3, 4, 5; of the faster stream (limit_nt) to hone: .5, .25, .125, 1, .25.
    TIMES = {"hone": [2, 2, 6, 4, 5], "twin": [1, 2, 2, 1, 1], "limit": [8, 8, 8, 8, 8],
             "limit_nt": [1, 0.5, 0.75, 4, 1.25], "torch": [20, 40, 60, 40, 50], "timm": [200, 400, 1800, 400, 500]}

    def measured(self, name="rows/x/threads:2"):
        return {"works": {name: {"bytes": 1, "ms": self.TIMES}}}

    def test_medians_and_quartiles(self):
        self.assertEqual(report.quartiles([2, 1, 3, 4, 5]), [2, 3, 4])
        self.assertEqual(report.ratio(self.TIMES["hone"], self.TIMES["twin"]), "3.00 (2.00 to 4.00)")
        self.assertEqual(report.ratio([4, 9], [1, 3]), "3.50 (3.25 to 3.75)")  # a median of ratios, and none of medians
        self.assertEqual(report.ratio([3], [2]), "1.50 (1.50 to 1.50)")
        self.assertEqual(report.ratio([3], None), "")

    def test_a_row(self):
        self.assertEqual(report.table(self.measured()).splitlines()[2],
                         "| rows/x | 2 | 4 | 3.00 (2.00 to 4.00) | 0.25 (0.25 to 0.50) | 10.0 (10.0 to 10.0) |  | "
                         "timm 100 (100 to 200) |")
        self.assertEqual(len(report.table(self.measured(), "^boxes").splitlines()), 2)

    def test_pages(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.md"
            (Path(folder) / "a.json").write_text(json.dumps(self.measured()))
            page.write_text("before\n<!-- table: a.json ^rows/ -->\nold\n<!-- /table -->\nafter\n")
            self.assertEqual(len(report.check_page(page, False)), 1)
            self.assertEqual(report.check_page(page, True), [])
            self.assertEqual(report.check_page(page, False), [])
            text = page.read_text()
            self.assertTrue(text.startswith("before\n<!-- table: a.json ^rows/ -->\n| work |"))
            self.assertTrue(text.endswith("|\n<!-- /table -->\nafter\n"))
            page.write_text(text.replace("3.00", "2.99"))
            self.assertIn("page.md:2: differs from a.json", report.check_page(page, False)[0])
            page.write_text("<!-- table: a.json ^rows/ -->\n")  # no end
            self.assertEqual(len(report.check_page(page, False)), 1)


if __name__ == "__main__":
    FOLDER = sys.argv.pop(1)
    unittest.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Predicts from the counts of tests/cuda/budgets.json how near the CUDA kernels come to a copy of the same bytes.

    model.py            prints the table for an H100
    model.py --write    writes it into docs/cuda_model.md
    model.py --check    status 1 where the page shows another table

What is computed, and what the words mean: docs/cuda_model.md. ./run gpu compares its figures with it.
"""
import argparse
import json
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "cuda_model.md"
BLOCK = re.compile(r"(<!-- computed: model -->\n).*?(^<!-- /computed -->$)", re.S | re.M)
TOLERANCE = 0.15  # of a prediction; the copy itself varies by a few hundredths
AIM = 0.85


@dataclass(frozen=True)
class Chip:
    """An H100; what ./run gpu saw takes the place of the first four."""
    multiprocessors: int = 132
    clock: float = 1.755e9  # Hz
    copy: float = 3.0e12  # bytes per second, read and written
    l2: float = 50e6  # bytes
    latency: float = 0.7e-6  # s, of a load under load
    launch: float = 2e-6  # s, of a kernel in a graph: to start it, to fill the chip, to drain it
    lanes: int = 128  # instructions of threads per cycle and multiprocessor
    issued: float = 0.85  # the part of these that a kernel without a stall can be expected to use
    alone: float = 2.0  # cycles per instruction of a warp that need not share


H100 = Chip()

# What is timed for a kernel: of the budgets' name, the figure of ./run gpu, its rows and columns, the elements of a
# kernel per number, and the launches (`mean` of labels counts rows in one of its own).
CROSS_ENTROPY = "cross entropy, smoothing 0.1"
ROWS_OF_COLUMNS = {10: 65536, 80: 100000, 256: 32768, 1000: 8192, 1024: 32768, 4096: 32768, 8192: 8192, 16384: 8192,
                   32000: 1024, 32768: 4096, 50257: 2048, 65536: 2048, 128256: 1024}
PARAMETERS, TENSORS = 25_557_032, 161  # of ResNet-50
WORKS = (
    ("elements: sigmoid focal, dense", "sigmoid focal, dense targets", 100000, 80, 1),
    ("elements: binary cross entropy, dense", "binary cross entropy, dense targets", 100000, 80, 1),
    ("boxes: CIoU", "CIoU", 1000000, 4, 1),
    ("lists: norm (measure)", "measure: norm", 1, PARAMETERS, 1),
    ("lists: EMA (update)", "EMA", 1, PARAMETERS, 1),
)


@dataclass(frozen=True)
class Shape:
    work: str
    rows: int
    columns: int
    launches: int
    timed: bool  # whether ./run gpu times it

    def text(self):
        return f"{self.rows} x {self.columns}"


def shape_of(row):
    """What is predicted for a row of the table: its work, or 32 million elements where none is known for it."""
    for name, work, rows, columns, launches in WORKS:
        if row["name"] == name:
            return Shape(work, rows, columns, launches, True)
    classes = re.search(r"(\d+) classes", row["name"])
    columns = int(classes[1]) if classes else 128256 if "streamed" in row["name"] else 0
    if row["name"].startswith("rows: cross entropy") and columns in ROWS_OF_COLUMNS:
        return Shape(CROSS_ENTROPY, ROWS_OF_COLUMNS[columns], columns, 2, True)
    columns = columns or 1
    return Shape(row["name"], max(1, (1 << 25) // columns), columns, 1, False)


def constant(*names):
    """The first of these constants that the headers of the launches have."""
    files = [ROOT / "include/hone/cuda/run/launch.hpp", ROOT / "include/hone/cuda/tensors/device_list.cuh"]
    text = "".join(f.read_text(encoding="utf-8") for f in files if f.exists())
    found = (re.search(rf"constexpr (?:int|index) (?:\w+ = \d+, )*{name} = (\d+)", text) for name in names)
    return next((int(m[1]) for m in found if m), None)


@dataclass(frozen=True)
class Prediction:
    bytes: float  # seconds each
    issue: float
    latency: float
    launch: float
    waves: float
    fraction: float

    def bound(self):
        times = {"bytes": self.bytes, "issue": self.issue, "latency": self.latency, "launch": self.launch}
        return max(times, key=times.get)


def predicted(row, shape, chip=H100):
    """The times that each resource takes alone; the kernel takes them together, wave by wave, and its launches."""
    reached, threads = row["reached"], row["threads"]
    blocks, sass = max(1, reached["blocks"]), reached["sass"]
    stored = sum(16 * s["needs"].get("store16", 0) / s["elements"] for s in row["sweeps"])
    loads = [16 * s["needs"].get("load16", 0) / s["elements"] for s in row["sweeps"]]
    if not any(loads):  # they are not counted as loads of 16 bytes: copies into shared memory, say
        loads[0] = row["bytes_per_element"]
    per_element = row["bytes_per_element"] + stored  # that must move
    width = 4 if row["name"].startswith("boxes") else 1  # numbers of an element
    elements = shape.rows * shape.columns / width
    slots = chip.multiprocessors * blocks
    resident = slots * threads
    is_rows = row["name"].startswith("rows")

    again = sum(loads) - row["bytes_per_element"]  # the later sweeps: of L2, if what the chip works on fits there
    if again > 0 and (not is_rows or slots * shape.columns * row["bytes_per_element"] < chip.l2):
        again = 0
    in_bytes = elements * (per_element + max(0, again)) / chip.copy
    in_issue = elements * sass / (chip.multiprocessors * chip.lanes * chip.clock * chip.issued)

    in_latency = 0.0  # Little's law: what a trip of all resident threads loads arrives once per latency
    instructions = sass / len(row["sweeps"])
    for sweep, load in zip(row["sweeps"], loads):
        flight = reached["flight"] * 1024 / (blocks * threads) if reached["flight"] else 16
        trip = flight / load if load else sweep["elements"]  # elements of a thread per round of loads
        wait = chip.latency if load else 0
        in_latency += elements / (resident * trip) * (wait + instructions * trip * chip.alone / chip.clock)

    def together(by, at, after):
        if blocks == 1 and is_rows:  # nothing else runs while the block loads its row, or while it computes
            return max(by, after) + at
        return math.hypot(by, at, after)

    # The waves: in the last one the blocks share the bytes and the slots that a full one takes, but wait as long.
    waves = blocks_of(row, shape, elements) / slots
    full, last = math.floor(waves), waves - math.floor(waves)
    by, at, after = (t / waves for t in (in_bytes, in_issue, in_latency))
    time = full * together(by, at, after)
    if last > 0:
        time += together(by * last, at * math.ceil(last * blocks) / blocks, after)
    launch = shape.launches * chip.launch
    fraction = (elements * per_element / chip.copy + chip.launch) / (time + launch)
    return Prediction(in_bytes, in_issue, in_latency, launch, waves, min(1.0, fraction))


def blocks_of(row, shape, elements):
    """The blocks of the grid, or the pieces that they work on where these are few and large."""
    threads, per_thread = row["threads"], row["sweeps"][0]["elements"]
    limit = constant("max_blocks") or math.inf
    if row["name"].startswith("lists"):
        return math.ceil(elements / (constant("list_piece"))) + TENSORS / 2
    if not row["name"].startswith("rows"):
        return min(limit, math.ceil(elements / per_thread / threads))
    if "tile" in row["name"]:
        return min(limit, math.ceil(shape.rows / threads))
    lanes = min(threads, max(1, math.ceil(shape.columns / per_thread)))
    return math.ceil(shape.rows * lanes / threads)  # a block loops over rows


def table():
    return json.loads((HERE / "budgets.json").read_text(encoding="utf-8"))["kernels"]


def lines_of(rows, chip=H100):
    names = ("kernel", "type", "for", "bytes µs", "issue µs", "latency µs", "launch µs", "waves", "bound by", "of copy")
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for row in rows:
        shape = shape_of(row)
        p = predicted(row, shape, chip)
        fraction = f"{p.fraction:.2f}"
        cells = [row["name"], row["type"], shape.text(), *(f"{1e6 * t:.1f}" for t in (p.bytes, p.issue, p.latency, p.launch)),
                 f"{p.waves:.1f}", p.bound(), fraction if p.fraction >= AIM else f"**{fraction}**"]
        yield "| " + " | ".join(cells) + " |"


def page_of(text, rows):
    return BLOCK.sub(lambda m: m[1] + "\n".join(lines_of(rows)) + "\n" + m[2], text)


def chip_of(facts, copy):
    """The chip of a report: what was seen there, in place of the H100's."""
    clock = re.search(r"median (\d+) MHz", str(facts.get("SM clock in between", "")))
    return Chip(multiprocessors=int(facts.get("multiprocessors") or H100.multiprocessors),
                clock=1e6 * int(clock[1]) if clock else H100.clock, copy=1e9 * copy,
                l2=float(facts.get("L2 bytes") or H100.l2))


def compared(rows, figures, chip):
    """Each prediction whose work was timed, beside what was measured. The rows are those that were timed."""
    judged = []
    for row in rows:
        shape = shape_of(row)
        for f in figures if shape.timed else ():
            if (f["work"], f["columns"], f["type"]) != (shape.work, shape.columns, row["type"]):
                continue
            timed = Shape(shape.work, f["rows"], f["columns"], shape.launches, True)
            p = predicted(row, timed, chip)
            judged.append({"kernel": row["name"], "type": row["type"], "work": shape.work, "shape": timed.text(),
                           "bound": p.bound(), "predicted": p.fraction, "measured": f["of_copy"],
                           "held": abs(f["of_copy"] - p.fraction) <= TOLERANCE * p.fraction})
    return judged


def main(words):
    parser = argparse.ArgumentParser()
    for name in ("write", "check"):
        parser.add_argument("--" + name, action="store_true")
    options = parser.parse_args(words)
    rows = table()
    if not (options.write or options.check):
        print("\n".join(lines_of(rows)))
        return 0
    text = PAGE.read_text(encoding="utf-8")
    if len(BLOCK.findall(text)) != 1:
        print(f"{PAGE.name} has no place for the table")
        return 1
    if options.write:
        PAGE.write_text(page_of(text, rows), encoding="utf-8")
    elif page_of(text, rows) != text:
        print(f"{PAGE.name} shows another table than budgets.json gives: tests/cuda/model.py --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

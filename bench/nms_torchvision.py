#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Non-maximum suppression beside torchvision.ops.nms, in one process and in rotation. Needs torchvision and g++.
Medians: of processor time for one thread, which other programs disturb least; else of time on the clock.

    bench/nms_torchvision.py [--boxes N] [--threads N] [--rounds N] [FLAG …]     flags of g++: -O2 -march=native
"""
import argparse
import ctypes
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch
import torchvision

SOURCE = """
#include <hone/hone.hpp>
extern "C" long long suppress(const float* boxes, const float* scores, long long n, double threshold, int threads,
                              long long* kept) {
  const auto rows = hone::nms(hone::cpu(threads), hone::matrix_view{boxes, n, 4},
                              std::span<const float>(scores, static_cast<std::size_t>(n)), {.threshold = threshold});
  for (std::size_t i = 0; i < rows.size(); ++i) kept[i] = rows[i];
  return static_cast<long long>(rows.size());
}
"""


def compiled(folder, flags):
    library = Path(folder) / "nms.so"
    include = Path(__file__).resolve().parent.parent / "include"
    subprocess.run(["g++", "-std=c++20", *flags, "-shared", "-fPIC", "-pthread", "-I", include, "-isystem",
                    "/usr/include/eigen3", "-x", "c++", "-", "-o", library], input=SOURCE, text=True, check=True)
    function = ctypes.CDLL(str(library)).suppress
    function.restype = ctypes.c_longlong
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_longlong, ctypes.c_double, ctypes.c_int,
                         ctypes.c_void_p]
    return function


def detections(kind, n):
    """Boxes with sides of 10 to 100 in a wide or a narrow plane, or 50 detections of each of n / 50 objects."""
    g = torch.Generator().manual_seed(1)
    if kind == "clusters":
        objects = -(-n // 50)
        centre = (torch.rand(objects, 2, generator=g) * 1000).repeat_interleave(50, 0)[:n]
        size = (20 + torch.rand(objects, 2, generator=g) * 150).repeat_interleave(50, 0)[:n]
        sides = size * (1 + 0.2 * torch.randn(n, 2, generator=g)).clamp(0.3, 3)
        first = centre + 0.1 * size * torch.randn(n, 2, generator=g) - sides / 2
    else:
        sides = 10 + torch.rand(n, 2, generator=g) * 90
        first = torch.rand(n, 2, generator=g) * (20000 if kind == "apart" else 2000)
    return torch.cat([first, first + sides], 1).contiguous(), torch.rand(n, generator=g)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--boxes", type=int, default=10000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    asked, flags = parser.parse_known_args()
    torch.set_num_threads(asked.threads)
    clock = time.process_time if asked.threads == 1 else time.perf_counter
    with tempfile.TemporaryDirectory() as folder:
        suppress = compiled(folder, flags or ["-O2", "-march=native", "-w"])
        n = asked.boxes
        kept = torch.empty(n, dtype=torch.int64)
        print(f"| {n} boxes | threshold | kept | hone, ms | torchvision {torchvision.__version__}, ms | ratio | "
              "rows that differ |\n|---|---|---|---|---|---|---|")
        for kind in ("apart", "scattered", "clusters"):
            boxes, scores = detections(kind, n)
            for threshold in (0.5, 0.7):
                ours = lambda: suppress(boxes.data_ptr(), scores.data_ptr(), n, threshold, asked.threads,
                                        kept.data_ptr())
                theirs = lambda: torchvision.ops.nms(boxes, scores, threshold)
                count, expected = ours(), theirs()
                differ = len(set(kept[:count].tolist()) ^ set(expected.tolist()))
                times = {ours: [], theirs: []}
                for _ in range(asked.rounds):
                    for work, seconds in times.items():
                        begin = clock()
                        work()
                        seconds.append(clock() - begin)
                a, b = (statistics.median(times[work]) * 1e3 for work in (ours, theirs))
                print(f"| {kind} | {threshold} | {count} | {a:.1f} | {b:.1f} | {b / a:.1f} | {differ} |", flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes parity_values.hpp: what YOLOv5 and PaddleDetection answer for heads and boxes that parity_test.cpp has too.

    parity_values.py > tests/detect/parity_values.hpp

Run once, by hand; the test reads the table. It needs
    pip install torch==2.15.0 yolov5==7.0.14 paddlepaddle==2.6.2 paddledet==2.6.0
(the last three with --no-deps, and the modules that they then ask for are not used here) and asks the packages
themselves, in double precision where they let it be chosen.
"""
import importlib.util
import math
import pathlib
import sys
import types

import numpy
import torch

torch.set_default_dtype(torch.float64)
IMAGES, CLASSES, ANCHORS = 2, 3, [[(6, 9), (12, 7)], [(14, 24), (30, 15)], [(40, 44), (60, 30)]]
GRIDS, STRIDES, PIXELS = (8, 4, 2), (8, 16, 32), 64


def noise(i):
    return 3 * math.sin(12.9898 * i + 0.5) + math.cos(7.1 * i)


def unit(i):
    return noise(i) / 8 + 0.5


def boxes(count):
    """(image, class, x, y, width, height); the last are on a border, in a corner and on top of another."""
    rows = [(i % IMAGES, i % CLASSES, unit(5 * i), unit(5 * i + 1), unit(5 * i + 2) ** 2, unit(5 * i + 3) ** 2)
            for i in range(count)]
    rows += [(0, 1, 0.0, 0.5, 0.25, 0.25), (1, 2, 1.0, 1.0, 0.5, 0.5), (0, 2, *rows[0][2:])]
    return rows


def head(level, channels):
    """Logits, images x anchors x rows x columns x channels."""
    n = GRIDS[level]
    size = IMAGES * 2 * n * n * channels
    return numpy.array([noise(10000 * level + i) for i in range(size)]).reshape(IMAGES, 2, n, n, channels)


def package(name):
    return pathlib.Path(importlib.util.find_spec(name).submodule_search_locations[0])


def module(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


def ask_yolov5():
    """utils/loss.py by its path: the package's own imports ask for a whole application."""
    root = package("yolov5")
    for name in ("yolov5", "yolov5.utils", "yolov5.utils.metrics", "yolov5.utils.torch_utils"):
        sys.modules[name] = types.ModuleType(name)
    text = (root / "utils/metrics.py").read_text()
    iou = text[text.index("def bbox_iou("):]
    scope = {"math": math, "torch": torch}
    exec(iou[:iou.index("\ndef ")], scope)
    sys.modules["yolov5.utils.metrics"].bbox_iou = scope["bbox_iou"]
    sys.modules["yolov5.utils.torch_utils"].de_parallel = lambda model: model
    loss = module(root / "utils/loss.py", "yolov5.utils.loss")

    class Detect(torch.nn.Module):
        nl, na, nc = 3, 2, CLASSES
        stride = torch.tensor(STRIDES)
        anchors = torch.tensor(ANCHORS, dtype=torch.float64) / stride.view(-1, 1, 1)

    class Model(torch.nn.Module):
        hyp = dict(box=0.05, obj=1.0, cls=0.5, cls_pw=1.0, obj_pw=1.0, fl_gamma=0.0, anchor_t=4.0, label_smoothing=0.1)

        def __init__(self):
            super().__init__()
            self.model = torch.nn.ModuleList([Detect()])
            self.number = torch.nn.Parameter(torch.zeros(1))

    def run(autobalance, targets, best_wins=False, gr=1.0):
        compute = loss.ComputeLoss(Model(), autobalance=autobalance)
        compute.sort_obj_iou, compute.gr = best_wins, gr
        seen, plain = [], compute.BCEobj

        def recorded(prediction, target):
            seen.append(target.clone())
            return plain(prediction, target)
        compute.BCEobj = recorded
        heads = [torch.tensor(head(i, 5 + CLASSES), requires_grad=True) for i in range(3)]
        total, parts = compute(heads, targets)
        total.sum().backward()
        return compute, seen, heads, parts

    targets = torch.tensor(boxes(12))
    compute, seen, heads, parts = run(True, targets)
    classes, cells, indices, _ = compute.build_targets(heads, targets)
    for i in range(3):
        b, a, row, column = indices[i]
        yield f"yolov5_matches_{i}", "int", torch.stack((b, a, row, column, classes[i]), 1).flatten().tolist()
        yield f"yolov5_cells_{i}", "double", cells[i].flatten().tolist()
        yield f"yolov5_objectness_{i}", "double", seen[i].flatten().tolist()
        yield f"yolov5_gradient_{i}", "double", heads[i].grad[..., 4].flatten().tolist()
    yield "yolov5_losses", "double", parts.tolist()  # of boxes, objectness and classes, with gains
    yield "yolov5_balance", "double", [float(b) for b in compute.balance]
    yield "yolov5_best_objectness_0", "double", run(False, targets, True, 0.75)[1][0].flatten().tolist()
    yield "yolov5_losses_of_nothing", "double", run(False, targets[:0])[3].tolist()


def main():
    tables = list(ask_yolov5())
    print("// SPDX-License-Identifier: MIT")
    print("/// What other libraries answer for the heads and boxes of parity_test.cpp, written by parity_values.py.")
    print("///   torch 2.15.0, yolov5 7.0.14")
    print("#pragma once\n\n// clang-format off\nnamespace parity_values {\n")
    for name, kind, numbers in tables:
        print(f"inline constexpr {kind} {name}[] = {{")
        for i in range(0, len(numbers), 8):
            print("    " + ", ".join(repr(n) for n in numbers[i:i + 8]) + ",")
        print("};")
    print("\n}  // namespace parity_values\n// clang-format on")


if __name__ == "__main__":
    main()

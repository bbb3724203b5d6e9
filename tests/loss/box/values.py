#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes box_values.hpp: what torchvision.ops makes of pairs of boxes, values and gradients, in double precision.

    box_values.py > tests/loss/box/values.hpp

Run once, by hand; the tests read the table. It needs torch and torchvision (written with 1.13.0 and 0.14.1 of Debian 12:
python3-torchvision). NaN is what torchvision answers with.
"""
import sys

import torch
import torchvision
from torchvision import ops

CLASSES = {
    "overlap": [((1, 2, 6, 7.5), (3, 1, 9, 6)), ((10, 10, 42, 30), (12, 5, 37, 28)), ((-8, -3, 4.5, 6), (-6, -7, 9, 2))],
    "nested": [((2, 3.5, 4, 6), (1, 1, 7, 8)), ((-10, -20, 30, 17), (3, -4, 9, 11)), ((5, 5, 7, 6), (0, 1, 20, 30))],
    "disjoint": [((1, 1, 3, 4), (6, 2, 9, 5)), ((7, 9, 9, 12), (1, 2, 3, 5)), ((-30, 4, -20, 9), (15, -9, 31, 2))],
    "touching": [((0, 0, 2, 2), (2, 0.5, 5, 3)), ((0, 0, 2, 2), (0.5, 2, 3, 5)), ((0, 0, 2, 2), (2, 2, 4, 5))],
    "identical": [((1, 2, 5, 10), (1, 2, 5, 10)), ((-3, -4, -1, 0.5), (-3, -4, -1, 0.5))],
    "zero area": [((3, 2, 3, 6), (1, 1, 7, 8)), ((3, 4, 5, 4), (1, 1, 7, 8)), ((2, 2, 2, 2), (1, 1, 7, 8))],
    "inverted": [((6, 2, 1, 7.5), (3, 1, 9, 6)), ((6, 7.5, 1, 2), (3, 1, 9, 6))],
    "huge": [((1e6, 2e6, 6e6, 7.5e6), (3e6, 1e6, 9e6, 6e6)), ((-2**28, 0, 2**27, 2**26), (-2**27, 5, 2**28, 2**27))],
    "tiny": [((2**-9, 2**-8, 2**-6, 2**-5), (2**-8, 2**-9, 2**-5, 2**-6))],
}


def iou_loss(p, t):
    return 1 - ops.box_iou(p, t).diagonal()


LOSSES = {"iou_loss": iou_loss, "giou_loss": ops.generalized_box_iou_loss, "diou_loss": ops.distance_box_iou_loss,
          "ciou_loss": ops.complete_box_iou_loss}


def number(x):
    return "NAN" if x != x else repr(float(x))


print("// Written by box_values.py with torch %s, torchvision %s." % (torch.__version__, torchvision.__version__))
print("#pragma once\n\n#include <cmath>\n")
print("struct box_value {\n  const char *kind, *loss;\n  double predicted[4], target[4], value, gradient[4];\n};\n")
print("// clang-format off\nstatic const box_value box_values[] = {")
for kind, pairs in CLASSES.items():
    for name, loss in LOSSES.items():
        for predicted, target in pairs:
            p = torch.tensor([predicted], dtype=torch.float64, requires_grad=True)
            t = torch.tensor([target], dtype=torch.float64)
            value = loss(p, t).sum()
            value.backward()
            row = [*predicted, *target, value.item(), *p.grad[0].tolist()]
            n = [number(x) for x in row]
            print('    {"%s", "%s", {%s}, {%s}, %s, {%s}},' % (kind, name, ", ".join(n[:4]), ", ".join(n[4:8]), n[8], ", ".join(n[9:])))
print("};\n// clang-format on")

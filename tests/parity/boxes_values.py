#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes box_parity_values.hpp: what other libraries make of pairs of boxes, values and gradients, in double precision.

    pip download --no-deps mmdet==3.3.0 paddledet==2.6.0 ultralytics==8.4.190    # and unzip the three into FOLDER
    box_parity_values.py FOLDER > tests/parity/boxes_values.hpp

Run once, by hand; the tests read the table. It needs torch and torchvision (written with 1.13.0 and 0.14.1 of Debian 12:
python3-torchvision). Only the files with the losses are loaded, with stand-ins for what else they import. That of `paddle`
is torch under Paddle's names, so PaddleDetection's lines are its own and their arithmetic and autograd are torch's. NaN
and inf are what the libraries answer with.
"""
import importlib.util
import sys
import types
from pathlib import Path
from unittest import mock

import torch
import torchvision
from torchvision import ops

FOLDER = Path(sys.argv[1])


def stub(name, **members):
    module = types.ModuleType(name)
    module.__path__ = []
    module.__dict__.update(members)
    sys.modules[name] = module


def load(name, path):
    """The module `name` from its file in FOLDER."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def version(package):
    return next(FOLDER.glob(package + "-*.dist-info")).name.split("-")[1].removesuffix(".dist")


def mmdet():
    registry = mock.MagicMock()
    registry.register_module = lambda: lambda kind: kind
    stub("mmdet.registry", MODELS=registry)
    overlaps = load("mmdet.structures.bbox.bbox_overlaps", "mmdet/structures/bbox/bbox_overlaps.py")
    stub("mmdet.structures.bbox", bbox_overlaps=overlaps.bbox_overlaps)
    for name in ("mmdet", "mmdet.models", "mmdet.models.losses", "mmdet.structures"):
        stub(name)
    load("mmdet.models.losses.utils", "mmdet/models/losses/utils.py")
    return load("mmdet.models.losses.iou_loss", "mmdet/models/losses/iou_loss.py")


def paddledet():
    # `alpha.stop_gradient = True` is how Paddle says detach
    torch.Tensor.stop_gradient = property(lambda t: not t.requires_grad, lambda t, stop: t.detach_() if stop else None)
    stub("paddle", maximum=torch.maximum, minimum=torch.minimum, atan=torch.atan, pow=torch.pow, mean=torch.mean,
         greater_than=torch.gt, split=lambda x, num_or_sections, axis: torch.chunk(x, num_or_sections, axis))
    stub("ppdet.core.workspace", register=lambda kind: kind, serializable=lambda kind: kind)
    for name in ("ppdet", "ppdet.core", "ppdet.modeling", "ppdet.modeling.losses"):
        stub(name)
    load("ppdet.modeling.bbox_utils", "ppdet/modeling/bbox_utils.py")
    return load("ppdet.modeling.losses.iou_loss", "ppdet/modeling/losses/iou_loss.py")


def ultralytics():
    for name in ("ultralytics", "ultralytics.utils.plotting"):
        stub(name, colors=None)
    stub("ultralytics.utils", LOGGER=None, DataExportMixin=type("first", (), {}), SimpleClass=type("second", (), {}),
         TryExcept=mock.MagicMock(), checks=types.SimpleNamespace(check_version=lambda *_: False),
         plt_settings=lambda *_, **__: lambda function: function)
    return load("ultralytics.utils.metrics", "ultralytics/utils/metrics.py")


def losses():
    yield "torchvision_giou_loss", ops.generalized_box_iou_loss
    yield "torchvision_diou_loss", ops.distance_box_iou_loss
    yield "torchvision_ciou_loss", ops.complete_box_iou_loss
    yield "torchvision_ciou_loss, eps 0.01", lambda p, t: ops.complete_box_iou_loss(p, t, eps=0.01)

    of_mmdet = mmdet()
    for name in ("iou_loss", "giou_loss", "diou_loss", "ciou_loss", "siou_loss"):
        function = getattr(of_mmdet, name)
        yield "mmdet_" + name, lambda p, t: function(p, t, reduction="none")
    yield "mmdet_ciou_loss, eps 1e-6", of_mmdet.CIoULoss(reduction="none")

    of_paddle = paddledet()
    for kind in ("giou", "diou", "ciou"):
        squared = of_paddle.IouLoss(loss_weight=1, **{kind: True})
        yield "paddle_squared_%s_loss" % kind, lambda p, t: squared(p.split(1, -1), t.split(1, -1))
    yield "paddle_diou_loss", of_paddle.DIouLoss(use_complete_iou_loss=False)
    yield "paddle_ciou_loss", of_paddle.DIouLoss()

    bbox_iou = ultralytics().bbox_iou
    yield "ultralytics_ciou_loss", lambda p, t: 1 - bbox_iou(p, t, xywh=False, CIoU=True)


PAIRS = {
    "overlap": [((1, 2, 6, 7.5), (3, 1, 9, 6)), ((10, 10, 42, 30), (12, 5, 37, 28)), ((-8, -3, 4.5, 6), (-6, -7, 9, 2))],
    "much overlap": [((1, 2, 6, 7.5), (1.5, 1.5, 6.5, 7)), ((12, 6, 40, 27), (12.5, 5, 37, 28))],
    "nested": [((2, 3.5, 4, 6), (1, 1, 7, 8)), ((-10, -20, 30, 17), (3, -4, 9, 11))],
    "disjoint": [((1, 1, 3, 4), (6, 2, 9, 5)), ((7, 9, 9, 12), (1, 2, 3, 5)), ((-30, 4, -20, 9), (15, -9, 31, 2))],
    "fractions": [((0.111, 0.202, 0.116, 0.2075), (0.113, 0.201, 0.119, 0.206)),
                  ((0.5, 0.25, 0.504, 0.252), (0.5005, 0.2495, 0.5035, 0.2525)),
                  ((0.3, 0.3, 0.302, 0.304), (0.31, 0.32, 0.311, 0.325))],
    "below eps": [((2**-14, 2**-13, 2**-12, 2**-11), (2**-13, 2**-14, 2**-11, 2**-12))],
    "identical": [((1, 2, 5, 10), (1, 2, 5, 10)), ((-3, -4, -1, 0.5), (-3, -4, -1, 0.5)),
                  ((0, 0, 2**20, 2**20), (0, 0, 2**20, 2**20))],
    "no height": [((3, 4, 5, 4), (1, 1, 7, 8))],
    "no sides": [((2, 2, 2, 2), (1, 1, 7, 8)), ((2, 2, 2, 2), (2, 2, 2, 2))],
}


def number(x):
    return "NAN" if x != x else "INFINITY" if x == float("inf") else repr(float(x))


def main():
    rows = []
    for name, loss in losses():
        for kind, pairs in PAIRS.items():
            for predicted, target in pairs:
                p = torch.tensor([predicted], dtype=torch.float64, requires_grad=True)
                value = loss(p, torch.tensor([target], dtype=torch.float64)).sum()
                value.backward()
                n = [number(x) for x in [*predicted, *target, value.item(), *p.grad[0].tolist()]]
                rows.append('    {"%s", "%s", {%s}, {%s}, %s, {%s}},' % (
                    name, kind, ", ".join(n[:4]), ", ".join(n[4:8]), n[8], ", ".join(n[9:])))
    print("// SPDX-License-Identifier: MIT")
    print("/// Losses of boxes as other libraries compute them, written by box_parity_values.py.")
    print("///   torchvision %s, mmdet %s, PaddleDetection %s (on torch), ultralytics %s; torch %s" % (
        torchvision.__version__, version("mmdet"), version("paddledet"), version("ultralytics"), torch.__version__))
    print("#pragma once\n\n#include <cmath>\n")
    print("struct box_parity_value {\n  const char *loss, *kind;\n"
          "  double predicted[4], target[4], value, gradient[4];\n};\n")
    print("// clang-format off\ninline const box_parity_value box_parity_values[] = {")
    print("\n".join(rows))
    print("};\n// clang-format on")


if __name__ == "__main__":
    main()

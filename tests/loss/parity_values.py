#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes parity_values.hpp: what the losses that users come from answer, with their gradients.

    parity_values.py > tests/loss/parity_values.hpp

Run once, by hand; the tests read the table. It needs
    pip install timm==1.0.31 torch==2.15.0 torchvision==0.29.2 optax==0.2.8 jax==0.10.2 ultralytics==8.4.190
and asks the packages themselves, in double precision; timm's asymmetric loss converts to float.
"""
import contextlib
import math
import os
import sys
import tempfile

os.environ.update(JAX_ENABLE_X64="1", JAX_PLATFORMS="cpu", YOLO_OFFLINE="true", YOLO_VERBOSE="false",
                  YOLO_CONFIG_DIR=tempfile.mkdtemp())

import jax
import optax
import timm
import torch
import torchvision
from timm.loss import AsymmetricLossMultiLabel

with contextlib.redirect_stdout(sys.stderr):
    import ultralytics
    from ultralytics.nn.modules.block import DFL
    from ultralytics.utils.loss import DFLoss

LOGITS = [-8.0, -4.5, -2.75, -1.0, -0.125, 0.0, 0.25, 1.5, 3.0, 6.5]
HARD, SOFT = [0.0, 1.0], [0.0, 0.25, 0.5, 0.875, 1.0]
ROWS, CLASSES = 4, 5
SIDES, BINS = 8, 16
DISTANCES = [0.0, 0.25, 3.0, 7.5, 14.984375, 15.0, 20.0, -1.0]


def wave(count, frequency, size):
    """Numbers of few digits, so that every language reads the same."""
    return [round(size * math.sin(frequency * i + 0.5) * 64) / 64 for i in range(count)]


def grid(targets):
    return [x for x in LOGITS for _ in targets], targets * len(LOGITS)


def of_torch(loss, x, *arguments):
    """Losses, and the gradient of their sum."""
    z = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    losses = loss(z, *(torch.tensor(a, dtype=torch.float64) for a in arguments))
    losses.sum().backward()
    return losses.flatten().tolist(), z.grad.flatten().tolist()


def tables():
    def both(name, answer):
        yield name, answer[0]
        yield name + "_gradient", answer[1]

    x, t = grid(HARD)
    yield "hard_logits", x
    yield "hard_targets", t
    for name, options in (("timm_asymmetric", {}), ("timm_asymmetric_unclipped", dict(clip=0.0)),
                          ("timm_asymmetric_mild", dict(gamma_pos=0.0, gamma_neg=2.0, clip=0.125))):
        yield from both(name, of_torch(AsymmetricLossMultiLabel(reduction="none", **options), x, t))

    x, t = grid(SOFT)
    yield "soft_logits", x
    yield "soft_targets", t
    yield from both("torch_binary_cross_entropy", of_torch(
        lambda a, b: torch.nn.functional.binary_cross_entropy_with_logits(a, b, reduction="none"), x, t))
    yield from both("torchvision_sigmoid_focal", of_torch(
        lambda a, b: torchvision.ops.sigmoid_focal_loss(a, b, alpha=0.25, gamma=1.5), x, t))

    z = jax.numpy.array(wave(ROWS * CLASSES, 1.3, 4)).reshape(ROWS, CLASSES)
    q = jax.numpy.abs(jax.numpy.array(wave(ROWS * CLASSES, 0.7, 1))).reshape(ROWS, CLASSES)
    q = jax.numpy.round(256 * q / q.sum(-1, keepdims=True)) / 256
    q = q.at[:, 0].add(1 - q.sum(-1))
    yield "poly_logits", z.flatten().tolist()
    yield "poly_targets", q.flatten().tolist()
    for name, options in (("optax_poly", {}), ("optax_poly_detection", dict(epsilon=-1.0))):
        def loss(a):
            return optax.losses.poly_loss_cross_entropy(a, q, **options)
        yield from both(name, (loss(z).tolist(), jax.grad(lambda a: loss(a).sum())(z).flatten().tolist()))

    z = wave(SIDES * BINS, 0.9, 5)
    rows = [z[i * BINS:(i + 1) * BINS] for i in range(SIDES)]
    yield "bin_logits", z
    yield "bin_distances", DISTANCES
    yield from both("ultralytics_distribution_focal", of_torch(DFLoss(BINS), rows, [[y] for y in DISTANCES]))
    channels = [[r[c] for r in rows[side::4]] for side in range(4) for c in range(BINS)]  # 4 sides x bins, 2 anchors
    yield "bin_planes", [number for plane in channels for number in plane]
    yield from both("ultralytics_integral", of_torch(DFL(BINS).double(), [channels]))


def main():
    versions = (f"timm {timm.__version__}, torch {torch.__version__.split('+')[0]}, torchvision "
                f"{torchvision.__version__.split('+')[0]}, optax {optax.__version__}, jax {jax.__version__},\n"
                f"///   ultralytics {ultralytics.__version__}")
    print("// SPDX-License-Identifier: MIT")
    print("/// What other libraries answer to the inputs that stand beside, written by parity_values.py.")
    print(f"///   {versions}")
    print("#pragma once\n\n// clang-format off\nnamespace parity_values {\n")
    for name, numbers in tables():
        print(f"inline constexpr double {name}[] = {{")
        for begin in range(0, len(numbers), 5):
            print("    " + ", ".join(repr(float(x)) for x in numbers[begin:begin + 5]) + ",")
        print("};")
    print("\n}  // namespace parity_values\n// clang-format on")


if __name__ == "__main__":
    main()

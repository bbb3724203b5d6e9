#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes regions_values.hpp: what the region losses of other libraries answer, with their gradients.

    regions_values.py > tests/parity/regions_values.hpp

Run once, by hand; the tests read the table. It needs
    pip install torch==2.15.0 segmentation-models-pytorch==0.6.0 monai==1.6.1 optax==0.2.8 jax==0.10.2
and asks the packages themselves, in double precision. mmsegmentation has no release for this torch: its formula is
written here. `torch_*` are formulas of hone's own options, differentiated by torch.
"""
import math
import os

os.environ.update(JAX_ENABLE_X64="1", JAX_PLATFORMS="cpu")

import jax
import monai
import numpy
import optax
import segmentation_models_pytorch as smp
import torch

IMAGES, CLASSES, HEIGHT, WIDTH = 2, 4, 3, 5
IGNORE = 255


def wave(count, frequency, size):
    """Numbers of few digits, so that every language reads the same."""
    return [round(size * math.sin(frequency * i + 0.5) * 64) / 64 for i in range(count)]


LOGITS = torch.tensor(wave(IMAGES * CLASSES * HEIGHT * WIDTH, 1.7, 3), dtype=torch.float64).reshape(
    IMAGES, CLASSES, HEIGHT, WIDTH)
# Class 3 is absent in the first image, class 2 in both.
LABELS = torch.tensor([[0, 1, 0][i % 3] for i in range(15)] + [[3, 1, 0, 3][i % 4] for i in range(15)]).reshape(
    IMAGES, HEIGHT, WIDTH)
MASKED = LABELS.clone()
MASKED[0, 1, 1:4] = IGNORE
MASKED[1, 2, 0] = IGNORE
# Masks that overlap, each a repeated pattern: class 2 is absent in the first image, class 3 in both.
PATTERNS = "101", "110", "0", "0", "010", "1", "0011", "0"
MASKS = torch.tensor([int(pattern[i % len(pattern)]) for pattern in PATTERNS for i in range(HEIGHT * WIDTH)],
                     dtype=torch.float64).reshape(IMAGES, CLASSES, HEIGHT, WIDTH)
IGNORING = MASKS.clone()
IGNORING.view(-1)[5::17] = IGNORE


def of_torch(loss, labels):
    z = LOGITS.clone().requires_grad_(True)
    value = loss(z, labels)
    value.backward()
    return value.item(), z.grad.flatten().tolist()


def mmseg(z, labels, smooth=1, exponent=2):
    p = z.softmax(1).flatten(2)
    t = torch.nn.functional.one_hot(labels, CLASSES).permute(0, 3, 1, 2).flatten(2)
    top = 2 * (p * t).sum(2) + smooth
    return (1 - top / ((p**exponent + t**exponent).sum(2) + smooth)).mean()


def mmseg_sigmoid(z, masks, naive=False, eps=1e-3):
    p, t = z.sigmoid().flatten(1), masks.flatten(1)
    if naive:
        return (1 - (2 * (p * t).sum(1) + eps) / (p.sum(1) + t.sum(1) + eps)).mean()
    return (1 - 2 * (p * t).sum(1) / ((p * p).sum(1) + eps + (t * t).sum(1) + eps)).mean()


def sigmoid_log_dice(z, masks):
    """Of every image, with the elements that are not ignored."""
    kept = masks != IGNORE
    p, t = z.sigmoid() * kept, masks * kept
    i, p, t = (x.sum((2, 3)) for x in (p * t, p, t))
    return present(-torch.log((2 * i + 0.5) / (p + t + 0.5)), t)


def sums(z, labels, per_image):
    kept = (labels != IGNORE).unsqueeze(1)
    t = torch.nn.functional.one_hot(labels * (labels != IGNORE), CLASSES).permute(0, 3, 1, 2) * kept
    p = z.softmax(1) * kept
    over = (2, 3) if per_image else (0, 2, 3)
    return (p * t).sum(over), p.sum(over), t.sum(over)


def present(losses, target):
    """The mean over the classes that are present, and over images."""
    if losses.dim() == 1:
        return losses[target > 0].mean()
    return torch.stack([l[t > 0].mean() for l, t in zip(losses, target)]).mean()


def dice(z, labels, per_image):
    i, p, t = sums(z, labels, per_image)
    return present(1 - 2 * i / (p + t), t)


def log_jaccard(z, labels):
    i, p, t = sums(z, labels, False)
    return present(-torch.log((i + 0.5) / (p + t - i + 0.5)), t)


def focal_tversky(z, labels):
    i, p, t = sums(z, labels, True)
    return present((1 - i / (i + 0.3 * (p - i) + 0.7 * (t - i))) ** 0.75, t)


def lovasz(z, labels, per_image, absent):
    """Berman et al. 2018, algorithm 1 for every class."""
    images = zip(z, labels) if per_image else [(z.transpose(0, 1), labels)]
    of_images = []
    for logits, y in images:
        p, y = logits.softmax(0).flatten(1), y.flatten()
        p, y = p[:, y != IGNORE], y[y != IGNORE]
        losses = []
        for c in range(CLASSES):
            is_of_class = (y == c).double()
            if is_of_class.sum() == 0 and not absent:
                continue
            errors, order = torch.sort((is_of_class - p[c]).abs(), descending=True)
            found, total = is_of_class[order].cumsum(0), is_of_class.sum()
            jaccard = 1 - (total - found) / (total + (1 - is_of_class[order]).cumsum(0))
            losses.append((errors * torch.diff(jaccard, prepend=torch.zeros(1))).sum())
        of_images.append(torch.stack(losses).mean())
    return torch.stack(of_images).mean()


def of_optax(**options):
    one_hot = jax.nn.one_hot(LABELS.numpy(), CLASSES)

    def loss(z):
        return optax.losses.dice_loss(jax.numpy.transpose(z, (0, 2, 3, 1)), one_hot, **options).mean()

    value, gradient = jax.value_and_grad(loss)(LOGITS.numpy())
    return float(value), numpy.asarray(gradient).flatten().tolist()


def tables():
    yield "logits", LOGITS.flatten().tolist()
    yield "weights", [0.5, 1.25, 0.75, 1.5]

    def both(name, answer):
        yield name, [answer[0]]
        yield name + "_gradient", answer[1]

    def library(name, loss, labels=LABELS):
        yield from both(name, of_torch(loss, labels))

    s = smp.losses
    yield from library("smp_dice", s.DiceLoss("multiclass", ignore_index=IGNORE), MASKED)
    yield from library("smp_dice_smooth", s.DiceLoss("multiclass", smooth=1.0, log_loss=True, ignore_index=IGNORE), MASKED)
    yield from library("smp_dice_classes", s.DiceLoss("multiclass", classes=[1, 3]))
    yield from library("smp_jaccard", s.JaccardLoss("multiclass", smooth=0.5))
    yield from library("smp_tversky", s.TverskyLoss("multiclass", alpha=0.25, beta=0.75, gamma=1.5, ignore_index=IGNORE),
                       MASKED)

    def m(loss):
        return lambda z, y: loss(z, y.unsqueeze(1))

    d = monai.losses.DiceLoss
    plain = {"softmax": True, "to_onehot_y": True}
    yield from library("monai_dice", m(d(**plain)))
    squared = d(batch=True, squared_pred=True, softmax=True)  # its own one-hot target is float, and rounds norms
    one_hot = torch.nn.functional.one_hot(LABELS, CLASSES).permute(0, 3, 1, 2).double()
    yield from library("monai_dice_batch", lambda z, y: squared(z, one_hot))
    yield from library("monai_dice_jaccard", m(d(jaccard=True, smooth_nr=0, smooth_dr=0.5, **plain)))
    yield from library("monai_dice_foreground", m(d(include_background=False, **plain)))
    yield from library("monai_dice_weights", m(d(weight=[0.5, 1.25, 0.75, 1.5], **plain)))
    yield from library("monai_dice_ignoring", m(d(ignore_index=IGNORE, **plain)), MASKED)
    yield from library("monai_tversky", m(monai.losses.TverskyLoss(alpha=0.25, beta=0.75, **plain)))
    yield from library("mmseg_dice", mmseg)
    yield from library("mmseg_dice_plain", lambda z, y: mmseg(z, y, 0.5, 1))
    both_images = (IMAGES, 1, CLASSES * HEIGHT, WIDTH)
    yield from library("smp_sigmoid_dice", s.DiceLoss("multilabel", ignore_index=IGNORE), IGNORING)
    yield from library("smp_sigmoid_tversky", s.TverskyLoss("multilabel", alpha=0.25, beta=0.75, gamma=1.5, log_loss=True,
                                                            smooth=1.0), MASKS)
    yield from library("smp_binary_jaccard", lambda z, y: s.JaccardLoss("binary", smooth=0.5)(z.reshape(both_images), y),
                       MASKS.reshape(both_images))
    yield from library("monai_sigmoid_dice", d(sigmoid=True), MASKS)
    yield from library("monai_sigmoid_jaccard", d(sigmoid=True, jaccard=True, squared_pred=True, batch=True,
                                                  weight=[0.5, 1.25, 0.75, 1.5]), MASKS)
    yield from library("monai_sigmoid_tversky", monai.losses.TverskyLoss(sigmoid=True, alpha=0.25, beta=0.75), MASKS)
    yield from library("mmseg_sigmoid_dice", mmseg_sigmoid, MASKS)
    yield from library("mmseg_sigmoid_dice_naive", lambda z, y: mmseg_sigmoid(z, y, True), MASKS)
    yield from library("torch_sigmoid_log_dice", sigmoid_log_dice, IGNORING)
    yield from both("optax_dice", of_optax())
    yield from both("optax_dice_foreground", of_optax(alpha=0.25, beta=0.75, smooth=0.5, ignore_background=True))
    yield from library("torch_dice", lambda z, y: dice(z, y, False), MASKED)
    yield from library("torch_dice_per_image", lambda z, y: dice(z, y, True), MASKED)
    yield from library("torch_log_jaccard", log_jaccard, MASKED)
    yield from library("torch_focal_tversky", focal_tversky, MASKED)
    yield from library("lovasz", lambda z, y: lovasz(z, y, False, False), MASKED)
    yield from library("lovasz_per_image", lambda z, y: lovasz(z, y, True, False), MASKED)
    yield from library("lovasz_absent", lambda z, y: lovasz(z, y, True, True))


def main():
    print("// SPDX-License-Identifier: MIT")
    print("/// What other libraries answer to the logits and labels that stand beside, written by regions_values.py.")
    print(f"///   torch {torch.__version__.split('+')[0]}, segmentation-models-pytorch {smp.__version__}, "
          f"MONAI {monai.__version__}, optax {optax.__version__}")
    print("#pragma once\n\n// clang-format off\nnamespace regions_values {\n")
    print(f"inline constexpr int images = {IMAGES}, classes = {CLASSES}, pixels = {HEIGHT * WIDTH}, ignored = {IGNORE};")
    for name, labels in ("labels", LABELS), ("masked", MASKED), ("masks", MASKS.int()), ("ignoring", IGNORING.int()):
        print(f"inline constexpr int {name}[] = {{{', '.join(map(str, labels.flatten().tolist()))}}};")
    for name, numbers in tables():
        print(f"inline constexpr double {name}[] = {{")
        for i in range(0, len(numbers), 5):
            print("    " + ", ".join(repr(x) for x in numbers[i:i + 5]) + ",")
        print("};")
    print("\n}  // namespace regions_values\n// clang-format on")


main()

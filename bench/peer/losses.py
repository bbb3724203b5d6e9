# SPDX-License-Identifier: MIT
"""Losses of rows, elements and boxes, value and gradient."""
import math

import torch
import torch.nn.functional as F

from forms import compiled, losses, timm, torchvision, without_gradients, work

if timm:
    from timm.loss import LabelSmoothingCrossEntropy, SoftTargetCrossEntropy
    smoothed, soft = LabelSmoothingCrossEntropy(0.1), SoftTargetCrossEntropy()


# ---- rows ---------------------------------------------------------------------------------------------------------

@work(r"^rows/cross_entropy/smoothing:0.1/(?P<kind>(\w|:)+/)?(?P<shape>[\dx]+)$")
def cross_entropy(a, match):
    if match["kind"] == "in_place/":
        return {}
    z, y = a["logits"], a["labels"]
    if z.dim() == 3:  # images x classes x pixels
        y = y.view(z.shape[0], z.shape[2])
    return losses(z, torch=lambda z: F.cross_entropy(z, y, label_smoothing=0.1),
                  timm=timm and z.dim() == 2 and (lambda z: smoothed(z, y)))


def two_labels(z, a, smoothing=0.0):
    first, second = (F.cross_entropy(z, a[y], reduction="none", label_smoothing=smoothing)
                     for y in ("labels", "other_labels"))
    return torch.lerp(second, first, a["lambda"]).mean()


@work(r"^rows/cross_entropy/two_labels/")
def mixed(a, match):
    return losses(a["logits"], torch=lambda z: two_labels(z, a))


@work(r"^rows/cross_entropy/class_weights/")
def weighted(a, match):
    return losses(a["logits"], torch=lambda z: F.cross_entropy(z, a["labels"], weight=a["class_weights"]))


@work(r"^rows/cross_entropy/dense/")
def dense(a, match):
    return losses(a["logits"], torch=lambda z: F.cross_entropy(z, a["targets"]),
                  timm=timm and (lambda z: soft(z, a["targets"])))


@work(r"^rows/distillation/T:4/(?P<z>z_loss/)?(?P<mixed>two_labels/smoothing:0.1/)?[\dx]+$")
def distillation(a, match):
    T = 4

    def loss(z):
        ce = two_labels(z, a, 0.1) if match["mixed"] else F.cross_entropy(z, a["labels"])
        kd = F.kl_div(F.log_softmax(z / T, 1), F.log_softmax(a["teacher"] / T, 1), reduction="batchmean",
                      log_target=True)
        value = 0.7 * ce + 0.3 * T * T * kd
        return value + 1e-4 * torch.logsumexp(z, 1).square().mean() if match["z"] else value

    return losses(a["logits"], torch=loss)


def dice(z, y):  # 1 - the mean of the coefficients of the classes that the labels have
    p, q = torch.softmax(z, 1), F.one_hot(y, z.shape[1]).movedim(-1, 1).to(z.dtype)
    common, predicted, wanted = (t.sum((0, 2)) for t in (p * q, p, q))
    return (1 - 2 * common / (predicted + wanted))[wanted > 0].mean()


@work(r"^rows/dice\+cross_entropy/")
def regions(a, match):
    z = a["logits"]
    y = a["labels"].view(z.shape[0], z.shape[2])
    return losses(z, torch=lambda z: F.cross_entropy(z, y) + dice(z, y))


# ---- elements -----------------------------------------------------------------------------------------------------

def sigmoid_focal(x, t):  # as torchvision.ops does
    p = torch.sigmoid(x)
    ce = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    return ((0.25 * t + 0.75 * (1 - t)) * ce * (1 - (p * t + (1 - p) * (1 - t))) ** 2).mean()


@work(r"^elements/sigmoid_focal_loss/")
def focal(a, match):
    t = a["targets"]
    return losses(a["logits"], torch=lambda x: sigmoid_focal(x, t),
                  torchvision=torchvision and (lambda x: torchvision.ops.sigmoid_focal_loss(x, t, reduction="mean")))


@work(r"^elements/binary_cross_entropy/")
def binary(a, match):
    return losses(a["logits"], torch=lambda x: F.binary_cross_entropy_with_logits(x, a["targets"]))


# ---- boxes --------------------------------------------------------------------------------------------------------
# As torchvision.ops does, but without its masked assignment of the intersection, which takes as long as all else.

TINY = 1e-7


def overlap(p, t):
    (x1, y1, x2, y2), (X1, Y1, X2, Y2) = p.unbind(-1), t.unbind(-1)
    common = (torch.min(x2, X2) - torch.max(x1, X1)).clamp_min(0) * (torch.min(y2, Y2) - torch.max(y1, Y1)).clamp_min(0)
    union = (x2 - x1) * (y2 - y1) + (X2 - X1) * (Y2 - Y1) - common
    return common / (union + TINY), union


def hull(p, t):
    (x1, y1, x2, y2), (X1, Y1, X2, Y2) = p.unbind(-1), t.unbind(-1)
    return torch.max(x2, X2) - torch.min(x1, X1), torch.max(y2, Y2) - torch.min(y1, Y1)


def iou_loss(p, t):
    return (1 - overlap(p, t)[0]).mean()


def giou_loss(p, t):
    iou, union = overlap(p, t)
    w, h = hull(p, t)
    return (1 - iou + (w * h - union) / (w * h + TINY)).mean()


def distance(p, t):
    w, h = hull(p, t)
    (x1, y1, x2, y2), (X1, Y1, X2, Y2) = p.unbind(-1), t.unbind(-1)
    dx, dy = (x1 + x2 - X1 - X2) / 2, (y1 + y2 - Y1 - Y2) / 2
    return (dx * dx + dy * dy) / (w * w + h * h + TINY)


def diou_loss(p, t):
    return (1 - overlap(p, t)[0] + distance(p, t)).mean()


def ciou_loss(p, t):
    iou = overlap(p, t)[0]
    (x1, y1, x2, y2), (X1, Y1, X2, Y2) = p.unbind(-1), t.unbind(-1)
    angle = torch.atan((X2 - X1) / (Y2 - Y1)) - torch.atan((x2 - x1) / (y2 - y1))
    v = 4 / math.pi ** 2 * angle * angle
    with torch.no_grad():
        alpha = v / (1 - iou + v + TINY)
    return (1 - iou + distance(p, t) + alpha * v).mean()


@work(r"^boxes/(?P<kind>[gdc]?)iou_loss/")
def box_losses(a, match):
    kind, t = match["kind"], a["wanted"]
    ours = {"": iou_loss, "g": giou_loss, "d": diou_loss, "c": ciou_loss}[kind]
    theirs = {"g": "generalized", "d": "distance", "c": "complete"}.get(kind)
    theirs = torchvision and theirs and getattr(torchvision.ops, f"{theirs}_box_iou_loss")
    return losses(a["predicted"], torch=lambda p: ours(p, t),
                  torchvision=theirs and (lambda p: theirs(p, t, reduction="mean")))


def all_overlaps(a, b):
    sides = (torch.min(a[:, None, 2:], b[:, 2:]) - torch.max(a[:, None, :2], b[:, :2])).clamp_min(0)
    common = sides[..., 0] * sides[..., 1]
    area = [(x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1]) for x in (a, b)]
    return common / (area[0][:, None] + area[1] - common)


@work(r"^boxes/pairwise_iou/")
def pairwise(a, match):
    faster = compiled(all_overlaps)
    return without_gradients({
        "torch": lambda: all_overlaps(a["a"], a["b"]), "torch.compile": lambda: faster(a["a"], a["b"]),
        "torchvision": torchvision and (lambda: torchvision.ops.box_iou(a["a"], a["b"]))})


@work(r"^boxes/nms/\w+/threshold:(?P<threshold>[\d.]+)/")
def nms(a, match):
    threshold = float(match["threshold"])
    return without_gradients({
        "torchvision": torchvision and (lambda: len(torchvision.ops.nms(a["boxes"], a["scores"], threshold)))})

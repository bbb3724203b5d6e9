# SPDX-License-Identifier: MIT
"""Losses with their gradients."""
from __future__ import annotations

import ctypes as c
from typing import Any, List, NamedTuple, Optional, Union

from . import _native as n
from ._arrays import IMAGES, LABELS, MATRIX, View, array_of, empty_like, vector_of

_REDUCTIONS = {"mean": 0, "sum": 1, "batch_mean": 3, "element_mean": 4}
_BOX_KINDS = {"iou": 0, "giou": 1, "diou": 2, "ciou": 3, "eiou": 4, "siou": 5, "log_iou": 6, "focal_eiou": 7}
_REGIONS = {"dice": 0, "jaccard": 1, "tversky": 2, "focal_tversky": 3, "lovasz": 4}
_ABSENT = {"skipped": 0, "zero": 1, "counted": 2}


class Loss(NamedTuple):
    """The reduced loss, and its gradient by the prediction: an array of the prediction's library, type and shape."""

    value: float
    gradient: Any


def _choice(table: dict, given: Any, name: str) -> int:
    if given not in table:
        raise ValueError(f"{name} is {given!r}, must be one of {', '.join(table)}")
    return table[given]


def _evaluate(create: str, options: Any, prediction: Any, keep: List[Any], *, labels: Any = None,
              mixed_labels: Any = None, partners: Any = None, lambdas: Any = None, numbers: Any = None,
              numbers_name: str = "numbers", teacher: Any = None, row_weights: Any = None,
              reduction: Union[str, float] = "mean", gradient: Any = True, unreduced: Any = None,
              context: Optional[n.Context] = None) -> Loss:
    loss = n.Handle("loss", create, c.byref(options))
    view = View(prediction, "the prediction")
    logits = array_of(view)
    targets = n.Targets(labels=vector_of(labels, "labels", keep, LABELS),
                        partners=vector_of(partners, "partners", keep, (n.INT64,)),
                        mixed_labels=vector_of(mixed_labels, "mixed_labels", keep, LABELS),
                        row_weights=vector_of(row_weights, "row_weights", keep))
    if isinstance(lambdas, (int, float)):
        one = c.c_double(lambdas)
        keep.append(one)
        targets.lambdas = n.Vector(c.addressof(one), 1, n.FLOAT64)
    else:
        targets.lambdas = vector_of(lambdas, "lambdas", keep)
    for member, x, name in (("numbers", numbers, numbers_name), ("teacher", teacher, "teacher")):
        if x is not None:
            beside = View(x, name)
            array = _like(array_of(beside), logits, beside)
            keep += [beside, array]
            setattr(targets, member, c.pointer(array))
    outputs = n.Outputs()
    if isinstance(reduction, str):
        outputs.reduction = _choice(_REDUCTIONS, reduction, "reduction")
    else:
        outputs.reduction, outputs.count = 2, reduction
    if gradient is True:
        gradient = empty_like(prediction, "the prediction")
    elif gradient is False:
        gradient = None
    if gradient is not None:
        written = View(gradient, "gradient").writable()
        to = _like(array_of(written), logits, written)
        if (to.dtype, to.layout, to.rows, to.columns) != (logits.dtype, logits.layout, logits.rows, logits.columns):
            raise ValueError(f"gradient is {n.NAMES[to.dtype]} of shape {written.shape}, the prediction is "
                             f"{n.NAMES[logits.dtype]} of shape {view.shape}, in the same order")
        keep.append(written)
        outputs.gradient, outputs.gradient_stride = to.data, to.stride if to.layout == MATRIX else 0
    if unreduced is not None:
        losses = View(unreduced, "unreduced").writable()
        wanted = n.FLOAT64 if logits.dtype == n.FLOAT64 else n.FLOAT32
        count = logits.rows * (logits.stride if logits.layout == IMAGES else 1)
        count *= logits.columns if create == "element_loss_create" else 1
        if losses.dtype != wanted or losses.size() != count or not losses.is_compact():
            raise ValueError(f"unreduced is {n.NAMES[losses.dtype]} of shape {losses.shape}, must be {count} numbers of "
                             f"{n.NAMES[wanted]}, contiguous")
        keep.append(losses)
        outputs.unreduced = losses.data
    value = c.c_double()
    n.call("evaluate", n.context_of(context), loss.pointer, c.byref(logits), c.byref(targets), c.byref(outputs),
           c.byref(value))
    return Loss(value.value, gradient)


def _like(a: n.Array, prediction: n.Array, v: View) -> n.Array:
    """An array of one row or one column may lie in either layout: take the prediction's."""
    if a.layout != prediction.layout and len(v.shape) == 2 and v.is_compact() and 1 in v.shape:
        if prediction.layout == MATRIX:
            return n.Array(a.data, a.dtype, MATRIX, v.shape[0], v.shape[1], v.shape[1])
        return n.Array(a.data, a.dtype, IMAGES, 1, v.shape[1], v.shape[0])
    return a


def _rows(kind: int, logits: Any, labels: Any, smoothing: float, leave_one_out: bool, ignore: Optional[int],
          class_weights: Any, factor: float = 1, z_loss: float = 0, distillation: float = 0, temperature: float = 1,
          gamma: float = 2, epsilon: float = 2, probabilities: Any = None, **more: Any) -> Loss:
    keep: List[Any] = []
    options = n.RowOptions(kind=kind, ignores=ignore is not None, ignore=ignore or 0, factor=factor,
                           smoothing=smoothing, leave_one_out=leave_one_out, gamma=gamma, epsilon=epsilon,
                           z_loss=z_loss, distillation=distillation, temperature=temperature,
                           class_weights=vector_of(class_weights, "class_weights", keep))
    return _evaluate("row_loss_create", options, logits, keep, labels=labels, numbers=probabilities,
                     numbers_name="probabilities", **more)


def cross_entropy(logits: Any, labels: Any = None, *, probabilities: Any = None, smoothing: float = 0,
                  leave_one_out: bool = False, ignore: Optional[int] = None, class_weights: Any = None,
                  mixed_labels: Any = None, partners: Any = None, lambdas: Any = None, factor: float = 1,
                  z_loss: float = 0, teacher: Any = None, distillation: float = 0, temperature: float = 1,
                  row_weights: Any = None, reduction: Union[str, float] = "mean", gradient: Any = True,
                  unreduced: Any = None, context: Optional[n.Context] = None) -> Loss:
    """factor · cross entropy + z_loss · logsumexp² + distillation · T² KL(teacher ‖ student), in one read of the logits.

    logits         rows × classes, transposed or with strides between rows too; or N × C × H × W
    labels         int32 or int64, one per row (N × H × W); or, in place of labels,
    probabilities  of the logits' shape, type and order
    smoothing      (1 - ε) on the label and ε / K everywhere; with leave_one_out, ε / (K - 1) elsewhere
    ignore         rows with this label have loss and gradient 0; PyTorch's is -100
    class_weights  float, one per class; mean divides by the weights of the labels
    mixed_labels   the second label of each row, or partners (int64), the rows whose labels these are; with
    lambdas        the weight of the first label, one number or one per row
    teacher        logits of the prediction's type and shape, at `temperature`
    row_weights    float, one per row; they do not change mean's divisor
    reduction      "mean", "sum", "batch_mean", "element_mean", or a number to divide by
    gradient       True: a new array; False: none; or an array to write into, which may be `logits`
    unreduced      an array for one loss per row, or None

    Returns (value, gradient). Raises ValueError, and writes nothing, if an argument is not valid.
    """
    return _rows(0, logits, labels, smoothing, leave_one_out, ignore, class_weights, factor, z_loss, distillation,
                 temperature, probabilities=probabilities, mixed_labels=mixed_labels, partners=partners,
                 lambdas=lambdas, teacher=teacher, row_weights=row_weights, reduction=reduction, gradient=gradient,
                 unreduced=unreduced, context=context)


def softmax_focal_loss(logits: Any, labels: Any, *, gamma: float = 2, smoothing: float = 0, ignore: Optional[int] = None,
                       **more: Any) -> Loss:
    """Σ q (1 - p)^γ (-log p) of a softmax. `more`: mixed_labels, partners, lambdas, row_weights, reduction, gradient,
    unreduced, context, as in cross_entropy."""
    return _rows(1, logits, labels, smoothing, False, ignore, None, gamma=gamma, **more)


def poly1_cross_entropy(logits: Any, labels: Any, *, epsilon: float = 2, smoothing: float = 0,
                        ignore: Optional[int] = None, **more: Any) -> Loss:
    """Cross entropy + ε (1 - p of the label). `more` as in softmax_focal_loss."""
    return _rows(2, logits, labels, smoothing, False, ignore, None, epsilon=epsilon, **more)


def _elements(logits: Any, targets: Any, ignore: Optional[int], more: dict, **options: Any) -> Loss:
    keep: List[Any] = []
    read = View(targets, "targets", (n.FLOAT32, n.FLOAT64, n.FLOAT16, n.BFLOAT16, n.INT32, n.INT64))
    of = {"labels": targets} if read.dtype in (n.INT32, n.INT64) else {"numbers": targets, "numbers_name": "targets"}
    background, positive_weights = more.pop("background", None), more.pop("positive_weights", None)
    if isinstance(positive_weights, (int, float)):
        positive_weights = (c.c_double * 1)(positive_weights)
    members = {"gamma": 2.0, "alpha": 0.25, "gamma_positive": 1.0, "gamma_negative": 4.0, "clip": 0.05, "epsilon": 2.0}
    members.update(options)
    made = n.ElementOptions(ignores=ignore is not None, ignore=ignore or 0, has_background=background is not None,
                            background=background or 0,
                            positive_weights=vector_of(positive_weights, "positive_weights", keep), **members)
    return _evaluate("element_loss_create", made, logits, keep, **of, **more)


def binary_cross_entropy(logits: Any, targets: Any, *, smoothing: float = 0, ignore: Optional[int] = None,
                         positive_weights: Any = None, **more: Any) -> Loss:
    """Binary cross entropy on logits. Targets: numbers in [0, 1] of the logits' type and shape, or labels (int32, int64),
    of which those outside the columns are background. positive_weights: torch's pos_weight, a number or a vector of one
    per column. `more`: reduction, gradient, unreduced, context as in cross_entropy; background, the label of no class
    where there is one column."""
    return _elements(logits, targets, ignore, {**more, "positive_weights": positive_weights}, kind=0,
                     smoothing=smoothing)


def sigmoid_focal_loss(logits: Any, targets: Any, *, alpha: float = 0.25, gamma: float = 2,
                       ignore: Optional[int] = None, **more: Any) -> Loss:
    """α_t (1 - p_t)^γ BCE, torchvision's definition. A negative alpha is no weight. Targets as in binary_cross_entropy."""
    return _elements(logits, targets, ignore, more, kind=1, alpha=alpha, gamma=gamma)


def quality_focal_loss(logits: Any, qualities: Any, *, beta: float = 2, **more: Any) -> Loss:
    """|q - p|^β BCE(x, q)."""
    return _elements(logits, qualities, None, more, kind=2, gamma=beta)


def varifocal_loss(logits: Any, qualities: Any, *, alpha: float = 0.75, gamma: float = 2, **more: Any) -> Loss:
    """q BCE(x, q) of positives, α p^γ BCE(x, 0) of negatives."""
    return _elements(logits, qualities, None, more, kind=3, alpha=alpha, gamma=gamma)


def asymmetric_loss(logits: Any, targets: Any, *, gamma_positive: float = 1, gamma_negative: float = 4,
                    clip: float = 0.05, **more: Any) -> Loss:
    """The asymmetric loss of multi-label problems."""
    return _elements(logits, targets, None, more, kind=4, gamma_positive=gamma_positive,
                     gamma_negative=gamma_negative, clip=clip)


def poly1_binary_cross_entropy(logits: Any, targets: Any, *, epsilon: float = 2, **more: Any) -> Loss:
    """BCE + ε (1 - p_t)."""
    return _elements(logits, targets, None, more, kind=5, epsilon=epsilon)


def box_loss(kind: str, boxes: Any, targets: Any, *, format: str = "xyxy", gamma: float = 0.5, **more: Any) -> Loss:
    """A loss of predicted boxes, n × 4: kind is iou, giou, diou, ciou, eiou, siou, log_iou or focal_eiou; format xyxy or
    cxcywh. `more`: row_weights, reduction, gradient, unreduced, context, as in cross_entropy."""
    options = n.BoxOptions(kind=_choice(_BOX_KINDS, kind, "kind"), gamma=gamma,
                           format=_choice({"xyxy": 0, "cxcywh": 1}, format, "format"))
    return _evaluate("box_loss_create", options, boxes, [], numbers=targets, numbers_name="targets", **more)


def _region(kind: str, logits: Any, labels: Any, options: dict) -> Loss:
    keep: List[Any] = []
    take = options.pop
    ignore, below = take("ignore", None), take("smooth_denominator", None)
    made = n.RegionOptions(
        kind=_REGIONS[kind], ignores=ignore is not None, ignore=ignore or 0, factor=take("factor", 1),
        cross_entropy=take("cross_entropy", 0), smoothing=take("smoothing", 0), smooth=take("smooth", 0),
        smooth_denominator=-1 if below is None else below, alpha=take("alpha", 0.3), beta=take("beta", 0.7),
        gamma=take("gamma", 0.75), squared=take("squared", False), logarithm=take("logarithm", False),
        per_image=take("per_image", False), sigmoid=take("sigmoid", False), absent=_choice(_ABSENT, take("absent", "skipped"), "absent"),
        class_weights=vector_of(take("class_weights", None), "class_weights", keep))
    return _evaluate("region_loss_create", made, logits, keep, labels=labels, numbers=take("probabilities", None),
                     numbers_name="probabilities", **options)


def dice_loss(logits: Any, labels: Any = None, **options: Any) -> Loss:
    """1 - Dice of the classes of softmax(logits), N × C × H × W or rows × classes.

    options: ignore, smooth, smooth_denominator, squared, logarithm, per_image, absent ("skipped", "zero", "counted"),
    class_weights, smoothing, factor, and cross_entropy, the weight of a cross entropy that is added; probabilities in
    place of labels; mixed_labels, lambdas, reduction, gradient and context as in cross_entropy. sigmoid=True: classes
    are independent, p = sigmoid(logit), cross entropy is binary, and `probabilities` are targets in [0, 1]."""
    return _region("dice", logits, labels, options)


def jaccard_loss(logits: Any, labels: Any = None, **options: Any) -> Loss:
    """1 - Jaccard (IoU); options as in dice_loss."""
    return _region("jaccard", logits, labels, options)


def tversky_loss(logits: Any, labels: Any = None, **options: Any) -> Loss:
    """1 - Tversky of alpha (false positives) and beta (false negatives); other options as in dice_loss."""
    return _region("tversky", logits, labels, options)


def focal_tversky_loss(logits: Any, labels: Any = None, **options: Any) -> Loss:
    """(1 - Tversky)^gamma; other options as in tversky_loss."""
    return _region("focal_tversky", logits, labels, options)


def lovasz_softmax_loss(logits: Any, labels: Any, **options: Any) -> Loss:
    """The Lovász-softmax loss; options ignore, per_image, absent, class_weights, factor, cross_entropy."""
    return _region("lovasz", logits, labels, options)


class Calibration(NamedTuple):
    """The measures of a reliability diagram."""

    expected_error: float
    maximum_error: float
    accuracy: float
    mean_confidence: float
    negative_log_likelihood: float
    brier_score: float
    count: int  # type: ignore[assignment]  # not the method of tuples


def calibrate(logits: Any, labels: Any, *, bins: int = 15, temperature: float = 1, ignore: Optional[int] = None,
              context: Optional[n.Context] = None) -> Calibration:
    """Compares the confidence of a classifier with its accuracy, in bins of equal width."""
    keep: List[Any] = []
    view = View(logits, "logits")
    array, result = array_of(view), n.Calibration()
    ignored = None if ignore is None else c.byref(c.c_int64(ignore))
    n.call("calibrate", n.context_of(context), c.byref(array), vector_of(labels, "labels", keep, LABELS), ignored, bins,
           temperature, c.byref(result))
    return Calibration(*(getattr(result, name) for name in Calibration._fields))

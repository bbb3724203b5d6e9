# SPDX-License-Identifier: MIT
"""Refinements of neural network training, on arrays of NumPy, torch and every library of DLPack, in place.

    value, gradient = hone.cross_entropy(logits, labels, smoothing=0.1)

`hone.torch` has losses as autograd functions and modules; it imports torch, this module nothing.
"""
from ._losses import (Calibration, Loss, asymmetric_loss, binary_cross_entropy, box_loss, calibrate, cross_entropy,
                      dice_loss, focal_tversky_loss, jaccard_loss, lovasz_softmax_loss, poly1_binary_cross_entropy,
                      poly1_cross_entropy, quality_focal_loss, sigmoid_focal_loss, softmax_focal_loss, tversky_loss,
                      varifocal_loss)
from ._native import Context, version
from ._training import (Draw, Ema, GradientReport, LossScaler, Schedule, Swa, adaptive_clip, blend, clip_by_global_norm,
                        clip_by_norm, clip_by_value, constant, cosine, cosine_restarts, draw_mixing, exponential,
                        inverse_square_root, milestones, one_cycle, polynomial, step_decay, unscale, warmup_cosine, wsd)

__version__ = version()
__all__ = [name for name in dir() if not name.startswith("_")]


def __getattr__(name: str):  # hone.torch without an import of torch by `import hone`
    if name == "torch":
        import importlib

        return importlib.import_module(".torch", __name__)
    raise AttributeError(f"module 'hone' has no attribute {name!r}")

# SPDX-License-Identifier: MIT
"""hone's losses in torch's autograd, on tensors of the CPU."""
from __future__ import annotations

from typing import Any, Callable

import torch

from . import _losses


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, prediction: torch.Tensor, loss: Callable[..., Any], arguments: tuple, options: dict) -> Any:
        needed = bool(ctx.needs_input_grad[0])
        value, gradient = loss(prediction.detach(), *arguments, **{"gradient": needed, **options})
        ctx.save_for_backward(gradient)
        return prediction.new_tensor(value, dtype=torch.promote_types(prediction.dtype, torch.float32))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *factors: torch.Tensor) -> Any:
        (gradient,) = ctx.saved_tensors
        factor = factors[0]
        return gradient if factor == 1 else gradient * factor.to(gradient.dtype), None, None, None


def apply(loss: Callable[..., Any], prediction: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
    """A loss of hone as a scalar of autograd: hone.torch.apply(hone.dice_loss, logits, labels, per_image=True). The
    gradient is computed with the value; only `prediction` gets one. Second derivatives are not defined."""
    detached = [x.detach() if isinstance(x, torch.Tensor) else x for x in arguments]
    named = {k: x.detach() if isinstance(x, torch.Tensor) else x for k, x in options.items()}
    return _Function.apply(prediction, loss, tuple(detached), named)


def backward(loss: Callable[..., Any], prediction: torch.Tensor, *arguments: Any, **options: Any) -> float:
    """Evaluates a loss of hone and calls prediction.backward(gradient), without a node: the fastest way. Returns the
    value."""
    value, gradient = loss(prediction.detach(), *arguments, **options)
    prediction.backward(gradient)
    return value


class CrossEntropy(torch.nn.Module):
    """hone.cross_entropy as a module: CrossEntropy(smoothing=0.1)(logits, labels) is a scalar with a gradient. Options
    of each call, such as mixed_labels, lambdas and teacher, are arguments of the call."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options

    def forward(self, logits: torch.Tensor, labels: Any = None, **more: Any) -> torch.Tensor:
        return apply(_losses.cross_entropy, logits, labels, **{**self.options, **more})

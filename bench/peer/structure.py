# SPDX-License-Identifier: MIT
"""Blocks of networks: outputs, and gradients by all inputs and parameters for a given gradient of the output."""
import functools

import torch
import torch.nn.functional as F

from forms import Step, compiled, torchvision, without_gradients, work


class Backward(Step):
    """Forward and backward of a block. The first input is x."""

    def __init__(self, block, inputs, dy):
        self.inputs = [t.detach().requires_grad_() for t in inputs]
        super().__init__(block, self.inputs[0])
        self.dy = dy

    def __call__(self):
        for t in self.inputs:
            t.grad = None
        self.loss(*self.inputs).backward(self.dy)
        return 0.0


def blocks(forward_only, inputs, dy, forms):
    if forward_only:
        return without_gradients({who: functools.partial(valueless, f, inputs) for who, f in forms.items()})
    return {who: Backward(f, inputs, dy) for who, f in forms.items()}


def valueless(block, inputs):
    block(*inputs)
    return 0.0


def recalibrated(x, shortcut, w1, b1, w2, b2):
    hidden = F.relu(F.linear(x.mean((2, 3)), w1, b1))
    s = torch.sigmoid(F.linear(hidden, w2, b2))
    return F.relu(x * s[:, :, None, None] + shortcut)


@work(r"^structure/squeeze_excite/(?P<forward>forward/)?[\dx]+$")
def squeeze_excite(a, match):
    inputs = [a["x"], a["shortcut"], a["reduce"], a["reduce_bias"].flatten(), a["expand"], a["expand_bias"].flatten()]
    return blocks(match["forward"], inputs, a["dy"],
                  {"torch": recalibrated, "torch.compile": compiled(recalibrated)})


@work(r"^structure/deform_conv/(?P<forward>forward/)?[\dx]+$")
def deform_conv(a, match):
    if not torchvision:
        return {}

    def layer(x, offset, mask, weight, bias):
        return torchvision.ops.deform_conv2d(x, offset, weight, bias, padding=1, mask=mask)

    inputs = [a[name] for name in ("x", "offset", "mask", "weight", "bias")]
    return blocks(match["forward"], inputs, a["dy"], {"torchvision": layer})

# SPDX-License-Identifier: MIT
"""The forms in which a program of PyTorch does a work. `works` lists patterns of names with a function of (arrays,
match), which returns contenders by name: functions without arguments, that return the value, or nothing."""
import re

import torch

try:
    import torchvision
except ImportError:
    torchvision = None
try:
    import timm
except ImportError:
    timm = None

works = []


def work(pattern):
    """Marks what returns the contenders of all works whose name, without threads, has a match."""
    def add(function):
        works.append((re.compile(pattern), function))
        return function
    return add


def contenders(name):
    """For each contender its name, and what makes it of the arrays. Names are known before anything is allocated."""
    for pattern, function in works:
        match = pattern.search(name.rpartition("/threads:")[0])
        if match:
            return function, match
    return None, None


class Step:
    """Forward and backward, as a training loop writes it."""

    def __init__(self, loss, z):
        self.loss, self.z = loss, z

    def __call__(self):
        self.z.grad = None
        value = self.loss(self.z)
        value.backward()
        return value.item()


def compiled(function):
    return torch.compile(function, dynamic=False)


def losses(z, **eager):
    """Steps of each loss, and of the first one compiled. The first is called torch."""
    z = z.detach().requires_grad_()
    steps = {name.replace("torch_", "torch."): Step(loss, z) for name, loss in eager.items() if loss}
    first = next(iter(steps.values()))
    return steps | {"torch.compile": Step(compiled(first.loss), z)}


def without_gradients(functions):
    """Calls without autograd, for works that have no gradient."""
    def quiet(function):
        def call():
            with torch.no_grad():
                return function()
        return call
    return {name: quiet(function) for name, function in functions.items() if function}

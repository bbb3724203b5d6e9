#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes deform_conv_values.hpp: what torchvision's deform_conv2d and autograd make of small cases, in float64.

    deform_conv_values.py > tests/conformance/deform_conv_values.hpp

Run once, by hand; the tests read the table. Needs torch and torchvision. Arguments are formulas of their places, which
deform_conv.hpp repeats. Of each answer the table has two sums: of all numbers, and of all numbers times weights.
Padding that differs by side is torchvision's larger padding with offsets moved by the difference.
"""
import torch
import torchvision

#        N  C  H  W  O  kernel stride padding       dilation groups mask
CASES = [
    (2, 4, 5, 4, 3, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), (1, 1), True),
    (3, 4, 7, 5, 6, (3, 2), (2, 1), (1, 0, 0, 2), (1, 2), (2, 2), True),
    (1, 6, 6, 9, 4, (2, 3), (1, 2), (0, 3, 2, 1), (2, 1), (2, 3), False),
    (5, 3, 3, 5, 2, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1), (1, 3), True),
    (2, 17, 5, 5, 19, (3, 3), (1, 1), (2, 1, 1, 0), (1, 1), (1, 1), True),
    (1, 12, 11, 13, 8, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), (4, 6), False),
]
NAMES = ("output", "input", "offsets", "mask", "weight", "bias")


def numbers(count, step, size, shift, scale):
    return ((torch.arange(count, dtype=torch.int64) * step) % size - shift).double() / scale


def sums(x):
    x = x.reshape(-1)
    weights = ((torch.arange(x.numel()) * 7919) % 101 - 50).double() / 50
    return [x.sum().item(), (x * weights).sum().item()]


def extent(size, before, after, kernel, dilation, stride):
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1


def answers(n, c, h, w, o, kernel, stride, padding, dilation, groups, masked):
    (kh, kw), (top, bottom, left, right), taps = kernel, padding, kernel[0] * kernel[1]
    ho, wo = (extent(h, top, bottom, kh, dilation[0], stride[0]), extent(w, left, right, kw, dilation[1], stride[1]))
    x = numbers(n * c * h * w, 37, 33, 16, 16).view(n, c, h, w).requires_grad_()
    offsets = numbers(n * 2 * groups[1] * taps * ho * wo, 41, 193, 96, 32)
    offsets = offsets.view(n, 2 * groups[1] * taps, ho, wo).requires_grad_()
    mask = numbers(n * groups[1] * taps * ho * wo, 29, 17, 0, 16).view(n, groups[1] * taps, ho, wo).requires_grad_()
    weight = numbers(o * (c // groups[0]) * taps, 23, 31, 15, 16).view(o, c // groups[0], kh, kw).requires_grad_()
    bias = numbers(o, 3, 7, 3, 4).requires_grad_()
    gradient = numbers(n * o * ho * wo, 53, 29, 14, 16).view(n, o, ho, wo)

    most = (max(top, bottom), max(left, right))
    full = (extent(h, most[0], most[0], kh, dilation[0], stride[0]), extent(w, most[1], most[1], kw, dilation[1], stride[1]))
    move = torch.tensor([most[0] - top, most[1] - left], dtype=torch.float64).repeat(groups[1] * taps)
    moved = torch.zeros(n, offsets.shape[1], *full, dtype=torch.float64)
    moved[:, :, :ho, :wo] = offsets + move.view(1, -1, 1, 1)
    grown = torch.ones(n, mask.shape[1], *full, dtype=torch.float64)
    grown[:, :, :ho, :wo] = mask
    y = torchvision.ops.deform_conv2d(x, moved, weight, bias, stride, most, dilation, grown if masked else None)
    y = y[:, :, :ho, :wo]
    y.backward(gradient)
    of = {"output": y.detach(), "input": x.grad, "offsets": offsets.grad, "mask": mask.grad, "weight": weight.grad,
          "bias": bias.grad}
    return [sums(of[name]) if of[name] is not None else [0.0, 0.0] for name in NAMES]


def braces(x):
    if isinstance(x, (list, tuple)):
        return "{" + ", ".join(braces(y) for y in x) + "}"
    return ("true" if x else "false") if isinstance(x, bool) else repr(x)


print(f"""// SPDX-License-Identifier: MIT
/// Deformable convolutions of torchvision {torchvision.__version__.split("+")[0]} on torch {torch.__version__.split("+")[0]}, written by deform_conv_values.py.
#pragma once

struct deform_conv_case {{
  int images, channels, height, width, outputs, kernel[2], stride[2], padding[4], dilation[2], groups[2];  // of offsets
  bool mask;
}};
struct deform_conv_value {{
  deform_conv_case of;
  double output[2], input[2], offsets[2], mask[2], weight[2], bias[2];  // two sums of each
}};

// clang-format off
inline constexpr deform_conv_value deform_conv_values[] = {{""")
for case in CASES:
    print(f"    {{{braces(case)},\n     " + ", ".join(map(braces, answers(*case))) + "},")
print("};\n// clang-format on")

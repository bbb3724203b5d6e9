#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes layers_values.hpp: what timm and torchvision compute, in double precision by autograd, for small layers.

    layers_values.py > tests/structure/layers_values.hpp

Run once, by hand; the tests read the table. It needs
    pip install torch==2.15.0 torchvision==0.29.2 timm==1.0.31
Inputs are those of values.py.
"""
import timm
import torch
import torch.nn.functional as F
import torchvision
from timm.layers import BlurPool2d, LayerScale, LayerScale2d, ScaledStdConv2d, StdConv2d
from torchvision.ops import FrozenBatchNorm2d

from values import C, H, N, W, inputs, numbers, residuals

BLURS = [(5, 7, 3, 2), (4, 6, 3, 2), (5, 4, 3, 1), (7, 6, 5, 2), (8, 5, 4, 2), (6, 9, 2, 2), (7, 9, 7, 3), (5, 6, 3, 4),
         (5, 4, 6, 1)]


def blurs():
    """Height, width, size and stride of each pool; dy are the first numbers of salt 5."""
    yield "blurs", torch.tensor(BLURS)
    for i, (h, w, k, stride) in enumerate(BLURS):
        x, = inputs(numbers(1, 1, 2, h, w))
        y = BlurPool2d(filt_size=k, stride=stride).double()(x)
        y.backward(numbers(5, *y.shape))
        yield f"blur_{i}_size", torch.tensor(y.shape[2:])
        yield f"blur_{i}_y", y
        yield f"blur_{i}_dx", x.grad


def channels():
    x, r = inputs(numbers(1, N, C, H, W), residuals())
    layer = LayerScale2d(C).double()
    yield "layer_scale_initial", torch.tensor([layer.init_values], dtype=torch.float64)
    layer.gamma.data = numbers(3, C)
    y = r + layer(x)
    y.backward(numbers(5, N, C, H, W))
    yield "layer_scale_y", y
    yield "layer_scale_dx", x.grad
    yield "layer_scale_dgamma", layer.gamma.grad
    x, r = inputs(numbers(1, N, H * W, C), numbers(4, N, H * W, C))
    layer = LayerScale(C).double()
    layer.gamma.data = numbers(3, C)
    y = r + layer(x)
    y.backward(numbers(5, N, H * W, C))
    yield "row_scale_y", y
    yield "row_scale_dx", x.grad
    yield "row_scale_dgamma", layer.gamma.grad
    for name, act in {"none": lambda u: u, "relu": F.relu, "silu": F.silu, "hard_swish": F.hardswish}.items():
        x, r = inputs(numbers(1, N, C, H, W), residuals())
        norm = FrozenBatchNorm2d(C).double()
        norm.running_mean, norm.running_var = numbers(8, C), numbers(9, C).abs()
        norm.weight, norm.bias = inputs(numbers(10, C), numbers(11, C))
        y = act(norm(x) + r)
        y.backward(numbers(5, N, C, H, W))
        for what, t in {"y": y, "dx": x.grad, "dscale": norm.weight.grad, "dshift": norm.bias.grad,
                        "dresidual": r.grad}.items():
            yield f"frozen_{name}_{what}", t
    yield "frozen_epsilon", torch.tensor([FrozenBatchNorm2d(C).eps], dtype=torch.float64)


def weights():
    outputs, fan_in = 3, 2 * 3 * 3
    for name, layer in {"standard": StdConv2d(2, outputs, 3), "scaled": ScaledStdConv2d(2, outputs, 3, gamma=1.5)}.items():
        layer = layer.double()
        layer.weight.data = numbers(6, outputs, 2, 3, 3)
        if name == "scaled":
            layer.gain.data = numbers(7, outputs, 1, 1, 1)
        seen = []
        convolve, F.conv2d = F.conv2d, lambda x, weight, *rest: seen.append(weight) or x
        layer(numbers(1, 1, 2, 5, 5))
        F.conv2d = convolve
        seen[0].backward(numbers(5, outputs, 2, 3, 3))
        yield f"weight_{name}", seen[0]
        yield f"weight_{name}_dw", layer.weight.grad
        if name == "scaled":
            yield "weight_scaled_dgain", layer.gain.grad
            yield "weight_epsilon", torch.tensor([layer.eps], dtype=torch.float64)


def batches():
    """Batch norm's statistics over batches of 1, 4 and 2 images: the average of batches, as fvcore's update_bn_stats."""
    x = numbers(1, 7, C, 2, 2)
    mean, variance = torch.zeros(C, dtype=torch.float64), torch.zeros(C, dtype=torch.float64)
    for i, batch in enumerate(x.split([1, 4, 2])):
        norm = torch.nn.BatchNorm2d(C, momentum=1.0).double()
        norm(batch)
        mean += (norm.running_mean - mean) / (i + 1)
        variance += (norm.running_var - variance) / (i + 1)
    yield "batches_mean", mean
    yield "batches_variance", variance
    yield "population_mean", x.mean((0, 2, 3))
    yield "population_variance", x.var((0, 2, 3), unbiased=False)


def main():
    print("// SPDX-License-Identifier: MIT")
    print("/// What timm and torchvision compute for the inputs of values_of.hpp, written by layers_values.py.")
    print(f"///   torch {torch.__version__.split('+')[0]}, torchvision {torchvision.__version__.split('+')[0]}, "
          f"timm {timm.__version__}")
    print("#pragma once\n\n// clang-format off\nnamespace layers_values {\n")
    for part in (blurs, channels, weights, batches):
        for name, value in part():
            flat = value.detach().flatten().tolist()
            print(f"inline constexpr double {name}[] = {{")
            for i in range(0, len(flat), 5):
                print("    " + ", ".join(repr(x) for x in flat[i:i + 5]) + ",")
            print("};")
    print("\n}  // namespace layers_values")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes attention_values.hpp: what PyTorch and timm compute, in double precision by autograd, for CBAM, selective
kernels and split attention.

    attention_values.py > tests/structure/attention_values.hpp

Run once, by hand; the tests read the table. It needs
    pip install torch==2.15.0 timm==1.0.31
Inputs are those of values.py.
"""
import timm
import torch
import torch.nn.functional as F
from timm.layers.cbam import CbamModule
from timm.layers.selective_kernel import SelectiveKernelAttn
from timm.layers.split_attn import RadixSoftmax

from values import C, H, N, W, inputs, numbers, residuals


def pixels():
    x, = inputs(numbers(1, N, C, H, W))
    y = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
    y.backward(numbers(2, N, 2, H, W))
    yield "reduced", y
    yield "reduced_dx", x.grad
    x, e, r = inputs(numbers(1, N, C, H, W), numbers(3, N, H, W), residuals())
    y = F.silu(x * torch.sigmoid(e)[:, None] + r)
    y.backward(numbers(5, N, C, H, W))
    for what, t in {"y": y, "dx": x.grad, "de": e.grad, "dresidual": r.grad}.items():
        yield f"scaled_{what}", t


def cbams():
    """The paper's module with biases, as its authors' code has them, and timm's in evaluation, whose batch normalisation
    the test folds into the kernel."""
    for name, size in {"cbam": 3, "timm_cbam": 7}.items():
        module = CbamModule(C, rd_channels=2, spatial_kernel_size=size, mlp_bias=name == "cbam").double().eval()
        channel, conv, norm = module.channel, module.spatial.conv.conv, module.spatial.conv.bn
        for i, p in enumerate(channel.parameters()):
            p.data = numbers(6 + i, *p.shape) / 8
        conv.weight.data = numbers(10, *conv.weight.shape) / 32
        if name == "cbam":
            module.spatial.conv.bn = torch.nn.Identity()
        else:
            norm.weight.data[:], norm.bias.data[:], norm.running_mean[:], norm.running_var[:] = 1.5, -0.25, 0.5, 4
        x, r = inputs(numbers(1, N, C, H, W), residuals())
        y = F.relu(module(x) + r)
        y.backward(numbers(5, N, C, H, W))
        yield f"{name}_y", y
        yield f"{name}_dx", x.grad
        yield f"{name}_dresidual", r.grad
        if name == "cbam":
            for i, p in enumerate([*channel.parameters(), conv.weight]):
                yield f"{name}_parameter_{i}", p.grad
    widths = [64, 96, 256, 512, 1024, 2048]
    yield "cbam_channels", torch.tensor(widths)
    yield "cbam_widths", torch.tensor([CbamModule(c).channel.fc1.out_channels for c in widths])
    yield "cbam_counts", torch.tensor([sum(p.numel() for p in CbamModule(c).parameters()) for c in widths])


class Given(torch.nn.Module):
    """In place of a layer: the numbers of the test."""

    def __init__(self, e):
        super().__init__()
        self.e = e

    def forward(self, x):
        return self.e


def branches():
    """timm's own softmaxes: B branches of C channels, and split attention with groups."""
    for name, b, groups in (("selected", 2, 1), ("selected_3", 3, 1), ("split", 2, 3)):
        x, e = inputs(numbers(1, N, b, C, H, W), numbers(3, N, b * C) / 4)
        if groups == 1:
            attention = SelectiveKernelAttn(C, b).double()
            attention.fc_select = Given(e[:, :, None, None])
            y = (x * attention.eval()(x)).sum(1)
        else:
            y = (x * RadixSoftmax(b, groups)(e).view(N, b, C, 1, 1)).sum(1)
        y.backward(numbers(5, N, C, H, W))
        for what, t in {"y": y, "dx": x.grad, "de": e.grad}.items():
            yield f"{name}_{what}", t


def main():
    print("// SPDX-License-Identifier: MIT")
    print("/// What PyTorch and timm compute for the inputs of values_of.hpp, written by attention_values.py.")
    print(f"///   torch {torch.__version__.split('+')[0]}, timm {timm.__version__}")
    print("#pragma once\n\n// clang-format off\nnamespace attention_values {\n")
    for part in (pixels, cbams, branches):
        for name, value in part():
            flat = value.detach().flatten().tolist()
            print(f"inline constexpr double {name}[] = {{")
            for i in range(0, len(flat), 5):
                print("    " + ", ".join(repr(x) for x in flat[i:i + 5]) + ",")
            print("};")
    print("\n}  // namespace attention_values")


if __name__ == "__main__":
    main()

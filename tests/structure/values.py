#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes values.hpp: what PyTorch computes, in double precision by autograd, for the pieces of network structure.

    values.py > tests/structure/values.hpp

Run once, by hand; the tests read the table. It needs
    pip install torch==2.15.0 timm==1.0.31
Inputs are integers over 8, written here and in values_of.hpp by the same rule.
"""
import timm
import torch
import torch.nn.functional as F
from timm.layers import EcaModule, EffectiveSEModule, SEModule

N, C, H, W = 2, 3, 3, 5
GATES = {"identity": lambda e: e, "sigmoid": torch.sigmoid,
         "hard_sigmoid": lambda e: F.relu6(e + 3) / 6}  # F.hardsigmoid has the derivative float(1/6)
ACTIVATIONS = {"none": lambda u: u, "relu": F.relu, "silu": F.silu, "hard_swish": F.hardswish}
EDGES = [-40, -4, -3, -2.5, -1, 0, 0.5, 3, 3.5, 40]


def numbers(salt, *shape):
    """Number i is ((i * 37 + salt * 11) mod 61 - 30) / 8."""
    count = torch.Size(shape).numel()
    return torch.tensor([((i * 37 + salt * 11) % 61 - 30) / 8 for i in range(count)], dtype=torch.float64).reshape(shape)


def residuals():
    """No sum with them is 0 or 3, where rounding would choose the derivative."""
    return numbers(4, N, C, H, W) + 1 / 1024


def inputs(*tensors):
    return [t.requires_grad_() for t in tensors]


def edges():
    for name, f in {**GATES, **ACTIVATIONS}.items():
        x, = inputs(torch.tensor(EDGES, dtype=torch.float64))
        y = f(x)
        yield f"edge_value_{name}", y
        yield f"edge_slope_{name}", torch.autograd.grad(y.sum(), x)[0]


def planes():
    for name, how in {"mean": lambda x: x.mean((2, 3)), "max": lambda x: F.adaptive_max_pool2d(x, 1)[:, :, 0, 0]}.items():
        x, = inputs(numbers(1, N, C, H, W))
        y = how(x)
        y.backward(numbers(2, N, C))
        yield f"{name}", y
        yield f"{name}_dx", x.grad
    for gate, g in GATES.items():
        for activation, f in ACTIVATIONS.items():
            x, e, r = inputs(numbers(1, N, C, H, W), numbers(3, N, C), residuals())
            y = f(x * g(e)[:, :, None, None] + r)
            y.backward(numbers(5, N, C, H, W))
            for what, t in {"y": y, "dx": x.grad, "de": e.grad, "dresidual": r.grad}.items():
                yield f"{gate}_{activation}_{what}", t


def branches():
    """timm's own modules, and the residual and the activation of a residual block."""
    def fill(module, salt):
        for i, p in enumerate(module.parameters()):
            p.data = numbers(salt + i, *p.shape) / 4
        return module.double()

    made = {"squeeze_excite": SEModule(C, rd_channels=2, bias=True), "squeeze_excite_silu":
            SEModule(C, rd_channels=2, act_layer="silu", gate_layer="hard_sigmoid"),
            "effective_squeeze_excite": EffectiveSEModule(C), "efficient_channel_attention": EcaModule(kernel_size=3)}
    for name, module in made.items():
        fill(module, 6)
        if hasattr(module, "gate") and "hard" in str(module.gate).lower():
            module.gate.forward = lambda e: F.relu6(e + 3) / 6
        x, r = inputs(numbers(1, N, C, H, W), residuals())
        y = F.relu(module(x) + r)
        y.backward(numbers(5, N, C, H, W))
        yield f"{name}_y", y
        yield f"{name}_dx", x.grad
        yield f"{name}_dresidual", r.grad
        for i, p in enumerate(module.parameters()):
            yield f"{name}_parameter_{i}", p.grad
    widths = [8, 64, 96, 200, 256, 2048]
    yield "widths_of", torch.tensor(widths)
    yield "widths", torch.tensor([SEModule(c).fc1.out_channels for c in widths])
    count = lambda module: sum(p.numel() for p in module.parameters())
    yield "counts_squeeze_excite", torch.tensor([count(SEModule(c)) for c in widths])
    yield "counts_effective_squeeze_excite", torch.tensor([count(EffectiveSEModule(c)) for c in widths])
    yield "counts_efficient_channel_attention", torch.tensor([count(EcaModule(c)) for c in widths])


POOLS = [(5, 7, 2, 2, True), (4, 6, 2, 2, True), (7, 7, 2, 2, True), (1, 5, 2, 2, True), (5, 4, 2, 1, True),
         (6, 9, 3, 2, True), (6, 9, 2, 3, True), (7, 5, 2, 2, False), (6, 8, 3, 2, False)]


def pools():
    """Height, width, size, stride and ceil mode of each pool; dy are the first numbers of salt 5."""
    yield "pools", torch.tensor(POOLS)
    for i, (h, w, k, stride, ceil) in enumerate(POOLS):
        x, = inputs(numbers(1, 2, 3, h, w))
        y = F.avg_pool2d(x, k, stride, ceil_mode=ceil, count_include_pad=False)
        y.backward(numbers(5, *y.shape))
        yield f"pool_{i}_size", torch.tensor(y.shape[2:])
        yield f"pool_{i}_y", y
        yield f"pool_{i}_dx", x.grad


def batch_norm():
    norm = torch.nn.BatchNorm2d(C, momentum=1.0).double()
    x = numbers(1, N, C, H, W)
    norm(x)
    yield "batch_mean", norm.running_mean
    yield "batch_unbiased_variance", norm.running_var
    weight, bias = numbers(6, C, 4, 1, 1), numbers(7, C)
    mean, variance, scale, shift = numbers(8, C), numbers(9, C).abs(), numbers(10, C), numbers(11, C)
    w, b = torch.nn.utils.fusion.fuse_conv_bn_weights(weight, bias, mean, variance, 1e-5, scale, shift)
    yield "folded_weight", w
    yield "folded_bias", b


def main():
    print("// SPDX-License-Identifier: MIT")
    print("/// What PyTorch computes for the inputs of values_of.hpp, written by values.py.")
    print(f"///   torch {torch.__version__.split('+')[0]}, timm {timm.__version__}")
    print("#pragma once\n\n// clang-format off\nnamespace structure_values {\n")
    print(f"inline constexpr int images = {N}, channels = {C}, height = {H}, width = {W};")
    print("inline constexpr double edges[] = {" + ", ".join(map(str, EDGES)) + "};")
    for part in (edges, planes, branches, pools, batch_norm):
        for name, value in part():
            flat = value.detach().flatten().tolist()
            print(f"inline constexpr double {name}[] = {{")
            for i in range(0, len(flat), 5):
                print("    " + ", ".join(repr(x) for x in flat[i:i + 5]) + ",")
            print("};")
    print("\n}  // namespace structure_values")


if __name__ == "__main__":
    main()

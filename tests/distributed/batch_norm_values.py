#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes batch_norm_values.hpp: what torch.nn.BatchNorm computes in double precision, by autograd.

    batch_norm_values.py > tests/distributed/batch_norm_values.hpp

Run once, by hand; the tests read the table. It needs
    pip install torch==2.15.0
Number i of salt s is ((37 i + 11 s) mod 61 - 30) / 8.
"""
import torch


def numbers(salt, *shape):
    count = torch.Size(shape).numel()
    return torch.tensor([((i * 37 + salt * 11) % 61 - 30) / 8 for i in range(count)], dtype=torch.float64).reshape(shape)


def layer(name, norm, *shape):
    x = numbers(1, *shape).requires_grad_()
    norm = norm.double()
    norm.weight.data, norm.bias.data = numbers(2, shape[1]), numbers(3, shape[1])
    y = norm(x)
    y.backward(numbers(4, *shape))
    for what, t in {"y": y, "dx": x.grad, "dscale": norm.weight.grad, "dshift": norm.bias.grad,
                    "mean": norm.running_mean, "variance": norm.running_var}.items():
        values = ",\n    ".join(repr(v) for v in t.detach().flatten().tolist())
        print(f"inline constexpr double {name}_{what}[] = {{\n    {values},\n}};")


print("""// SPDX-License-Identifier: MIT
/// What torch.nn.BatchNorm computes, written by batch_norm_values.py.
#pragma once

// clang-format off
namespace batch_norm_values {
""")
layer("images", torch.nn.BatchNorm2d(3), 4, 3, 2, 3)
layer("rows", torch.nn.BatchNorm1d(5), 6, 5)
print("\n}  // namespace batch_norm_values\n// clang-format on")

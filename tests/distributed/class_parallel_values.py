#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes class_parallel_values.hpp: cross entropy of whole rows in PyTorch, in double precision.

    class_parallel_values.py > tests/distributed/class_parallel_values.hpp

Run once, by hand; the test reads the table.
"""
import math

import torch

ROWS, CLASSES, IGNORED = 6, 8, -100


def main():
    z = [round(192 * math.sin(12.9898 * i + 0.5)) / 64 for i in range(ROWS * CLASSES)]
    labels = [(7 * i + 2) % CLASSES for i in range(ROWS)]
    labels[4] = IGNORED
    weights = [0.5, 1.0, 2.0, 0.25, 1.5, 1.0, 0.75, 3.0]

    print("// SPDX-License-Identifier: MIT")
    print("/// torch.nn.functional.cross_entropy of rows of 8 classes, written by class_parallel_values.py.")
    print(f"///   torch {torch.__version__.split('+')[0]}")
    print("#pragma once\n\n// clang-format off\nnamespace class_parallel_values {\n")

    def table(name, numbers, kind="double"):
        print(f"inline constexpr {kind} {name}[] = {{")
        for i in range(0, len(numbers), 4):
            print("    " + ", ".join(repr(x) for x in numbers[i:i + 4]) + ",")
        print("};")

    table("logits", z)
    table("labels", labels, "int")
    table("class_weights", weights)
    for name, smoothing, weight in (("plain", 0.0, None), ("smoothed", 0.1, None), ("weighed", 0.1, weights)):
        x = torch.tensor(z, dtype=torch.float64).reshape(ROWS, CLASSES).requires_grad_()
        w = None if weight is None else torch.tensor(weight, dtype=torch.float64)

        def loss(reduction):
            return torch.nn.functional.cross_entropy(x, torch.tensor(labels), weight=w, label_smoothing=smoothing,
                                                     reduction=reduction)

        mean = loss("mean")
        mean.backward()
        table(name + "_losses", loss("none").tolist())
        print(f"inline constexpr double {name}_mean = {mean.item()!r};")
        table(name + "_gradient", x.grad.flatten().tolist())
    print("\n}  // namespace class_parallel_values\n// clang-format on")


main()

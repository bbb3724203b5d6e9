#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes parity_values.hpp: what the libraries that users come from say of the same logits and labels.

    parity_values.py > tests/calibration/parity_values.hpp

Run once, by hand; the tests read the table. It needs
    pip install torch==2.15.0 torchmetrics==1.9.0 netcal==1.4.0 scikit-learn==1.9.1
and asks the packages themselves, in double precision; torchmetrics sums in float.
"""
import math

import netcal
import numpy
import sklearn
import torch
import torchmetrics
from netcal.metrics import ECE, MCE
from sklearn.calibration import _TemperatureScaling
from sklearn.metrics import brier_score_loss, log_loss
from torchmetrics.functional.classification import multiclass_calibration_error

ROWS, CLASSES = 90, 5


def data():
    """Logits of few digits, so that every language reads the same; four of five rows know their label."""
    logits, labels = [], []
    for i in range(ROWS):
        labels.append((i * 7 + 2) % CLASSES)
        known = (labels[-1] + (i % 5 == 4)) % CLASSES
        logits.append([round(64 * (1.5 * math.sin(1.3 * (i * CLASSES + k) + 0.5) + 3 * (k == known))) / 64
                       for k in range(CLASSES)])
    return numpy.array(logits), numpy.array(labels)


def tables():
    logits, labels = data()
    p = torch.softmax(torch.tensor(logits), 1)
    yield "logits", logits.flatten().tolist()
    for bins in (10, 15):
        for norm, name in (("l1", "expected"), ("max", "maximum")):
            yield f"torchmetrics_{name}_{bins}", multiclass_calibration_error(
                p, torch.tensor(labels), CLASSES, n_bins=bins, norm=norm).item()
        yield f"netcal_expected_{bins}", float(ECE(bins).measure(p.numpy(), labels))
        yield f"netcal_maximum_{bins}", float(MCE(bins).measure(p.numpy(), labels))
    yield "sklearn_log_loss", log_loss(labels, p.numpy())
    yield "sklearn_brier", brier_score_loss(labels, p.numpy(), scale_by_half=False)
    yield "sklearn_temperature", 1 / float(_TemperatureScaling().fit(logits, labels).beta_)


def main():
    print("// SPDX-License-Identifier: MIT")
    print("/// What other libraries say of these logits and labels, written by parity_values.py.")
    print(f"///   torch {torch.__version__.split('+')[0]}, torchmetrics {torchmetrics.__version__}, "
          f"netcal {netcal.__version__}, scikit-learn {sklearn.__version__}")
    print("#pragma once\n\n// clang-format off\nnamespace parity_values {\n")
    print(f"inline constexpr int rows = {ROWS}, columns = {CLASSES};")
    print("inline constexpr int labels[] = {" + ", ".join(map(str, data()[1])) + "};")
    for name, value in tables():
        if isinstance(value, float):
            print(f"inline constexpr double {name} = {value!r};")
            continue
        print(f"inline constexpr double {name}[] = {{")
        for i in range(0, len(value), 10):
            print("    " + ", ".join(map(repr, value[i:i + 10])) + ",")
        print("};")
    print("\n}  // namespace parity_values\n// clang-format on")


if __name__ == "__main__":
    main()

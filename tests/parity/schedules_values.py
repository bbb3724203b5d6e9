#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes parity_values.hpp: rates of the schedules that users come from, for steps 0, 1, 2, …

    parity_values.py > tests/parity/schedules_values.hpp

Run once, by hand; the tests read the table. It needs
    pip install timm==1.0.31 torch==2.15.0 optax==0.2.8 jax==0.10.2 keras==3.15.1
and asks the packages themselves, in double precision. llm.c is C and no package: llmc_* below restate the formulas of
llmc/schedulers.h as read in its repository, in double where llm.c computes in float, and are marked as restated.
"""
import math
import os
import sys
import warnings

os.environ.update(JAX_ENABLE_X64="1", KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")
warnings.filterwarnings("ignore")

import jax
import keras
import numpy
import optax
import timm
import torch
from keras.optimizers import schedules as keras_schedules
from timm.scheduler import CosineLRScheduler, PolyLRScheduler, StepLRScheduler
from torch.optim import lr_scheduler

keras.config.set_floatx("float64")


def of_timm(scheduler, count, lr=0.1, **options):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr)
    made = scheduler(optimizer, **options)
    rates = []
    for t in range(count):
        made.step(t)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def of_torch(make, count, lr=0.1, what="lr"):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr, momentum=0.9)
    scheduler = make(optimizer)
    rates = []
    for t in range(count):
        rates.append(optimizer.param_groups[0][what])
        optimizer.step()
        if t + 1 < count:
            scheduler.step()
    return rates


def of(function, count):
    return [float(function(t)) for t in range(count)]


def llmc_warmup(t, lr, warmup):
    return lr * (t + 1) / warmup


def llmc_cosine(t, lr, warmup, total, fraction):
    if t < warmup:
        return llmc_warmup(t, lr, warmup)
    ratio = (t - warmup) / (total - warmup)
    return fraction * lr + 0.5 * (1 + math.cos(math.pi * ratio)) * (lr - fraction * lr)


def llmc_linear(t, lr, warmup, total, fraction):
    if t < warmup:
        return llmc_warmup(t, lr, warmup)
    return lr - (t - warmup) / (total - warmup) * (lr - fraction * lr)


def llmc_wsd(t, lr, warmup, total, fraction):
    begin = int(numpy.float32(0.8) * numpy.float32(total))
    if t < warmup:
        return llmc_warmup(t, lr, warmup)
    if t < begin:
        return lr
    return fraction * lr + (1 - math.sqrt((t - begin) / (total - begin))) * (lr - fraction * lr)


def tables():
    yield "timm_cosine_warmup", of_timm(CosineLRScheduler, 34, t_initial=30, lr_min=0.001, warmup_t=4,
                                        warmup_lr_init=0.0001)
    yield "timm_cosine_prefix", of_timm(CosineLRScheduler, 38, t_initial=30, lr_min=0.001, warmup_t=4,
                                        warmup_lr_init=0.0001, warmup_prefix=True)
    yield "timm_cosine_cycles", of_timm(CosineLRScheduler, 40, t_initial=10, lr_min=0.001, cycle_decay=0.5,
                                        cycle_limit=3)
    yield "timm_cosine_growing", of_timm(CosineLRScheduler, 80, t_initial=5, lr_min=0.001, cycle_mul=2.0,
                                         cycle_decay=0.8, cycle_limit=4, k_decay=1.5)
    yield "timm_cosine_k_decay", of_timm(CosineLRScheduler, 24, t_initial=20, k_decay=1.5)
    yield "timm_poly", of_timm(PolyLRScheduler, 24, t_initial=20, lr_min=0.001, power=0.5)
    yield "timm_step", of_timm(StepLRScheduler, 24, decay_t=7, decay_rate=0.5, warmup_t=3, warmup_lr_init=0.01)

    yield "optax_warmup_cosine", of(optax.warmup_cosine_decay_schedule(0.01, 0.1, 6, 30, 0.001), 34)
    yield "optax_warmup_cosine_exponent", of(optax.warmup_cosine_decay_schedule(0.01, 0.1, 6, 30, 0.001, 2.0), 34)
    yield "optax_cosine_decay", of(optax.cosine_decay_schedule(0.1, 20, 0.05, 1.5), 24)
    yield "optax_polynomial", of(optax.polynomial_schedule(0.1, 0.001, 3, 20), 24)
    yield "optax_exponential", of(optax.exponential_decay(0.1, 7, 0.5, end_value=0.02), 24)
    yield "optax_exponential_staircase", of(optax.exponential_decay(0.1, 7, 0.5, staircase=True), 24)
    yield "optax_piecewise_constant", of(optax.piecewise_constant_schedule(0.1, {5: 0.5, 9: 0.5}), 12)
    yield "optax_cosine_onecycle", of(optax.cosine_onecycle_schedule(25, 0.1), 28)
    yield "optax_linear_onecycle", of(optax.linear_onecycle_schedule(25, 0.1), 28)
    yield "optax_sgdr", of(optax.sgdr_schedule([
        dict(init_value=0.0, peak_value=0.1, warmup_steps=3, decay_steps=10, end_value=0.01),
        dict(init_value=0.0, peak_value=0.05, warmup_steps=5, decay_steps=20, end_value=0.01)]), 34)

    yield "keras_cosine_decay", of(keras_schedules.CosineDecay(0.1, 20, alpha=0.05), 24)
    yield "keras_cosine_decay_warmup", of(keras_schedules.CosineDecay(0.01, 20, alpha=0.05, warmup_target=0.1,
                                                                      warmup_steps=5), 28)
    yield "keras_cosine_restarts", of(keras_schedules.CosineDecayRestarts(0.1, 5, t_mul=1.0, m_mul=0.5, alpha=0.1), 24)
    yield "keras_cosine_restarts_growing", of(keras_schedules.CosineDecayRestarts(0.1, 4, t_mul=2.0, m_mul=0.5,
                                                                                  alpha=0.1), 27)
    yield "keras_piecewise_constant", of(keras_schedules.PiecewiseConstantDecay([5, 9], [0.1, 0.05, 0.025]), 12)
    yield "keras_exponential", of(keras_schedules.ExponentialDecay(0.1, 7, 0.5), 24)
    yield "keras_polynomial", of(keras_schedules.PolynomialDecay(0.1, 20, 0.001, power=2.0), 24)

    yield "torch_cosine_annealing", of_torch(lambda o: lr_scheduler.CosineAnnealingLR(o, 12, 0.001), 40)
    yield "torch_cosine_restarts", of_torch(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5, 2, 0.001), 40)
    yield "torch_one_cycle", of_torch(lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=25), 25)
    yield "torch_one_cycle_three", of_torch(lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=25, pct_start=0.33,
                                                                              three_phase=True), 25)
    yield "torch_one_cycle_linear", of_torch(lambda o: lr_scheduler.OneCycleLR(
        o, 0.1, total_steps=25, anneal_strategy="linear", div_factor=10, final_div_factor=100), 25)
    yield "torch_one_cycle_momentum", of_torch(lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=25), 25,
                                               what="momentum")
    yield "torch_one_cycle_momentum_three", of_torch(lambda o: lr_scheduler.OneCycleLR(
        o, 0.1, total_steps=25, pct_start=0.33, three_phase=True), 25, what="momentum")
    yield "torch_polynomial", of_torch(lambda o: lr_scheduler.PolynomialLR(o, 20, 2.0), 24)
    yield "torch_exponential", of_torch(lambda o: lr_scheduler.ExponentialLR(o, 0.9), 24)
    yield "torch_step", of_torch(lambda o: lr_scheduler.StepLR(o, 7, 0.5), 24)
    yield "torch_multi_step", of_torch(lambda o: lr_scheduler.MultiStepLR(o, [5, 9, 15], 0.5), 24)
    yield "torch_linear", of_torch(lambda o: lr_scheduler.LinearLR(o, 0.25, 1.0, 6), 10)
    yield "torch_sequential", of_torch(lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.ConstantLR(o, 0.5, 100), lr_scheduler.ExponentialLR(o, 0.9)], [6]), 20)

    restated = dict(lr=0.1, warmup=4, total=29, fraction=0.1)
    yield "restated_llmc_cosine", of(lambda t: llmc_cosine(t, **restated), 30)
    yield "restated_llmc_linear", of(lambda t: llmc_linear(t, **restated), 30)
    yield "restated_llmc_wsd", of(lambda t: llmc_wsd(t, **restated), 30)


def main():
    versions = (f"timm {timm.__version__}, torch {torch.__version__.split('+')[0]}, optax {optax.__version__}, "
                f"jax {jax.__version__}, keras {keras.__version__}")
    print("// SPDX-License-Identifier: MIT")
    print("/// Rates of other libraries for steps 0, 1, 2, …, written by parity_values.py. restated_*: of formulas, "
          "not asked.")
    print(f"///   {versions}")
    print("#pragma once\n\n// clang-format off\nnamespace parity_values {\n")
    for name, rates in tables():
        print(f"inline constexpr double {name}[] = {{")
        for i in range(0, len(rates), 5):
            print("    " + ", ".join(repr(float(r)) for r in rates[i:i + 5]) + ",")
        print("};")
    print("\n}  // namespace parity_values\n// clang-format on")


if __name__ == "__main__":
    sys.exit(main())

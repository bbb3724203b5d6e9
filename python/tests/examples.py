# SPDX-License-Identifier: MIT
"""What docs/python.md shows; test_hone.py runs it."""
import numpy as np

import hone


def train(inputs, labels, steps=200):
    weights = np.zeros((3, inputs.shape[1]), np.float32)
    # [train]
    rate = hone.cosine(1.0, total=steps, warmup=10)
    ema = hone.Ema([weights], decay=0.9)
    for step in range(steps):
        value, slopes = hone.cross_entropy(inputs @ weights.T, labels, smoothing=0.1)
        gradient = slopes.T @ inputs
        report = hone.clip_by_global_norm([gradient], 0.5)
        if report.finite:
            weights -= rate(step) * gradient
        ema.update([weights], report.finite)
    with ema.swapped([weights]):
        accuracy = np.mean((inputs @ weights.T).argmax(1) == labels)
    # [/train]
    return value, accuracy


def mix(images, labels, logits_of):
    # [mixing]
    draw = hone.draw_mixing(seed=1, step=0, rows=len(images), height=4, width=4, per="sample")
    logits = logits_of(hone.blend(draw, images))
    value, gradient = hone.cross_entropy(logits, labels, partners=draw.partners, lambdas=draw.lambdas, smoothing=0.1)
    # [/mixing]
    return value, gradient


def train_torch(net, x, y, steps=20):
    import torch

    # [torch]
    loss = hone.torch.CrossEntropy(smoothing=0.1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    ema = hone.Ema([p.detach() for p in net.parameters()], decay=0.9)
    for step in range(steps):
        optimizer.zero_grad()
        loss(net(x), y).backward()
        hone.clip_by_global_norm([p.grad for p in net.parameters()], 5)
        optimizer.step()
        ema.update([p.detach() for p in net.parameters()])
    # [/torch]
    # [backward]
    optimizer.zero_grad()
    value = hone.torch.backward(hone.cross_entropy, net(x), y, smoothing=0.1)
    # [/backward]
    return value

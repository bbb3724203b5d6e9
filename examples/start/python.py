# SPDX-License-Identifier: MIT
"""What docs/python.md begins with."""
# [program]
import hone
import numpy as np

x = np.tile(np.eye(10, dtype=np.float32), (8, 1))  # 80 samples of 10 classes
labels = np.tile(np.arange(10), 8)
weights = np.zeros((10, 10), np.float32)

rate = hone.cosine(10, total=50, warmup=5)
ema = hone.Ema([weights], decay=0.9)
for step in range(50):
    value, slopes = hone.cross_entropy(x @ weights, labels, smoothing=0.1)
    gradient = x.T @ slopes
    hone.clip_by_global_norm([gradient], 1)
    weights -= rate(step) * gradient
    ema.update([weights])
    if step % 16 == 0:
        print(f"step {step}: loss {value:.2f}")
# [/program]

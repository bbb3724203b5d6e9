#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes coco_values.hpp: random detections with what pycocotools' COCOeval makes of them.

    coco_values.py > tests/examples/detection/coco_values.hpp

Run once, by hand; the tests read the table. It needs
    pip install numpy==2.4.6 pycocotools==2.0.11
Corners are multiples of 1/8, so that text, and the differences that make (x, y, w, h) of them, are exact.
"""
import contextlib
import io
import sys

import numpy
import pycocotools.coco
import pycocotools.cocoeval
from importlib.metadata import version


def random_box(random, side=100.0):
    w, h = random.uniform(4, 60, 2)
    x, y = random.uniform(0, side - w), random.uniform(0, side - h)
    return [round(v * 8) / 8 for v in (x, y, x + w, y + h)]


def near(random, box, much):
    w, h = box[2] - box[0], box[3] - box[1]
    moved = numpy.array(box) + random.uniform(-much, much, 4) * [w, h, w, h]
    x1, y1, x2, y2 = (round(float(v) * 8) / 8 for v in moved)
    return [x1, y1, max(x2, x1 + 0.125), max(y2, y1 + 0.125)]


def case(seed, images, classes, per_image, detections, scores, crowds=0.0, exact=0.0, missing=(), most=100):
    """truths: (image, class, crowd, box); detections: (image, class, score, box). Scores from a few numbers tie."""
    random = numpy.random.default_rng(seed)
    truths, found = [], []
    for image in range(images):
        for _ in range(random.integers(0, per_image + 1)):
            label = int(random.integers(classes))
            if label in missing:
                continue
            truths.append((image, label, bool(random.random() < crowds), random_box(random)))
    for image in range(images):
        here = [t for t in truths if t[0] == image]
        for _ in range(random.integers(0, detections + 1)):
            if here and random.random() < 0.7:
                _, label, _, box = here[random.integers(len(here))]
                box = box if random.random() < exact else near(random, box, random.choice([0.02, 0.1, 0.3]))
                label = label if random.random() < 0.9 else int(random.integers(classes))
            else:
                label, box = int(random.integers(classes)), random_box(random)
            found.append((image, label, float(random.choice(scores)), box))
    return dict(images=images, classes=classes, most=most, truths=truths, found=found)


def asked(c):
    """AP@[.5:.95], AP at each threshold, AP of each class; -1 where there is nothing to find."""
    def coco_box(b):
        return [b[0], b[1], b[2] - b[0], b[3] - b[1]]

    coco = pycocotools.coco.COCO()
    coco.dataset = dict(
        info={}, images=[dict(id=i + 1) for i in range(c["images"])],
        categories=[dict(id=k + 1) for k in range(c["classes"])],
        annotations=[dict(id=n + 1, image_id=i + 1, category_id=k + 1, iscrowd=int(crowd), bbox=coco_box(b),
                          area=(b[2] - b[0]) * (b[3] - b[1])) for n, (i, k, crowd, b) in enumerate(c["truths"])])
    coco.createIndex()
    result = coco.loadRes([dict(image_id=i + 1, category_id=k + 1, score=s, bbox=coco_box(b))
                           for i, k, s, b in c["found"]])
    e = pycocotools.cocoeval.COCOeval(coco, result, "bbox")
    e.params.maxDets = [c["most"]]
    e.params.areaRng, e.params.areaRngLbl = [[0, 1e10]], ["all"]
    e.evaluate()
    e.accumulate()
    precision = e.eval["precision"][:, :, :, 0, 0]  # threshold, recall, class

    def mean(p):
        return float(p[p > -1].mean()) if (p > -1).any() else -1.0
    return ([mean(precision)] + [mean(precision[t]) for t in range(precision.shape[0])],
            [mean(precision[:, :, k]) for k in range(c["classes"])])


def cases():
    many = numpy.linspace(0.01, 0.99, 4001)
    few = numpy.array([0.25, 0.5, 0.75])
    yield "plain", case(1, 12, 4, 5, 12, many)
    yield "ties", case(2, 12, 4, 5, 12, few, exact=0.3)
    yield "crowds", case(3, 12, 3, 6, 16, many, crowds=0.35)
    yield "crowds_and_ties", case(4, 12, 3, 6, 16, few, crowds=0.35, exact=0.2)
    yield "missing_classes", case(5, 10, 6, 5, 10, many, missing=(1, 4))
    yield "few_count", case(6, 8, 2, 6, 20, few, crowds=0.1, most=5)
    yield "one_score", case(7, 10, 2, 6, 14, numpy.array([0.5]), crowds=0.2, exact=0.5)
    yield "only_crowds", case(8, 4, 2, 5, 8, many, crowds=1.0)


def main():
    print("// SPDX-License-Identifier: MIT")
    print("/// Detections and what COCOeval makes of them, written by coco_values.py.")
    print(f"///   pycocotools {version('pycocotools')}, numpy {numpy.__version__}")
    print("""#pragma once

#include "coco.hpp"

// clang-format off
namespace coco_values {

struct placed_truth { int image; detection::truth truth; };
struct placed_detection { int image; detection::detected detected; };
struct expected_case {
  const char* name;
  int images, classes, most;
  std::vector<placed_truth> truths;
  std::vector<placed_detection> detections;
  std::vector<double> mean_and_thresholds, of_class;
};

inline const std::vector<expected_case> cases = {""")
    for name, c in cases():
        with contextlib.redirect_stdout(io.StringIO()):
            means, of_class = asked(c)
        print(f'{{"{name}", {c["images"]}, {c["classes"]}, {c["most"]}, {{')
        for i, k, crowd, b in c["truths"]:
            print(f"  {{{i}, {{{{{', '.join(repr(float(v)) for v in b)}}}, {k}, "
                  f"{str(crowd).lower()}}}}},")
        print("}, {")
        for i, k, s, b in c["found"]:
            print(f"  {{{i}, {{{{{', '.join(repr(float(v)) for v in b)}}}, {k}, {s!r}}}}},")
        print(f"}}, {{{', '.join(map(repr, means))}}}, {{{', '.join(map(repr, of_class))}}}}},")
    print("};\n\n}  // namespace coco_values\n// clang-format on")


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What YOLOv5 and PaddleDetection answer for heads and boxes that parity_test.cpp has too.

    parity_values.py yolov5 > tests/detect/yolov5_values.hpp     # pip install torch==2.15.0 yolov5==7.0.14
    parity_values.py ppyolo > tests/detect/ppyolo_values.hpp     # pip install paddlepaddle==2.6.2 paddledet==2.6.0

Run once, by hand; the test reads the tables. The packages are asked themselves, in double precision where they let it be
chosen; of yolov5 and paddledet only single files are read, so --no-deps is enough for them.
"""
import importlib.util
import math
import pathlib
import sys
import types

import numpy

IMAGES, CLASSES, ANCHORS = 2, 3, [[(6, 9), (12, 7)], [(14, 24), (30, 15)], [(40, 44), (60, 30)]]
GRIDS, STRIDES, PIXELS = (8, 4, 2), (8, 16, 32), 64


def noise(i):
    return 3 * math.sin(12.9898 * i + 0.5) + math.cos(7.1 * i)


def unit(i):
    return noise(i) / 8 + 0.5


def boxes(count):
    """(image, class, x, y, width, height); the last are on a border, in a corner and on top of another."""
    rows = [(i % IMAGES, i % CLASSES, unit(5 * i), unit(5 * i + 1), unit(5 * i + 2) ** 2, unit(5 * i + 3) ** 2)
            for i in range(count)]
    rows += [(0, 1, 0.0, 0.5, 0.25, 0.25), (1, 2, 1.0, 1.0, 0.5, 0.5), (0, 2, *rows[0][2:])]
    return rows


def head(level, channels):
    """Logits, images x anchors x rows x columns x channels."""
    n = GRIDS[level]
    size = IMAGES * 2 * n * n * channels
    return numpy.array([noise(10000 * level + i) for i in range(size)]).reshape(IMAGES, 2, n, n, channels)


def package(name):
    return pathlib.Path(importlib.util.find_spec(name).submodule_search_locations[0])


def module(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


def cut(path, begin, end):
    """The text of a file from one word to another, without what its imports would ask for."""
    text = path.read_text()
    text = text[text.index(begin):]
    return text[:text.index(end)]


def ask_yolov5():
    import torch

    torch.set_default_dtype(torch.float64)
    root = package("yolov5")
    for name in ("yolov5", "yolov5.utils", "yolov5.utils.metrics", "yolov5.utils.torch_utils"):
        sys.modules[name] = types.ModuleType(name)
    scope = {"math": math, "torch": torch}
    exec(cut(root / "utils/metrics.py", "def bbox_iou(", "\ndef "), scope)
    sys.modules["yolov5.utils.metrics"].bbox_iou = scope["bbox_iou"]
    sys.modules["yolov5.utils.torch_utils"].de_parallel = lambda model: model
    loss = module(root / "utils/loss.py", "yolov5.utils.loss")

    class Detect(torch.nn.Module):
        nl, na, nc = 3, 2, CLASSES
        stride = torch.tensor(STRIDES)
        anchors = torch.tensor(ANCHORS, dtype=torch.float64) / stride.view(-1, 1, 1)

    class Model(torch.nn.Module):
        hyp = dict(box=0.05, obj=1.0, cls=0.5, cls_pw=1.0, obj_pw=1.0, fl_gamma=0.0, anchor_t=4.0, label_smoothing=0.1)

        def __init__(self):
            super().__init__()
            self.model = torch.nn.ModuleList([Detect()])
            self.number = torch.nn.Parameter(torch.zeros(1))

    def run(autobalance, targets, best_wins=False, gr=1.0):
        compute = loss.ComputeLoss(Model(), autobalance=autobalance)
        compute.sort_obj_iou, compute.gr = best_wins, gr
        seen, plain = [], compute.BCEobj

        def recorded(prediction, target):
            seen.append(target.clone())
            return plain(prediction, target)
        compute.BCEobj = recorded
        heads = [torch.tensor(head(i, 5 + CLASSES), requires_grad=True) for i in range(3)]
        total, parts = compute(heads, targets)
        total.sum().backward()
        return compute, seen, heads, parts

    targets = torch.tensor(boxes(12))
    compute, seen, heads, parts = run(True, targets)
    classes, cells, indices, _ = compute.build_targets(heads, targets)
    for i in range(3):
        b, a, row, column = indices[i]
        yield f"yolov5_matches_{i}", "int", torch.stack((b, a, row, column, classes[i]), 1).flatten().tolist()
        yield f"yolov5_cells_{i}", "double", cells[i].flatten().tolist()
        yield f"yolov5_objectness_{i}", "double", seen[i].flatten().tolist()
        yield f"yolov5_gradient_{i}", "double", heads[i].grad[..., 4].flatten().tolist()
    yield "yolov5_losses", "double", parts.tolist()  # of boxes, objectness and classes, with gains
    yield "yolov5_balance", "double", [float(b) for b in compute.balance]
    yield "yolov5_best_objectness_0", "double", run(False, targets, True, 0.75)[1][0].flatten().tolist()
    yield "yolov5_losses_of_nothing", "double", run(False, targets[:0])[3].tolist()


def ask_ppyolo():
    import paddle
    import paddle.nn.functional as F

    paddle.set_device("cpu")
    paddle.set_default_dtype("float64")
    root = package("ppdet")
    anchors = [list(size) for level in ANCHORS for size in level]
    level, masks = 0, [[0, 1], [2, 3], [4, 5]]
    grid, stride = GRIDS[level], STRIDES[level]
    scope = {"np": numpy, "BaseOperator": object}
    exec(cut(root / "data/transform/op_helper.py", "def bbox_area(", "\ndef "), scope)
    exec(cut(root / "data/transform/op_helper.py", "def jaccard_overlap(", "\ndef "), scope)
    exec(cut(root / "data/transform/batch_operators.py", "class Gt2YoloTarget(", "\n@register_op"), scope)

    def target_of(threshold):
        assign = scope["Gt2YoloTarget"](anchors, masks, list(STRIDES), CLASSES, threshold)
        samples = []
        for image in range(IMAGES):
            rows = [(i, b) for i, b in enumerate(boxes(12)) if b[0] == image and 0 < b[2] < 1 and 0 < b[3] < 1]
            samples.append({
                "image": numpy.zeros((3, PIXELS, PIXELS)),
                "gt_bbox": numpy.array([b[2:] for _, b in rows]),
                "gt_class": numpy.array([b[1] for _, b in rows]),
                "gt_score": numpy.array([0.25 * (i % 5) for i, _ in rows])})
        return numpy.stack([sample["target0"] for sample in assign(samples)]).astype("float64"), samples

    target, samples = target_of(0.2)
    yield "ppyolo_score", "double", target[:, :, 5].flatten().tolist()
    yield "ppyolo_best_score", "double", target_of(1.0)[0][:, :, 5].flatten().tolist()
    yield "ppyolo_x", "double", target[:, :, 0].flatten().tolist()
    yield "ppyolo_log_width", "double", target[:, :, 2].flatten().tolist()

    scope = {"paddle": paddle, "F": F, "math": math, "nn": paddle.nn, "np": numpy}
    utils = root / "modeling/bbox_utils.py"
    for name in ("make_grid", "decode_yolo", "xywh2xyxy", "batch_iou_similarity", "bbox_iou"):
        exec(cut(utils, f"def {name}(", "\ndef "), scope)
    exec(cut(root / "modeling/losses/yolo_loss.py", "class YOLOv3Loss(", "\n    def yolov3_loss("), scope)
    exec(cut(root / "modeling/losses/iou_loss.py", "class IouLoss(", "\n@register"), scope)
    exec((root / "modeling/losses/iou_aware_loss.py").read_text().split("@serializable\n")[1], scope)
    exec(cut(root / "modeling/heads/yolo_head.py", "def _de_sigmoid(", "\n@register"), scope)

    logits = paddle.to_tensor(head(level, 6))  # x, y, w, h, objectness, IoU
    x, y = F.sigmoid(logits[..., 0:1]), F.sigmoid(logits[..., 1:2])
    w, h = 0.5 * logits[..., 2:3], 0.5 * logits[..., 3:4]
    objectness, iou = logits[..., 4:5].clone(), logits[..., 5:6].clone()
    objectness.stop_gradient = iou.stop_gradient = False
    most = max(len(sample["gt_bbox"]) for sample in samples)
    truth = numpy.zeros((IMAGES, most, 4))
    for i, sample in enumerate(samples):
        truth[i, :len(sample["gt_bbox"])] = sample["gt_bbox"]
    t = paddle.to_tensor(target).transpose((0, 1, 3, 4, 2))
    tobj = t[..., 5:6]
    loss = scope["YOLOv3Loss"](CLASSES, ignore_thresh=0.4)
    of_objects = loss.obj_loss([x, y, w, h], paddle.to_tensor(truth), objectness, tobj, ANCHORS[level], stride)
    of_objects = of_objects.sum(-1).mean()
    of_objects.backward()
    yield "ppyolo_objectness_loss", "double", [of_objects.item()]
    yield "ppyolo_objectness_gradient", "double", objectness.grad.numpy().flatten().tolist()

    def corners(box):
        return scope["xywh2xyxy"](scope["decode_yolo"](box, ANCHORS[level], stride))

    aware = scope["IouAwareLoss"](1.0)(iou, corners([x, y, w, h]), corners([t[..., k:k + 1] for k in range(4)]))
    aware = (aware * tobj).sum([1, 2, 3, 4]).mean()
    aware.backward()
    yield "ppyolo_iou_loss", "double", [aware.item()]
    yield "ppyolo_iou_gradient", "double", iou.grad.numpy().flatten().tolist()

    loss.label_smooth = True
    classes = paddle.to_tensor([[noise(i) for i in range(CLASSES)]])
    yield "ppyolo_class_loss", "double", loss.cls_loss(classes, paddle.to_tensor([[0.0, 1.0, 0.0]])).flatten().tolist()
    loss.num_classes = 80
    yield "ppyolo_class_loss_of_80", "double", loss.cls_loss(classes, paddle.to_tensor([[0.0, 1.0, 0.0]])).flatten().tolist()

    a, b = paddle.to_tensor([noise(i) * 4 for i in range(24)]), paddle.to_tensor([noise(100 + i) * 4 for i in range(24)])
    for alpha in (0.4, 0.5):
        score = F.sigmoid(a) ** (1 - alpha) * F.sigmoid(b) ** alpha
        yield f"ppyolo_fused_{int(10 * alpha)}", "double", score.tolist()
        yield f"ppyolo_fused_logit_{int(10 * alpha)}", "double", scope["_de_sigmoid"](score).tolist()
    yield "ppyolo_fused_logit_of_extremes", "double", scope["_de_sigmoid"](F.sigmoid(paddle.to_tensor([-50., 50.]))).tolist()


def main():
    ask, packages = {"yolov5": (ask_yolov5, "torch 2.15.0, yolov5 7.0.14"),
                     "ppyolo": (ask_ppyolo, "paddlepaddle 2.6.2, paddledet 2.6.0")}[sys.argv[1]]
    tables = list(ask())
    print("// SPDX-License-Identifier: MIT")
    print("/// What another library answers for the heads and boxes of parity_test.cpp, written by parity_values.py.")
    print(f"///   {packages}")
    print("#pragma once\n\n// clang-format off\nnamespace parity_values {\n")
    for name, kind, numbers in tables:
        print(f"inline constexpr {kind} {name}[] = {{")
        for i in range(0, len(numbers), 8):
            print("    " + ", ".join(repr(n) for n in numbers[i:i + 8]) + ",")
        print("};")
    print("\n}  // namespace parity_values\n// clang-format on")


if __name__ == "__main__":
    main()

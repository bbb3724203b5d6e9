#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The works of hone_gpu_bench in PyTorch (eager, foreach, torch.compile) and, where its wheel is, Liger.

    bench/gpu/torch_peer.py --table FILE [--seconds BUDGET] [--device cpu] [--quick] [--works N]

Buffers rotate past L2 as hone's do; CUDA events, medians. `graph_us` is the time of a call inside a CUDA graph of
many, where the host's part does not count, and `stream_us` that of calls made one after another. A loss's gradient is
compared with eager double precision on a few rows first. Compiling takes long: what the budget had no time for is in
the table as skipped.
"""
import argparse
import statistics
import sys
import time
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F

TYPES = {"float": torch.float32, "bfloat16": torch.bfloat16}
CE = "cross entropy, smoothing 0.1"
OF_OTHERS = [(32768, 256), (32768, 1024), (32768, 4096), (8192, 16384), (2048, 65536)]  # as QuACK reports, in bfloat16
PARAMETERS = 25557032


# ---- losses ---------------------------------------------------------------------------------------------------------


def cross_entropy(logits, labels, _):
    return F.cross_entropy(logits, labels, label_smoothing=0.1)


def distillation(logits, labels, teacher):
    log_student = F.log_softmax(logits / 4, dim=1)
    log_teacher = F.log_softmax(teacher / 4, dim=1)
    kl = F.kl_div(log_student, log_teacher, reduction="batchmean", log_target=True)
    return 0.7 * F.cross_entropy(logits, labels) + 0.3 * 16 * kl


def sigmoid_focal(logits, _, targets):  # as torchvision.ops.sigmoid_focal_loss
    p = torch.sigmoid(logits)
    loss = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    p_t = p * targets + (1 - p) * (1 - targets)
    alpha_t = 0.25 * targets + 0.75 * (1 - targets)
    return (alpha_t * loss * (1 - p_t) ** 2).mean()


def binary_cross_entropy(logits, _, targets):
    return F.binary_cross_entropy_with_logits(logits, targets)


def gradient_of(function, s):
    return torch.autograd.grad(function(*s), s[0])[0]


def liger(s):
    """Its forward pass also writes the gradient, over the logits."""
    from liger_kernel.ops.cross_entropy import LigerCrossEntropyFunction

    LigerCrossEntropyFunction.apply(s[0], s[1], None, -100, 0.0, 0.1, "mean")
    return s[0]


def wrong(function, seen, s):
    """How a gradient of the first rows differs from that of `function` in double, or None."""
    rows = 16
    seen = seen[:rows].detach().double().cpu() * s[0].shape[0]
    few = [None if x is None else x[:rows].detach().cpu() for x in s]
    few = [x.double() if x is not None and x.is_floating_point() else x for x in few]
    few[0].requires_grad_()
    expected = gradient_of(function, few) * min(rows, s[0].shape[0])
    error = (seen - expected).abs().max().item()
    return None if error <= 0.02 * expected.abs().max().item() else f"the gradient is off by {error:.3g}"


def sets_of(bytes_, args):
    """As many sets of buffers as it takes to pass through L2 four times before one is met again."""
    return range(2 if args.quick else 1 + max(1, 4 * args.l2 // bytes_))


def losses(function, beside, work, args):
    rows, columns, dtype = work.rows, work.columns, TYPES[work.type]
    sets = []
    for _ in sets_of((3 if beside else 2) * rows * columns * dtype.itemsize, args):
        logits = (torch.randn(rows, columns, device=args.device) * 3).to(dtype)
        labels = torch.randint(columns, (rows,), device=args.device)
        other = None
        if beside == "teacher":
            other = (torch.randn(rows, columns, device=args.device) * 3).to(dtype)
        elif beside == "targets":
            other = F.one_hot(labels, columns).to(dtype)
        sets.append((logits.requires_grad_(), labels, other))
    if work.form == "liger":
        first = (sets[0][0].detach().clone().requires_grad_(), *sets[0][1:])
        note = wrong(function, liger(first), sets[0])
        return note, [partial(liger, s) for s in sets]
    f = torch.compile(function, dynamic=False) if work.form == "compile" else function
    return wrong(function, gradient_of(f, sets[0]), sets[0]), [partial(gradient_of, f, s) for s in sets]


# ---- lists, boxes, samples: no reference, for nothing here is of our making ------------------------------------------


def resnet50(args):
    def convolution(a, b, side):
        return [a * b * side * side, b, b]

    sizes, width_in = convolution(3, 64, 7), 64
    for layer, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << layer
        for block in range(blocks):
            sizes += convolution(width_in, width, 1) + convolution(width, width, 3) + convolution(width, 4 * width, 1)
            sizes += convolution(width_in, 4 * width, 1) if block == 0 else []
            width_in = 4 * width
    return [1 + n // 2000 if args.quick else n for n in [*sizes, 2048 * 1000, 1000]]


def lists(kind, work, args):
    sizes, dtype = resnet50(args), TYPES[work.type]
    assert args.quick or sum(sizes) == PARAMETERS

    def tensors():
        return [torch.randn(n, device=args.device).to(dtype) for n in sizes]

    def average(shadow, p):
        if work.form == "foreach":
            torch._foreach_lerp_(shadow, p, 0.01)
        else:
            for s, x in zip(shadow, p):
                s.lerp_(x, 0.01)

    def norm(g):
        norms = torch._foreach_norm(g) if work.form == "foreach" else [torch.linalg.vector_norm(x) for x in g]
        return torch.linalg.vector_norm(torch.stack(norms))

    def clip(g):
        factor = torch.clamp(1 / (norm(g) + 1e-6), max=1.0)
        if work.form == "foreach":
            torch._foreach_mul_(g, factor)
        else:
            for x in g:
                x.mul_(factor)

    def step(g, p, m, shadow):
        clip(g)
        if work.form == "foreach":
            torch._foreach_mul_(m, 0.9)
            torch._foreach_add_(m, g)
            torch._foreach_add_(p, m, alpha=-1e-5)
        else:
            for a, b, c in zip(g, p, m):
                c.mul_(0.9).add_(a)
                b.add_(c, alpha=-1e-5)
        average(shadow, p)

    def clip_twice(g):
        clip(g)
        clip(g)

    function, count, per_number = {"EMA": (average, 2, 12), "norm": (norm, 1, dtype.itemsize), "clip": (clip_twice, 1, 12),
                                   "step": (step, 4, 32)}[kind]
    return None, [partial(function, *(tensors() for _ in range(count))) for _ in sets_of(per_number * sum(sizes), args)]


def boxes(work, args):
    import torchvision.ops

    def some(n, spread):
        corner = torch.rand(n, 2, device=args.device) * spread
        return torch.cat([corner, corner + 20 + 30 * torch.rand(n, 2, device=args.device)], 1)

    n, sets = work.rows, []
    for _ in sets_of((48 if work.name == "CIoU" else 28) * n, args):
        if work.name == "CIoU":
            x = some(n, 1000)
            sets.append((x.requires_grad_(), (x.detach() + 5 * torch.rand_like(x))))
        else:
            sets.append((some(n, 900), torch.rand(n, device=args.device)))
    if work.name != "CIoU":
        return None, [partial(torchvision.ops.nms, *s, 0.5) for s in sets]

    def function(a, b):
        return torchvision.ops.complete_box_iou_loss(a, b, reduction="mean")

    return None, [partial(gradient_of, function, s) for s in sets]


def mixup(work, args):
    def function(images, partner, part):
        return torch.lerp(images[partner], images, part)

    f = torch.compile(function, dynamic=False) if work.form == "compile" else function
    sets = [(torch.rand(work.rows, work.columns, device=args.device), torch.randperm(work.rows, device=args.device),
             torch.rand(work.rows, 1, device=args.device)) for _ in sets_of(8 * work.rows * work.columns, args)]
    return None, [partial(f, *s) for s in sets]


# ---- what is timed ----------------------------------------------------------------------------------------------------


@dataclass
class Work:
    name: str
    rows: int
    columns: int
    type: str
    form: str
    prepare: object  # (work, args) -> what is wrong, and a function per set of buffers


def works(args):
    """By form; of each name the first shape before the second."""
    forms = ["eager", "foreach", *(["liger"] if args.liger else []), "compile"]
    all_ = []

    def add(name, prepare, shapes, of=("eager", "compile"), types=("float", "bfloat16")):
        for i, (rows, columns) in enumerate(shapes):
            if args.quick:
                columns = min(columns, 32768)
                rows = max(2, min(rows, 32768 // columns))
            for type_ in types:
                all_.extend((forms.index(f), i, Work(name, rows, columns, type_, f, prepare)) for f in of if f in forms)

    dense = [(100000, 80)]
    add(CE, partial(losses, cross_entropy, None),
        [(8192, 1000), (65536, 10), (1024, 32000), (100000, 80), (2048, 50257), (1024, 128256)],
        ("eager", "liger", "compile"))
    add("EMA", partial(lists, "EMA"), [(1, PARAMETERS)], ("eager", "foreach"), ("float",))
    add("measure: norm", partial(lists, "norm"), [(1, PARAMETERS)], ("eager", "foreach"))
    add("transform twice: clip by norm", partial(lists, "clip"), [(1, PARAMETERS)], ("eager", "foreach"), ("float",))
    add("step: clip, SGD, EMA", partial(lists, "step"), [(1, PARAMETERS)], ("eager", "foreach"), ("float",))
    add("CIoU", boxes, [(1000000, 4)], ("eager",), ("float",))
    add("NMS, threshold 0.5", boxes, [(10000, 4)], ("eager",), ("float",))
    add("mixup", mixup, [(256, 3 * 224 * 224)], types=("float",))
    add("sigmoid focal, dense targets", partial(losses, sigmoid_focal, "targets"), dense)
    add("binary cross entropy, dense targets", partial(losses, binary_cross_entropy, "targets"), dense)
    add("distillation T=4 + cross entropy", partial(losses, distillation, "teacher"), [(8192, 1000), (65536, 10)])
    add(CE, partial(losses, cross_entropy, None), OF_OTHERS, ("eager", "liger", "compile"), ("bfloat16",))
    return [w for _, _, w in sorted(all_, key=lambda x: x[:2])]


def seconds_of(work, device):
    if device == "cpu":
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    work()
    end.record()
    end.synchronize()
    return 1e-3 * begin.elapsed_time(end)


def median_us(work, calls, args):
    deadline = time.perf_counter() + args.warm
    once = seconds_of(work, args.device)
    while time.perf_counter() < deadline:
        once = seconds_of(work, args.device)
    rounds = 1 if args.quick else max(7, min(101, int(0.15 / max(once, 1e-6))))
    return 1e6 * statistics.median(seconds_of(work, args.device) for _ in range(rounds)) / calls


def timed(calls, args):
    """Microseconds of a call in a graph (None where it cannot be captured, with the reason) and on a stream."""

    def all_sets():
        for c in calls:
            c()

    stream_us = median_us(all_sets, len(calls), args)
    if args.device == "cpu":
        return None, stream_us, "no graphs on a CPU"
    try:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            all_sets()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        turns = max(1, min(1000 // len(calls), int(1000 / (stream_us * len(calls)))))
        with torch.cuda.graph(graph):
            for _ in range(turns):
                all_sets()
        return median_us(graph.replay, turns * len(calls), args), stream_us, ""
    except Exception as error:  # PyTorch's errors of capture are of many kinds
        torch.cuda.synchronize()
        return None, stream_us, "no graph: " + first_line(error)


def first_line(error):
    text = (str(error) or type(error).__name__).splitlines()[0].replace("\t", " ")
    return text[:120]


def done(work, args, deadline):
    """What is written of a work: graph_us, stream_us, a note, and whether its result was wrong."""
    if time.perf_counter() > deadline - (10 if work.form == "compile" else 0):
        return None, None, "skipped: no time left", False
    try:
        if work.form == "compile":
            torch._dynamo.reset()
        note, calls = work.prepare(work, args)
        return (None, None, note, True) if note else (*timed(calls, args), False)
    except Exception as error:
        return None, None, "failed: " + first_line(error), False
    finally:
        if args.device == "cuda":
            torch.cuda.empty_cache()


def has_liger():
    try:
        import liger_kernel.ops.cross_entropy  # noqa: F401
    except Exception:  # what it needs is missing, or too old
        return False
    return True


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--table", required=True)
    p.add_argument("--seconds", type=float, default=150, help="for everything")
    p.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    p.add_argument("--quick", action="store_true", help="few rows, one round: shows that everything runs")
    p.add_argument("--works", type=int, default=1000, help="no more than so many")
    args = p.parse_args()
    args.warm = 0 if args.quick else 0.05
    deadline = time.perf_counter() + args.seconds
    args.l2 = 0
    if args.device == "cuda":
        if not torch.cuda.is_available():
            print("PyTorch sees no CUDA device", file=sys.stderr)
            return 2
        args.l2 = getattr(torch.cuda.get_device_properties(0), "L2_cache_size", 64 << 20)  # not in old versions
    args.liger = args.device == "cuda" and has_liger()
    torch.manual_seed(1)
    failed = False
    with open(args.table, "w", encoding="utf-8") as table:
        print(f"# PyTorch\t{torch.__version__}\n# Liger\t{'yes' if args.liger else 'not found'}", file=table)
        print("work\trows\tcolumns\ttype\tform\tgraph_us\tstream_us\tnote", file=table)
        for w in works(args)[: args.works]:
            graph_us, stream_us, note, bad = done(w, args, deadline)
            failed = failed or bad
            numbers = "\t".join("" if us is None else f"{us:.3f}" for us in (graph_us, stream_us))
            print(f"{w.name}\t{w.rows}\t{w.columns}\t{w.type}\t{w.form}\t{numbers}\t{note}", file=table, flush=True)
            print(f"{w.form:8} {w.name}, {w.rows} x {w.columns}, {w.type}: {numbers or '-'} {note}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

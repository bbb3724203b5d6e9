#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The works of losses.cuh in PyTorch, eager and compiled: the loss and its gradient by the logits.

    bench/gpu/torch_peer.py --table FILE [--seconds BUDGET] [--device cpu] [--quick]

Buffers rotate past L2 as hone's do; CUDA events, medians. `graph_us` is the time of a call inside a CUDA graph of
many, where the host's part does not count, and `stream_us` that of calls made one after another. Each form's gradient
is compared with eager double precision on a few rows first. Compiling takes long: what the budget had no time for is
in the table as skipped.
"""
import argparse
import statistics
import sys
import time

import torch
import torch.nn.functional as F


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


# (name, function, what lies beside the logits, shapes); the first of each are compiled first
WORKS = [
    ("cross entropy, smoothing 0.1", cross_entropy, None,
     [(8192, 1000), (65536, 10), (1024, 32000), (100000, 80), (1024, 100000)]),
    ("distillation T=4 + cross entropy", distillation, "teacher", [(8192, 1000), (65536, 10)]),
    ("sigmoid focal, dense targets", sigmoid_focal, "targets", [(100000, 80)]),
    ("binary cross entropy, dense targets", binary_cross_entropy, "targets", [(100000, 80)]),
]
TYPES = {"float": torch.float32, "bfloat16": torch.bfloat16}


class Data:
    """As many sets of buffers as it takes to pass through L2 four times before one is met again."""

    def __init__(self, rows, columns, dtype, beside, args):
        n = rows * columns
        self.bytes = (3 if beside else 2) * n * dtype.itemsize
        self.bytes += 8 * rows if beside != "targets" else 0
        count = 2 if args.quick else 1 + max(1, 4 * args.l2 // self.bytes)
        self.sets = []
        for _ in range(count):
            logits = (torch.randn(rows, columns, device=args.device) * 3).to(dtype)
            labels = torch.randint(columns, (rows,), device=args.device)
            other = None
            if beside == "teacher":
                other = (torch.randn(rows, columns, device=args.device) * 3).to(dtype)
            elif beside == "targets":
                other = F.one_hot(labels, columns).to(dtype)
            self.sets.append((logits.requires_grad_(), labels, other))


def call(function, s):
    return torch.autograd.grad(function(*s), s[0])[0]


def wrong(function, plain, s):
    """How the gradient of the first rows differs from that of `plain` in double, or None."""
    rows = 16
    seen = call(function, s)[:rows].double().cpu() * s[0].shape[0]
    few = [None if x is None else x[:rows].detach().cpu() for x in s]
    few = [x.double() if x is not None and x.is_floating_point() else x for x in few]
    few[0].requires_grad_()
    expected = call(plain, few) * min(rows, s[0].shape[0])
    error = (seen - expected).abs().max().item()
    return None if error <= 0.02 * expected.abs().max().item() else f"the gradient is off by {error:.3g}"


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
    rounds = 1 if args.quick else max(7, min(101, int(0.4 / max(once, 1e-6))))
    return 1e6 * statistics.median(seconds_of(work, args.device) for _ in range(rounds)) / calls


def timed(function, data, args):
    """Microseconds of a call in a graph (None where it cannot be captured, with the reason) and on a stream."""
    sets = data.sets

    def all_sets():
        for s in sets:
            call(function, s)

    stream_us = median_us(all_sets, len(sets), args)
    if args.device == "cpu":
        return None, stream_us, "no graphs on a CPU"
    try:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            all_sets()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        turns = max(1, min(1000 // len(sets), int(1000 / (stream_us * len(sets)))))
        with torch.cuda.graph(graph):
            for _ in range(turns):
                all_sets()
        return median_us(graph.replay, turns * len(sets), args), stream_us, ""
    except Exception as error:  # PyTorch's errors of capture are of many kinds
        torch.cuda.synchronize()
        return None, stream_us, "no graph: " + first_line(error)


def first_line(error):
    text = (str(error) or type(error).__name__).splitlines()[0].replace("\t", " ")
    return text[:120]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--table", required=True)
    p.add_argument("--seconds", type=float, default=150, help="for everything")
    p.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    p.add_argument("--quick", action="store_true", help="few rows, one round: shows that everything runs")
    args = p.parse_args()
    args.warm = 0 if args.quick else 0.1
    deadline = time.perf_counter() + args.seconds
    if args.device == "cuda":
        if not torch.cuda.is_available():
            print("PyTorch sees no CUDA device", file=sys.stderr)
            return 2
        args.l2 = getattr(torch.cuda.get_device_properties(0), "L2_cache_size", 64 << 20)  # not in old versions
    else:
        args.l2 = 0
    torch.manual_seed(1)
    failed = False
    with open(args.table, "w") as table:
        print(f"# PyTorch\t{torch.__version__}", file=table)
        print("work\trows\tcolumns\ttype\tform\tgraph_us\tstream_us\tnote", file=table)
        todo = [(form, name, function, beside, shape, type_)
                for form in ("eager", "compile")
                for i in range(max(len(w[3]) for w in WORKS))  # every work's first shape, then the second ones
                for name, function, beside, shapes in WORKS
                for shape in shapes[i:i + 1]
                for type_ in TYPES]
        for form, name, function, beside, (rows, columns), type_ in todo:
            graph_us = stream_us = None
            if args.quick:
                rows = max(2, min(rows, 32768 // columns))
            if time.perf_counter() > deadline - (0 if form == "eager" else 10):
                note = "skipped: no time left"
            else:
                try:
                    data = Data(rows, columns, TYPES[type_], beside, args)
                    if form == "compile":
                        torch._dynamo.reset()
                    f = torch.compile(function, dynamic=False) if form == "compile" else function
                    note = wrong(f, function, data.sets[0])
                    if note:
                        failed = True
                    else:
                        graph_us, stream_us, note = timed(f, data, args)
                except Exception as error:
                    note = "failed: " + first_line(error)
                data = None
                if args.device == "cuda":
                    torch.cuda.empty_cache()
            numbers = "\t".join("" if us is None else f"{us:.3f}" for us in (graph_us, stream_us))
            print(f"{name}\t{rows}\t{columns}\t{type_}\t{form}\t{numbers}\t{note}", file=table, flush=True)
            print(f"{form:8} {name}, {rows} x {columns}, {type_}: {numbers or '-'} {note}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The cost of hone's messages between ranks, computed from a model of latency and bandwidth. Nothing here is measured.

    distributed_cost.py            prints the tables
    distributed_cost.py --check    status 1 where docs/distributed_cost.md shows other tables
    distributed_cost.py --write    puts the tables into the page
"""
import math
import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().with_suffix(".md")
RANKS = (2, 8, 64, 512, 4096)

# A link: seconds that a message takes to the next rank whatever its size, and bytes per second of one rank.
LINKS = {
    "one machine, NVLink": (3e-6, 300e9),
    "InfiniBand, 400 Gbit/s a rank": (8e-6, 45e9),
    "Ethernet, 25 Gbit/s a rank": (25e-6, 2.8e9),
}
# A model: parameters, bytes of a gradient, seconds of forward and backward of a rank's batch.
MODELS = {
    "multilayer perceptron, 0.5 M": (0.5e6, 4, 0.5e-3),
    "ResNet-50, 26 M": (25.6e6, 4, 90e-3),
    "transformer, 1.3 G": (1.3e9, 2, 400e-3),
    "transformer, 70 G": (70e9, 2, 8.0),
}
WORD = 8
EXACT = 71  # words of hone::exact_sum
DIVISORS = WORD * (2 + 1)  # status, and a count of rows
PACKED = WORD * (2 + 12 + 4 * EXACT + 3 * EXACT + 6)  # status, whether ranks agree, sums of the norm, hone::step_sums


def small(message, ranks, link):
    """Up a binary tree and down again: what matters of a small message is its latency."""
    latency, bandwidth = link
    return 2 * math.ceil(math.log2(ranks)) * (latency + message / bandwidth)


def large(message, ranks, link):
    """The best of a ring and a pipelined tree: each rank sends and receives the message about twice."""
    latency, bandwidth = link
    ring = 2 * (ranks - 1) * latency + 2 * message * (ranks - 1) / ranks / bandwidth
    tree = 2 * math.ceil(math.log2(ranks)) * latency + 2 * message / bandwidth
    return min(ring, tree)


def seconds(x):
    for unit, scale in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if x >= scale:
            return f"{x / scale:.3g} {unit}"
    return "0"


def of_messages():
    yield "| link | message | " + " | ".join(f"{w} ranks" for w in RANKS) + " |"
    yield "|---|---|" + "---|" * len(RANKS)
    for name, link in LINKS.items():
        for message, size in (("divisors", DIVISORS), ("packed sum", PACKED)):
            yield f"| {name} | {message}, {size} bytes | " + " | ".join(seconds(small(size, w, link)) for w in RANKS) + " |"


def of_steps():
    yield "| model | link | ranks | forward, backward | sum of gradients | hone: packed sum | of the step | hone: both |"
    yield "|---|---|---|---|---|---|---|---|"
    for model, (parameters, size, compute) in MODELS.items():
        for name, link in LINKS.items():
            for ranks in (8, 512, 4096):
                if ("one machine" in name) != (ranks == 8):
                    continue
                gradients = large(parameters * size, ranks, link)
                step = max(compute, gradients)  # all of it overlaps but the shorter one's end
                packed, both = small(PACKED, ranks, link), small(PACKED, ranks, link) + small(DIVISORS, ranks, link)
                yield (f"| {model} | {name} | {ranks} | {seconds(compute)} | {seconds(gradients)} | {seconds(packed)} | "
                       f"{100 * packed / (step + packed):.2g} % | {100 * both / (step + both):.2g} % |")


def of_classes():
    yield "| classes | ranks | rows of a block | messages | bytes a row | both messages | the same by gathered logits |"
    yield "|---|---|---|---|---|---|---|"
    link = LINKS["one machine, NVLink"]
    for classes, ranks in ((32_000, 8), (128_256, 8), (10_000_000, 64)):
        rows = 1024
        of_row = 2 * WORD + 3 * WORD  # a maximum and the status of a block; Σ exp, the label's logit, Σ of logits
        time = small(rows * WORD, ranks, link) + small(rows * 3 * WORD, ranks, link)
        gathered = rows * classes * 4 * (ranks - 1) / ranks / link[1]
        yield f"| {classes:,} | {ranks} | {rows} | 2 | {of_row} | {seconds(time)} | {seconds(gathered)} |"


TABLES = {"messages": of_messages, "steps": of_steps, "classes": of_classes}
BLOCK = re.compile(r"(<!-- computed: (?P<name>\w+) -->\n)(?P<text>.*?)(?P<end>^<!-- /computed -->$)", re.S | re.M)


def main(arguments):
    if not arguments:
        print("\n\n".join("\n".join(table()) for table in TABLES.values()))
        return 0
    text = PAGE.read_text(encoding="utf-8")
    new = BLOCK.sub(lambda m: m[1] + "\n".join(TABLES[m["name"]]()) + "\n" + m["end"], text)
    if "--write" in arguments:
        PAGE.write_text(new, encoding="utf-8")
        return 0
    shown = [m["name"] for m in BLOCK.finditer(text)]
    if new != text or sorted(shown) != sorted(TABLES):
        print(f"{PAGE.name}: not the tables that {Path(__file__).name} computes")
        return 1
    print(f"{PAGE.name} shows the {len(TABLES)} computed tables")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the include graph of include/hone by rooms: how many headers, floors and arrows, and the longest ways.

    graph.py INCLUDE_DIRECTORY     status 1 if headers, or rooms, include each other in a circle
"""
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from doors import INCLUDE
from layering import EVERY_TIME, SHARED, is_door

VERBS = {"evaluate": ("cpu/evaluate.hpp", "cuda/evaluate.cuh"),
         "transform": ("cpu/tensors/transform.hpp", "cuda/tensors/transform.cuh"),
         "update": ("cpu/tensors/update.hpp", "cuda/tensors/update.cuh")}


def includes(root):
    """Each header's includes of hone, doors left out."""
    graph = {}
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".hpp", ".cuh")):
        name = path.relative_to(root).as_posix()
        if not is_door(name):
            found = INCLUDE.findall(path.read_text(encoding="utf-8"))
            graph[name] = [n for n in found if n not in EVERY_TIME and not is_door(n)]
    return graph


def room_of(name):
    """The folder of a header; parts that rooms of a folder share are a room of their own."""
    folder = name.rpartition("/")[0] or name
    return f"{folder} (shared)" if name in SHARED else folder


def rooms(graph):
    between = {room_of(name): set() for name in graph}
    for name, others in graph.items():
        between[room_of(name)] |= {room_of(other) for other in others} - {room_of(name)}
    return between


def longest(graph):
    """For each node the longest way down from it; a circle is a ValueError with its nodes."""
    way, on_way = {}, []

    def visit(node):
        if node in way:
            return way[node]
        if node in on_way:
            raise ValueError(" -> ".join([*on_way[on_way.index(node):], node]))
        on_way.append(node)
        below = [visit(other) for other in sorted(graph.get(node, ()))]
        on_way.pop()
        way[node] = [node, *max(below, key=len, default=[])]
        return way[node]

    for node in sorted(graph):
        visit(node)
    return way


def main(root):
    graph = includes(root)
    between = rooms(graph)
    try:
        ways, floors = longest(graph), longest(between)
    except ValueError as circle:
        print(f"a circle: {circle}")
        return 1
    print(f"{len(graph)} headers in {len(between)} rooms, {max(len(w) for w in floors.values())} floors, "
          f"{sum(len(others) for others in between.values())} arrows, no circle\n")
    for room in sorted(between, key=lambda r: (len(floors[r]), r)):
        count = sum(room_of(name) == room for name in graph)
        print(f"floor {len(floors[room])}  {room:22} {count:3} headers  -> {', '.join(sorted(between[room])) or 'nothing'}")
    for verb, headers in VERBS.items():
        for header in headers:
            if header in graph:
                print(f"\n{verb}, {len(ways[header])} headers deep: {' -> '.join(ways[header])}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])) if len(sys.argv) == 2 else __doc__)

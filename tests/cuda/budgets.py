#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts what the main CUDA kernels issue per element, and compares it with the budgets of tests/cuda/budgets.json.

    budgets.py [--nvcc PROGRAM] [--cuobjdump PROGRAM]     compiles budgets.cu for sm_90, prints the table; status 1 where a
                                                          kernel is over what the table allows, 77 where nothing can be said
    budgets.py --write                                    stores what is reached where that is better, and writes the page
    budgets.py --write --before                           stores it as what there was before, too
    budgets.py --page                                     status 1 where docs/cuda_budgets.md shows another table
    budgets.py --sass FILE --table FILE                   the same for the text of a disassembly: see budgets_catches.py

--cubin FILE keeps or, where it exists, reads the compiled kernels. How to read the table: docs/cuda_budgets.md.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
from sass import Graph, kernels_of, least_trip

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "cuda_budgets.md"
SKIPPED = 77
ALIASES = {"load16": r"LDG?\.(\w+\.)*128", "store16": r"STG?\.(\w+\.)*128"}

# sm_90: of a multiprocessor, and the units in which a warp gets registers
THREADS, BLOCKS, REGISTERS, SHARED, REGISTER_UNIT = 2048, 32, 65536, 228 * 1024, 256

# What is counted: title, digits, and whether more is better (None: shown only). "sass" has the budget.
COLUMNS = {
    "sass": ("SASS per element", 1, False),
    "registers": ("registers", 0, None),
    "shared": ("shared bytes", 0, None),
    "blocks": ("blocks per SM", 0, True),
    "flight": ("KiB in flight per SM", 0, True),
    "doubles": ("FP64 per element", 2, False),
    "calls": ("calls", 0, False),
    "generic": ("generic accesses", 0, False),
    "narrow": ("narrow accesses", 0, False),
    "spills": ("spills", 0, False),
}

DEPENDENT = re.compile("row_kernel_of|held_row_kernel|tile_kernel|small_team_kernel|element_kernel")  # they call read_scales


class Wrong(Exception):
    """The table does not fit the kernels."""


def pattern_of(need):
    return ALIASES.get(need, need.replace(".", r"\."))


def blocks_per_sm(registers, threads, shared):
    per_warp = -(-32 * registers // REGISTER_UNIT) * REGISTER_UNIT
    warps = threads // 32
    limits = [BLOCKS, THREADS // threads, REGISTERS // per_warp // warps if registers else BLOCKS]
    return min(limits + ([SHARED // shared] if shared else []))


def measured(row, kernels):
    """What a row of the table asks of a kernel: counted on the shortest trip of each of its sweeps."""
    found = [k for k in kernels if re.search(row["match"], k.name)]
    label = f"{row['name']}, {row['type']}"
    if len(found) != 1:
        raise Wrong(f"{label}: {len(found)} kernels match {row['match']}")
    kernel, graph = found[0], Graph(found[0].code)
    is_load = re.compile(ALIASES["load16"]).match
    result = dict.fromkeys(COLUMNS, 0)
    for number, sweep in enumerate(row["sweeps"], 1):
        needs, n = sweep["needs"], sweep["elements"]
        trip = least_trip(graph, {pattern_of(k): v for k, v in needs.items()})
        if not trip.code:
            raise Wrong(f"{label}: sweep {number}: no loop does {needs}")
        loads = trip.count(lambda i: bool(is_load(i.opcode)))
        plain = trip.count(lambda i: bool(is_load(i.opcode)) and not i.predicate)  # the others may be skipped
        if "load16" in needs and not 16 * plain <= n * row["bytes_per_element"] <= 16 * loads:
            raise Wrong(f"{label}: sweep {number} loads {16 * loads} bytes, which are not {n} elements")
        result["sass"] += len(trip.code) / n
        result["doubles"] += trip.count(lambda i: i.is_double()) / n
        result["calls"] += trip.count(lambda i: i.opcode.startswith("CALL"))
        result["generic"] += trip.count(lambda i: i.is_generic())
        if "load16" in needs or "store16" in needs:  # of the numbers: as narrow as a label is none of the loads of a long row
            result["narrow"] += trip.count(lambda i: 0 < i.memory_bytes() < 16 and not i.predicate)
        requested = min(trip.bytes_in_flight(), n * row["bytes_per_element"])
        if "LDGSTS" in needs:  # copies into shared memory use no register: all of them are requested before one is used
            requested = row["dynamic_shared"] / row["threads"]
        result["flight"] = max(result["flight"], requested)
    shared = kernel.shared + row["dynamic_shared"]
    result["registers"], result["shared"] = kernel.registers, shared
    result["blocks"] = blocks_per_sm(kernel.registers, row["threads"], shared)
    result["flight"] = result["flight"] * row["threads"] * result["blocks"] / 1024
    result["spills"] = sum(1 for i in kernel.code if re.match(r"(LDL|STL)\b", i.opcode))
    return {key: rounded(value, COLUMNS[key][1]) for key, value in result.items()}


def rounded(value, digits):
    return round(value + 1e-9, digits) if digits else int(value + 0.5)


def allowed(row, key):
    """The limit of a number: what is reached, or the budget where that is kept."""
    limit = row["reached"][key]
    return max(limit, row["budget"]) if key == "sass" and row["budget"] is not None else limit


def complaints(row, now):
    for key, (title, _, more) in COLUMNS.items():
        if more is None:
            continue
        limit = allowed(row, key)
        if now[key] < limit if more else now[key] > limit:
            yield (f"{row['name']}, {row['type']}: {title} {now[key]}, the table allows {'at least' if more else 'at most'} {limit}")


def hasty(kernels):
    """The kernels that may begin before the ones that count their rows end, and touch memory before they wait for them."""
    for kernel in kernels:
        if not DEPENDENT.search(kernel.name):
            continue
        wait = next((n for n, i in enumerate(kernel.code) if i.opcode == "ACQBULK"), None)
        if wait is None or any(i.memory_bytes() for i in kernel.code[:wait]):
            yield f"{kernel.name} does not wait for its prerequisites before it reads or writes"


def lines_of(rows, numbers):
    """The table, as it is printed and as the page shows it."""
    yield "| kernel | type | budget | before | " + " | ".join(title for title, _, _ in COLUMNS.values()) + " |"
    yield "|---|---|" + "---|" * (len(COLUMNS) + 2)
    for row, now in zip(rows, numbers):
        budget = "" if row["budget"] is None else row["budget"]
        reached = [f"{now[key]:.{digits}f}" for key, (_, digits, _) in COLUMNS.items()]
        if row["budget"] is not None and now["sass"] > row["budget"]:
            reached[0] = f"**{reached[0]}**"
        yield f"| {row['name']} | {row['type']} | {budget} | {row['before']:.1f} | " + " | ".join(reached) + " |"


BLOCK = re.compile(r"(<!-- computed: budgets -->\n).*?(^<!-- /computed -->$)", re.S | re.M)


def page_of(text, table):
    shown = "\n".join(lines_of(table["kernels"], [row["reached"] for row in table["kernels"]]))
    return BLOCK.sub(lambda m: m[1] + shown + "\n" + m[2], text)


def stored(table):
    rows = ",\n".join("  " + json.dumps(row) for row in table["kernels"])
    return f'{{\n "nvcc": {json.dumps(table["nvcc"])},\n "kernels": [\n{rows}\n ]\n}}\n'


def run(*command, **how):
    return subprocess.run(command, check=True, capture_output=True, text=True, **how).stdout


def program(given, name, beside=None):
    """A program that is given, in the path, beside another one, or of ./run deps; None where there is none."""
    folders = [Path(beside).parent] if beside else []
    folders += [Path("/usr/local/cuda/bin"), *sorted((ROOT / ".deps" / "cuda").glob("nvidia/*/bin"))]
    return shutil.which(given or name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders)]))


def disassembled(arguments, table):
    """The kernels of budgets.cu, or a text that says why there are none."""
    nvcc = program(arguments.nvcc, "nvcc")
    if not nvcc:
        return "no nvcc"
    release = re.search(r"release (\d+\.\d+)", run(nvcc, "--version"))[1]
    if release != table["nvcc"]:
        return f"the table is of nvcc {table['nvcc']}, this one is {release}"
    cuobjdump = program(arguments.cuobjdump, "cuobjdump", nvcc)
    if not cuobjdump:
        return ("no cuobjdump: it is in the CUDA toolkit and, with the nvdisasm that it calls, in PyPI's packages "
                "nvidia-cuda-cuobjdump and nvidia-cuda-nvdisasm, which ./run deps installs")
    with tempfile.TemporaryDirectory() as folder:
        cubin = Path(arguments.cubin or Path(folder) / "budgets.cubin")
        if not cubin.exists():
            run(nvcc, "-std=c++20", "-I", str(ROOT / "include"), "-gencode", "arch=compute_90,code=sm_90", "-cubin",
                str(HERE / "budgets.cu"), "-o", str(cubin))
        environment = {**os.environ, "PATH": os.pathsep.join([str(Path(cuobjdump).resolve().parent), os.environ.get("PATH", "")])}
        text = [run(cuobjdump, option, str(cubin), env=environment) for option in ("-sass", "--dump-resource-usage")]
    return kernels_of(*text)


def main(words):
    parser = argparse.ArgumentParser()
    for name in ("nvcc", "cuobjdump", "cubin", "sass"):
        parser.add_argument("--" + name)
    parser.add_argument("--table", type=Path, default=HERE / "budgets.json")
    for name in ("write", "before", "page"):
        parser.add_argument("--" + name, action="store_true")
    arguments = parser.parse_args(words)
    table = json.loads(arguments.table.read_text(encoding="utf-8"))
    if arguments.page:
        text = PAGE.read_text(encoding="utf-8")
        if len(BLOCK.findall(text)) == 1 and page_of(text, table) == text:
            print(f"{PAGE.name} shows the table of {arguments.table.name}")
            return 0
        print(f"{PAGE.name} shows another table than {arguments.table.name}: budgets.py --write")
        return 1
    kernels = kernels_of(Path(arguments.sass).read_text()) if arguments.sass else disassembled(arguments, table)
    if isinstance(kernels, str):
        print(f"SKIPPED, the kernels' instructions are not counted: {kernels}")
        return SKIPPED
    rows = table["kernels"]
    try:
        numbers = [measured(row, kernels) for row in rows]
    except Wrong as wrong:
        print(wrong)
        return 1
    if arguments.write:
        for row, now in zip(rows, numbers):
            if arguments.before:
                row["before"] = now["sass"]
            kept = row.get("reached", now)
            worse = any(now[k] < kept[k] if more else now[k] > kept[k] for k, (_, _, more) in COLUMNS.items() if more is not None)
            row["reached"] = kept if worse else now
        arguments.table.write_text(stored(table), encoding="utf-8")
        if PAGE.exists():
            PAGE.write_text(page_of(PAGE.read_text(encoding="utf-8"), table), encoding="utf-8")
    print("\n".join(lines_of(rows, numbers)))
    said = [text for row, now in zip(rows, numbers) for text in complaints(row, now)]
    for text in said:
        print("OVER THE BUDGET:", text)
    early = list(hasty(kernels))
    print(*early, sep="\n", end="\n" if early else "")
    said += early
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

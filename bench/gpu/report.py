# SPDX-License-Identifier: MIT
"""What ./run gpu saw, as a page, as JSON, and the logs as one archive."""
import csv
import io
import json
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "cuda"))
import model
from steps import FAILED, LATE, slug

HOW = """"Of copy" is the time of a copy that moves as many bytes, the faster one of cudaMemcpyAsync and a kernel, in turns
with the work, divided by the work's time. All times are medians, on buffers that rotate past L2, in a CUDA graph of many
calls; "alone" is a call's time where the host enqueues each. PyTorch's and Liger's are of the same work, likewise in
graphs; a number is how many times hone's time theirs is."""
FORMS = ("eager", "foreach", "compile", "liger")


def name_of(machine):
    return "gpu-" + slug(machine.removeprefix("NVIDIA "))


def value_of(text):
    """What looks like a number is one, and nothing is None."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text or None


def table_of(path):
    """The rows of a file of tabs with a line of names, and what its lines that begin with # say."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    facts = dict(line[2:].split("\t", 1) for line in lines if line.startswith("# ") and "\t" in line)
    lines = [line.split("\t") for line in lines if line and not line.startswith("#")]
    whole = [line for line in lines[1:] if len(line) == len(lines[0])]  # the last one may have been cut off
    return [{k: value_of(v) for k, v in zip(lines[0], line)} for line in whole], facts


def counters_of(path):
    """The launches in a CSV of ncu: names of columns, units, and a line per launch."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    lines = [line for line in text.splitlines() if line.startswith('"')]
    rows = list(csv.reader(io.StringIO("\n".join(lines))))
    if len(rows) < 3 or "Kernel Name" not in rows[0]:
        return []
    names, units = rows[0], rows[1]
    keep = [i for i, n in enumerate(names) if "__" in n]
    return [{"kernel": row[names.index("Kernel Name")],
             **{f"{names[i]}{f' [{units[i]}]' if units[i] else ''}": value_of(row[i].replace(",", "")) for i in keep}}
            for row in rows[2:] if len(row) == len(names)]


def line(*cells):
    return "| " + " | ".join("" if c is None else str(c) for c in cells) + " |"


def titles(*names):
    return [line(*names), "|" + "---|" * len(names)]


def shape_of(row):
    return f"{row['rows']} x {row['columns']}"


def key_of(row):
    return row["work"], row["rows"], row["columns"], row["type"]


def figures(hone, peers):
    best = max((r["bytes"] / t * 1e-3 for r in hone for t in (r["memcpy_us"], r["copy_kernel_us"]) if t), default=0)
    yield from ("", "## Works", "", f"The fastest copy in this run moved {best:.0f} GB/s, read and written bytes counted.")
    yield from (HOW, "", *titles("work", "shape", "type", "µs", "alone", "GB/s", "of copy", *(f"x {f}" for f in FORMS)))
    us = {(key_of(p), p["form"]): p["graph_us"] for p in peers}
    for r in hone:
        times = [us.get((key_of(r), form)) for form in FORMS]
        yield line(r["work"], shape_of(r), r["type"], f"{r['graph_us']:.1f}", f"{r['stream_us']:.1f}",
                   f"{r['GB_per_s']:.0f}", f"{r['of_copy']:.2f}", *(f"{t / r['graph_us']:.1f}" if t else "" for t in times))


def claims(hone, facts):
    """What the model of docs/cuda_model.md predicts for this machine, beside what was measured."""
    copies = [r["bytes"] / t * 1e-3 for r in hone for t in (r["memcpy_us"], r["copy_kernel_us"]) if t]
    chip = model.chip_of(facts, max(copies)) if copies else None
    judged = model.compared(model.table(), hone, chip) if chip else []
    if not judged:
        return
    held = sum(1 for j in judged if j["held"])
    yield from ("", "## The model", "", f"{held} of {len(judged)} predictions of docs/cuda_model.md held, for this machine's "
                f"{chip.multiprocessors} multiprocessors at {chip.clock / 1e9:.2f} GHz and its copy of {chip.copy / 1e9:.0f}"
                f" GB/s: measured is within {model.TOLERANCE:.0%} of what is predicted.", "",
                *titles("kernel", "type", "work", "bound by", "predicted", "measured", "held"))
    for j in judged:
        yield line(j["kernel"], j["type"], f"{j['work']}, {j['shape']}", j["bound"], f"{j['predicted']:.2f}",
                   f"{j['measured']:.2f}", "yes" if j["held"] else "**no**")


def launches(counters):
    if not counters:
        return
    names = [k for k in counters[0] if k != "kernel"]
    yield from ("", "## One launch of each kernel, by ncu", "", *titles("kernel", *names))
    for c in counters:
        yield line(c["kernel"].split("(")[0].split("<")[0][-60:], *(c.get(n) for n in names))


def page(machine, facts, steps, hone, peers, counters, simulated):
    yield f"# hone on {machine}\n"
    if simulated:
        yield "**SIMULATED, with stand-ins for the tools of NVIDIA: no number means anything.**\n"
    yield f"Written by ./run gpu; {name_of(machine)}.json beside this file has all of it.\n\n| | |\n|---|---|"
    yield from (line(k, v) for k, v in facts.items())
    yield from ("", "## What was run", "", *titles("step", "outcome", "seconds", ""))
    yield from (line(s.name, s.outcome, f"{s.seconds:.1f}", s.note) for s in steps)
    for s in steps:
        for log in s.logs if s.outcome in (FAILED, LATE, "failed") else ():
            text = log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:] if log.exists() else []
            yield "\n".join(["", f"The end of {log.name}:", "", "```", *(t[:200] for t in text), "```"])
    if hone:
        yield from figures(hone, peers)
        yield from claims(hone, facts)
    if peers:
        yield from ("", "## Peers", "", *titles("work", "shape", "type", "form", "µs", "alone", ""))
        yield from (line(p["work"], shape_of(p), p["type"], p["form"], p["graph_us"], p["stream_us"], p["note"]) for p in peers)
    yield from launches(counters)


def write(out, machine, facts, steps, work, simulated):
    """Writes the three files into `out`, and returns their names."""
    hone, seen = [], {}
    for table in sorted(work.glob("hone_gpu_bench*")):
        rows, facts_of_table = table_of(table)
        hone, seen = hone + rows, {**facts_of_table, **seen}
    peers, seen_by_peers = table_of(work / "torch")
    counters = counters_of(work / "ncu")
    facts = {**facts, **seen, **seen_by_peers}
    out.mkdir(parents=True, exist_ok=True)
    stem = out / name_of(machine)
    files = [Path(f"{stem}{end}") for end in (".md", ".json", "-logs.tar.gz")]
    files[0].write_text("\n".join(page(machine, facts, steps.done, hone, peers, counters, simulated)) + "\n", encoding="utf-8")
    about = {k: value_of(str(v)) for k, v in facts.items()}
    done = [{"step": s.name, "outcome": s.outcome, "seconds": s.seconds, "note": s.note} for s in steps.done]
    files[1].write_text(json.dumps({"about": about, "steps": done, "hone": hone, "peers": peers, "counters": counters},
                                   indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with tarfile.open(files[2], "w:gz") as tar:
        for log in sorted(steps.folder.glob("*.log")):
            tar.add(log, log.name)
        for table in (*sorted(work.glob("hone_gpu_bench*")), work / "torch", work / "ncu"):
            if table.exists():
                tar.add(table, table.name)
    return files

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tables of what bench/run.py measured. A ratio is the median, and in brackets the quartiles, of the ratios of the
times that two contenders took in the same repetition.

    report.py FILE.json [REGEX]          prints the table of all works, or of those whose name has a match
    report.py --check [PAGE.md…]         status 1 where a table of a page is not that of its file
    report.py --write [PAGE.md…]         puts the tables into the pages

Without pages: docs/benchmarks/cpu.md. A page names a file beside it, and the works that it shows; or it shows where
and how the file was measured:

    <!-- table: cpu.json ^boxes/ -->          <!-- context: cpu.json -->
    (this is kept)                            (and this)
    <!-- /table -->                           <!-- /context -->

In the same way, <!-- instructions: FILE --> shows what bench/instructions.py counted.
"""
import json
import re
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import instructions

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- (?P<kind>table|context|instructions): (?P<file>\S+)(?: (?P<works>\S+))? -->\n)(?P<text>.*?)"
                   r"(?P<end>^<!-- /(?P=kind) -->$)", re.S | re.M)
KNOWN = ("hone", "twin", "limit", "limit_nt", "torch", "torch.compile")
HEAD = "| work | threads | hone, ms | hone / twin | limit / hone | torch / hone | compile / hone | others / hone |"


def short(x):
    return f"{x:.2f}" if x < 10 else f"{x:.1f}" if x < 100 else f"{x:.0f}"


def quartiles(values):
    if len(values) < 2:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def ratio(above, below):
    """The median and the quartiles of the ratios of paired times, as a cell of a table."""
    if above is None or below is None:
        return ""
    low, middle, high = quartiles([a / b for a, b in zip(above, below)])
    return f"{short(middle)} ({short(low)} to {short(high)})"


def best_limit(times):
    """The times of whichever stream is faster, with stores that use the caches or with stores that do not."""
    streams = [times[who] for who in ("limit", "limit_nt") if who in times]
    return min(streams, key=statistics.median, default=None)


def row(name, times):
    work, _, threads = name.rpartition("/threads:")
    hone = times.get("hone")
    others = [f"{who} {ratio(t, hone)}" for who, t in times.items() if who not in KNOWN]
    cells = (work, threads, f"{statistics.median(hone):.4g}" if hone else "", ratio(hone, times.get("twin")),
             ratio(best_limit(times), hone), ratio(times.get("torch"), hone), ratio(times.get("torch.compile"), hone),
             ", ".join(others))
    return "| " + " | ".join(cells) + " |"


def table(measured, regex=""):
    rows = [row(name, work["ms"]) for name, work in measured["works"].items() if re.search(regex, name)]
    return "\n".join([HEAD, "|" + "---|" * HEAD.count(" |"), *rows]) + "\n"


def context(measured):
    c = measured["context"]
    peers = ", ".join(f"{name} {c[key]}" for name, key in
                      (("PyTorch", "torch"), ("torchvision", "torchvision"), ("timm", "timm")) if key in c)
    return (f"{c['date']}, {c['processor']}, {c['cpus']} processors; {c['compiler']} {c['flags']}, registers of "
            f"{c['lanes']} lanes; hone {c['hone']}, Eigen {c['eigen']}, {peers or 'no peers'}; {c['rounds']} "
            f"repetitions of at least {c['seconds']} s.\n")


def check_page(page, write):
    """Complaints about one page; with write, the page is corrected."""
    text = page.read_text(encoding="utf-8")
    shown = page.relative_to(ROOT) if page.is_relative_to(ROOT) else page
    complaints = []

    def replace(match):
        measured = json.loads((page.parent / match["file"]).read_text(encoding="utf-8"))
        made = {"table": lambda: table(measured, match["works"] or ""), "context": lambda: context(measured),
                "instructions": lambda: instructions.table(measured)}[match["kind"]]()
        if made != match["text"] and not write:
            line = text.count("\n", 0, match.start()) + 1
            complaints.append(f"{shown}:{line}: differs from {match['file']}; bench/report.py --write corrects it")
        return match[1] + made + match["end"]

    corrected = BLOCK.sub(replace, text)
    if len(re.findall("<!-- (?:table|context|instructions):", text)) != len(BLOCK.findall(text)):
        complaints.append(f"{shown}: a table or a context has no file or no end")
    if write and corrected != text:
        page.write_text(corrected, encoding="utf-8")
    return complaints


def main():
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("--help", "-h"):
        sys.exit(__doc__)
    if arguments[0] not in ("--check", "--write"):
        print(table(json.loads(Path(arguments[0]).read_text(encoding="utf-8")), *arguments[1:2]), end="")
        return
    pages = [Path(name).resolve() for name in arguments[1:]] or [ROOT / "docs/benchmarks/cpu.md"]
    complaints = [c for page in pages for c in check_page(page, arguments[0] == "--write")]
    if complaints:
        sys.exit("\n".join(complaints))


if __name__ == "__main__":
    main()

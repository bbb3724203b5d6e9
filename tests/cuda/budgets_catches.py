#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""budgets.py lets a kernel within its budget pass, and says what is wrong with each one that is not."""
import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
import budgets

# A loop over 4 elements a trip, 12 instructions: two loads of 16 bytes, four exponentials, one store. Beside its way lie
# the numbers that are read singly where they are not aligned, and a trip that skips the work.
LINES = """
START  MOV R1, c[0x0][0x28]
LOOP   ISETP.GE.AND P1, PT, R0, R9, PT
       @P1 BRA {SKIP}
       @P2 BRA {ALONE}
       LDG.E.128 R4, desc[UR4][R2.64]
       LDG.E.128 R8, desc[UR4][R2.64+0x10]
WIDE   MUFU.EX2 R4, R4
       MUFU.EX2 R5, R5
       MUFU.EX2 R6, R6
       MUFU.EX2 R7, R7
PLANT
       STG.E.128 desc[UR4][R2.64], R4
SKIP   IADD3 R0, R0, 0x1, RZ
       @P0 BRA {LOOP}
       EXIT
ALONE  LDG.E R4, desc[UR4][R2.64]
       LDG.E R5, desc[UR4][R2.64+0x4]
       BRA {WIDE}
"""
NEEDS = {"load16": 2, "store16": 1, "MUFU.EX2": 4}
REACHED = {"sass": 3.0, "registers": 0, "shared": 0, "blocks": 8, "flight": 64, "doubles": 0, "calls": 0, "generic": 0,
           "narrow": 0, "spills": 0}


def sass(planted="", without=""):
    """The lines with addresses, as cuobjdump prints them."""
    lines = [line for line in LINES.replace("PLANT", planted).splitlines() if line.strip()]
    if without:
        lines = [line for line in lines if without not in line]
    places = {line.split()[0]: f"0x{16 * n:x}" for n, line in enumerate(lines) if not line.startswith(" ")}
    text = "\t\tFunction : kernel_of_test\n"
    for n, line in enumerate(lines):
        text += f"        /*{16 * n:04x}*/                   {line[7:].strip().format(**places)} ;   /* 0x0 */\n"
    return text


def said(text, needs=NEEDS, elements=4, budget=3, **reached):
    row = {"name": "loop", "type": "float", "match": "kernel_of_test", "threads": 256, "dynamic_shared": 0,
           "bytes_per_element": 8, "budget": budget, "sweeps": [{"elements": elements, "needs": needs}], "before": 3.0,
           "reached": {**REACHED, **reached}}
    with tempfile.TemporaryDirectory() as folder:
        table, code = Path(folder) / "table.json", Path(folder) / "code.sass"
        table.write_text(json.dumps({"nvcc": "13.0", "kernels": [row]}))
        code.write_text(text)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            status = budgets.main(["--sass", str(code), "--table", str(table)])
    return status, out.getvalue()


def indented(*lines):
    return "\n".join("       " + line for line in lines)


CASES = [  # what is planted, how it is asked, what must be said; None: nothing is wrong
    ("", {}, None),
    ("", {"sass": 2.0, "budget": 3}, None),  # above what was reached, but within the budget
    (indented("FADD R4, R4, R5"), {}, "SASS per element 3.3, the table allows at most 3"),
    (indented("FADD R4, R4, R5"), {"sass": 3.3, "budget": 2}, None),  # over the budget, but no more than before
    (indented("FADD R4, R4, R5"), {"sass": 3.2, "budget": 4}, None),
    (indented("DADD R4, R4, R6"), {"budget": 9}, "FP64 per element 0.25"),
    (indented("F2F.F64.F32 R4, R4"), {"budget": 9}, "FP64 per element 0.25"),
    (indented("CALL.REL.NOINC 0x10"), {"budget": 9}, "calls 1"),
    (indented("LD.E.64 R4, desc[UR4][R2.64]"), {"budget": 9}, "generic accesses 1"),
    (indented("STG.E.U16 desc[UR4][R2.64], R4"), {"budget": 9}, "narrow accesses 1"),
    (indented("STL [R1], R4"), {"budget": 9}, "spills 1"),
    ("", {"flight": 65}, "KiB in flight per SM 64, the table allows at least 65"),
    ("", {"blocks": 9}, "blocks per SM 8, the table allows at least 9"),
    ("", {"elements": 8}, "sweep 1 loads 32 bytes, which are not 8 elements"),
    ("", {"needs": {**NEEDS, "MUFU.LG2": 1}}, "sweep 1: no loop does"),
]


def main():
    wrong = 0
    for planted, how, must in CASES:
        status, text = said(sass(planted), **how)
        if status != (1 if must else 0) or (must and must not in text):
            print(f"planted {planted.strip()!r}, asked {how}: status {status}, not «{must}», but:\n{text}")
            wrong += 1
    status, text = said(sass(without="LDG.E.128 R8"))
    if status != 1 or "no loop does" not in text:
        print(f"a load less: {text}")
        wrong += 1
    element = sass().replace("kernel_of_test", "element_kernel_of_test")
    waits = element.replace("MOV R1, c[0x0][0x28]", "ACQBULK")
    late = element.replace("LDG.E R5, desc[UR4][R2.64+0x4]", "ACQBULK")
    for text, must in ((waits, ""), (late, "does not wait for its prerequisites"), (element, "does not wait for its prerequisites")):
        status, answer = said(text)
        if status != bool(must) or must not in answer:
            print(f"a wait: status {status}, not «{must}», but:\n{answer}")
            wrong += 1
    print(f"{len(CASES) + 4} cases, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The works of libhone_bench.so with PyTorch, torchvision and timm as contenders in the same process, on the same arrays.

    torch_peer.py LIBRARY [--threads=1,2] [--benchmark_filter=REGEX] [other options of Google Benchmark]
    torch_peer.py LIBRARY --check [REGEX]     compares values and gradients of PyTorch with hone's, and times nothing
"""
import re
import sys
import traceback

import torch
import torch._dynamo

import forms
import losses  # noqa: F401: it fills forms.works
import models  # noqa: F401
import structure  # noqa: F401
from library import Library


torch._dynamo.config.recompile_limit = 1000  # else what is compiled for many shapes falls back to eager code


def value_of(result):
    return float(result) if isinstance(result, (int, float)) else 0.0


def on_threads(run, threads):
    def call():
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        return value_of(run())
    return call


def contenders(work):
    """The contenders of a work, each called twice: what it compiles, it compiles now. What fails is left out."""
    function, match = forms.contenders(work.name)
    if function is None:
        return {}
    torch.set_num_threads(work.threads)
    made = {}
    for who, run in function(work.arrays(), match).items():
        try:
            run()
            run()
            made[who] = run
        except Exception:  # an old PyTorch, or no compiler
            print(f"{work.name}/{who} is left out:", file=sys.stderr)
            traceback.print_exc(limit=-1)
    return made


def close(ours, theirs, relative, of_largest):
    return bool(((ours - theirs).abs() <= relative * ours.abs() + of_largest * ours.abs().max()).all())


def check(library, regex):
    wrong = 0
    for work in library.works():
        if not re.search(regex, work.name):
            continue
        arrays = work.arrays()
        value = work.call("hone")
        for who, run in contenders(work).items():
            theirs = value_of(run())
            run()  # what alternates is as it was
            narrow = "bfloat16" in work.name
            same = not value or not theirs or abs(theirs - value) <= (1e-2 if narrow else 1e-4) * abs(value)
            if same and isinstance(run, forms.Step):
                # Eager PyTorch rounds every operation to bfloat16.
                same = close(arrays["gradient"].float(), run.z.grad.float(), *((2e-2, 1e-2) if narrow else (1e-3, 1e-5)))
            print(f"{work.name}/{who}: {'same' if same else 'DIFFERENT'}, {value:.6g} and {theirs:.6g}", flush=True)
            wrong += not same
    return wrong > 0


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    path, *arguments = sys.argv[1:]
    option = {name: value for name, _, value in (a.partition("=") for a in arguments)}
    library = Library(path, option.get("--threads", "1,2"))
    if "--check" in arguments:
        rest = [a for a in arguments if not a.startswith("--")]
        sys.exit(check(library, rest[0] if rest else ""))

    library.note("torch", torch.__version__)
    for name, module in (("torchvision", forms.torchvision), ("timm", forms.timm)):
        if module:
            library.note(name, module.__version__)
    if "--benchmark_list_tests" not in option:  # run.py asks for works, and hone contends in all
        wanted = re.compile(option.get("--benchmark_filter", ""))
        for work in library.works():
            if wanted.search(f"{work.name}/hone/real_time") or wanted.search(f"{work.name}/"):
                for who, run in contenders(work).items():
                    work.add(who, on_threads(run, work.threads))
    sys.exit(library.run(["hone_bench", *(a for a in arguments if not a.startswith("--threads="))]))


if __name__ == "__main__":
    main()

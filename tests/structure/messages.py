#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every message has only conversions that core/message.hpp knows: it writes no other.

    messages.py INCLUDE_DIRECTORY      prints each conversion that it does not know; status 1 if there is any
"""
import re
import sys
from pathlib import Path

LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
CONVERSION = re.compile(r"%(?:%|(?:\.(?:\*|\d+))?s|[jz]?d|0?\d*[jz]?[ux]|(?:\.\d+)?g)")


def unknown(text):
    for literal in LITERAL.findall(re.sub(r"(?m)^ *///?.*|.*\b(?:[fs]scanf|asm)\b.*", "", text)):
        if "%" in CONVERSION.sub("", literal):
            yield literal


def main(root):
    assert list(unknown('fail("%zu of %p", n, p)')) == ["%zu of %p"] and not list(unknown('fail("%08x%.*s%jd%%")'))
    wrong = [f"{path}: {literal}" for path in sorted(Path(root).rglob("*.[hc][pu][ph]"))
             for literal in unknown(path.read_text(encoding="utf-8"))]
    print("\n".join(wrong) or "every conversion is known")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

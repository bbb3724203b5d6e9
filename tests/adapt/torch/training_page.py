#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The glue that docs/torch.md shows for clipping, schedules and averages is short: status 1 where it is longer."""
import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs/torch.md"
SNIPPET = re.compile(r"<!-- snippet: \S*training_snippets_test\.cpp#(\S+) -->\n```cpp\n(.*?)^```$", re.S | re.M)
MOST = 10  # lines

snippets = dict(SNIPPET.findall(PAGE.read_text(encoding="utf-8")))
lines = sum(len(snippets.get(name, "").splitlines()) for name in ("setup", "step", "swapped"))
print(f"setup, step and swapped are {lines} lines, must be 1 to {MOST}")
sys.exit(not 0 < lines <= MOST)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The files for a community are where they are looked for and lead to files that exist. The version is the same wherever it
is written.

With PyYAML, which is not required, their YAML is read as well.
"""
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import release

GITHUB = ROOT / ".github"
FILES = ["SECURITY.md", "CODE_OF_CONDUCT.md", "PULL_REQUEST_TEMPLATE.md", "ISSUE_TEMPLATE/config.yml"]
wrong = [f".github/{name} is missing" for name in FILES if not (GITHUB / name).is_file()]

try:
    import yaml
except ImportError:
    yaml = None


def read(text, where):
    if yaml:
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            wrong.append(f"{where}: {error}")
    return None


templates = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.md"))
for path in templates:
    front = re.match(r"---\n(.*?)\n---\n\n", path.read_text(encoding="utf-8"), re.S)
    keys = re.findall(r"^(\w+): \S", front[1], re.M) if front else []
    if keys != ["name", "about", "title", "labels"]:
        wrong.append(f"{path.name}: its head has {keys}")
    elif yaml and not isinstance(read(front[1], path.name), dict):
        wrong.append(f"{path.name}: its head is no YAML")

for path in [*GITHUB.rglob("*.md"), ROOT / "docs/faq.md", ROOT / "docs/stability.md", ROOT / "CHANGELOG.md"]:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s#]+)", text):
        if "://" not in target and not (path.parent / target).exists():
            wrong.append(f"{path.relative_to(ROOT)}: {target} does not exist")
    for target in re.findall(r"<!--.*?-->", text, re.S):
        wrong += [f"{path.relative_to(ROOT)}: {name} does not exist" for name in re.findall(r"(?:docs|\.github)/\w+\.md", target)
                  if not (ROOT / name).exists()]

version = release.version_here()
wrong += release.differences(version)
citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
cited = read(citation, "CITATION.cff")
if yaml and not {"cff-version", "message", "title", "authors"} <= set(cited or ()):
    wrong.append("CITATION.cff: a part that must be there is missing")

print("\n".join(wrong) if wrong else f"{len(templates)} templates and {len(FILES)} files, version {version}" +
      ("" if yaml else "; their YAML was not read, for there is no PyYAML"))
sys.exit(1 if wrong else 0)

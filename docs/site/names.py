# SPDX-License-Identifier: MIT
"""No page speaks of what is not there: every word of code between `backquotes` is in a file of the checkout that is no page, or
in foreign_names.txt, and every hone::name is public. Blocks that are cut from compiled files are left out: snippets.py has them."""
import os
import re
from pathlib import Path

COMPILED = re.compile(r"<!-- (?:snippet|difference): .*?-->\n```.*?^```$", re.S | re.M)
BLOCK = re.compile(r"^```.*?^```$", re.S | re.M)
CODE = re.compile(r"`([^`\n]+)`")
WORD = re.compile(r"[A-Za-z_]\w*")
QUALIFIED = re.compile(r"(?<![\w:])hone::((?:\w+::)*\w+)(?![\w*]|::|…)")
SHOWN = {"f", "g", "inline"}  # of declarations that docs/stability.md and docs/design.md show
GONE = re.compile(r"^### Removed and changed names$.*?(?=^##|\Z)", re.S | re.M)
PAGES, DATA = (".md",), (".svg", ".png", ".json", ".html", ".txt")
READ = {"CMakeLists.txt", "CMakePresets.json", "api.txt"}  # of such files


def files(root):
    """The files of a checkout, without what is hidden, but .github, and what is built."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f == ".github" or not (f.startswith(".") or f in ("build", "__pycache__", "shared")))
        yield from (Path(folder) / name for name in sorted(names))


def words(root):
    """The words of all files that are no pages, with those of their names, and their parts before and behind an underscore."""
    found = set()
    for path in files(root):
        found.update(WORD.findall(str(path.relative_to(root))))
        if path.suffix in PAGES or (path.suffix in DATA and path.name not in READ) or path.parent == root / "docs/site":
            continue
        try:
            found.update(WORD.findall(path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            pass  # an image
    parts = {part for word in found for at, letter in enumerate(word) if letter == "_" for part in (word[:at + 1], word[at:])}
    return found | parts


def foreign(text):
    """Names of other libraries and tools: those of each begin behind a colon; lines that begin with a space go on."""
    return {name for line in text.splitlines() if not line.startswith("#")
            for name in (line if line.startswith(" ") else line.partition(":")[2]).split()}


def current(name, text):
    """Of the changelog, what the newest version and the one to come have; of other pages everything."""
    if name != "CHANGELOG.md":
        return text
    versions = [match.start() for match in re.finditer(r"^## \d", text, re.M)]
    return GONE.sub("", text[:versions[1] if len(versions) > 1 else len(text)])


def absent(text, there, public):
    """The names of a page that are not there; NAME stands for any."""
    text = COMPILED.sub("", text)
    for name in QUALIFIED.findall(text):
        if name not in public:
            yield "hone::" + name
    for code in CODE.findall(BLOCK.sub("", text)):
        yield from (word for word in WORD.findall(code)
                    if word not in there and "NAME" not in word)


def check(root, public):
    """A line for each name of a page that is not there, and for each foreign name that no page has."""
    others = foreign((root / "docs/site/foreign_names.txt").read_text(encoding="utf-8"))
    there, used = words(root), set()
    listing = re.findall(r"^(hone(?:::\w+)+): ", (root / "docs/api.txt").read_text(encoding="utf-8"), re.M)
    public = public | {name.removeprefix("hone::") for name in listing} | SHOWN
    for path in files(root):
        if path.suffix not in PAGES:
            continue
        name = path.relative_to(root).as_posix()
        missing = set(absent(current(name, path.read_text(encoding="utf-8")), there, public))
        used |= missing & others
        yield from (f"{name}: {word} is not there" for word in sorted(missing - others))
    yield from (f"docs/site/foreign_names.txt: no page needs {word}" for word in sorted(others - used))

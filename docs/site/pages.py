# SPDX-License-Identifier: MIT
"""The pages of the site as Markdown: which there are, where they stand, and what they take from one another.

A comment <!-- include: PATH#SECTION --> stands for a section of another page without its heading, <!-- rows: PATH PATTERN -->
for the rows of its tables that a pattern matches. The paragraph behind the comment, a link, is what GitHub shows instead.
"""
import os
import re
from pathlib import Path

DIRECTIVE = re.compile(r"<!-- (?P<kind>include|rows): (?P<path>[^\s#]+)(?:#| )(?P<what>.+?) -->\n(?:.+\n)+?(?=\n|\Z)")
TEMPLATE = ["Formula, gradient, parameters", "Picture", "Edges", "Cost", "What it did here", "In other libraries"]
OPTIONAL = "Picture"  # some refinements have nothing to show
LINK = re.compile(r"\]\((?!https?:|/)([^)\s]+)\)")
TABLE = re.compile(r"<table>.*?</table>", re.S)
CODE = re.compile(r"<code>([^<]{12,})</code>")
BREAK = re.compile(r"::|_(?=\w)|[(,=](?! )|(?<=[a-z])(?=[A-Z])")  # where a long name may break


def slug(text, separator="-"):
    """The name of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", separator)


def contents(text):
    """Sections of contents.txt, each with the paths of its pages and their names in the menu, or None."""
    sections = []
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith(" "):
            path, *name = line.split(None, 1)
            sections[-1][1].append((path, name[0] if name else None))
        else:
            sections.append((line, []))
    return sections


def place(path):
    """Where the page of a Markdown file stands in the site."""
    special = {"docs/site/index.md": "index.html", "README.md": "readme.html", "docs/README.md": "contents.html"}
    return special.get(path) or re.sub(r"(/README)?\.md$", ".html", path.removeprefix("docs/")).lower()


def section(text, name):
    """What stands under the heading of this name, up to the next one of its level or above."""
    head = next((match for match in re.finditer(r"^(#+) (.*)$", text, re.M) if slug(match[2]) == name), None)
    if not head:
        return ""
    end = re.compile(rf"^#{{1,{len(head[1])}}} ", re.M).search(text, head.end())
    return text[head.end():end.start() if end else len(text)]


def rows(text, pattern):
    """Tables of the rows that a pattern matches, each with its head."""
    lines, found, last = text.splitlines(), [], None
    for i, line in enumerate(lines):
        if re.search(pattern, line):
            begin = max((b for b in range(1, i) if lines[b].startswith("|---")), default=None)
            if begin is None:
                continue
            found += ([""] + lines[begin - 1:begin + 1] if begin != last else []) + [line]
            last = begin
    return "\n".join(found)


def from_root(text, source):
    """Text of a page whose links begin at the root of the checkout; code is left as it is."""
    def link(match):
        target = match[1]
        return f"](/{source}{target})" if target.startswith("#") else f"](/{os.path.normpath(f'{Path(source).parent}/{target}')})"
    parts = re.split(r"(^```.*?^```$)", text, flags=re.S | re.M)
    return "".join(part if i % 2 else LINK.sub(link, part) for i, part in enumerate(parts))


def complete(root, path, complain):
    """A page of the checkout with what it takes from others; complaints about what is not there, or not in the template."""
    def shown(match):
        source, what = match["path"], match["what"]
        file = root / source
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        found = section(text, what) if match["kind"] == "include" else rows(text, what)
        if not found.strip():
            complain(f"{path}: {source} has no {what}")
        anchor = "#" + what if match["kind"] == "include" else ""
        return f'\n{from_root(found, source)}\n\n<p class="compiled">from: <a href="/{source}{anchor}">{source}</a></p>\n'
    text = (root / path).read_text(encoding="utf-8")
    heads = re.findall(r"^## (.*)$", text, re.M)
    if path.startswith("docs/refinements/") and heads != [name for name in TEMPLATE if name != OPTIONAL or name in heads]:
        complain(f"{path}: its sections are not: {', '.join(TEMPLATE)}")
    return DIRECTIVE.sub(shown, text)


def with_style(text, style):
    """A complete page of HTML whose own styles are followed by others."""
    return text.replace("</body>", f"<style>\n{style}</style>\n</body>", 1)


def table(match):
    """A table that may be wider than its page: long names in it may break; one of many columns is dense."""
    columns = match[0].partition("</tr>")[0].count("<th")
    text = CODE.sub(lambda code: f"<code>{BREAK.sub(lambda at: at[0] + '<wbr>', code[1])}</code>", match[0])
    return f'<div class="wide{" many" if columns > 9 else ""}">{text}</div>'

# SPDX-License-Identifier: MIT
"""The reference: Doxygen finds the public names of the headers, their declarations and their members; the text is that of
the comment above each, as it stands in the header."""
import html
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from pathlib import Path

HIDDEN = re.compile(r"(^|::)(detail|on_cpu|on_cuda)(::|$)")
AREAS = {  # folders of include/hone: what their page is called
    "core": "Views, objectives, errors", "target": "Targets", "loss/row": "Losses of rows", "loss/element": "Losses of elements",
    "loss/region": "Losses of regions", "loss/box": "Losses of boxes", "distil": "Distillation", "sample": "Sample mixing",
    "schedule": "Schedules", "gradient": "Gradients", "average": "Averages", "precision": "Low precision",
    "large_batch": "Large batches", "detect": "Detection", "calibration": "Calibration", "structure": "Structure",
    "distributed": "Several ranks", "parity": "Conventions of other libraries", "adapt": "Adapters of other libraries",
    "extend": "Writing your own", "io": "Files", "loss": "What losses share", "cpu": "Verbs on the CPU", "cuda": "Verbs on CUDA"}
SETTINGS = """
INPUT = {input}
OUTPUT_DIRECTORY = {output}
FILE_PATTERNS = *.hpp *.cuh
EXTENSION_MAPPING = cuh=C++ hpp=C++
RECURSIVE = YES
STRIP_FROM_PATH = {input}
GENERATE_HTML = NO
GENERATE_LATEX = NO
GENERATE_XML = YES
XML_PROGRAMLISTING = NO
MACRO_EXPANSION = YES
EXPAND_ONLY_PREDEF = YES
SEARCH_INCLUDES = NO
PREDEFINED = HONE_HD= HONE_INLINE= HONE_IF_CALLED= HONE_NO_EXEC_CHECK= HONE_FLATTEN= HONE_OWN_TO_OBJECT= HONE_ABI=v
EXTRACT_ALL = YES
QUIET = YES
WARNINGS = NO
HAVE_DOT = NO
"""


@dataclass
class Entry:
    name: str  # without hone::
    kind: str
    file: str  # from include/
    line: int
    declaration: str
    comment: list
    members: list = field(default_factory=list)  # declaration and meaning
    anchor: str = ""
    place: str = ""

    @property
    def words(self):
        return " ".join(self.comment + [f"{what} {meaning}" for what, meaning in self.members])


@dataclass
class Area:
    place: str
    title: str
    entries: list


def text_of(element):
    return " ".join("".join(element.itertext()).split()) if element is not None else ""


def comment_above(lines, line):
    """The comment that ends above the declaration at this line, with what of its indent is more than one space."""
    row = line - 2
    while row >= 0 and line - row < 12 and lines[row].strip() and not lines[row].lstrip().startswith("///"):
        if lines[row].rstrip().endswith(("}", ";", "{")) or lines[row].startswith("#"):
            return []
        row -= 1
    last = row
    while row >= 0 and lines[row].lstrip().startswith("///") and not lines[row].lstrip().startswith("///<"):
        row -= 1
    return [re.sub(r"^\s*/// ?", "", text).rstrip() for text in lines[row + 1:last + 1]]


def template_of(element):
    params = element.find("templateparamlist")
    if params is None:
        return ""
    parts = []
    for param in params:
        words = [text_of(param.find("type")), text_of(param.find("declname"))]
        default = text_of(param.find("defval"))
        parts.append(" ".join(filter(None, words)) + (f" = {default}" if default else ""))
    clause = text_of(element.find("requiresclause"))
    return f"template <{', '.join(parts)}>\n" + (f"requires {clause}\n" if clause else "")


def tidy(declaration):
    declaration = re.sub(r"\bhone::", "", declaration)
    declaration = re.sub(r"\s+([>,)])", r"\1", re.sub(r"([<(])\s+", r"\1", declaration))
    return re.sub(r"[ ]+", " ", declaration).strip()


def declared(member, name):
    """The declaration of a member."""
    kind = member.get("kind")
    if kind == "function":
        said = f"{text_of(member.find('type'))} {name}{text_of(member.find('argsstring'))}"
    elif kind == "typedef":
        said = f"using {name} = {text_of(member.find('type'))}"
    else:
        said = f"{text_of(member.find('type'))} {name} {text_of(member.find('initializer'))}"
    return template_of(member) + tidy(said)


def meaning(member):
    return " ".join(filter(None, (text_of(member.find(tag)) for tag in ("briefdescription", "detaileddescription"))))


def read(root, work):
    """The public names of the headers of a checkout that have a comment, and a set of all names."""
    include, copies = root / "include", work / "include"
    shutil.rmtree(work, ignore_errors=True)
    lines = {}
    for path in sorted(include.rglob("*.[hc]*")):
        name = path.relative_to(include).as_posix()
        if name.startswith("hone/c/") or path.suffix not in (".hpp", ".cuh"):
            continue
        text = path.read_text(encoding="utf-8")
        lines[name] = text.splitlines()
        (copies / name).parent.mkdir(parents=True, exist_ok=True)
        (copies / name).write_text(text.replace("hone::inline HONE_ABI", "hone"), encoding="utf-8")
    (work / "Doxyfile").write_text(SETTINGS.format(input=copies, output=work), encoding="utf-8")
    run = subprocess.run(["doxygen", str(work / "Doxyfile")], check=False, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"doxygen: {run.stdout}{run.stderr}")

    found, known = {}, set()
    def add(kind, name, element, declaration, members=()):
        where = element.find("location")
        if where is None or HIDDEN.search(name) or not name.startswith("hone::"):
            return
        file, line = where.get("file"), int(where.get("line"))
        known.add(name.removeprefix("hone::"))
        comment = comment_above(lines[file], line) if file in lines else []
        comment = comment or [said for said in [meaning(element)] if said and element.tag == "memberdef"]
        if comment or any(said for _, said in members):
            entry = Entry(name.removeprefix("hone::"), kind, file, line, declaration, comment, list(members))
            found[entry.file, entry.line, entry.name] = entry

    for path in sorted((work / "xml").glob("*.xml")):
        if not path.name.startswith(("namespace", "struct", "class", "concept")):
            continue
        compound = xml.parse(path).getroot().find("compounddef")
        name, kind = text_of(compound.find("compoundname")), compound.get("kind")
        members = list(compound.iter("memberdef"))
        if HIDDEN.search(name) and kind != "namespace":
            continue
        known.add(name.removeprefix("hone::"))
        known.update(f"{text_of(m.find('qualifiedname'))}::{text_of(value.find('name'))}".removeprefix("hone::")
                     for m in members for value in m.iter("enumvalue"))
        if kind == "namespace":
            for member in members:
                own = text_of(member.find("name"))
                add(member.get("kind"), f"{name}::{own}", member, declared(member, own))
        elif kind == "concept":
            add(kind, name, compound, tidy(text_of(compound.find("initializer"))))
        elif not re.search(r"[<>]", name):
            shown = [(declared(m, text_of(m.find("name"))), meaning(m)) for m in members
                     if m.get("prot") == "public" and meaning(m) and m.get("kind") != "friend"]
            add(kind, name, compound, f"{template_of(compound)}{kind} {name.split('::')[-1]}", shown)
    for row, text in enumerate(lines["hone/extend.hpp"], 1):  # using-declarations, which Doxygen does not list
        if match := re.match(r"using detail::(\w+);", text):
            name, comment = f"extend::{match[1]}", comment_above(lines["hone/extend.hpp"], row)
            known.add(name)
            if comment:
                found["hone/extend.hpp", row, name] = Entry(name, "function", "hone/extend.hpp", row, "", comment)
    entries = sorted(found.values(), key=lambda entry: (entry.file, entry.line))
    used = {}
    for area in areas(entries):
        for entry in area.entries:
            base = entry.name.replace("::", "-").replace(" ", "").replace("~", "destroy-")
            base = re.sub(r"[^\w-]", lambda m: f"-{ord(m[0])}", base)
            used[area.place, base] = used.get((area.place, base), 0) + 1
            entry.place, entry.anchor = area.place, base if used[area.place, base] == 1 else f"{base}-{used[area.place, base]}"
    return entries, known


def areas(entries):
    """The entries by the folders of their headers."""
    sorted_in = {folder: [] for folder in AREAS}
    for entry in entries:
        folder = "/".join(entry.file.split("/")[1:-1]) or Path(entry.file).stem
        while folder and folder not in AREAS:
            folder = folder.rpartition("/")[0]
        if folder:
            sorted_in[folder].append(entry)
    return [Area(f"reference/{folder.replace('/', '_')}.html", title, sorted_in[folder])
            for folder, title in AREAS.items() if sorted_in[folder]]


def prose(comment):
    """HTML of a comment: indented lines are shown as they are, `words` as code, a line that begins with "* " as an item."""
    blocks, last = [], None
    for line in comment:
        indented = line.startswith("  ")
        kind = None if not line else "item" if line.startswith("* ") else "text" if not indented else "code"
        if kind == "code" and last == "item":
            kind = "item"
        if kind and kind == last and not line.startswith("* "):
            blocks[-1][1].append(line if kind == "code" else line.strip())
        elif kind:
            blocks.append((kind, [line]))
        last = kind
    out = []
    for kind, lines in blocks:
        text = html.escape("\n".join(lines), quote=False)
        if kind == "code":
            out.append(f"<pre>{text}</pre>")
        else:
            out.append("<p>" + re.sub(r"`([^`]+)`", r"<code>\1</code>", re.sub(r"^\* ", "• ", text)) + "</p>")
    return "".join(out)


def firsts(entries):
    """The first entry of every name: the others are overloads."""
    return list({entry.name: entry for entry in reversed(entries)}.values())[::-1]


def page(area, guide, link):
    """The body of the page of an area. guide(name) is the page and place of a section of this name, or None."""
    out, file = [f"<h1>{area.title}</h1><p class=\"lead\">Names of namespace hone. Each is what the comment in the header says.</p>"], None
    out.append('<p class="index">' + " ".join(f'<a href="#{e.anchor}"><code>{html.escape(e.name)}</code></a>' for e in firsts(area.entries)) + "</p>")
    for entry in area.entries:
        if entry.file != file:
            file = entry.file
            out.append(f'<h2 class="file">{html.escape(f"#include <{file}>")}</h2>')
        more = guide(entry.name)
        out.append(f'<section class="entry"><h3 id="{entry.anchor}"><code>{html.escape(entry.name)}</code> <small>{entry.kind}</small>'
                   + (f' <a class="guide" href="{link(more[1])}">{html.escape(more[0])}</a>' if more else "") + "</h3>")
        if entry.declaration:
            out.append(f'<pre class="declaration">{html.escape(entry.declaration)}</pre>')
        out.append(prose(entry.comment))
        if entry.members:
            rows = "".join(f"<tr><td><code>{html.escape(what)}</code></td><td>{html.escape(said)}</td></tr>" for what, said in entry.members)
            out.append(f'<div class="wide"><table>{rows}</table></div>')
        out.append("</section>")
    return "\n".join(out)

# SPDX-License-Identifier: MIT
"""The reference of the C interface: hone.h is read as text. Every name has the comment above it, or the one beside it."""
import html
import re
from dataclasses import dataclass, field

import reference

PLACE, TITLE = "reference/c.html", "hone.h, for C"
COMMENT = re.compile(r"/\*.*?\*/", re.S)
NAMED = re.compile(r"^/\* -+ (.*?) -+ \*/$", re.M)  # a part of the header
DECLARATION = re.compile(
    r"#define (?P<macro>HONE_VERSION)\b[^\n]*?(?=/\*|\n)"
    r"|(?:typedef )?enum \{(?P<enum>.*?)\};"
    r"|typedef struct (?P<struct>\w+) \{(?P<members>.*?)\} \w+;"
    r"|typedef (?P<type>[^{};]*);"
    r"|HONE_API (?P<function>[^{};]*);"
    r"|static inline (?P<inline>[^{};]*?) \{.*?^\}", re.S | re.M)


@dataclass
class Declared:
    kind: str
    names: list
    text: str  # the declaration; empty for constants and structs
    comment: str  # above it
    rows: list = field(default_factory=list)  # of constants: name, value, meaning; of members: declaration, "", meaning


@dataclass
class Part:
    title: str
    declared: list


def words(comment):
    """The text of a C comment."""
    return " ".join(re.sub(r"^[ *]+|^/\*+|\*/$", "", line).strip() for line in comment.strip().splitlines()).replace("*/", "").strip()


def name_of(declaration):
    """The name of a function or a type: before its first parenthesis, in one if it is a pointer to a function, or the last word."""
    pointer = re.search(r"\(\*(\w+)\)", declaration)
    return pointer[1] if pointer else re.search(r"(\w+)\s*(?:\(|$)", declaration.strip())[1]


def listed(body, one):
    """Rows of an enum (separated by commas) or a struct (by semicolons), each with the comment behind it."""
    rows = []
    for found in re.finditer(one + r"\s*(/\*.*?\*/)?", body, re.S):
        rows.append((" ".join(found[1].split()), (found[2] or "").strip(), words(found[3]) if found[3] else ""))
    return rows


def declared(text):
    """The declarations of a part of the header, in order."""
    found, comment, at = [], "", 0
    token = re.compile(rf"(?P<comment>{COMMENT.pattern})|(?P<blank>\n[ \t]*\n)|(?P<declaration>{DECLARATION.pattern})", re.S | re.M)
    while match := token.search(text, at):
        at = match.end()
        if match["comment"]:
            beside = found and "\n" not in text[found[-1][1]:match.start()]  # behind a declaration, in its line
            if beside and not found[-1][0].comment:
                found[-1][0].comment = words(match["comment"])
            elif not beside:
                comment = words(match["comment"])
            continue
        if match["blank"]:
            comment = ""
            continue
        said = " ".join((match["function"] or match["inline"] or match["type"] or "").split())
        if match["macro"]:
            one = Declared("constant", [match["macro"]], match["declaration"].strip(), comment)
        elif match["enum"]:
            rows = listed(match["enum"], r"(HONE_\w+) = (-?\d+),?")
            one = Declared("constants", [row[0] for row in rows], "", comment, rows)
        elif match["struct"]:
            body = re.sub(r"^\s*/\*.*?\*/\s*\n", "", match["members"], count=1, flags=re.S)  # what the struct as a whole is
            rows = listed(body, r"([^;/]+?)();")
            own = re.match(r"\s*(/\*.*?\*/)", match["members"], re.S)
            one = Declared("struct", [match["struct"]], "", comment or (words(own[1]) if own else ""), rows)
        else:
            kind = "function" if not match["type"] else "handle" if said.startswith("struct ") else "type"
            one = Declared(kind, [name_of(said)], ("typedef " if match["type"] else "") + said + ";", comment)
        comment = ""  # of the first declaration below it
        found.append([one, match.end()])
    return [one for one, _ in found]


def read(text):
    """What the whole header says of itself, and its parts."""
    first = COMMENT.search(text)
    body = text[first.end():]
    heads = list(NAMED.finditer(body))
    parts = [Part(head[1], declared(body[head.end():heads[i + 1].start() if i + 1 < len(heads) else len(body)]))
             for i, head in enumerate(heads)]
    lead = [re.sub(r"^ \* ?", "", line) for line in first[0].splitlines() if line.startswith(" *") and line != " */"]
    return lead, parts


def entries(parts):
    """Each name with its anchor, its kind and what the search reads."""
    for part in parts:
        for one in part.declared:
            if one.kind == "constants":
                for name, value, said in one.rows:
                    yield name, "constant", f"{value} {said or one.comment}"
            else:
                yield one.names[0], one.kind, " ".join([one.comment, one.text] + [f"{what} {said}" for what, _, said in one.rows]).strip()


def text_of(comment, link):
    """HTML of a comment, with links to the pages that it names."""
    said = re.sub(r"`([^`]+)`|\b(HONE_[A-Z0-9_]+|hone_\w+(?:\(\))?)", lambda m: f"<code>{m[1] or m[2]}</code>", html.escape(comment, quote=False))
    return re.sub(r"docs/\w+\.md", lambda m: f'<a href="{link(m[0])}">{m[0]}</a>', said)


def page(lead, parts, link):
    """The body of the page. link(path) is where the page of a file of docs/ stands."""
    items = re.split(r"\n- ", "\n".join(lead))
    tail = items[-1].partition("\n\n")
    out = [f"<h1>{TITLE}</h1>", '<p class="lead">Names of <code>hone.h</code>. Each is what the comment in the header says.</p>']
    paragraphs = [p for p in items[0].split("\n\n") if p.strip() and "SPDX" not in p]
    out += [f"<p>{text_of(' '.join(p.split()), link)}</p>" for p in paragraphs]
    out.append("<ul>" + "".join(f"<li>{text_of(' '.join(item.split()), link)}</li>" for item in items[1:-1] + [tail[0]]) + "</ul>")
    for part in parts:
        if not part.declared:
            continue
        out.append(f'<h2 class="file" id="{re.sub("[^a-z]+", "-", part.title.lower()).strip("-")}">{html.escape(part.title.capitalize())}</h2>')
        for one in part.declared:
            heading = f'<h3 id="{one.names[0]}"><code>{one.names[0]}</code> <small>{one.kind}</small></h3>'
            out.append('<section class="entry">' + (heading if one.kind != "constants" else "<h3>Constants</h3>"))
            if one.text:
                out.append(f'<pre class="declaration">{html.escape(one.text)}</pre>')
            if one.comment:
                out.append(f"<p>{text_of(one.comment, link)}</p>")
            if one.kind == "constants" and not any(said for _, _, said in one.rows):
                out.append('<p class="index">' + " ".join(f'<code id="{name}">{name} = {value}</code>' for name, value, _ in one.rows) + "</p></section>")
                continue
            if one.kind == "constants":
                rows = "".join(f'<tr id="{name}"><td><code>{name} = {value}</code></td><td>{text_of(said, link)}</td></tr>' for name, value, said in one.rows)
            else:
                rows = "".join(f"<tr><td><code>{html.escape(what)}</code></td><td>{text_of(said, link)}</td></tr>" for what, _, said in one.rows)
            out.append(f'<div class="wide"><table>{rows}</table></div></section>' if rows else "</section>")
    return "\n".join(out)


def add(root, folder_of, complain):
    """Reads the header of a checkout: the page's body, and its entries for the search. Complains about a public name of
    docs/api.txt that it lacks."""
    lead, parts = read((root / "include/hone.h").read_text(encoding="utf-8"))
    found = [reference.Entry(name, kind, "hone.h", 0, "", [said.replace("`", "")], anchor=name, place=PLACE) for name, kind, said in entries(parts)]
    listing = re.search(r"^\[hone\.h\]\n(.*?)(?=^\[|\Z)", (root / "docs/api.txt").read_text(encoding="utf-8"), re.S | re.M)[1]
    names = {name for name in re.findall(r"^(\w+): ", listing, re.M)}
    for name in sorted(names - {entry.name for entry in found}):
        complain(f"include/hone.h: {name} is not in the reference")
    members = {one.names[0] + "::" + re.findall(r"\w+", what)[-1]
               for part in parts for one in part.declared if one.kind == "struct" for what, _, _ in one.rows}
    for name in sorted(set(re.findall(r"^(\w+::\w+): ", listing, re.M)) - members):
        complain(f"include/hone.h: {name} is not in the reference")
    return page(lead, parts, folder_of), found

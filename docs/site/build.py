#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the site: the pages of contents.txt, a reference of the headers by Doxygen, and the files that they link to.

    build.py FOLDER    writes the site to FOLDER, and checks its links and what the landing page claims

Needs doxygen, python3-markdown and python3-pygments. The site needs no network and no server: open FOLDER/index.html.
"""
import html
import json
import os
import re
import shutil
import sys
import textwrap
from pathlib import Path

import markdown
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import c_names
import links
import names
import pages
import reference

ROOT = HERE.parents[1]
SNIPPET = re.compile(r"<!-- snippet: (?P<path>[^#\s]+)#\S+ -->\n(?P<fence>```.*?^```$)", re.S | re.M)
LIST_IN_TEXT = re.compile(r"^((?!\* |\d+\. | |\||<!--|#).+\n)(?=\* |1\. )", re.M)


def relative(target, page):
    """A link from a page to another file of the site."""
    return os.path.relpath(target, Path(page).parent)


class Site:
    def __init__(self, folder, entries, known):
        self.folder, self.entries, self.known = folder, entries, known | {"hone", "c"}  # and targets of CMake
        self.sections = pages.contents((HERE / "contents.txt").read_text(encoding="utf-8"))
        self.places = {path: pages.place(path) for _, rows in self.sections for path, _ in rows}
        self.titles, self.sources, self.index, self.wrong = {}, {}, [], []
        self.c_body, c_entries = c_names.add(ROOT, lambda path: relative(self.places[path], c_names.PLACE), self.wrong.append)
        self.c_entries = c_entries
        self.names = {}  # of the reference, where one name has one entry
        for entry in entries + c_entries:
            self.names.setdefault(entry.name, []).append(entry.place + "#" + entry.anchor)

    # ---- text ----

    def page_of(self, path):
        text = pages.complete(ROOT, path, self.wrong.append)
        text = SNIPPET.sub(lambda m: f"{m['fence']}\n\n<p class=\"compiled\">compiled: <a href=\"/{m['path']}\">{m['path']}</a></p>", text)
        text = LIST_IN_TEXT.sub(r"\1\n", text)
        reader = markdown.Markdown(
            extensions=["tables", "fenced_code", "sane_lists", "toc", "codehilite", "md_in_html", "attr_list"],
            extension_configs={"toc": {"slugify": pages.slug, "toc_depth": "2-3"},
                               "codehilite": {"guess_lang": False, "css_class": "code"}}, tab_length=2)
        body = reader.convert(text)
        body = re.sub(r"(<pre>(?:<span></span>)?<code>)((?:  .*\n|\n)+)(</code>)", lambda m: m[1] + textwrap.dedent(m[2]) + m[3], body)
        title = re.search(r"<h1[^>]*>(.*?)</h1>", body, re.S)
        self.titles[path] = html.unescape(re.sub("<[^>]*>", "", title[1])) if title else path
        return body, reader.toc_tokens

    def resolved(self, body, path, page):
        """The body with its links as the site has them."""
        def link(match):
            kind, target = match[1], html.unescape(match[2])
            if re.match(r"[a-z]+:|#", target):
                return match[0]
            target, _, anchor = target.partition("#")
            file = (ROOT / target.lstrip("/") if target.startswith("/") else (ROOT / path).parent / target).resolve()
            name = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else None
            if name is None or not file.exists():
                self.wrong.append(f"{path}: {target} does not exist")
                return match[0]
            if file.is_dir() and f"{name}/README.md" in self.places:
                name += "/README.md"
            to = self.places.get(name) or self.file(name)
            return f'{kind}="{relative(to, page)}{"#" + anchor if anchor else ""}"'
        def name_of(match):  # a link that is called as its file is called as its page
            named = [path for path in self.titles if path.endswith("/" + match[2])]
            return f">{html.escape(self.titles[named[0]])}</a>" if len(named) == 1 else match[0]
        body = re.sub(r"(>)([\w/]+\.md)</a>", name_of, body)
        return re.sub(r'\b(href|src)="([^"]*)"', link, body)

    def file(self, name):
        """Where a file that is no page stands: pictures and pages of HTML as they are, others shown as source."""
        to = name.removeprefix("docs/") if name.endswith((".svg", ".png", ".html")) else f"source/{name}.html"
        self.sources[name] = to
        return to

    def with_names(self, body, page):
        """Links from names in the text to the reference."""
        def link(match):
            name = match[1].removeprefix("hone::")
            places = self.names.get(name)
            if not places or ("_" not in name and not match[1].startswith("hone::")):
                return match[0]
            return f'<a class="name" href="{relative(places[0], page)}">{match[0]}</a>'
        parts = re.split(r"(<pre.*?</pre>|<a .*?</a>|<h\d.*?</h\d>)", body, flags=re.S)
        return "".join(part if i % 2 else re.sub(r"<code>([\w:]+)</code>", link, part) for i, part in enumerate(parts))

    # ---- pages ----

    def menu(self, page):
        lines = []
        for section, listed in self.sections:
            rows = [(self.places[path], name or self.titles[path]) for path, name in listed]
            if section == "Headers":
                rows = [(area.place, area.title) for area in reference.areas(self.entries)] + [(c_names.PLACE, c_names.TITLE)]
            here = any(to == page for to, _ in rows)
            lines.append(f"<details{' open' if here or section == 'Start' else ''}><summary>{section}</summary>")
            lines += [f'<a{" class=here" if to == page else ""} href="{relative(to, page)}">{html.escape(name)}</a>' for to, name in rows]
            lines.append("</details>")
        return "\n".join(lines)

    def write(self, page, title, body, toc=(), home=False):
        root = relative(".", page)
        aside = "".join(f'<a class="l{token["level"]}" href="#{token["id"]}">{token["name"]}</a>' for token in flat(toc))
        text = (HERE / "page.html").read_text(encoding="utf-8")
        for name, value in {"title": html.escape(title if title == "hone" else f"{title} – hone"), "root": root, "menu": self.menu(page),
                            "kind": "home" if home else "page", "toc": f"<aside><details open><summary>On this page</summary>{aside}</details></aside>" if aside else "",
                            "body": body}.items():
            text = text.replace("{{" + name + "}}", value)
        target = self.folder / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def remember(self, page, title, body):
        """What the search finds: every section of a page."""
        parts = re.split(r'<h[1-4][^>]* id="([^"]*)"[^>]*>(.*?)</h[1-4]>', body, flags=re.S)
        heads = [("", title, parts[0])] + list(zip(parts[1::3], parts[2::3], parts[3::3]))
        for anchor, head, text in heads:
            words = " ".join(links.plain(text).split())
            if words or anchor:
                self.index.append([title, links.plain(head), page + ("#" + anchor if anchor else ""), words])

    def source(self, name, to):
        file = ROOT / name
        if to.endswith((".svg", ".png")) or to == name.removeprefix("docs/"):
            (self.folder / to).parent.mkdir(parents=True, exist_ok=True)
            if to.endswith(".html"):  # a page of results, which a program wrote
                style = (HERE / "results.css").read_text(encoding="utf-8")
                (self.folder / to).write_text(pages.with_style(file.read_text(encoding="utf-8"), style), encoding="utf-8")
            else:
                shutil.copyfile(file, self.folder / to)
            return
        if file.is_dir():
            rows = [f'<li><a href="{relative(self.file(f"{name}/{part.name}"), to)}">{part.name}</a></li>'
                    for part in sorted(file.iterdir()) if part.is_file()]
            body = "<ul>" + "".join(rows) + "</ul>"
        else:
            try:
                lexer = get_lexer_for_filename(name)
            except ClassNotFound:
                lexer = TextLexer()
            body = highlight(file.read_text(encoding="utf-8"), lexer, HtmlFormatter(cssclass="code"))
        self.write(to, name, f"<h1>{name}</h1>{body}")

    def build(self):
        bodies = {path: self.page_of(path) for path in self.places}
        for path, (body, toc) in bodies.items():
            page = self.places[path]
            body = self.with_names(self.resolved(body, path, page), page)
            self.remember(page, self.titles[path], body)
            self.write(page, self.titles[path], pages.TABLE.sub(pages.table, body), toc, home=page == "index.html")
        guides = {}
        for title, head, to, _ in self.index:
            guides.setdefault(head, (title, to))
        for area in reference.areas(self.entries):
            body = reference.page(area, lambda name: guides.get(name), lambda to, here=area.place: relative(to, here))
            self.write(area.place, area.title, body, [])
            for entry in reference.firsts(area.entries):
                self.index.append(["Reference", entry.name, f"{area.place}#{entry.anchor}", entry.words])
        self.write(c_names.PLACE, c_names.TITLE, self.c_body, [])
        self.index += [["Reference", entry.name, f"{entry.place}#{entry.anchor}", entry.words] for entry in self.c_entries]
        done = set()
        while left := {name: to for name, to in self.sources.items() if name not in done}:
            for name, to in left.items():
                self.source(name, to)
                done.add(name)
        for name in ["site.css", "search.js"]:
            shutil.copyfile(HERE / name, self.folder / name)
        (self.folder / "index.js").write_text("const pages = " + json.dumps(self.index, ensure_ascii=False) + ";\n", encoding="utf-8")
        self.wrong += names.check(ROOT, self.known)
        missing = sorted({path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")} - set(self.places))
        self.wrong += [f"{path} is not in docs/site/contents.txt" for path in missing]
        self.wrong += [f"docs/pictures/{path.name} is on no page" for path in sorted((ROOT / "docs" / "pictures").glob("*"))
                       if f"docs/pictures/{path.name}" not in self.sources]


def flat(tokens):
    for token in tokens:
        yield token
        yield from flat(token["children"])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    entries, known = reference.read(ROOT, folder.parent / "reference")
    site = Site(folder, entries, known)
    site.build()
    wrong = site.wrong + list(links.broken(folder)) + list(links.unfounded(folder / "index.html"))
    count = len(list(folder.rglob("*.html")))
    print("\n".join(wrong) if wrong else f"{folder}/index.html: {count} pages, {len(entries) + len(site.c_entries)} names in the reference, no broken link")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

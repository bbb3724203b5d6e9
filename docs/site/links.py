#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the links within a folder of HTML pages: that files and anchors exist, and that nothing is fetched from outside.

    links.py FOLDER    a line per broken link; status 1 if there is one
"""
import html
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


CLAIM = re.compile(r'<li class="claim">((?:(?!</li>).)*)<a [^>]*href="([^"]*)"', re.S)  # to its last link
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.twice = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                if value in self.ids:
                    self.twice.append(value)
                self.ids.add(value)
            elif name in ("href", "src") and value:
                self.links.append((tag, value))


def broken(folder):
    """A line for each link of a page of this folder that leads nowhere, and for each anchor that a page has twice."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).rglob("*.html"))}
    for path, page in pages.items():
        shown = path.relative_to(Path(folder).resolve())
        yield from (f"{shown}: the anchor {name} is there twice" for name in page.twice)
        for tag, link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if tag != "a":
                    yield f"{shown}: {link} would be fetched from outside"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield f"{shown}: {link} does not exist"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                yield f"{shown}: {link}: there is no such anchor"


def plain(text):
    """The text of a piece of HTML."""
    return html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"</?(?:a|b|code|em|span|strong|wbr)\b[^>]*>", "", text)))


def unfounded(page):
    """A line for each number of a claim of this page that does not stand on the page to which the claim links."""
    claims = CLAIM.findall(page.read_text(encoding="utf-8"))
    if not claims:
        yield f"{page.name} makes no claim"
    for said, link in claims:
        target = page.parent / link.partition("#")[0]
        known = plain(target.read_text(encoding="utf-8")) if target.is_file() else ""
        for number in NUMBER.findall(plain(said)):
            if not re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.]*\d)", known):
                yield f"{page.name} claims {number}, but {link} does not have it"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = list(broken(sys.argv[1]))
    print("\n".join(found) if found else "no broken link")
    sys.exit(1 if found else 0)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The checks of the site catch a broken link, a claim without its page and a name that is not there; the reference takes the
right comment, of C too; the table of what is tested follows the calls of the tests."""
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path[:0] = [str(DOCS), str(DOCS / "site")]
import c_names
import links
import names
import pages
import reference
import support

LINKS = [  # a page beside other.html, which has the anchor "there"; what is complained about
    ('<a href="other.html#there">x</a> <a href="#own">y</a> <p id="own">', ""),
    ('<a href="https://example.org">x</a>', ""),
    ('<a href="other.html#else">x</a>', "no such anchor"),
    ('<a href="#else">x</a>', "no such anchor"),
    ('<a href="absent.html">x</a>', "does not exist"),
    ('<img src="absent.svg">', "does not exist"),
    ('<p id="a"><p id="a">', "twice"),
    ('<script src="https://example.org/a.js"></script>', "from outside"),
]
CLAIMS = [  # a claim, what other.html says, what is complained about
    ("<strong>12.5 %</strong> of 3", "3 runs: 12.5 %", ""),
    ("<strong>12.5 %</strong>", "12.54 and 112.5", "claims 12.5"),
    ("<strong>1e-15</strong>", "1e-15 / 0.3", ""),
    ("<strong>1e-15</strong>", "1e-14", "claims 1e-15"),
    ("<strong>5</strong> of 6", "5", "claims 6"),
    ('<strong>5</strong> <a href="absent.html">name</a>', "5", ""),
]
HEADER = """/// The file.

/// A loss.
///   value  x
template <class T>
  requires number<T>
auto loss(T x);

auto other(int x);
int member;  ///< not a comment above
auto third(int x);
""".splitlines()
ABOVE = [(7, ["A loss.", "  value  x"]), (9, []), (11, [])]
PROSE = [
    (["A loss", "of `x` < 1."], "<p>A loss\nof <code>x</code> &lt; 1.</p>"),
    (["A:", "  value  x", "  slope  1", "End."], "<p>A:</p><pre>  value  x\n  slope  1</pre><p>End.</p>"),
    (["* one", "  more", "* two"], "<p>• one\nmore</p><p>• two</p>"),
    (["One.", "", "Two."], "<p>One.</p><p>Two.</p>"),
]
CONFORMANCE = """
template <class Device, class T>
void rows(std::vector<shape> const& shapes) {
  each_batch<row_batch<Device, T>>(shapes, [](auto const& b) { expect(b, hone::cross_entropy(hone::classes(b))); });
}
template <class Device>
void images() {
  const batch<Device, float> b;
  expect(hone::z_loss(1), hone::image_view<const float>{b});
}
template <class Device, class T, class Loss>
void loss_of(Loss const& loss) { expect(loss); }
template <class Device>
void all() {
  const auto focal = [](auto t) { return hone::focal(t); };
  rows<Device, double>();  // not rows<Device, float>();
  loss_of<Device, typename Device::half>(focal);
  images<Device>();
}
template <class Device>
void unused() { rows<Device, float>(); }
"""
INSTANTIATED = {("CPU", "cross_entropy", "double", "matrix"), ("CPU", "focal", "half", "matrix"), ("CPU", "z_loss", "float", "image"),
                ("CUDA", "z_loss", "float", "image")}
OTHER = """# Other

## One [link](two.md#x)

Text, [here](#one) and [there](../code.cpp).

```cpp
[](auto)
```

### Deeper

## Two

| a | b |
|---|---|
| 1 | x |
| 2 | y |

| c |
|---|
| 2 |
"""
TAKEN = [  # a directive of docs/page.md, what it stands for, what is complained about
    ("include: docs/sub/other.md#two", "| a | b |", ""),
    ("include: docs/sub/other.md#one-linktwomdx", "Text, [here](/docs/sub/other.md#one) and [there](/docs/code.cpp).\n\n```cpp\n[](auto)\n```", ""),
    ("rows: docs/sub/other.md ^\\| 2", "| a | b |\n|---|---|\n| 2 | y |\n\n| c |\n|---|\n| 2 |", ""),
    ("include: docs/sub/other.md#three", "", "has no three"),
    ("rows: docs/sub/other.md ^\\| 3", "", "has no"),
    ("include: docs/absent.md#one", "", "has no one"),
]

NAMED = [  # a page, what of it is not there
    ("`loss` and `hone::loss(x)`", set()),
    ("`losses` of `hone::losses`, also `loss_…` and `NAME_loss`", {"losses", "hone::losses", "loss_"}),
    ("    hone::gone(x)\n\n```cpp\nhone::old();\n```\n", {"hone::gone", "hone::old"}),
    ("<!-- snippet: a.cpp#b -->\n```cpp\nauto own = hone::compiled();\n```\n", set()),
    ("`left_part` of `part_`", set()),
]
LOG = "## Unreleased\n\nnew\n\n### Removed and changed names\n\nwent\n\n### Other\n\nkept\n\n## 0.2\n\nlast\n\n## 0.1\n\nold\n"
C_HEADER = """/* SPDX
 *
 * The whole.
 *
 * - One: docs/a.md.
 */
/* ---- data ---- */

/* An array. */
typedef struct hone_array {
  const void* data;
  int32_t dtype; /* HONE_ONE or
                  * HONE_TWO */
} hone_array;

/* What kinds. */
enum { HONE_ONE = 1, HONE_TWO = 2 /* the second */ };
typedef struct hone_loss hone_loss;
/* Calls task(state, 0). */
typedef void (*hone_task)(void* state, int32_t i);
HONE_API int32_t hone_run(hone_task task,
                          void* state);

/* ---- helpers ---- */

static inline hone_array hone_of(const void* data) {
  hone_array a;
  return a;
}
"""
C_NAMES = [("hone_array", "struct", "An array.", [("const void* data", "", ""), ("int32_t dtype", "", "HONE_ONE or HONE_TWO")]),
           ("HONE_ONE", "constants", "What kinds.", [("HONE_ONE", "1", ""), ("HONE_TWO", "2", "the second")]),
           ("hone_loss", "handle", "", []), ("hone_task", "type", "Calls task(state, 0).", []), ("hone_run", "function", "", []),
           ("hone_of", "function", "", [])]

wrong = 0


def expect(what, found, expected):
    global wrong
    if found != expected:
        wrong += 1
        print(f"{what}: expected {expected!r}, found {found!r}")


for text, expected in LINKS:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "other.html").write_text('<p id="there">', encoding="utf-8")
        (Path(folder) / "page.html").write_text(text, encoding="utf-8")
        found = list(links.broken(folder))
    expect(text, (len(found), expected in "".join(found)), (1 if expected else 0, True))
for text, other, expected in CLAIMS:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "other.html").write_text(f"<p>{other}</p>", encoding="utf-8")
        page = Path(folder) / "index.html"
        page.write_text(f'<li class="claim">{text} <a href="other.html#x">more</a></li>', encoding="utf-8")
        found = list(links.unfounded(page))
    expect(text, (len(found), expected in "".join(found)), (1 if expected else 0, True))
for line, expected in ABOVE:
    expect(f"line {line}", reference.comment_above(HEADER, line), expected)
for comment, expected in PROSE:
    expect(comment, reference.prose(comment), expected)
for text, expected in NAMED:
    expect(text, set(names.absent(text, {"hone", "loss", "x", "part_", "left_part"}, {"loss"})), expected)
expect("the changelog", names.current("CHANGELOG.md", LOG).split(), "## Unreleased new ### Other kept ## 0.2 last".split())
expect("foreign names", names.foreign("# a: b\nOne: c d\n  e\n"), {"c", "d", "e"})
lead, parts = c_names.read(C_HEADER)
expect("names of C", [(one.names[0], one.kind, one.comment, one.rows) for part in parts for one in part.declared], C_NAMES)
expect("a link of C", "<li>One: <a href=\"../docs/a.md\">docs/a.md</a>.</li>" in c_names.page(lead, parts, lambda path: "../" + path), True)
for cell, columns, expected in [("hone::long_name", 2, "hone::<wbr>long_<wbr>name"), ("short_name", 2, "short_name"), ("x = f(AverageOf)", 2, "x = f(<wbr>Average<wbr>Of)"),
                                ("a_b", 10, "a_b")]:
    text = "<tr>" + "<th>" * columns + f"</tr><td><code>{cell}</code>"
    found = pages.TABLE.sub(pages.table, f"<table>{text}</table>")
    kind = "wide many" if columns == 10 else "wide"
    expect(cell, found, f'<div class="{kind}"><table>' + text.replace(cell, expected) + "</table></div>")
for directive, expected, complaint in TAKEN:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "docs/sub").mkdir(parents=True)
        (Path(folder) / "docs/sub/other.md").write_text(OTHER, encoding="utf-8")
        (Path(folder) / "docs/page.md").write_text(f"Begin.\n\n<!-- {directive} -->\n[a link](x.md)\nof GitHub.\n\nEnd.\n", encoding="utf-8")
        complaints = []
        found = pages.complete(Path(folder), "docs/page.md", complaints.append)
    expect(directive, (expected in found, "GitHub" in found, found.endswith("\n\nEnd.\n")), (True, False, True))
    expect(directive, (len(complaints), complaint in "".join(complaints)), (1 if complaint else 0, True))
for heads, expected in [(pages.TEMPLATE, 0), ([name for name in pages.TEMPLATE if name != "Picture"], 0), (pages.TEMPLATE[:-1], 1), (pages.TEMPLATE[::-1], 1),
                        (["Picture"], 1)]:
    head = "".join(f"## {name}\n\nText.\n\n" for name in heads)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "docs/refinements").mkdir(parents=True)
        (Path(folder) / "docs/refinements/one.md").write_text("# One\n\n" + head, encoding="utf-8")
        complaints = []
        pages.complete(Path(folder), "docs/refinements/one.md", complaints.append)
    expect(f"the template: {complaints}", len(complaints), expected)
expect("a style", pages.with_style("<body>x</body>", "b\n"), "<body>x<style>\nb\n</style>\n</body>")
with tempfile.TemporaryDirectory() as folder:
    support.ROOT = Path(folder)
    for name, text in [("conformance/rows.hpp", CONFORMANCE + "template <class D>\nvoid each_batch(int s) { }\n"),
                       ("cpu/rows_test.cpp", "conformance::all<on_this_machine>();"),
                       ("cuda/rows_test.cu", "conformance::images<device>(); // conformance::all<device>();")]:
        (support.ROOT / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        (support.ROOT / "tests" / name).write_text(text, encoding="utf-8")
    expect("what is instantiated", support.instantiated({"cross_entropy", "focal", "z_loss"}), INSTANTIATED)
print(f"{wrong} wrong of {len(LINKS) + len(CLAIMS) + len(ABOVE) + len(PROSE) + len(TAKEN) + len(NAMED) + 15}")
sys.exit(1 if wrong else 0)

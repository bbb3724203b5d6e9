#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tables of docs/support.md: which names the conformance tests instantiate, in which types and layouts, on which backend.

    support.py --check    compares the page with the tests; status 1 where it differs
    support.py --write    writes the tables

Read from the sources: the functions of tests/conformance/ are followed from the tests of each backend that call them, with
their template arguments. A name counts in the types of the function, or of the call, in whose text it stands.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "support.md"
TYPES = ["float", "double", "half", "bfloat16"]
BACKENDS = ["CPU", "CUDA"]
KINDS = {  # a table: where the factories of its names are, and the name of a term, if all share a skeleton
    "Losses of rows": ["loss/row", "distil"], "Losses of elements": ["loss/element"], "Boxes": ["loss/box"],
    "Losses of regions": ["loss/region"], "Targets of rows": ["target"]}
VERBS = {
    "Gradients and averages": "clip_by_value clip_by_norm clip_by_global_norm adaptive_clip unscale transform measure step ema swa stochastic_rounding",
    "Samples and detection": "blend nms decode_boxes",
    "Structure": "reduce_planes scale_planes reduce_pixels scale_pixels select_branches recalibrate average_pool blur_pool drop_blocks frozen_batch_norm "
                 "scale_channels measure_channels deform_conv2d deform_conv2d_backward"}
FACTORY = re.compile(r"^(?:inline |constexpr )*\w[\w:<>, ]*? (\w+)\(", re.M)
FUNCTION = re.compile(r"template <(?P<parameters>[^{};]*?)>\s*(?:inline )?\w[\w:<>&, ]*?\b(?P<name>\w+)\((?P<takes>[^;{}]*)\)\s*\{")
LAMBDA = re.compile(r"(?:const )?auto (\w+) = (?=\[)")


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def balanced(text, begin, opening, closing):
    """The end of what the bracket at `begin` opens."""
    depth = 0
    for i in range(begin, len(text)):
        depth += (text[i] == opening) - (text[i] == closing)
        if depth == 0:
            return i + 1
    return len(text)


def parts(text):
    """What commas outside of brackets separate."""
    found, depth, begin = [], 0, 0
    for i, letter in enumerate(text):
        depth += (letter in "<([{") - (letter in ">)]}")
        if letter == "," and depth == 0:
            found.append(text[begin:i].strip())
            begin = i + 1
    return found + [text[begin:].strip()]


class Function:
    def __init__(self, parameters, body):
        self.parameters = [part.split()[-1].removesuffix("...") for part in parts(parameters)]
        self.body = body


def functions():
    found = {}
    for path in sorted((ROOT / "tests" / "conformance").glob("*.hpp")):
        text = without_comments(path.read_text(encoding="utf-8"))
        for match in FUNCTION.finditer(text):
            end = balanced(text, match.end() - 1, "{", "}")
            found.setdefault(match["name"], []).append(Function(match["parameters"], match["takes"] + ";" + text[match.end():end]))
    return found


def calls(text, names, prefix=""):
    """Calls of these functions with template arguments: the name, those arguments, and the others as text."""
    for match in re.finditer(rf"\b{prefix}({'|'.join(map(re.escape, names))})<", text):
        end = balanced(text, match.end() - 1, "<", ">")
        if text[end:end + 1] == "(":
            yield match[1], parts(text[match.end():end - 1]), text[end:balanced(text, end, "(", ")")]


def type_of(text, bound):
    last = text.replace("typename ", "").replace("const ", "").split("::")[-1].strip()
    last = bound.get(last, last)
    return {"__half": "half", "__nv_bfloat16": "bfloat16"}.get(last, last)


def names_in(text, names):
    return {name for name in re.findall(r"\b(?:hone|experimental|parity|Device)::(?:template )?(\w+?)(?:_options)?\b", text) if name in names}


def follow(known, wanted, backend, name, arguments, seen, counted):
    for function in known.get(name, []):
        bound = dict(zip(function.parameters, arguments))
        key = (backend, name, id(function), tuple(sorted(bound.items())))
        if key in seen:
            continue
        seen.add(key)
        own = {value for parameter, value in bound.items() if value in TYPES}
        if not own & set(TYPES):
            own = {type_of(t, bound) for t in 
                   re.findall(r"<Device, ([\w: ]+?)[,>]|outputs<(\w+)[,>]|view<(?:const )?(\w+)[,>]", function.body) for t in t if t}
        layout = "image" if re.search(r"image_view|planes_of|feature_view", function.body) else "matrix"
        local = {}
        for match in LAMBDA.finditer(function.body):
            start = function.body.find("{", match.end())
            local[match[1]] = function.body[match.end():balanced(function.body, start, "{", "}")]
        inner, typed = [], []
        for callee, given, text in calls(function.body, known):
            types = {type_of(word, bound) for argument in given for word in re.findall(r"[\w:]+", argument)} & set(TYPES)
            inner.append((callee, [type_of(argument, bound) for argument in given]))
            if types:
                typed.append((callee, given, text))
                text += " ".join(code for word, code in local.items() if re.search(rf"\b{word}\b", text))
                counted.update((backend, term, t, "matrix") for term in names_in(text, wanted) for t in types)
        said = function.body
        for _, _, text in typed:  # those belong to the types of the calls
            said = said.replace(text, "")
        for word, code in local.items():
            if not re.search(rf"\b{word}\b", said.replace(code, "").replace(f"auto {word}", "")):
                said = said.replace(code, "")
        counted.update((backend, term, t, layout) for term in names_in(said, wanted) for t in own & set(TYPES))
        for callee, given in inner:
            follow(known, wanted, backend, callee, given, seen, counted)


def instantiated(wanted):
    """(backend, name, type, layout) of all that the tests reach."""
    known, seen, counted = functions(), set(), set()
    for path in sorted((ROOT / "tests").rglob("*_test.c*")):
        text = without_comments(path.read_text(encoding="utf-8"))
        backend = "CUDA" if "cuda" in path.relative_to(ROOT).parts else "CPU"
        for name, arguments, _ in calls(text, known, "conformance::"):
            follow(known, wanted, backend, name, [type_of(argument, {}) for argument in arguments], seen, counted)
    return counted


def factories(folders):
    names = []
    for folder in folders:
        for path in sorted((ROOT / "include" / "hone" / folder).rglob("*.hpp")):
            text = re.sub(r"namespace detail \{.*?\n\}  // namespace detail", "", path.read_text(encoding="utf-8"), flags=re.S)
            names += FACTORY.findall(text)
    return list(dict.fromkeys(names))


def table(names, counted, shared, images):
    """A row per name. Where all names share a skeleton, what is tested of another name only is shown too."""
    columns = [(backend, what) for backend in BACKENDS for what in TYPES + ["image"] * images]
    def tested(name, backend, what):
        return any(b == backend and n == name and what in (t, layout) for b, n, t, layout in counted)
    lines = ["| | " + " | ".join(f"{backend} {'images' if what == 'image' else what}" for backend, what in columns) + " |",
             "|---|" + "---|" * len(columns)]
    for name in names:
        cells = []
        for backend, what in columns:
            own = tested(name, backend, what)
            any_backend = any(b == backend and n == name for b, n, _, _ in counted)
            kin = shared and any_backend and any(tested(other, backend, what) for other in names)
            cells.append("●" if own else "○" if kin else "")
        if any(cells):
            lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def tables():
    groups = {title: (factories(folders), title != "Targets of rows", True) for title, folders in KINDS.items()}
    groups |= {title: (names.split(), False, False) for title, names in VERBS.items()}
    wanted = {name for names, *_ in groups.values() for name in names}
    counted = instantiated(wanted)
    return {title: table(names, counted, *how) for title, (names, *how) in groups.items()}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in ("--check", "--write"):
        sys.exit(__doc__)
    text = PAGE.read_text(encoding="utf-8")
    made = re.sub(r"(<!-- table: (.+?) -->\n).*?(?=<!-- /table -->)",
                  lambda match, made=tables(): match[1] + made[match[2]] + "\n", text, flags=re.S)
    if sys.argv[1] == "--write":
        PAGE.write_text(made, encoding="utf-8")
    elif made != text:
        sys.exit("docs/support.md is not what the tests instantiate: run docs/support.py --write")
    print(f"support.md shows what the tests instantiate, in {text.count('<!-- table:')} tables")


if __name__ == "__main__":
    main()

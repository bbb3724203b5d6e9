#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lists the public names of hone's headers, and holds the listing in docs/api.txt against them (docs/stability.md).

    api.py --print      the listing
    api.py --check      status 1 where docs/api.txt differs from the headers
    api.py --write      writes docs/api.txt. Names that went or changed must be named in CHANGELOG.md before: in the part
                        "## Unreleased", under "### Removed and changed names", each in `backquotes`

The headers are read as text, without a compiler, so that those of CUDA and of adapters are listed as well. A line is a
qualified name and its declaration without body: kinds of types with their bases, functions with their parameters and
default arguments, members with their defaults, enumerators with their values, concepts with their definition, macros.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTING = ROOT / "docs/api.txt"
HEAD = "# The public names of hone, by the door that leads to them. Written by docs/api.py; docs/stability.md explains it.\n"
CHANGED = "### Removed and changed names"
NOT_PUBLIC = {"detail", "on_cpu", "on_cuda", "experimental", "c"}  # namespaces; c is what hone.h is made of
OPAQUE = ("_formula", "_term", "_target")  # what factories return: the name is public, the members are not
PUBLIC_MACROS = {"HONE_HD", "HONE_NO_EXEC_CHECK"}  # those that losses of one's own need
NO_TOKENS = {"inline", "HONE_HD", "HONE_INLINE", "HONE_IF_CALLED", "HONE_FLATTEN", "HONE_NO_EXEC_CHECK", "HONE_OWN_TO_OBJECT",
             "HONE_API", "HONE_AVX512_BEGIN", "HONE_AVX512_END"}  # how a thing is compiled
TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'|[A-Za-z_]\w*|\.?\d(?:[\w.]|\'\w|[eEpP][+-])*|'
                   r"->\*?|::|<=>|<<=|\.\.\.|&&|\|\||[=!<]=|[-+*/%&|^]=|\+\+|--|<<|[^\s\w`@$\\]")
COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.S)
WORD = re.compile(r"[A-Za-z_]\w*")
OPENS, CLOSES = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}


class Unread(Exception):
    """Text that this reader does not understand: it must never leave a name out in silence."""


# ---- tokens ---------------------------------------------------------------------------------------------------

def without_comments(text):
    return COMMENT.sub(lambda found: found[1] or " ", text)


def without_directives(text):
    """The text with the first branch of every condition, and its macros' names."""
    kept, macros, hidden = [], [], []  # hidden: one flag for each condition that is open
    for line in text.replace("\\\n", " ").split("\n"):
        directive = re.match(r"\s*#\s*(\w+)\s*(\w*)", line)
        if not directive:
            if not any(hidden):
                kept.append(line)
            continue
        word, name = directive.groups()
        if word in ("if", "ifdef", "ifndef"):
            hidden.append(False)
        elif word in ("else", "elif"):
            hidden[-1] = True
        elif word == "endif":
            hidden.pop()
        elif word == "define":
            macros.append((name, re.sub(r"^\s*#\s*define\s+", "", line).strip()))
    return "\n".join(kept), macros


def tokens_of(text):
    """Pairs of a token and whether a space stands before it."""
    found, end = [], 0
    for token in TOKEN.finditer(text):
        if text[end:token.start()].strip():
            raise Unread(text[end:token.end()])
        if token[0] not in NO_TOKENS:
            found.append((token[0], end != token.start()))
        end = token.end()
    return found


def text_of(tokens):
    """One line, the same however the source is broken into lines."""
    out = ""
    for token, space in tokens:
        inside = out.endswith(("(", "[", "template <")) or (out.endswith("<") and not out.endswith(" <"))
        if space and out and not inside and token not in (")", "]", ",", ";"):
            out += " "
        out += token
    return out


def matching(tokens, at):
    """The position of the bracket that closes the one at `at`."""
    waiting = []
    for position in range(at, len(tokens)):
        token = tokens[position][0]
        if token in OPENS:
            waiting.append(OPENS[token])
        elif token in CLOSES:
            if token != waiting.pop():
                raise Unread(text_of(tokens[at:position + 1][:40]))
            if not waiting:
                return position
    raise Unread(text_of(tokens[at:at + 40]))


def after_angles(tokens, at):
    """The position behind the > that closes the < at `at`."""
    depth, position = 0, at
    while position < len(tokens):
        token = tokens[position][0]
        if token in OPENS:
            position = matching(tokens, position)
        elif token == "<":
            depth += 1
        elif token == ">":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    raise Unread(text_of(tokens[at:at + 40]))


def behind_constraint(tokens, at):
    """The position behind `requires …`, which stands at `at` behind template <…> or before a function's end."""
    position = at + 1
    if tokens[position][0] == "{":  # no clause, but an expression among template arguments
        return matching(tokens, position) + 1
    while True:
        while tokens[position][0] == "!":
            position += 1
        if tokens[position][0] == "requires":  # an expression
            position += 1
            if tokens[position][0] == "(":
                position = matching(tokens, position) + 1
            position = matching(tokens, position) + 1
        elif tokens[position][0] == "(":
            position = matching(tokens, position) + 1
        else:
            while True:  # a concept or a constant, qualified as it may be
                position += 1
                if tokens[position][0] == "<":
                    position = after_angles(tokens, position)
                if tokens[position][0] != "::":
                    break
                position += 1
        if position >= len(tokens) or tokens[position][0] not in ("&&", "||"):
            return position
        position += 1


def behind_templates(tokens):
    """The position behind all template <…> requires …"""
    position = 0
    while position < len(tokens) and tokens[position][0] == "template":
        position = after_angles(tokens, position + 1)
        if tokens[position][0] == "requires":
            position = behind_constraint(tokens, position)
    return position


def split(tokens, separator=","):
    """Parts between separators that stand in no bracket."""
    parts, begin, position = [], 0, 0
    while position < len(tokens):
        token = tokens[position][0]
        if token in OPENS:
            position = matching(tokens, position)
        elif token == "<" and position and WORD.fullmatch(tokens[position - 1][0]):
            try:
                position = after_angles(tokens, position) - 1
            except Unread:  # a comparison
                pass
        elif token == separator:
            parts.append(tokens[begin:position])
            begin = position + 1
        position += 1
    return [*parts, tokens[begin:]]


# ---- declarations -----------------------------------------------------------------------------------------------

def next_declaration(tokens, at):
    """(head, body or None, the position behind): body is what stands in the braces of a scope or of a function."""
    position, assigned = at, False
    while position < len(tokens):
        token = tokens[position][0]
        if token == ";":
            return tokens[at:position], None, position + 1
        if token == ":" and position == at + 1 and tokens[at][0] in ("public", "private", "protected"):
            return tokens[at:position + 1], None, position + 1
        if token == "template" and tokens[position + 1][0] == "<":
            position = after_angles(tokens, position + 1)
            continue
        if token == "requires" and not assigned:
            position = behind_constraint(tokens, position)
            continue
        if token == "=" and tokens[position - 1][0] != "operator":
            assigned = True
        if token == ":" and position > at and not assigned:
            head = tokens[at + behind_templates(tokens[at:position]):position]
            if not {"struct", "class", "enum"} & {word for word, _ in head} and is_function(head):  # initialisers of members
                position = behind_initialisers(tokens, position)
                return tokens[at:position_of_colon(tokens, at, position)], tokens[position + 1:matching(tokens, position)], \
                    matching(tokens, position) + 1
        if token == "{":
            end = matching(tokens, position)
            if assigned or is_value(tokens[at:position]):
                position = end + 1
                continue
            behind = end + 1
            if behind < len(tokens) and tokens[behind][0] == ";":
                behind += 1
            return tokens[at:position], tokens[position + 1:end], behind
        if token in OPENS:
            position = matching(tokens, position)
        position += 1
    if text_of(tokens[at:]):
        raise Unread(text_of(tokens[at:at + 40]))
    return [], None, position


def behind_initialisers(tokens, at):
    """The position of the brace of the body, behind `: a(b), c{d}`, whose colon stands at `at`."""
    position = at + 1
    while True:
        while tokens[position][0] not in ("(", "{"):
            position = after_angles(tokens, position) if tokens[position][0] == "<" else position + 1
        position = matching(tokens, position) + 1
        if tokens[position][0] == "...":
            position += 1
        if tokens[position][0] != ",":
            return position
        position += 1


def position_of_colon(tokens, at, end):
    position = at + behind_templates(tokens[at:end])
    while tokens[position][0] != ":":
        position = matching(tokens, position) + 1 if tokens[position][0] in OPENS else position + 1
    return position


def parenthesis(tokens):
    """The position of the parameters' ( in the head of a function, or None."""
    position = behind_templates(tokens)
    while position < len(tokens):
        token = tokens[position][0]
        if token == "operator":
            position += 3 if tokens[position + 1][0] in ("(", "[") else 2
            while position < len(tokens) and tokens[position][0] != "(":
                position += 1
            return position if position < len(tokens) else None
        if token == "<" and position and WORD.fullmatch(tokens[position - 1][0]):
            position = after_angles(tokens, position)
            continue
        if token == "=":
            return None
        if token == "(":
            if tokens[position + 1][0] in ("*", "&"):  # a pointer to a function
                return None
            before = tokens[position - 1][0] if position else ""
            if WORD.fullmatch(before) and before not in ("decltype", "explicit", "noexcept", "alignas", "__attribute__", "requires"):
                return position
            position = matching(tokens, position)
        elif token in OPENS:
            position = matching(tokens, position)
        position += 1
    return None


def is_function(tokens):
    return parenthesis(tokens) is not None


def is_value(head):
    """Whether a { behind this head begins an initial value: of `real x{…}`."""
    words = {word for word, _ in head[behind_templates(head):]}
    return not words & {"struct", "class", "union", "enum", "namespace", "extern"} and not is_function(head)


def variables(head):
    """(name, its type, name and initial value) of each variable in `type a = 1, b[2]`."""
    first, *others = split(head)
    pointer = next((at for at, (token, _) in enumerate(first[:-1]) if token == "(" and first[at + 1][0] == "*"), None)
    if pointer is not None and "=" not in [token for token, _ in first[:pointer]]:  # void (*name)(int)
        yield first[pointer + 2][0], head, []
        return
    name_at = None
    position = behind_templates(first)
    while position < len(first):
        token = first[position][0]
        if token in ("=", "{", "[") and position and not (token == "[" and first[position + 1][0] == "["):
            break
        if token == "<" and WORD.fullmatch(first[position - 1][0]):
            position = after_angles(first, position)
            continue
        if token in OPENS:
            position = matching(first, position)
        elif WORD.fullmatch(token):
            name_at = position
        position += 1
    if name_at is None:
        raise Unread(text_of(head))
    if first[name_at + 1:name_at + 2] and first[name_at + 1][0] == "<" or name_at and first[name_at - 1][0] == "::":
        return  # a specialisation, or the definition of a member
    kind = first[:name_at]
    for part in (first[name_at:], *others):
        while not WORD.fullmatch(part[0][0]):  # of `*a, *b`
            part = part[1:]
        yield part[0][0], kind, part


def name_behind(tokens, keyword):
    """The name of a struct, and whether it is a specialisation."""
    position = next(at for at, (token, _) in enumerate(tokens) if token in keyword) + 1
    while position < len(tokens) and tokens[position][0] in ("class", "struct", "[", "__attribute__", "alignas"):
        position = matching(tokens, position) if tokens[position][0] == "[" else position
        position += 1
        if tokens[position][0] == "(":
            position = matching(tokens, position) + 1
    if position == len(tokens) or not WORD.fullmatch(tokens[position][0]):
        return None, False  # without a name
    return tokens[position][0], position + 1 < len(tokens) and tokens[position + 1][0] in ("<", "::")


def enumerators(path, body):
    for part in split(body):
        if part:
            yield "::".join([*path, part[0][0]]), text_of(part)


def walk(tokens, path, open_, of_class=None):
    """(name, declaration) of everything public in a scope. open_ says whether members are public at its beginning."""
    position = 0
    while position < len(tokens):
        head, body, position = next_declaration(tokens, position)
        if not head:
            continue
        first = head[0][0]
        if first in ("public", "private", "protected") and len(head) == 2:
            open_ = first == "public"
        elif first == "namespace":
            inner = [word for word, _ in head if word not in ("namespace", "::", "HONE_ABI")]
            if "=" not in inner and not NOT_PUBLIC & set(inner) and inner and (path or inner[0] == "hone"):
                yield from walk(body, [*path, *inner], True)
        elif first == "extern" and body is not None:
            yield from walk(body, path, True, of_class)
        elif path or of_class == "C":
            yield from declaration(head, body, path, open_, of_class)


def declaration(head, body, path, open_, of_class):
    rest = head[behind_templates(head):]
    words = [word for word, _ in rest]
    if not words or words[0] == "static_assert" or words[0].startswith("HONE_") and len(words) == 1:
        return
    if words[0] == "friend":
        if "operator" in words or (body is not None and is_function(head)):
            yield from function(head, path)
        return
    if not open_:
        return
    if words[0] == "concept":
        yield "::".join([*path, words[1]]), text_of(head)
    elif words[0] == "using":
        if words[1] in ("namespace", "enum"):
            return
        name = words[1] if "=" in words else words[-1]
        yield "::".join([*path, name]), text_of(head)
    elif words[0] == "typedef":
        if body is None:
            name = words[-1] if words[-1] != ")" else words[words.index("*") + 1]
            yield "::".join([*path, name]), text_of(head)
        else:
            raise Unread(text_of(head))
    elif "enum" in words[:2]:
        name, _ = name_behind(rest, {"enum"})
        if body is None:
            return
        scoped = [*path, name] if name and "class" in words else path
        if name:
            yield "::".join([*path, name]), text_of(head)
        yield from enumerators(scoped, body)
    elif {"struct", "class", "union"} & set(words[:3]) and (body is not None or not is_function(head)):
        keyword = next(word for word in words if word in ("struct", "class", "union"))
        name, special = name_behind(rest, {keyword})
        if special or (body is None and len(words) == 2) or name is None:
            return  # a specialisation or a declaration of what is defined elsewhere
        if body is None and head[0][0] == "template" and words[-1] == name:
            return
        yield "::".join([*path, name]), text_of(head)
        if body is not None and not name.endswith(OPAQUE):
            yield from walk(body, [*path, name], keyword != "class", name)
    elif is_function(head):
        yield from function(head, path)
    else:
        for name, kind, value in variables(head):
            if value and not of_class:  # a constant's value is no promise, a default is
                value = value[:1]
            yield "::".join([*path, name]), text_of([*kind, *[(token, space or not at) for at, (token, space) in enumerate(value)]])


def function(head, path):
    at = parenthesis(head)
    if at is None:
        raise Unread(text_of(head))
    begin = at - 1
    words = [word for word, _ in head]
    if "operator" in words[:at]:
        begin = words.index("operator")
    name = text_of(head[begin:at])
    if begin and words[begin - 1] in ("~", "::"):  # a destructor, or the definition of a member behind its class
        return
    if "delete" in words[at:] and words[-1] == "delete":
        return
    yield "::".join([*path, name]), text_of(head)


# ---- headers ------------------------------------------------------------------------------------------------------

def door_of(name):
    parts = name.split("/")
    if name == "hone.h":
        return name
    if len(parts) == 2:
        return name
    if parts[1] == "adapt":
        return name if len(parts) == 3 else f"hone/adapt/{parts[2]}.hpp" if parts[2] != "layout" else "hone/adapt/layout"
    return {"cuda": "hone/cuda.cuh", "core": "hone/core, by the doors that use it"}.get(parts[1], f"hone/{parts[1]}.hpp")


def c_structs(text):
    """`typedef struct x {…} x;` as C++ writes it."""
    text = re.sub(r"typedef\s+struct\s+(\w+)\s*\{([^{}]*)\}\s*\w+\s*;", r"struct \1 {\2};", text)
    return re.sub(r"typedef\s+struct\s+(\w+)\s+\1\s*;", r"struct \1;", text)


def names_in(name, text):
    """(name, declaration) of everything public in one header."""
    text, macros = without_directives(without_comments(text))
    of_c = name == "hone.h"
    try:
        for macro, line in macros:
            if macro in PUBLIC_MACROS or (of_c and macro.startswith("HONE_") and macro not in ("HONE_H", "HONE_API")):
                yield macro, "#define " + macro + re.match(r"\w+(\([^)]*\))?", line).group()[len(macro):]
        yield from walk(tokens_of(c_structs(text) if of_c else text), [], True, "C" if of_c else None)
    except (Unread, IndexError, StopIteration) as wrong:
        raise Unread(f"{name}: {wrong}") from wrong


def listing(include):
    """A dictionary from doors to sorted lines."""
    doors = {}
    for path in sorted([*include.rglob("*.hpp"), *include.rglob("*.cuh"), *include.glob("*.h")]):
        name = path.relative_to(include).as_posix()
        if name.startswith("hone/c/"):
            continue
        lines = {f"{what}: {how}" for what, how in names_in(name, path.read_text(encoding="utf-8"))}
        if lines:
            doors.setdefault(door_of(name), set()).update(lines)
    return doors


def text_of_listing(doors):
    return HEAD + "".join(f"\n[{door}]\n" + "".join(line + "\n" for line in sorted(doors[door])) for door in sorted(doors))


def parsed(text):
    """Pairs of door and line."""
    found, door = set(), None
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            door = line[1:-1]
        elif line and not line.startswith("#"):
            found.add((door, line))
    return found


def name_of(line):
    """Of `hone::a::b: real b = 1`."""
    return re.match(r"(?:::|[^:])+?(?=: )", line).group()


def admitted(changelog):
    """The names in backquotes that the changelog says to have gone or changed since the last release."""
    unreleased = re.search(r"^## Unreleased$(.*?)(?=^## |\Z)", changelog, re.S | re.M)
    part = unreleased and re.search(rf"^{CHANGED}$(.*?)(?=^### |\Z)", unreleased[1], re.S | re.M)
    return set(re.findall(r"`([^`]+)`", part[1])) if part else set()


def complaints(old, new, changelog):
    """(names that are new, sentences about names that went or changed and of which the changelog says nothing)."""
    before, now, said = parsed(old), parsed(new), admitted(changelog)
    names_now = {(door, name_of(line)) for door, line in now}
    wrong = []
    for door, line in sorted(before - now):
        name = name_of(line)
        short = name.removeprefix("hone::")
        if not said & {name, short, *(short.rsplit("::", count)[0] for count in (1, 2) if short.count("::") >= count)}:
            went = "changed" if (door, name) in names_now else "removed"
            wrong.append(f"{went} in {door}: {line}")
    return sorted(now - before), wrong


def main(*arguments):
    if len(arguments) != 1 or arguments[0] not in ("--print", "--check", "--write"):
        print(__doc__)
        return 2
    new = text_of_listing(listing(ROOT / "include"))
    if arguments[0] == "--print":
        print(new, end="")
        return 0
    old = LISTING.read_text(encoding="utf-8") if LISTING.exists() else HEAD
    added, wrong = complaints(old, new, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    for sentence in wrong:
        print(sentence)
    if wrong:
        print(f"name these in CHANGELOG.md, under Unreleased, \"{CHANGED}\"; then docs/api.py --write")
        return 1
    if arguments[0] == "--write":
        LISTING.write_text(new, encoding="utf-8")
    elif old != new:
        for door, line in added:
            print(f"new in {door}: {line}")
        print("docs/api.txt is not as the headers are: docs/api.py --write")
        return 1
    print(f"{len(parsed(new))} public declarations are listed in docs/api.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

# SPDX-License-Identifier: MIT
"""Reads what cuobjdump prints of a cubin, and finds the fewest instructions of one trip of a loop that does its work."""
import re
from collections import defaultdict
from dataclasses import dataclass, field

INSTRUCTION = re.compile(r"^\s*/\*([0-9a-f]{4,})\*/\s+(?:(@!?U?P\w+)\s+)?([A-Z][\w.]*)\s*(.*?)\s*;", re.M)
FUNCTION = re.compile(r"^\s*Function : (\S+)\s*$", re.M)
RESOURCES = re.compile(r"^ Function (\S+):\n\s+REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)", re.M)
ENDS = ("EXIT", "RET", "BPT", "KILL")


@dataclass(frozen=True)
class Instruction:
    at: int
    predicate: str | None
    opcode: str
    operands: str

    def goes_to(self):
        """The address in the operands of a branch."""
        found = re.search(r"\b0x([0-9a-f]+)$", self.operands)
        return int(found[1], 16) if found else None

    def may_fall_through(self):
        return self.predicate is not None or bool(re.match(r"!?U?P\d|UR\d", self.operands))

    def memory_bytes(self):
        """The bytes of a thread's access to global or generic memory, 0 for other instructions."""
        kind, *options = self.opcode.split(".")
        if kind not in ("LDG", "STG", "LD", "ST"):
            return 0
        sizes = {"128": 16, "64": 8, "U16": 2, "S16": 2, "U8": 1, "S8": 1}
        return next((sizes[o] for o in options if o in sizes), 4)

    def is_load(self):
        return self.opcode.split(".")[0] in ("LDG", "LD")

    def is_generic(self):
        return self.opcode.split(".")[0] in ("LD", "ST")

    def is_double(self):
        kind = self.opcode.split(".")[0]
        return bool(re.fullmatch(r"D(ADD|MUL|FMA|SETP|MNMX)", kind)) or (
            kind in ("F2F", "I2F", "F2I", "MUFU", "FRND") and "64" in self.opcode and ("F64" in self.opcode or "64H" in self.opcode)
        )

    def reads(self, registers):
        of = self.operands.partition(",")[2] if self.is_load() else self.operands
        return any(int(r) in registers for r in re.findall(r"\bR(\d+)\b", of))


@dataclass
class Kernel:
    name: str
    code: list
    registers: int = 0
    stack: int = 0
    shared: int = 0


@dataclass
class Path:
    """The fewest instructions of one trip; code is None where no trip does the work."""

    code: list | None = field(default=None)

    def count(self, test):
        return sum(1 for i in self.code if test(i))

    def bytes_in_flight(self):
        """The most bytes that a thread has requested, 16 at a time, before an instruction reads any register of theirs."""
        most, now, waiting = 0, 0, set()
        for i in self.code:
            if waiting and i.reads(waiting):
                now, waiting = 0, set()
            first = re.match(r"R(\d+)", i.operands)
            if i.is_load() and i.memory_bytes() == 16 and first:  # narrower ones are labels, or of unaligned lists
                now += 16
                waiting |= set(range(int(first[1]), int(first[1]) + 4))
                most = max(most, now)
        return most


def kernels_of(sass, resources=""):
    """The kernels in the text of `cuobjdump -sass`, with the registers in that of `--dump-resource-usage`."""
    places = list(FUNCTION.finditer(sass)) + [None]
    kernels = []
    for place, following in zip(places, places[1:]):
        text = sass[place.end() : following.start() if following else len(sass)]
        code = [Instruction(int(m[1], 16), m[2], m[3], m[4]) for m in INSTRUCTION.finditer(text)]
        kernels.append(Kernel(place[1], code))
    used = {m[1]: tuple(int(x) for x in m.groups()[1:]) for m in RESOURCES.finditer(resources)}
    for k in kernels:
        k.registers, k.stack, k.shared, _ = used.get(k.name, (0, 0, 0, 0))
    return kernels


def depth_first(start, after):
    """Yields (n, m, whether m is new) for the edges in the order of a depth-first search, and (n, None, False) after
    all those of n."""
    seen, stack = {start}, [(start, iter(after[start]))]
    while stack:
        n, rest = stack[-1]
        m = next(rest, None)
        new = m is not None and m not in seen
        yield n, m, new
        if m is None:
            stack.pop()
        elif new:
            seen.add(m)
            stack.append((m, iter(after[m])))


class Graph:
    """The basic blocks of a kernel."""

    def __init__(self, code):
        starts = {code[0].at}
        for i, following in zip(code, code[1:] + [None]):
            kind = i.opcode.split(".")[0]
            if kind in ("BRA", "BSSY") and i.goes_to() is not None:
                starts.add(i.goes_to())
            if following and (kind in ("BRA", "BSYNC", "BRX", "JMP") or kind in ENDS):
                starts.add(following.at)
        self.blocks, block = [], []
        for i in code:
            if i.at in starts and block:
                self.blocks.append(block)
                block = []
            block.append(i)
        self.blocks.append(block)
        self.number = {b[0].at: n for n, b in enumerate(self.blocks)}
        self.next = self._edges()
        self.retreating = self._retreating()

    def _edges(self):
        """The blocks after each one. BSYNC goes to where a BSSY of the same barrier says, of those that reach it."""
        barriers = [defaultdict(set) for _ in self.blocks]  # at the begin of each block
        edges = [[] for _ in self.blocks]
        changed = True
        while changed:
            changed = False
            for n, block in enumerate(self.blocks):
                now = defaultdict(set, {k: set(v) for k, v in barriers[n].items()})
                for i in block:
                    if i.opcode.startswith("BSSY"):
                        now[i.operands.split(",")[0]] = {i.goes_to()}
                edges[n] = self._after(n, now)
                for m in edges[n]:
                    for k, v in now.items():
                        if not v <= barriers[m][k]:
                            barriers[m][k] |= v
                            changed = True
        return edges

    def _after(self, n, barriers):
        last = self.blocks[n][-1]
        kind = last.opcode.split(".")[0]
        following = [n + 1] if n + 1 < len(self.blocks) else []
        if kind == "BRA":
            to = [self.number[last.goes_to()]] if last.goes_to() in self.number else []
            return to + [m for m in following if last.may_fall_through() and m not in to]
        if kind in ENDS:
            return following if last.predicate else []
        if kind == "BSYNC":
            to = [self.number[t] for t in barriers[last.operands.split(",")[0]] if t in self.number]
            return sorted(set(to)) or following
        return following

    def _retreating(self):
        """The edges that close loops, in the order of a depth-first search."""
        edges, active = set(), {0}
        for n, m, new in depth_first(0, self.next):
            if m is None:
                active.discard(n)
            elif new:
                active.add(m)
            elif m in active:
                edges.add((n, m))
        return edges

    def loops(self):
        """For each first block of a loop: its blocks, and those that go back to the first."""
        before = defaultdict(set)
        for n, after in enumerate(self.next):
            for m in after:
                before[m].add(n)
        found = {}
        for header in sorted({m for _, m in self.retreating}):
            ends = {n for n, m in self.retreating if m == header}
            body, open_ = {header}, list(ends)
            while open_:
                n = open_.pop()
                if n not in body:
                    body.add(n)
                    open_ += before[n]
            found[header] = (body, ends)
        return found

    def least_trip(self, header, body, ends, needs):
        """The path with the fewest instructions through a loop whose instructions match each pattern of `needs` at least
        as often as it says. Loops inside count one trip at most."""
        patterns, least = list(needs), tuple(needs.values())
        of_block = {
            n: tuple(sum(1 for i in self.blocks[n] if re.match(p, i.opcode)) for p in patterns) for n in body
        }
        after = {n: [m for m in self.next[n] if m in body and (n, m) not in self.retreating] for n in body}
        order = [n for n, m, _ in depth_first(header, after) if m is None]
        rest = {}  # per block: how often each pattern can still match after it, or None where no way leads to an end
        for n in order:
            ways = [tuple(map(sum, zip(rest[m], of_block[m]))) for m in after[n] if rest.get(m)]
            ways += [(0,) * len(least)] if n in ends else []
            rest[n] = tuple(map(max, zip(*ways))) if ways else None
        costs = {n: {} for n in order}  # per block: what has matched -> instructions, and where from
        start = tuple(min(c, most) for c, most in zip(of_block[header], least))
        costs[header][start] = (len(self.blocks[header]), None)
        for n in reversed(order):
            costs[n] = without_dominated(costs[n])
            for state, (cost, _) in costs[n].items():
                for m in after[n]:
                    matched = tuple(min(a + b, most) for a, b, most in zip(state, of_block[m], least))
                    if not rest[m] or any(a + b < most for a, b, most in zip(matched, rest[m], least)):
                        continue
                    total = cost + len(self.blocks[m])
                    if matched not in costs[m] or total < costs[m][matched][0]:
                        costs[m][matched] = (total, (n, state))
        done = [(costs[n][least][0], n) for n in ends if n in costs and least in costs[n]]
        if not done:
            return Path()
        place, blocks = (min(done)[1], least), []
        while place:
            n, state = place
            blocks.append(n)
            place = costs[n][state][1]
        return Path([i for n in reversed(blocks) for i in self.blocks[n]])


def without_dominated(states):
    """Leaves out what costs no less than a state that has matched at least as much."""
    kept = []
    for state, (cost, source) in sorted(states.items(), key=lambda s: (s[1][0], [-x for x in s[0]])):
        if not any(all(a >= b for a, b in zip(k, state)) for k, _, _ in kept):
            kept.append((state, cost, source))
    return {state: (cost, source) for state, cost, source in kept}


def least_trip(graph, needs):
    """The cheapest trip of any loop of a kernel that does the work `needs`."""
    trips = [graph.least_trip(header, body, ends, needs) for header, (body, ends) in graph.loops().items()]
    trips = [t for t in trips if t.code]
    return min(trips, key=lambda t: len(t.code), default=Path())

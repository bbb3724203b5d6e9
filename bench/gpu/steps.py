# SPDX-License-Identifier: MIT
"""Steps under a time limit, whose outcomes and whole logs are kept."""
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

# of its own: what a program started ends with it
GROUP = {"process_group": 0} if sys.version_info >= (3, 11) else {"preexec_fn": os.setpgrp}
OK, FAILED, LATE, SKIPPED = "ok", "FAILED", "out of time", "skipped"

# The seconds that each step may take of four minutes. 20 more are for the archive and the report. What a step does not use is
# for those behind it, and so is what is lacking: each has its part of the time that is left when it begins.
PARTS = {"tests": 60, "figures": 65, "figures, blas": 20, "PyTorch": 35, "ncu": 20,
         "memcheck": 5, "racecheck": 5, "initcheck": 5, "synccheck": 5}
LEAST = 3  # seconds, in which a program can say anything


def say(text):
    print(text, file=sys.stderr, flush=True)


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


@dataclass
class Step:
    name: str
    outcome: str
    seconds: float
    note: str = ""
    logs: tuple = ()  # of what did not succeed


class Steps:
    """Runs commands until `minutes` after the start; the last seconds are kept for the report."""

    def __init__(self, minutes, folder):
        self.end = time.monotonic() + 60 * minutes - 10
        self.folder, self.done, self.running, self.stopped = folder, [], set(), False
        folder.mkdir(parents=True, exist_ok=True)

    def left(self):
        return self.end - time.monotonic()

    def part(self, name):
        """The seconds that a step of PARTS may take now."""
        names = list(PARTS)
        behind = sum(PARTS[n] for n in names[names.index(name):])
        return max(self.left() * PARTS[name] / behind, LEAST)

    def log_of(self, name):
        return self.folder / f"{slug(name)}.log"

    def failed(self):
        return any(step.outcome == FAILED for step in self.done)

    def note(self, name, outcome, seconds=0.0, note="", logs=()):
        self.done.append(Step(name, outcome, round(seconds, 1), note, tuple(logs)))
        say(f"{name}: {outcome} ({seconds:.1f} s) {note}")
        return outcome == OK

    def limited(self, name, seconds, command, environment=None):
        """The exit status; None where the time ran out. Its output is the log of `name`."""
        seconds = min(seconds, self.left())
        with open(self.log_of(name), "wb") as log:
            if seconds < 1 or self.stopped:
                log.write(b"no time was left\n")
                return None
            try:
                program = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})},
                                           **GROUP)
            except OSError as error:
                log.write(f"{error}\n".encode())
                return 127
            self.running.add(program)
            try:
                return program.wait(seconds)
            except subprocess.TimeoutExpired:
                log.write(f"\n./run gpu: ended after {seconds:.0f} s\n".encode())
                return None
            finally:
                end(program)
                self.running.discard(program)

    def run(self, name, seconds, command, environment=None, optional=False):
        """A step of one command; true where it succeeded. What is optional may run out of time or fail."""
        if self.left() < LEAST:
            return self.note(name, SKIPPED, note="no time was left")
        say(f"{name} ...")
        begin = time.monotonic()
        status = self.limited(name, seconds, command, environment)
        seconds = time.monotonic() - begin
        if status == 0:
            return self.note(name, OK, seconds)
        outcome = LATE if status is None else "failed" if optional else FAILED
        return self.note(name, outcome, seconds, "" if status is None else f"status {status}", [self.log_of(name)])

    def side_by_side(self, name, seconds, commands, threads, environment=None):
        """Runs {label: command}, several at once, within so many seconds in all: {label: (status, seconds)}."""
        end_of_all = time.monotonic() + min(seconds, self.left())

        def one(item):
            label, command = item
            begin = time.monotonic()
            status = self.limited(f"{name} {label}", end_of_all - begin, command, environment)
            return label, (status, time.monotonic() - begin)

        with ThreadPoolExecutor(threads) as pool:
            return dict(pool.map(one, commands.items()))

    def end_all(self):
        """Ends what runs; nothing begins any more."""
        self.stopped = True
        for program in list(self.running):
            end(program)


def end(program):
    """Ends a program and what it started."""
    for how, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 10)):
        try:
            os.killpg(program.pid, how)
        except (ProcessLookupError, PermissionError):
            break
        try:
            program.wait(patience)
        except subprocess.TimeoutExpired:
            pass

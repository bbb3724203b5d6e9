#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""unchanged.py runs a command again where the command, or a file that it reads, is another, or where it failed."""
import sys
import tempfile
from pathlib import Path

import unchanged


def main():
    with tempfile.TemporaryDirectory(dir=unchanged.ROOT) as folder:
        here = Path(folder)
        unchanged.folder_of_marks = lambda: here
        read, runs = here / "read", here / "runs"
        (read / "inner").mkdir(parents=True)
        (read / "inner" / "a.hpp").write_text("1")
        runs.write_text("")

        def ran(status=0, word="x"):
            before = len(runs.read_text())
            command = ["sh", "-c", f"printf x >> {runs}; : {word}; exit {status}"]
            assert unchanged.main(sys.executable, str(read), "--", *command) == status
            return len(runs.read_text()) > before

        assert ran() and not ran()
        assert ran(word="y") and not ran(word="y")
        (read / "inner" / "a.hpp").write_text("2")
        assert ran() and not ran()
        (read / "b.hpp").write_text("")
        assert ran() and not ran()
        (read / "b.hpp").rename(read / "c.hpp")
        assert ran() and not ran()
        assert ran(status=3) and ran(status=3), "a failure is not remembered"
    print("a command runs again where anything that it reads is another")


if __name__ == "__main__":
    main()
